"""Time limits inside a process, and the deadline that its supervisor sees."""

import signal
import time
from contextlib import suppress

import pytest

from core.runtime.jobs.limits import KILL_GRACE_S, Deadline, Limits, TimeLimit


def test_limit_ends_code_that_swallows_exceptions():
    def swallow():
        with Limits().within(0.05, "t.hangs"):
            while True:
                with suppress(Exception):
                    time.sleep(5)

    begun = time.monotonic()
    with pytest.raises(TimeLimit):
        swallow()

    assert time.monotonic() - begun < 2


def test_limit_leaves_an_earlier_alarm_running_when_it_ends():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    left, _ = signal.setitimer(signal.ITIMER_REAL, 30)
    try:
        with Limits().within(5, "t.quick"):
            pass

        assert 29 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
        signal.raise_signal(signal.SIGALRM)
        assert rung == [1]
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left)


def test_deadline_is_set_only_while_something_is_done():
    deadline = Deadline()
    limits = Limits(deadline)

    with limits.within(10, "t.one"):
        inside = (deadline.label, deadline.overdue(time.monotonic() + 10), deadline.overdue(time.monotonic() + 10 + KILL_GRACE_S))

    assert inside == ("t.one", False, True)
    assert (deadline.label, deadline.overdue(time.monotonic() + 1e6)) == ("", False)


def test_deadline_keeps_labels_of_any_length():
    deadline = Deadline()

    deadline.set(1.0, "é" * 200)

    assert deadline.label.startswith("é" * 40)
