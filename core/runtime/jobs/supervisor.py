"""The worker: a supervisor that forks working processes, kills those that overrun, and replaces those that end.

A working process handles many jobs one after the other in itself: forking for each job, as rq does by default, costs about three
times the CPU (docs/architecture/events.md). What a job does to its process, hang, crash or leak, ends with that process.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from types import FrameType

from core.kernel.collector import settle_collector
from core.runtime.jobs.process import Prepare, Seat, WorkerOptions, run_process

log = logging.getLogger("oms.worker")

_WATCH_EVERY_S = 0.25
_HEALTHY_S = 5.0
_WAITS_S = (0.0, 0.2, 1.0, 2.0, 5.0)
# Who died over somebody's work is replaced soon: that work is given up after a few deaths, and all other work waits.
_WAITS_AT_WORK_S = (0.0, 0.0, 0.0, 0.2, 0.5)


class Supervisor:
    """Keeps `options.processes` working processes alive until it gets SIGTERM or SIGINT."""

    def __init__(self, options: WorkerOptions, prepare: Prepare) -> None:
        self._options = options
        self._prepare = prepare
        self._seats = [Seat(os.getpid()) for _ in range(options.processes)]
        self._stopping = False

    def run(self) -> None:
        """Work until told to stop. The calling process must have no threads and no open connections: it is forked."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_stop)
        settle_collector()  # memory shared with the forked processes stays shared
        while not self._stopping:
            self._fill_seats()
            time.sleep(_WATCH_EVERY_S)
            self._kill_overdue()
            self._collect_dead()
        self._stop_all()

    def _ask_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _fill_seats(self) -> None:
        now = time.monotonic()
        for seat in self._seats:
            if seat.pid == 0 and now >= seat.not_before:
                self._start(seat)

    def _start(self, seat: Seat) -> None:
        seat.deadline.clear()
        seat.notebook.clear()
        seat.since = time.monotonic()
        pid = os.fork()
        if pid:
            seat.pid, seat.remains = pid, None
            return
        code = 1
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            run_process(self._options, self._prepare, seat)
            code = 0
        except Exception:  # containment: the supervisor's code must never run on in the child
            log.exception("A working process failed.")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for seat in self._seats:
            if seat.pid and seat.deadline.overdue(now):
                log.error("A working process overran its time limit and is killed: %s", seat.deadline.label)
                _signal(seat.pid, signal.SIGKILL)

    def _collect_dead(self) -> None:
        for seat in self._seats:
            if seat.pid == 0:
                continue
            pid, status = os.waitpid(seat.pid, os.WNOHANG)
            if pid == 0:
                continue
            now = time.monotonic()
            if os.WIFSIGNALED(status):
                log.error("A working process ended by signal %d: %s", os.WTERMSIG(status), seat.deadline.label or "idle")
            seat.remains = seat.notebook.remains()
            young = now - seat.since < _HEALTHY_S
            seat.early_deaths = seat.early_deaths + 1 if young else 0
            waits_s = _WAITS_S if seat.remains is None else _WAITS_AT_WORK_S
            seat.not_before = now + waits_s[min(seat.early_deaths, len(waits_s) - 1)]
            seat.pid = 0

    def _stop_all(self) -> None:
        for seat in self._seats:
            _signal(seat.pid, signal.SIGTERM)
        until = time.monotonic() + self._options.stop_s
        while any(seat.pid for seat in self._seats):
            if time.monotonic() > until:
                for seat in self._seats:
                    _signal(seat.pid, signal.SIGKILL)
            self._kill_overdue()
            self._collect_dead()
            time.sleep(0.02)


def _signal(pid: int, number: int) -> None:
    if pid:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
