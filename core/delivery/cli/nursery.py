"""The nursery: a process that has imported the application once, in which the programs of `oms up` are born by forking.

Starting each of them as a Python of its own imports the same 1,500 modules again, one to two seconds of CPU each. The nursery imports
them while the embedded servers start, knows no address and no key, and goes when everything has been born. A program is born twice
forked, so that it becomes the supervisor's own child (docs/adr/programs-are-born-in-a-nursery.md).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import IO, Self

from core.delivery.cli.environment import environment_for, kept_back
from core.delivery.cli.program import Program
from core.runtime.db.embedded_process import adopt_orphans, die_with_parent

LARGEST_REQUEST = 1 << 20
# Room in the nursery's command line, over which each program writes its own.
PADDING = "-" * 600
GO = b"!"
_PATIENCE_S = 60.0


class Adopted:
    """A child that we did not start ourselves, with as much of `subprocess.Popen` as the supervisor uses."""

    def __init__(self, pid: int, stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, negative for a signal, or None while it runs."""
        return self._collect(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for the end."""
        return self._collect(0)

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def _collect(self, options: int) -> int | None:
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # it never became ours, so it has ended itself
                pid, status = self.pid, int(signal.SIGKILL)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class Nursery:
    """Started when made; used as a context, at whose end it goes. On systems without what it needs it bears nothing."""

    def __init__(self, python_path: str) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self.pid: int | None = None
        if sys.platform != "linux":
            return
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.settimeout(_PATIENCE_S)
        module = "core.delivery.cli.nursery_process"
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(theirs.fileno()), str(os.getpid()), PADDING],
                stdin=subprocess.DEVNULL,
                env=environment_for([("PYTHONPATH", python_path)], without=kept_back()),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one system call, takes no lock
            )

        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the nursery; what was born lives on. A second call does nothing."""
        process, self._process = self._process, None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if process is not None:
            process.kill()
            process.wait()
            adopt_orphans(wanted=False)

    def bear(self, programs: Iterable[Program]) -> Iterator[tuple[Program, Adopted | None]]:
        """Start programs in this order, each as it comes; None for one that has to be started in the ordinary way.

        Waits for each. A program whose birth was not noted here, because a signal came in between, ends by itself.
        """
        wanted = list(programs)
        births = [self._ask(program) for program in wanted]
        try:
            for program, birth in zip(wanted, births, strict=True):
                yield program, self._answer(*birth) if birth else None
        finally:
            for birth in births:
                for end in birth or ():
                    with contextlib.suppress(OSError):
                        end.close()

    def _ask(self, program: Program) -> tuple[IO[bytes], IO[bytes]] | None:
        """Send one request. Returns the end on which the program hears that it may live, and the one on which we hear it."""
        if self._socket is None or not program.preload:
            return None
        (ear, voice), (listening, mouth) = os.pipe(), os.pipe()
        words = {"command": list(program.command), "env": dict(program.env), "inherit": program.inherit, "preload": program.preload}
        try:
            socket.send_fds(self._socket, [json.dumps(words).encode()], [ear, mouth, *program.inherit])
        except OSError:
            os.close(voice)
            os.close(listening)
            return None
        finally:
            os.close(ear)
            os.close(mouth)
        return os.fdopen(voice, "wb", 0), os.fdopen(listening, "rb", 0)

    def _answer(self, voice: IO[bytes], listening: IO[bytes]) -> Adopted | None:
        """Wait until one program is born and let it live."""
        if self._socket is None:
            return None
        try:
            adopt_orphans(wanted=True)
            said = self._socket.recv(64)
        except OSError:
            said = b""
        if not said:
            self.close()
            return None
        child = Adopted(int(said), os.fdopen(os.dup(listening.fileno()), "rb", 0))
        voice.write(GO)
        return child
