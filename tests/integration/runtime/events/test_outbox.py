"""Writing events: one statement, numbered per subject, addressed to whom it concerns, part of the caller's transaction."""

import threading
from uuid import UUID

import pytest
from sqlalchemy import event as sa_event
from sqlalchemy import text

from core.kernel.errors import Invalid, OrderloomError
from core.runtime.events import EventDraft, Mode, Subscriber, SubscriberRegistry, emit
from core.runtime.events.errors import SequenceTaken
from core.runtime.events.inbox import receive
from core.runtime.tenancy.scope import SYSTEM, Actor, Scope
from tests.fixtures.stations import drafts

pytestmark = [pytest.mark.database, pytest.mark.queue]


def nothing(*_args):
    return None


HEARER = Subscriber(key="t.hearer", events=("order.",), handle=nothing)
OTHER = Subscriber(key="p.other", events=("order.paid",), handle=nothing, plugin="p")


def stored(station):
    return station.sql("SELECT subject_type, subject_id, seq, kind FROM event ORDER BY subject_type, subject_id, seq")


def test_emit_numbers_each_subjects_events_in_the_order_given(station):
    here = station(HEARER)

    here.emit(EventDraft("order.placed", "order", "a"), EventDraft("order.placed", "order", "b"), EventDraft("order.paid", "order", "a"))
    here.emit(EventDraft("order.shipped", "order", "a"), EventDraft("note.added", "note", "a"))

    assert stored(here) == [
        ("note", "a", 1, "note.added"),
        ("order", "a", 1, "order.placed"),
        ("order", "a", 2, "order.paid"),
        ("order", "a", 3, "order.shipped"),
        ("order", "b", 1, "order.placed"),
    ]


def test_emit_addresses_those_who_hear_the_kind_and_run_for_the_tenant(station):
    here = station(HEARER, OTHER)
    here.gate.modes = {(here.world.gift.tenant_id, "p"): Mode.OFF}

    here.emit(EventDraft("order.paid", "order", "a"), EventDraft("order.placed", "order", "b"), EventDraft("stock.low", "sku", "c"))
    here.emit(EventDraft("order.paid", "order", "d"), scope=here.world.gift)

    addressed = here.sql("SELECT tenant_id, subject, subscriber, state FROM delivery ORDER BY 1, 2, 3")
    tea, gift = here.world.tea.tenant_id, here.world.gift.tenant_id
    assert addressed == [
        (tea, "order:a", "p.other", "pending"),
        (tea, "order:a", "t.hearer", "pending"),
        (tea, "order:b", "t.hearer", "pending"),
        (gift, "order:d", "t.hearer", "pending"),
    ]


@pytest.mark.parametrize(("mode", "found"), [(Mode.PAUSED, [("parked", "plugin")]), (Mode.DRAINING, []), (Mode.OFF, [])])
def test_emit_parks_or_leaves_out_when_the_plugin_is_not_on(station, mode, found):
    here = station(OTHER)
    here.gate.modes = {(here.world.tea.tenant_id, "p"): mode}

    here.emit(EventDraft("order.paid", "order", "a"))

    assert here.sql("SELECT state, reason FROM delivery") == found
    assert len(stored(here)) == 1


def test_emit_is_undone_with_the_transaction(station):
    here = station(HEARER)

    with here.world.database.unit(here.world.tea) as session:
        emit(session, drafts(3), registry=here.registry)
        session.rollback()

    assert (stored(here), here.states()) == ([], [])


def test_emit_is_one_statement_for_any_number(station):
    here = station(HEARER, OTHER)
    counts = []
    for number in (1, 500):
        with here.world.database.unit(here.world.tea) as session:
            session.connection()
            statements = []
            sa_event.listen(here.world.database.engine, "before_cursor_execute", lambda *args, seen=statements: seen.append(args[2]))
            emit(session, drafts(number, subject=f"n{number}-"), registry=here.registry)
            counts.append(len(statements))

    assert counts == [1, 1]
    assert len(stored(here)) == 501


def test_emit_carries_trace_and_actor_of_the_scope(station):
    here = station()
    scope = Scope(here.world.tea.tenant_id, "tea", Actor("user", "7", "Ann"), trace="t" * 32)

    with here.world.database.unit(scope) as session:
        emit(session, [EventDraft("a.b", "x", 1, {"n": 1}), EventDraft("a.b", "x", UUID(int=2), trace="other")], registry=here.registry)
    with here.world.database.unit(Scope(scope.tenant_id, "tea", SYSTEM)) as session:
        emit(session, [EventDraft("a.c", "x", "z")], registry=here.registry)

    rows = here.sql("SELECT subject_id, trace, actor, payload FROM event ORDER BY kind, subject_id")
    ann = {"kind": "user", "id": "7", "label": "Ann"}
    assert rows[:2] == [(str(UUID(int=2)), "other", ann, {}), ("1", "t" * 32, ann, {"n": 1})]
    assert rows[2][2] is None


def test_emit_refuses_a_number_that_is_taken(station):
    here = station(HEARER)
    here.emit(EventDraft("order.placed", "order", "a", seq=5))

    with pytest.raises(SequenceTaken):
        here.emit(EventDraft("order.paid", "order", "b"), EventDraft("order.paid", "order", "a", seq=5))
    here.emit(EventDraft("order.paid", "order", "a"))

    assert stored(here) == [("order", "a", 5, "order.placed"), ("order", "a", 6, "order.paid")]


def test_emit_numbers_without_gaps_when_many_write_about_one_subject_at_once(station):
    here = station(HEARER)
    failures = []

    def write():
        try:
            for _ in range(15):
                here.emit(*drafts(2, subject="hot"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert here.sql("SELECT subject_id, count(*), max(seq) FROM event GROUP BY 1 ORDER BY 1") == [("hot0", 60, 60), ("hot1", 60, 60)]


def test_emit_raises_without_a_scope_or_a_kind(station):
    here = station()

    with here.world.database.platform() as session, pytest.raises(OrderloomError) as caught:
        emit(session, drafts(1), registry=here.registry)
    with here.world.database.unit(here.world.tea) as session, pytest.raises(Invalid):
        emit(session, [EventDraft("", "order", "a")], registry=here.registry)

    assert caught.value.code in ("db.no_tenant", "tenancy.scope_missing")
    assert stored(here) == []


def test_events_of_another_tenant_stay_out_of_sight(station):
    here = station(HEARER)
    here.emit(EventDraft("order.paid", "order", "a"))

    with here.world.database.unit(here.world.gift) as session:
        counts = [session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in ("event", "delivery")]

    assert counts == [0, 0]


def test_relay_role_sees_events_and_none_of_the_business(station):
    here = station(HEARER)

    with pytest.raises(Exception, match="permission denied"):
        here.sql("SELECT * FROM audit_entry")


def test_inbox_keeps_a_message_once_and_tells_of_it_once(station):
    here = station(HEARER)
    message = {"source": "shop:1", "external_id": "m-1", "headers": {"x": "1"}, "raw": b'{"a": 1}'}

    with here.world.database.unit(here.world.tea) as session:
        first = receive(session, EventDraft("order.told", "order", "a"), **message)
    with here.world.database.unit(here.world.tea) as session:
        second = receive(session, EventDraft("order.told", "order", "a"), **message)
    with here.world.database.unit(here.world.gift) as session:
        elsewhere = receive(session, EventDraft("order.told", "order", "a"), **message)

    assert (first, second, elsewhere) == (True, False, True)
    assert len(stored(here)) == 2


def test_registry_of_the_process_is_used_unless_another_is_given(station):
    here = station()
    with here.world.database.unit(here.world.tea) as session:
        emit(session, drafts(1))
        emit(session, drafts(1, subject="p"), registry=SubscriberRegistry((HEARER,)))

    assert [row[0] for row in here.states()] == ["p0"]


def test_hints_are_rare_when_much_is_written(station, monkeypatch):
    here = station(HEARER)
    monkeypatch.setattr("core.runtime.events.outbox._hinted_at", 0.0)
    monkeypatch.setattr("core.runtime.events.outbox.HINT_EVERY_S", 3600.0)
    with here.relay.connected() as ear:
        ear.execute("LISTEN oms_due")

        for number in range(5):
            here.emit(EventDraft("order.paid", "order", f"o{number}"))

        assert [hint.channel for hint in ear.notifies(timeout=0.3)] == ["oms_due"]
