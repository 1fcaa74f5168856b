"""Clocks: aware, UTC; the fixed one moves only when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from core.kernel.clock import FixedClock, SystemClock


def test_system_clock_tells_the_present_in_utc():
    before = datetime.now(UTC)

    told = SystemClock().now()

    assert before <= told <= datetime.now(UTC)
    assert told.tzinfo is UTC


def test_fixed_clock_stands_still_in_utc_until_it_is_moved():
    clock = FixedClock(datetime(2026, 3, 1, 20, tzinfo=timezone(timedelta(hours=8))))

    first = [clock.now(), clock.now()]
    clock.advance(timedelta(minutes=5))

    assert first == [datetime(2026, 3, 1, 12, tzinfo=UTC)] * 2
    assert clock.now() == datetime(2026, 3, 1, 12, 5, tzinfo=UTC)
    assert clock.now().tzinfo is UTC
