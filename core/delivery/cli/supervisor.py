"""One process that keeps the others running: starts them, restarts what crashes, and takes everything down with it.

    supervisor
      ├── servers   embedded PostgreSQL and Valkey, if any: started first, stopped last
      └── programs  web, workers, relay: each leads a process group of its own, so nothing of it can be left behind

Children end when the supervisor does, even by kill -9 (see `die_with_parent`). Only the main thread may run it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO, Any, Protocol, TextIO

from core.delivery.cli.nursery import Adopted, Nursery
from core.delivery.cli.program import Program
from core.runtime.db.embedded_process import die_with_parent

# Waiting times before the first, second, … restart; the last one repeats. A program that stayed up for a while starts over.
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
SETTLED_S = 30.0
# Together below ten seconds: what people wait after Ctrl-C, and what container platforms grant before they kill.
PROGRAMS_PATIENCE_S = 6.0
TICK_S = 0.1
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Server(Protocol):
    """What the supervisor needs of an embedded server."""

    @property
    def pid(self) -> int | None:
        """The process id, or None when it does not run."""
        ...

    def start(self) -> Any:
        """Start it, or do nothing when it runs."""
        ...

    def stop(self) -> None:
        """Stop it if it is ours."""
        ...


class StopRequested(BaseException):
    """A signal asks us to end. Not an Exception, so that nothing on the way swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


@dataclass
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | Adopted | None = None
    started_at: float = 0.0
    crashes: int = 0
    restart_at: float | None = None
    unfinished: bytes = b""


class Supervisor:
    """Keeps servers and programs running until a signal comes.

    Used as a context: signals are caught inside, everything is stopped at its end, in reverse order, whatever happened.
    """

    def __init__(self, *, out: TextIO | None = None) -> None:
        self.crashes = 0
        self._out = out or sys.stdout
        self._servers: list[tuple[str, Server]] = []
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self._old_handlers: dict[int, Any] = {}

    def __enter__(self) -> Supervisor:
        for number in _STOP_SIGNALS:
            self._old_handlers[number] = signal.signal(number, _request_stop)
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._old_handlers.items():
                signal.signal(number, handler)

    def add_server(self, name: str, server: Server) -> Any:
        """Start a server and watch it from now on. Returns what its `start` returns."""
        self._servers.append((name, server))
        return server.start()

    def add_program(self, program: Program) -> None:
        """Start a program and watch it from now on."""
        child = _Child(program)
        self._children.append(child)
        self._start(child)

    def add_programs(self, programs: Sequence[Program], nursery: Nursery) -> None:
        """Start several programs in the nursery, as far as it can, the last of them first; they are stopped in the order given."""
        children = {program.name: _Child(program) for program in programs}
        self._children += children.values()
        for program, process in nursery.bear(reversed(programs)):
            if process is None:
                self._start(children[program.name])
            else:
                self._watch(children[program.name], process)

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Watch until `until` says so. Raises StopRequested when a signal asks for the end."""
        while not until():
            self._pump(TICK_S)
            self._tend_servers()
            for child in self._children:
                self._tend(child)

    def call(self, program: Program) -> tuple[int, str]:
        """Run a program to its end while watching the others. Returns its exit code and what it printed; its errors are passed on."""
        with tempfile.TemporaryFile() as printed:
            process = subprocess.Popen(
                list(program.command),
                stdin=subprocess.DEVNULL,
                stdout=printed,
                env=dict(program.env),
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one system call, takes no lock
            )
            try:
                self.run(until=lambda: process.poll() is not None)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
            printed.seek(0)
            return code, printed.read().decode(errors="replace")

    def pids(self) -> dict[str, int]:
        """Process ids by name, of what runs now."""
        servers = {name: server.pid for name, server in self._servers}
        children = {child.program.name: child.process.pid for child in self._children if child.process is not None}
        return {name: pid for name, pid in (servers | children).items() if pid is not None}

    def stop(self) -> None:
        """Ask the programs to end, in the order they were added, then stop the servers in reverse; ten seconds at most.

        Signals are ignored meanwhile. What does not end in time is killed.
        """
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        give_up = time.monotonic() + PROGRAMS_PATIENCE_S
        processes = [child.process for child in self._children if child.process is not None]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        while time.monotonic() < give_up and any(process.poll() is None for process in processes):
            self._pump(0.02)
        for child in self._children:
            self._forget(child)
        self._children.clear()
        for _, server in reversed(self._servers):
            server.stop()
        self._servers.clear()

    def say(self, name: str, text: str) -> None:
        """Write a line of our own, set out like those of the programs."""
        self._write(name, text.encode())

    def _start(self, child: _Child) -> None:
        program = child.program
        process = subprocess.Popen(
            list(program.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(program.env),
            start_new_session=True,
            pass_fds=program.inherit,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one system call, takes no lock
        )
        self._watch(child, process)

    def _watch(self, child: _Child, process: subprocess.Popen[bytes] | Adopted) -> None:
        child.process, child.started_at, child.restart_at = process, time.monotonic(), None
        if process.stdout is not None:
            os.set_blocking(process.stdout.fileno(), False)
            self._selector.register(process.stdout, selectors.EVENT_READ, child)

    def _tend_servers(self) -> None:
        for name, server in self._servers:
            if server.pid is None:
                self.say(name, "ended unexpectedly, starting it again")
                self.crashes += 1
                server.start()

    def _tend(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is not None and child.process.poll() is not None:
            code, lived_s = child.process.returncode, now - child.started_at
            self._forget(child)
            self.crashes += 1
            child.crashes = 1 if lived_s > SETTLED_S else child.crashes + 1
            wait_s = BACKOFF_S[min(child.crashes, len(BACKOFF_S)) - 1]
            child.restart_at = now + wait_s
            self.say(child.program.name, f"ended unexpectedly ({_reason(code)}), starting it again in {wait_s:g} s")
        elif child.restart_at is not None and now >= child.restart_at:
            self._start(child)

    def _forget(self, child: _Child) -> None:
        """Kill what is left of the program's process group and let go of its pipe."""
        process = child.process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._read(child)
        if process.stdout is not None:
            self._unwatch(process.stdout)
            process.stdout.close()
        if child.unfinished:
            self._write(child.program.name, child.unfinished)
        child.process, child.unfinished = None, b""

    def _pump(self, timeout_s: float) -> None:
        """Pass on what the programs say, each line with the program's name before it."""
        if not self._selector.get_map():
            time.sleep(timeout_s)
            return
        for key, _ in self._selector.select(timeout_s):
            self._read(key.data)

    def _read(self, child: _Child) -> None:
        pipe = child.process.stdout if child.process is not None else None
        if pipe is None:
            return
        try:
            data = os.read(pipe.fileno(), 65536)
        except BlockingIOError:
            return
        if not data:
            self._unwatch(pipe)
        *lines, child.unfinished = (child.unfinished + data).split(b"\n")
        for line in lines:
            self._write(child.program.name, line)

    def _unwatch(self, pipe: IO[bytes]) -> None:
        if pipe in self._selector.get_map():
            self._selector.unregister(pipe)

    def _write(self, name: str, line: bytes) -> None:
        self._out.write(f"{name:<9}| {line.decode(errors='replace').rstrip()}\n")
        self._out.flush()


def _reason(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    return signal.Signals(-code).name


def _request_stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a signal handler
    raise StopRequested(number)
