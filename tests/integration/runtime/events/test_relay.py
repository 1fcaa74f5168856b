"""The relay: fair, patient, replaceable; it loses nothing when the queue loses everything."""

import threading
import time

import psycopg
import pytest

from core.runtime.events import EventDraft, Subscriber
from core.runtime.events.rounds import lead
from core.runtime.jobs.queue import DEFAULT_LANE, QueueDown, connect, queue_of
from tests.fixtures.stations import drafts, effect_of

pytestmark = [pytest.mark.database, pytest.mark.queue]

ONE = Subscriber(key="t.one", events=("order.",), handle=effect_of("t.one"))
FAR = Subscriber(key="t.far", events=("order.",), send=id, repeatable=True)


def rung_ids(here):
    return [one for message in here.messages() for group in message for one in group[3]]


def test_relay_stops_when_enough_waits_for_the_workers(station):
    here = station(ONE)
    here.emit(*drafts(1000))

    waiting = here.ring()

    assert waiting == 3
    assert len(rung_ids(here)) == 300


def test_relay_rings_once_for_what_is_queued(station):
    here = station(ONE)
    here.emit(*drafts(10))

    here.ring()
    here.ring()

    assert len(rung_ids(here)) == 10


def test_relay_gives_every_tenant_its_share(station):
    here = station(ONE)
    here.emit(*drafts(1000))
    here.emit(*drafts(40), scope=here.world.gift)

    here.ring()

    tenants = [(group[0], len(group[3])) for message in here.messages() for group in message]
    assert sum(count for tenant, count in tenants if tenant == here.world.gift.tenant_id) == 40


def test_relay_lets_the_modest_pass_while_the_queue_is_full_of_anothers_backlog(station):
    here = station(ONE)
    here.emit(*drafts(1000))
    here.ring()

    here.emit(*drafts(2, subject="gift"), scope=here.world.gift)
    here.ring()

    first = here.messages()[0]
    assert [(group[0], len(group[3])) for group in first] == [(here.world.gift.tenant_id, 2)]
    assert len(here.messages()) == 4


def test_nothing_is_lost_when_the_queue_loses_everything(station):
    here = station(ONE)
    here.emit(*drafts(250))
    here.ring()

    here.redis.flushdb()
    lost = here.ring()
    here.relay._queued.clear()
    here.pump()

    assert lost == 0
    assert sorted(here.effects()) == sorted((f"o{number}", 1) for number in range(250))


def test_relay_waits_while_the_queue_is_away_and_goes_on_afterwards(station, valkey):
    here = station(ONE)
    away = here.make_relay((), here.clock, "unix:///nowhere/valkey.sock")
    here.emit(*drafts(5))

    with pytest.raises(QueueDown):
        away.round(here.connection)
    here.pump()

    assert len(here.effects()) == 5


def test_remote_work_goes_to_its_own_lane_when_somebody_serves_it(station, valkey):
    here = station(ONE, FAR)
    lane = queue_of(here.redis, "remote")
    here.redis.sadd(f"rq:workers:{lane.name}", "rq:worker:somebody")
    here.emit(*drafts(5))

    here.ring()

    assert [group[1] for job in lane.get_jobs() for group in job.args[0]] == ["t.far"]
    assert [group[1] for message in here.messages() for group in message] == ["t.one"]


def test_switched_off_tenants_wait(station):
    here = station(ONE)
    here.emit(*drafts(3))
    owner = psycopg.connect(here.world.owner_url.replace("+psycopg", ""), autocommit=True)
    owner.execute("UPDATE tenant SET is_active = false WHERE id = %s", (here.world.tea.tenant_id,))
    try:
        assert here.ring() == 0
    finally:
        owner.execute("UPDATE tenant SET is_active = true")
        owner.close()
    here.pump()

    assert len(here.effects()) == 3


def test_one_relay_leads_and_another_takes_over_when_its_connection_ends(station, valkey):
    here = station(ONE)
    second = here.make_relay((), here.clock, valkey.url)
    with second.connected() as standing_by:
        first = here.relay.connected()
        answers = [lead(first), lead(standing_by), lead(first)]
        first.close()
        time.sleep(0.2)
        answers.append(lead(standing_by))

    assert answers == [True, False, True, True]


def test_a_relay_that_hangs_is_deposed(station, valkey, monkeypatch):
    here = station(ONE)
    monkeypatch.setattr("core.runtime.events.rounds.HUNG_S", 0)
    with here.relay.connected() as hung, here.relay.connected() as second:
        assert lead(hung)
        time.sleep(0.1)
        answers = [lead(second)]
        time.sleep(0.3)
        answers.append(lead(second))
        with pytest.raises(psycopg.OperationalError):
            hung.execute("SELECT 1")

    assert answers == [False, True]


def test_relay_process_wakes_up_when_something_happens(station, valkey):
    here = station(ONE)
    stopping = threading.Event()
    relay = here.make_relay((), here.clock, valkey.url)
    thread = threading.Thread(target=relay.run, args=(stopping.is_set,))
    thread.start()
    try:
        time.sleep(1.2)
        begun = time.monotonic()
        here.emit(EventDraft("order.paid", "order", "x"))
        while not here.messages() and time.monotonic() - begun < 5:
            time.sleep(0.005)
        took_s = time.monotonic() - begun
    finally:
        stopping.set()
        thread.join()

    assert took_s < 0.6
    assert len(connect(valkey.url).lrange(queue_of(here.redis, DEFAULT_LANE).key, 0, -1)) == 1


def test_long_backlogs_are_picked_from_the_index(station):
    here = station(ONE)
    here.emit(*drafts(3000))
    with psycopg.connect(here.world.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("ANALYZE delivery")

    plan = "\n".join(
        row[0]
        for row in here.sql(
            "EXPLAIN SELECT id FROM delivery WHERE tenant_id = 1 AND subscriber = 't.one' AND state IN ('pending', 'unknown')"
            " AND next_at <= now() ORDER BY next_at, id LIMIT 100"
        )
    )

    assert "ix_delivery_due" in plan
    assert "Sort" not in plan
