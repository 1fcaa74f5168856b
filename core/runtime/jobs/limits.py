"""Time limits that hold: an alarm inside the working process, and a deadline that its supervisor can see.

The alarm ends code that behaves. Code that swallows exceptions, hangs in C or blocks signals runs into the deadline, which stands
in memory shared with the supervisor; it kills the process (`core.runtime.jobs.supervisor`).
"""

from __future__ import annotations

import mmap
import signal
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

KILL_GRACE_S = 5.0
_LAYOUT = struct.Struct("d96s")


class TimeLimit(KeyboardInterrupt):
    """The time limit has passed.

    A KeyboardInterrupt, so that `except Exception` in a plugin does not swallow it and the database driver cancels the running
    statement.
    """


class Deadline:
    """One moment (monotonic clock) in memory that survives the fork: after it, the process that set it is to be killed."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _LAYOUT.size)
        self.clear()

    def set(self, moment: float, label: str) -> None:
        """Ask to be killed at `moment`; `label` says what was being done."""
        _LAYOUT.pack_into(self._memory, 0, moment, label.encode()[:96])

    def clear(self) -> None:
        """Nothing is being done."""
        _LAYOUT.pack_into(self._memory, 0, 0.0, b"")

    def overdue(self, now: float) -> bool:
        """Whether the moment has passed."""
        moment = _LAYOUT.unpack_from(self._memory, 0)[0]
        return moment != 0.0 and now > moment

    @property
    def label(self) -> str:
        """What is being done; empty when idle."""
        return _LAYOUT.unpack_from(self._memory, 0)[1].rstrip(b"\0").decode("utf-8", "replace")


class Limits:
    """Hands out time limits.

    With a `Deadline` the supervisor enforces them, without one (tests, in-process use) only the alarm does.
    """

    def __init__(self, deadline: Deadline | None = None) -> None:
        self._deadline = deadline

    @contextmanager
    def within(self, seconds: float, label: str) -> Iterator[None]:
        """Raise TimeLimit inside the block after `seconds`; blocks do not nest. An alarm that was set before goes on afterwards.

        Outside the main thread no alarm can be set, and only the deadline holds.
        """
        if self._deadline is not None:
            self._deadline.set(time.monotonic() + seconds + KILL_GRACE_S, label)
        try:
            if threading.current_thread() is threading.main_thread():
                with _alarm(seconds):
                    yield
            else:
                yield
        finally:
            if self._deadline is not None:
                self._deadline.clear()


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise TimeLimit


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    old_handler = signal.signal(signal.SIGALRM, _ring)
    old_left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old_handler)
        if old_left:
            signal.setitimer(signal.ITIMER_REAL, max(0.01, old_left - (time.monotonic() - begun)))
