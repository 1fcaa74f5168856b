"""Timers: each tick once, whoever fires it, and none for those who are off."""

from datetime import datetime, time, timedelta

import pytest

from core.kernel.clock import FixedClock
from core.runtime.events import Mode, SubscriberRegistry
from core.runtime.events.processes import schedule_subscribers
from core.runtime.events.schedules import Schedule
from core.runtime.events.ticks import Timekeeper
from tests.fixtures.stations import NOON, effect_of

pytestmark = [pytest.mark.database, pytest.mark.queue]

EVERY = Schedule(key="t.every", every_s=60, window_s=60, handle=effect_of("t.every"))
DAILY = Schedule(key="t.daily", at=time(20, 0), handle=effect_of("t.daily"))
PLUGGED = Schedule(key="p.every", every_s=60, handle=effect_of("p.every"), plugin="p")


def timed(station, *schedules):
    here = station(*schedule_subscribers(schedules))
    here.keeper = Timekeeper(schedules, here.registry)
    return here


def fired(here):
    return here.sql("SELECT tenant_id, task, tick FROM schedule_tick ORDER BY tick, task, tenant_id")


def test_tick_is_an_event_that_is_delivered(station):
    here = timed(station, EVERY)

    count = here.keeper.fire(here.connection, NOON)
    here.pump()

    kinds = here.sql("SELECT DISTINCT kind, subject_type, subject_id, seq, payload FROM event")
    assert count == 2
    assert kinds == [("schedule.t.every", "schedule", "t.every", int(NOON.timestamp()), {"tick": "2026-03-10T12:00:00+00:00"})]
    assert (len(here.effects()), len(here.effects(here.world.gift))) == (1, 1)


def test_ticks_fire_once_with_two_relays_that_look_again_and_again(station):
    here = timed(station, EVERY, DAILY)
    keepers = [here.keeper, Timekeeper((EVERY, DAILY), here.registry)]
    clock = FixedClock(NOON)

    counts = [0, 0]
    for _ in range(40):
        for number, keeper in enumerate(keepers):
            counts[number] += keeper.fire(here.connection, clock.now())
        clock.advance(timedelta(seconds=15))

    assert sum(counts) == 2 * 10 + 1
    assert len(set(fired(here))) == len(fired(here)) == 21


def test_daily_tick_comes_at_each_tenants_own_hour(station):
    here = timed(station, DAILY)
    clock = FixedClock(datetime.fromisoformat("2026-03-10T03:05:00+00:00"))

    for _ in range(48):
        here.keeper.fire(here.connection, clock.now())
        clock.advance(timedelta(minutes=30))

    assert [(tenant, tick.isoformat()) for tenant, _, tick in fired(here)] == [
        (here.world.tea.tenant_id, "2026-03-10T12:00:00+00:00"),
        (here.world.gift.tenant_id, "2026-03-10T20:00:00+00:00"),
    ]


def test_missed_ticks_fire_once_after_a_pause(station):
    here = timed(station, EVERY, DAILY)
    here.keeper.fire(here.connection, NOON)

    late = Timekeeper((EVERY, DAILY), here.registry)
    late.fire(here.connection, NOON + timedelta(hours=9))

    tea = [(task, tick) for tenant, task, tick in fired(here) if tenant == here.world.tea.tenant_id]
    assert tea == [("t.daily", NOON), ("t.every", NOON), ("t.every", NOON + timedelta(hours=9))]


def test_no_tick_comes_for_a_tenant_whose_plugin_is_off_or_paused(station):
    here = timed(station, PLUGGED)
    here.gate.modes = {(here.world.tea.tenant_id, "p"): Mode.PAUSED}

    here.keeper.fire(here.connection, NOON)

    assert [tenant for tenant, _, _ in fired(here)] == [here.world.gift.tenant_id]


def test_a_tick_that_was_lost_with_the_server_is_fired_again(station):
    here = timed(station, EVERY)
    with here.connection.transaction(force_rollback=True):
        here.keeper.fire(here.connection, NOON)
    here.keeper.forget()

    assert here.keeper.fire(here.connection, NOON) == 2


def test_an_unknown_time_zone_is_taken_for_utc(station):
    here = timed(station, DAILY)
    here.keeper.fire(here.connection, NOON - timedelta(hours=2))
    here.keeper._tenants = [tenant._replace(timezone="Mars/Olympus") for tenant in here.keeper._tenants]

    here.keeper.fire(here.connection, NOON - timedelta(hours=2) + timedelta(seconds=1))

    assert fired(here) == []


def test_a_late_tick_replaces_those_that_were_not_done(station):
    here = timed(station, EVERY)
    for minute in range(3):
        here.keeper.fire(here.connection, NOON + timedelta(minutes=minute))

    here.pump()

    states = here.sql("SELECT state, count(*) FROM delivery GROUP BY 1 ORDER BY 1")
    assert states == [("done", 2), ("skipped", 4)]


def test_relay_fires_ticks_while_it_works(station, valkey):
    here = station(*schedule_subscribers([EVERY]))
    relay = here.make_relay([EVERY], here.clock, valkey.url)

    relay.chores(here.connection)
    here.clock.advance(timedelta(minutes=1))
    relay._due.clear()
    relay.chores(here.connection)

    assert len(fired(here)) == 4


def test_registry_without_hearers_still_counts_ticks(station):
    here = station()
    silent = Timekeeper([Schedule(key="t.silent", every_s=60)], SubscriberRegistry())

    assert silent.fire(here.connection, NOON) == 2
    assert here.states() == []
