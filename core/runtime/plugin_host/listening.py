"""Hearing of flips at once: a thread that listens for the notifications of `bump_epoch`. Comfort only; nothing depends on it."""

from __future__ import annotations

import threading

import psycopg
import structlog

from core.runtime.plugin_host.enablement import CHANNEL, Enablement
from core.runtime.tenancy.database import Database

PATIENCE_S = 5.0
_log = structlog.get_logger(__name__)


class EpochListener:
    """Drops the view of each tenant whose epoch changes, on a connection of its own. Start it after forking."""

    def __init__(self, database: Database, enablement: Enablement) -> None:
        self._address = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._enablement = enablement
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="epoch-listener", daemon=True)
        self.is_listening = threading.Event()

    def start(self) -> EpochListener:
        """Begin; `is_listening` is set once notifications arrive."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, within the patience of one wait."""
        self._stopped.set()
        self._thread.join(PATIENCE_S + 1)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                self.is_listening.clear()
                _log.info("plugins.listener_lost", error=type(error).__name__)
                self._stopped.wait(PATIENCE_S)

    def _listen(self) -> None:
        with psycopg.connect(self._address, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._enablement.forget()  # what was missed meanwhile
            self.is_listening.set()
            while not self._stopped.is_set():
                for notice in connection.notifies(timeout=PATIENCE_S, stop_after=1):
                    self._enablement.forget(int(notice.payload) if notice.payload.isdigit() else None)
