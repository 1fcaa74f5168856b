"""Child processes that never outlive their parent, and folders whose Unix sockets have short enough names."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.kernel.errors import Denied, Unavailable

# A socket's name has 108 bytes on Linux and 104 on macOS; PostgreSQL adds up to 21 to the folder ("/.s.PGSQL.65535.lock").
SOCKET_FOLDER_MAX = 80
_PLAIN_PATH = re.compile(r"[\w/.+~-]+", re.ASCII)
_SHORT = Path("/tmp")  # noqa: S108 - the folder is made private and its owner checked
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class EmbeddedNotPossible(Denied):
    """This account or machine cannot run the embedded servers."""

    code = "embedded.not_possible"


class EmbeddedFailed(Unavailable):
    """An embedded server did not start."""

    code = "embedded.failed"


@dataclass(frozen=True)
class Account:
    """The operating system account that a server runs as; `name` is None when no user entry exists for the id."""

    uid: int
    gid: int
    name: str | None = None


def die_with_parent(death_signal: signal.Signals, *, parent: int | None = None) -> Callable[[], None]:
    """A function to run in a child before exec: the kernel sends `death_signal` to it when the parent goes.

    The parent is this process, or the one with the id `parent`; when it is gone already, the child ends at once.

    Linux only, elsewhere it does nothing. "The parent" is the thread that starts the child: start servers from a thread
    that stays. Source: prctl(2), PR_SET_PDEATHSIG; it is cleared when the child changes its user, so it must be set after that.
    """
    expected = parent or os.getpid()

    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != expected:
                os._exit(1)

    return prepare


def adopt_orphans(*, wanted: bool) -> None:
    """Whether processes below us whose parent has ended become our children, from now on. Source: prctl(2), PR_SET_CHILD_SUBREAPER.

    Raises OSError where the system cannot.
    """
    if _libc is None or _libc.prctl(_PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0) != 0:
        raise OSError("this system knows no subreapers")


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    output: IO[bytes] | int = subprocess.DEVNULL,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own (so that Ctrl-C reaches only us) that ends with its parent.

    Both streams go to `output`. With `account` the process gives up root for that account and keeps no other group.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=dict(env),
        start_new_session=True,
        preexec_fn=die_with_parent(death_signal),  # noqa: PLW1509 - one system call, takes no lock
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
    )


def own(path: Path, account: Account | None, mode: int) -> Path:
    """Give `path` to the account that a server runs as, when that is not ourselves."""
    path.chmod(mode)
    if account is not None:
        os.chown(path, account.uid, account.gid)
    return path


def socket_folder(wanted: Path, account: Account | None) -> Path:
    """A private folder for sockets: `wanted`, or one with a short, plain name in /tmp when that path is too long or has
    odd characters.

    redis-py cannot read Valkey's list of clients when a socket's path holds a space. The same `wanted` always gives the
    same folder. Raises EmbeddedNotPossible when somebody else owns the short one.
    """
    folder = wanted
    if len(os.fsencode(wanted)) > SOCKET_FOLDER_MAX or not _PLAIN_PATH.fullmatch(str(wanted)):
        tag = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        folder = _SHORT / f"oms-{os.geteuid()}-{tag}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    expected = {os.geteuid()} if account is None else {os.geteuid(), account.uid}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in expected:
        raise EmbeddedNotPossible(f"{folder} belongs to somebody else; remove it, or move the data to a shorter path.")
    return own(folder, account, 0o700)


def leave_socket_folder(folder: Path) -> None:
    """Remove a folder that `socket_folder` made in /tmp once it is empty; any other stays."""
    if folder.parent == _SHORT:
        with contextlib.suppress(OSError):
            folder.rmdir()


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, for a message that says why a server did not start."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_of(pid: int) -> str:
    """The command line of a process, or an empty string when it is gone or hidden."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        pass
    if sys.platform == "linux":
        return ""
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def stop_process(process: subprocess.Popen[bytes], *signals: tuple[signal.Signals, float]) -> int:
    """Send each signal in turn and wait its seconds for the end; SIGKILL at last. Returns the exit code. A dead one is fine."""
    for number, patience_s in signals:
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    return process.wait()
