"""What the jobs page reads, and what is forgotten in the end."""

from datetime import UTC, datetime, timedelta

import pytest

from core.kernel.errors import Invalid
from core.runtime.events import EventDraft, Subscriber
from core.runtime.events.errors import DeliveryUnknown, NotReplayable
from core.runtime.events.pruning import Keep, prune
from core.runtime.events.queries import (
    DeliveryFilter,
    deliveries,
    delivery_with_event,
    events_of,
    generations,
    matching_ids,
    open_counts,
    throughput,
    waiting_for,
)
from core.runtime.events.service import replay, replay_one
from tests.fixtures.stations import delivery_ids, drafts, effect_of

pytestmark = [pytest.mark.database, pytest.mark.queue]


def refuse(ctx, events):
    raise Invalid("no", number=events[0].subject_id)


GOOD = Subscriber(key="t.good", events=("order.paid",), handle=effect_of("t.good"))
BAD = Subscriber(key="t.bad", events=("order.",), handle=refuse, on_dead="skip")


@pytest.fixture
def told(station):
    """Five orders paid, one of another tenant; `t.good` is done with all, `t.bad` with none."""
    here = station(GOOD, BAD)
    here.emit(*drafts(5))
    here.emit(*drafts(1, subject="g"), scope=here.world.gift)
    here.pump()
    return here


def test_open_counts_name_what_is_not_finished(told):
    told.emit(EventDraft("order.paid", "order", "new"))

    with told.world.database.unit(told.world.tea) as session:
        counts = open_counts(session)

    assert [(row.subscriber, row.state, row.number) for row in counts] == [("t.bad", "dead", 5), ("t.bad", "pending", 1), ("t.good", "pending", 1)]
    assert [row.oldest_due is None for row in counts] == [True, False, False]


def test_throughput_counts_what_ended_by_minute(told):
    with told.world.database.unit(told.world.tea) as session:
        rows = throughput(session, datetime.now(UTC))

    assert (sum(row.done for row in rows if row.subscriber == "t.good"), sum(row.dead for row in rows if row.subscriber == "t.bad")) == (5, 5)
    assert all(0 <= row.wait_s < 60 for row in rows)


def test_deliveries_are_listed_in_pages_newest_first(told):
    with told.world.database.unit(told.world.tea) as session:
        wanted = DeliveryFilter(state="dead")
        first = deliveries(session, wanted, limit=3)
        rest = deliveries(session, wanted, before=first[-1].id, limit=3)

    assert ([len(first), len(rest)], len({row.id for row in [*first, *rest]})) == ([3, 2], 5)
    assert [row.id for row in [*first, *rest]] == sorted((row.id for row in [*first, *rest]), reverse=True)
    assert first[0].last_error["code"] == "invalid"


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (DeliveryFilter(), 10),
        (DeliveryFilter(subscriber="t.good"), 5),
        (DeliveryFilter(state="done", subscriber="t.bad"), 0),
        (DeliveryFilter(subject_type="order", subject_id="o3"), 2),
        (DeliveryFilter(kind="order.shipped"), 0),
    ],
)
def test_deliveries_are_filtered(told, wanted, count):
    with told.world.database.unit(told.world.tea) as session:
        assert (len(deliveries(session, wanted)), len(matching_ids(session, wanted))) == (count, count)


def test_a_delivery_is_shown_with_its_event_and_generations(told):
    with told.world.database.unit(told.world.tea) as session:
        dead = deliveries(session, DeliveryFilter(state="dead"))[0]
        replay(session, [dead.id])
    with told.world.database.unit(told.world.tea) as session:
        delivery, event = delivery_with_event(session, dead.id)
        both = generations(session, delivery)

    assert (event.kind, event.subject_id) == ("order.paid", dead.subject_id)
    assert [(one.generation, one.state) for one in both] == [(1, "skipped"), (2, "pending")]


def test_a_delivery_of_another_tenant_is_not_found(told):
    foreign = told.sql("SELECT id FROM delivery WHERE tenant_id = %(t)s", t=told.world.gift.tenant_id)[0][0]

    with told.world.database.unit(told.world.tea) as session:
        with pytest.raises(DeliveryUnknown):
            delivery_with_event(session, foreign)
        with pytest.raises(DeliveryUnknown):
            replay_one(session, foreign)


def test_a_delivery_on_its_way_is_not_replayed(told):
    told.emit(EventDraft("order.paid", "order", "new"))
    with told.world.database.unit(told.world.tea) as session, pytest.raises(NotReplayable) as caught:
        replay_one(session, waiting_for(session, "order", "new")[0].id)

    assert caught.value.state == "pending"


def test_a_subjects_story_and_what_it_waits_for(told):
    told.emit(EventDraft("order.shipped", "order", "o1"))

    with told.world.database.unit(told.world.tea) as session:
        story = [(event.seq, event.kind) for event in events_of(session, "order", "o1")]
        earlier = [event.seq for event in events_of(session, "order", "o1", before_seq=2)]
        waits = [(row.subscriber, row.state) for row in waiting_for(session, "order", "o1")]

    assert (story, earlier) == ([(2, "order.shipped"), (1, "order.paid")], [1])
    assert waits == [("t.bad", "dead"), ("t.bad", "pending")]


def test_pruning_forgets_each_kind_in_its_time(told):
    told.emit(EventDraft("order.paid", "order", "waiting"))
    now = datetime.now(UTC)
    left = []
    for days in (29, 31, 181, 401):
        later = now + timedelta(days=days)
        while prune(told.connection, later, Keep()):
            pass
        left.append(tuple(told.sql(f"SELECT count(*) FROM {table}")[0][0] for table in ("delivery", "event")))

    assert left == [(14, 7), (8, 7), (2, 7), (2, 1)]
    assert {row[2] for row in told.states()} == {"pending"}


def test_pruning_takes_small_bites(told, monkeypatch):
    monkeypatch.setattr("core.runtime.events.pruning.BITE", 2)

    count = prune(told.connection, datetime.now(UTC) + timedelta(days=500), Keep())

    assert 0 < count <= 10
    assert len(delivery_ids(told)) > 0
