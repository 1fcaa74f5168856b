"""The server process of an embedded PostgreSQL: making its data directory, launching it, and telling whether it runs."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

from core.runtime.db import embedded_setup as setup
from core.runtime.db.embedded_home import Home, write_private
from core.runtime.db.embedded_process import EmbeddedFailed, command_of, is_alive, own, spawn, tail

# A crash recovery may replay gigabytes. Only a server that ends is a failure; one that is still busy is waited for.
START_PATIENCE_S = 900.0
# After kill -9 the old backends need a moment to notice that their parent is gone; until then a new server refuses.
REFUSAL_PATIENCE_S = 20.0
_REFUSALS = ("pre-existing shared memory block", "lock file")
# The locale of the process does not matter: collation and character classes are PostgreSQL's own (see `make_cluster`).
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


def make_cluster(home: Home, log: Path) -> None:
    """Run initdb unless there is a data directory; it is made beside its place and renamed, so an interrupted run leaves
    nothing half made.

    The collation is PostgreSQL's built-in C.UTF-8: text sorts by code point on every machine, and prefix ranges can use
    indexes.
    """
    if (home.cluster / "PG_VERSION").exists():
        return
    part = home.cluster.with_name("cluster.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o700)
    own(part, home.donor, 0o700)
    options = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8", "--no-sync"]
    options += ["--username=postgres", "--auth=peer", "--no-instructions"]
    command: list[str | Path] = [home.programs / "initdb", "-D", part, *options]
    with log.open("ab") as output:
        process = spawn(command, env=_ENVIRONMENT, cwd=home.cluster.parent, output=output, account=home.donor)
        if process.wait() != 0:
            raise EmbeddedFailed(f"initdb failed:\n{tail(log)}")
    if home.account is not None:
        for folder, folders, files in os.walk(part):
            for name in (".", *folders, *files):
                os.chown(Path(folder, name), home.account.uid, home.account.gid)
    os.sync()
    part.rename(home.cluster)


def write_settings(home: Home, *, port: int, tcp: bool, durable: bool) -> None:
    """Write postgresql.conf, pg_hba.conf and pg_ident.conf anew; they describe this release and the folder as it is now."""
    keepers = {pwd.getpwuid(os.geteuid()).pw_name}
    if home.account is not None and home.account.name is not None:
        keepers.add(home.account.name)
    text = setup.settings_text(home.cluster, home.sockets, port=port, tcp=tcp, durable=durable)
    write_private(home.cluster / "postgresql.conf", text, home.account)
    write_private(home.cluster / "pg_hba.conf", setup.access_text(), home.account)
    write_private(home.cluster / "pg_ident.conf", setup.keepers_text(keepers), home.account)


def launch(home: Home, log: Path) -> subprocess.Popen[bytes]:
    """Start the server process; SIGINT (a fast, clean shutdown) reaches it when we die. Does not wait for it to be ready."""
    _remove_foreign_locks(home)
    with log.open("ab") as output:
        os.fchmod(output.fileno(), 0o600)
        return spawn(
            [home.programs / "postgres", "-D", home.cluster],
            env=_ENVIRONMENT,
            cwd=home.cluster.parent,
            output=output,
            account=home.account,
            death_signal=signal.SIGINT,
        )


def launch_and_wait(home: Home, log: Path) -> subprocess.Popen[bytes]:
    """Start the server and return when it takes connections. Raises EmbeddedFailed when it ends instead."""
    give_up = time.monotonic() + REFUSAL_PATIENCE_S
    while True:
        mark = log.stat().st_size if log.exists() else 0
        process = launch(home, log)
        if wait_until_ready(home.cluster, process):
            return process
        with log.open("rb") as lines:
            lines.seek(mark)
            said = lines.read().decode(errors="replace")
        if time.monotonic() > give_up or not any(word in said for word in _REFUSALS):
            raise EmbeddedFailed(f"PostgreSQL did not start:\n{tail(log)}")
        time.sleep(0.5)


def wait_until_ready(cluster: Path, process: subprocess.Popen[bytes] | None) -> bool:
    """Wait until the server takes connections; `process` is None for one that somebody else started. False when it has ended."""
    give_up = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < give_up:
        pid = running_pid(cluster) if process is None else process.pid
        if pid is None or (process is not None and process.poll() is not None):
            return False
        lock = _lock_lines(cluster)
        if len(lock) > 7 and lock[0] == str(pid) and lock[7] == "ready":
            return True
        time.sleep(0.02)
    return False


def running_pid(cluster: Path) -> int | None:
    """The process id of the server on this data directory, or None. Takes no dead process and no other program for it."""
    lock = _lock_lines(cluster)
    if not lock or not lock[0].isdigit():
        return None
    pid = int(lock[0])
    return pid if is_alive(pid) and str(cluster) in command_of(pid) else None


def _remove_foreign_locks(home: Home) -> None:
    """Remove lock files whose process id now belongs to another program (usual after a container restarts): they would
    stop the start.

    A lock of a dead process is left to PostgreSQL, which knows how to make sure that no backend of it is left.
    """
    for lock in (home.cluster / "postmaster.pid", *home.sockets.glob("*.lock")):
        first = _lines(lock)[:1]
        if first and first[0].isdigit() and is_alive(int(first[0])) and str(home.cluster) not in command_of(int(first[0])):
            lock.unlink(missing_ok=True)


def _lock_lines(cluster: Path) -> list[str]:
    """What the server writes about itself: process id first, state ("ready") on the eighth line."""
    return _lines(cluster / "postmaster.pid")


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text().splitlines()]
    except OSError:
        return []
