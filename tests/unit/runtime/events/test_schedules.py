"""Which ticks of a timer are due."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.kernel.errors import Invalid
from core.runtime.events.schedules import Schedule, due_ticks, offset_s


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


def nothing(*_args):
    return None


def ticks(schedule, now, *, zone="UTC", offset=0, last=None):
    return due_ticks(schedule, zone=ZoneInfo(zone), offset=offset, now=now, last=last)


def fired_over(schedule, start, days, zone, *, step_minutes=10):
    """All ticks that fire when a relay looks every few minutes."""
    fired, last, now = [], None, start
    while now < start + timedelta(days=days):
        for tick in ticks(schedule, now, zone=zone, last=last):
            fired.append(tick)
            last = tick
        now += timedelta(minutes=step_minutes)
    return fired


EVERY = Schedule(key="t.every", every_s=300, window_s=300)
DAILY = Schedule(key="t.daily", at=time(2, 30), window_s=6 * 3600)


def test_interval_ticks_at_the_same_moments_in_every_process():
    assert ticks(EVERY, at("2026-03-10T12:03:20Z")) == [at("2026-03-10T12:00:00Z")]
    assert ticks(EVERY, at("2026-03-10T12:03:20Z"), offset=77) == [at("2026-03-10T12:01:17Z")]


def test_interval_does_not_tick_twice():
    last = at("2026-03-10T12:00:00Z")

    assert ticks(EVERY, at("2026-03-10T12:04:59Z"), last=last) == []
    assert ticks(EVERY, at("2026-03-10T12:05:00Z"), last=last) == [at("2026-03-10T12:05:00Z")]


def test_missed_ticks_fire_the_latest_one_when_that_is_wanted():
    schedule = Schedule(key="t.every", every_s=300, window_s=3600)

    assert ticks(schedule, at("2026-03-10T12:31:00Z"), last=at("2026-03-10T12:00:00Z")) == [at("2026-03-10T12:30:00Z")]


def test_missed_ticks_fire_each_within_the_window_when_that_is_wanted():
    schedule = Schedule(key="t.every", every_s=300, window_s=900, missed="each")

    assert ticks(schedule, at("2026-03-10T12:31:00Z"), last=at("2026-03-10T12:00:00Z")) == [
        at("2026-03-10T12:20:00Z"),
        at("2026-03-10T12:25:00Z"),
        at("2026-03-10T12:30:00Z"),
    ]


def test_missed_tick_is_left_out_when_it_is_too_late_for_it():
    assert ticks(DAILY, at("2026-03-10T08:29:00Z")) == [at("2026-03-10T02:30:00Z")]
    assert ticks(DAILY, at("2026-03-10T08:31:00Z")) == []


def test_daily_tick_follows_the_tenants_own_clock():
    assert ticks(DAILY, at("2026-03-10T18:31:00Z"), zone="Asia/Shanghai") == [at("2026-03-11T02:30:00+08:00")]


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe", "Asia/Shanghai"])
def test_daily_tick_comes_once_on_every_local_day_of_the_year(zone):
    fired = fired_over(DAILY, at("2026-01-01T12:00:00Z"), 366, zone, step_minutes=30)

    days = [tick.astimezone(ZoneInfo(zone)).date() for tick in fired]
    assert days == sorted(set(days))
    assert (days[-1] - days[0]).days == len(days) - 1


def test_daily_tick_comes_an_hour_later_when_summer_time_skips_it():
    fired = fired_over(Schedule(key="t.d", at=time(1, 30)), at("2026-03-28T12:00:00Z"), 2, "Europe/London")

    assert [tick.astimezone(ZoneInfo("Europe/London")).isoformat() for tick in fired] == [
        "2026-03-29T02:30:00+01:00",
        "2026-03-30T01:30:00+01:00",
    ]


def test_daily_tick_comes_the_first_time_when_winter_time_repeats_it():
    fired = fired_over(Schedule(key="t.d", at=time(1, 30)), at("2026-10-24T12:00:00Z"), 2, "Europe/London")

    assert fired == [at("2026-10-25T01:30:00+01:00"), at("2026-10-26T01:30:00+00:00")]


def test_daily_tick_survives_leap_day_and_year_end():
    fired = fired_over(DAILY, at("2028-02-28T12:00:00Z"), 2, "UTC") + fired_over(DAILY, at("2027-12-31T12:00:00Z"), 1, "UTC")

    assert [tick.date().isoformat() for tick in fired] == ["2028-02-29", "2028-03-01", "2028-01-01"]


def test_jitter_spreads_tenants_and_stays_the_same_for_each():
    schedule = Schedule(key="t.every", every_s=300, jitter_s=120)

    offsets = [offset_s(schedule, tenant) for tenant in range(1, 201)]

    assert offsets == [offset_s(schedule, tenant) for tenant in range(1, 201)]
    assert (min(offsets) >= 0, max(offsets) < 120, len(set(offsets)) > 60) == (True, True, True)


@pytest.mark.parametrize(
    "wrong", [{}, {"every_s": 5, "at": time(1)}, {"every_s": 0}, {"every_s": 10, "jitter_s": 11}], ids=["none", "both", "zero", "jitter"]
)
def test_schedule_is_refused_when_it_makes_no_sense(wrong):
    with pytest.raises(Invalid):
        Schedule(key="t.wrong", **wrong)


def test_schedule_brings_its_subscriber_when_it_has_work():
    made = Schedule(key="t.every", every_s=60, handle=nothing, plugin="t").subscriber()

    assert (made.key, made.events, made.coalesce, made.on_dead, made.plugin) == ("t.every", ("schedule.t.every",), True, "skip", "t")
    assert Schedule(key="t.every", every_s=60).subscriber() is None
