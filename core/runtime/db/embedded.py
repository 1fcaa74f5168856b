"""An embedded PostgreSQL 18 for development, tests and trials.

The programs come from a Python package and are run directly. One process owns the server: it ends with the process that
started it, even when that one is killed. A second `start` on the same folder, in the same process or another, joins the
running server.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from core.runtime.db import embedded_cluster as cluster
from core.runtime.db import provision
from core.runtime.db.embedded_home import Home, open_home, write_private
from core.runtime.db.embedded_process import EmbeddedFailed, leave_socket_folder, stop_process

DATABASE = "orderloom"
PORT = 5432
# Counted up when `_bootstrap` changes, so that older clusters are brought up to date at their next start.
BOOTSTRAP_VERSION = 1


@dataclass(frozen=True)
class Endpoints:
    """SQLAlchemy addresses of one database, one per role (`postgresql+psycopg://…`). They hold passwords: never log them."""

    owner_url: str
    app_url: str
    relay_url: str
    backup_url: str


class EmbeddedPostgres:
    """A PostgreSQL server in a folder of its own.

    `state` holds passwords and the log; nothing else may live there. `tcp_port` also opens 127.0.0.1. `durable=False` is
    for tests: quick, and lost when the machine (not merely the server) crashes.
    """

    def __init__(self, state: Path | str, *, tcp_port: int | None = None, durable: bool = True) -> None:
        self.state = Path(state).resolve()
        self.log = self.state / "server.log"
        self._tcp_port = tcp_port
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self._home: Home | None = None
        self._starter: int | None = None

    def start(self) -> Endpoints:
        """Start the server, or join the one that runs on this folder, and make roles and the database when they are missing.

        Waits until connections are taken, however long a crash recovery lasts. Returns the addresses of the database
        `orderloom`. Call it from a thread that lives as long as the server should: the server ends with that thread.
        Raises: EmbeddedNotPossible - this account or machine cannot; EmbeddedFailed - the server ended while starting.
        """
        home = self._home = open_home(self.state)
        self._starter = os.getpid()
        with _locked(self.state / "lock"):
            # One that was just killed may still look ready: only an answer counts.
            if not (cluster.wait_until_ready(home.cluster, None) and self._answers()):
                if self._process is not None:
                    self._process.wait()
                cluster.make_cluster(home, self.log)
                cluster.write_settings(home, port=self._port, tcp=self._tcp_port is not None, durable=self._durable)
                self._process = cluster.launch_and_wait(home, self.log)
            self._bootstrap()
        return self.endpoints()

    def stop(self) -> None:
        """Stop the server if this object started it; one that was only joined goes on. A second call does nothing."""
        process, self._process = self._process, None
        if self._starter != os.getpid():
            # A forked child has our memory, but the server is its parent's.
            return
        if process is None:
            return
        if self._durable:
            stop_process(process, (signal.SIGINT, 3.0), (signal.SIGQUIT, 1.0))
        else:
            stop_process(process, (signal.SIGQUIT, 1.0))
        leave_socket_folder(self._opened().sockets)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run; it may still be starting."""
        return cluster.running_pid(self._opened().cluster)

    @property
    def owns_server(self) -> bool:
        """Whether this object started the server, so that `stop` would end it."""
        return self._process is not None

    def endpoints(self, database: str = DATABASE) -> Endpoints:
        """Addresses of a database on this server; works while it is down.

        Raises EmbeddedFailed when it has never been started.
        """
        passwords = self._read_state().get("passwords")
        if not passwords:
            raise EmbeddedFailed(f"There is no embedded database in {self.state} yet.")
        query = f"host={quote(str(self._opened().sockets), safe='')}&port={self._port}"
        urls = {role: f"postgresql+psycopg://{role}:{passwords[role]}@/{quote(database)}?{query}" for role in provision.ROLES}
        return Endpoints(urls["oms_owner"], urls["oms_app"], urls["oms_relay"], urls["oms_backup"])

    def create_database(self, name: str, template: str | None = None) -> Endpoints:
        """Create a database owned by `oms_owner`, as a copy of `template` if one is named; nobody may be connected to that one.

        Raises psycopg's DuplicateDatabase when the name is taken.
        """
        with self.superuser("postgres") as connection:
            provision.make_database(connection, name, template or "template1")
        return self.endpoints(name)

    def drop_database(self, name: str) -> None:
        """Drop a database and throw out whoever is connected. A missing one is fine."""
        with self.superuser("postgres") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def superuser(self, database: str = DATABASE) -> Iterator[psycopg.Connection]:
        """A connection as the superuser, with autocommit; only the operating system user who runs the server gets one."""
        host = str(self._opened().sockets)
        with psycopg.connect(
            host=host, port=self._port, user="postgres", dbname=database, autocommit=True, connect_timeout=30
        ) as connection:
            yield connection

    @property
    def _port(self) -> int:
        return self._tcp_port or PORT

    def _opened(self) -> Home:
        if self._home is None:
            self._home = open_home(self.state)
        return self._home

    def _answers(self) -> bool:
        try:
            with self.superuser("template1") as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _bootstrap(self) -> None:
        """Make roles, marks and the database. Its version is noted last, so that an interrupted run is done again."""
        state = self._read_state()
        if state.get("version") == BOOTSTRAP_VERSION:
            return
        passwords = state.get("passwords") or {role: secrets.token_urlsafe(24) for role in provision.ROLES}
        self._write_state({"version": None, "passwords": passwords})
        with self.superuser("template1") as connection:
            provision.make_roles(connection, passwords)
            provision.mark_leakproof(connection)
            connection.execute("REVOKE ALL ON DATABASE template1, postgres FROM PUBLIC")
        with self.superuser("postgres") as connection, contextlib.suppress(psycopg.errors.DuplicateDatabase):
            provision.make_database(connection, DATABASE)
        with self.superuser() as connection:
            provision.mark_leakproof(connection)
        self._write_state({"version": BOOTSTRAP_VERSION, "passwords": passwords})

    def _read_state(self) -> dict[str, Any]:
        try:
            return json.loads((self.state / "roles.json").read_text())
        except FileNotFoundError:
            return {}

    def _write_state(self, state: dict[str, Any]) -> None:
        write_private(self.state / "roles.json", json.dumps(state, indent=1), None)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Only one process at a time starts a server on a folder; the others wait and then find it running."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
