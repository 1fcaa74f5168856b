"""Local effects: once each, in order, with the poison found and everybody else carried on."""

import time
from collections import Counter

import pytest
from sqlalchemy import text

from core.kernel.errors import Denied, Invalid, Unavailable
from core.runtime.events import EventDraft, Mode, Subscriber, emit
from core.runtime.events.claims import begin
from core.runtime.events.errors import RateLimited
from core.runtime.events.service import park, replay, replay_one, resume, resume_subscribers, skip
from core.runtime.jobs.notebook import Remains
from core.runtime.security.audit import AuditFilter, entries
from tests.fixtures.stations import delivery_ids, drafts, effect_of, leave_effects

pytestmark = [pytest.mark.database, pytest.mark.queue]


def one(handle=None, **options):
    return Subscriber(key="t.one", events=("order.",), handle=handle or effect_of("t.one"), **options)


def batch(handle=None, size=100, **options):
    return Subscriber(key="t.batch", events=("order.",), handle=handle or effect_of("t.batch"), batch=size, **options)


def chain(subject, count):
    return [EventDraft("order.changed", "order", subject, {"n": number}) for number in range(1, count + 1)]


class Flaky:
    """A handler that raises `error` for some events, a number of times each, and leaves effects otherwise."""

    def __init__(self, error, subjects, *, times=10**9, seqs=None):
        self.error, self.subjects, self.left, self.seqs = error, subjects, Counter(dict.fromkeys(subjects, times)), seqs
        self.calls = []

    def __call__(self, ctx, events):
        self.calls.append([(event.subject_id, event.seq) for event in events])
        leave_effects(ctx.session, "t.flaky", events)
        for event in events:
            if self.left[event.subject_id] > 0 and (self.seqs is None or event.seq in self.seqs):
                self.left[event.subject_id] -= 1
                raise self.error


def test_effects_happen_once_each_and_deliveries_end(station):
    here = station(one())
    here.emit(*drafts(30))

    here.pump()

    assert sorted(here.effects()) == sorted((f"o{number}", 1) for number in range(30))
    assert {row[2:] for row in here.states()} == {("done", 1)}
    assert [outcome.error for outcome in here.outcomes] == [None] * 30


def test_batches_get_many_events_of_one_tenant_in_one_transaction(station):
    calls = []

    def handle(ctx, events):
        calls.append((ctx.scope.tenant_id, len(events)))
        leave_effects(ctx.session, "t.batch", events)

    here = station(batch(handle))
    here.emit(*drafts(150))
    here.emit(*drafts(20), scope=here.world.gift)

    here.pump()

    assert sorted(calls) == [(here.world.tea.tenant_id, 50), (here.world.tea.tenant_id, 100), (here.world.gift.tenant_id, 20)]
    assert (len(here.effects()), len(here.effects(here.world.gift))) == (150, 20)


def test_a_subjects_events_are_handled_in_order(station):
    here = station(one())
    here.emit(*chain("a", 5), *chain("b", 5))
    here.emit(*chain("a", 3))

    here.pump()

    effects = here.effects()
    assert [seq for subject, seq in effects if subject == "a"] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [seq for subject, seq in effects if subject == "b"] == [1, 2, 3, 4, 5]


def test_later_events_wait_when_an_earlier_one_fails(station):
    flaky = Flaky(Unavailable(), {"a"}, times=1)
    here = station(one(flaky))
    here.emit(*chain("a", 3), *chain("b", 1))

    here.pump()
    blocked = here.states()
    here.make_due()
    here.pump()
    here.make_due()
    here.pump()

    assert [row[2] for row in blocked] == ["pending", "pending", "pending", "done"]
    assert [row[3] for row in blocked] == [1, 0, 0, 1]
    assert [effect for effect in here.effects() if effect[0] == "a"] == [("a", 1), ("a", 2), ("a", 3)]


def test_later_events_wait_behind_a_dead_one_until_it_is_skipped(station):
    here = station(one(Flaky(Invalid("no"), {"a"}, seqs={1})))
    here.emit(*chain("a", 2))

    here.pump()
    here.make_due()
    here.pump()
    blocked = here.states()
    with here.world.database.unit(here.world.tea) as session:
        skipped = skip(session, delivery_ids(here)[:1])
    here.pump()

    assert [row[2:] for row in blocked] == [("dead", 1), ("pending", 0)]
    assert skipped == 1
    assert [row[2] for row in here.states()] == ["skipped", "done"]


def test_later_events_pass_a_dead_one_when_the_subscriber_says_so(station):
    here = station(one(Flaky(Invalid("no"), {"a"}, seqs={1}), on_dead="skip"))
    here.emit(*chain("a", 2))

    here.pump()

    assert [row[2] for row in here.states()] == ["dead", "done"]
    assert here.effects() == [("a", 2)]


def test_only_the_newest_event_counts_when_the_subscriber_coalesces(station):
    here = station(one(coalesce=True))
    here.emit(*chain("a", 5), *chain("b", 1))

    here.pump()

    assert here.effects() == [("a", 5), ("b", 1)]
    assert [row[2] for row in here.states()] == ["skipped"] * 4 + ["done"] * 2


def test_newest_event_replaces_a_failing_one_when_the_subscriber_coalesces(station):
    here = station(one(Flaky(Unavailable(), {"a"}, seqs={1}), coalesce=True))
    here.emit(*chain("a", 1))
    here.pump()

    here.emit(*chain("a", 1))
    here.pump()

    assert [row[2] for row in here.states()] == ["skipped", "done"]


def test_poison_stands_alone_in_the_end_and_all_others_are_done(station):
    here = station(batch(Flaky(Invalid("no"), {"o13", "o77"})))
    here.emit(*drafts(100))

    here.pump()

    assert Counter(row[2] for row in here.states()) == {"done": 98, "dead": 2}
    assert sorted(row[0] for row in here.states() if row[2] == "dead") == ["o13", "o77"]
    assert len(here.effects()) == 98
    assert {row[3] for row in here.states()} == {1}


def test_poison_keeps_later_events_of_its_subject_from_overtaking_it(station):
    here = station(batch(Flaky(Invalid("no"), {"a"}, seqs={2})))
    here.emit(*chain("a", 4), *chain("b", 2))

    here.pump()

    assert [row[2:] for row in here.states()] == [("done", 1), ("dead", 1), ("pending", 0), ("pending", 0), ("done", 1), ("done", 1)]
    assert sorted(here.effects()) == [("a", 1), ("b", 1), ("b", 2)]


def test_an_outage_sets_the_whole_batch_back_without_trying_each(station):
    flaky = Flaky(Unavailable(), {"o0"}, times=1)
    here = station(batch(flaky, size=20))
    here.emit(*drafts(20))

    here.pump()
    failed = Counter(row[2:] for row in here.states())
    here.make_due()
    here.pump()

    assert failed == {("pending", 1): 20}
    assert [len(call) for call in flaky.calls] == [20] + [2] * 10
    assert Counter(row[2:] for row in here.states()) == {("done", 2): 20}


def test_a_stubborn_outage_hits_only_its_own_event_from_the_third_attempt_on(station):
    here = station(batch(Flaky(Unavailable(), {"o3"}), size=20, max_attempts=4))
    here.emit(*drafts(20))

    for _ in range(6):
        here.pump()
        here.make_due()

    assert Counter(row[2] for row in here.states()) == {"done": 19, "dead": 1}
    assert len(here.effects()) == 19


def test_unexpected_errors_get_five_attempts_and_their_place_is_told(station):
    here = station(one(Flaky(KeyError("secret"), {"o0"})))
    here.emit(*drafts(1))

    for _ in range(8):
        here.pump()
        here.make_due()

    ((state, attempts, error),) = here.sql("SELECT state, attempts, last_error FROM delivery")
    assert (state, attempts, error["code"]) == ("dead", 5, "events.unexpected")
    assert error["message"].startswith("KeyError at events/test_local.py:")
    assert "secret" not in error["message"]
    assert [outcome.dead for outcome in here.outcomes] == [0, 0, 0, 0, 1]


def test_attempts_are_not_counted_when_the_other_side_asks_to_slow_down(station):
    here = station(one(Flaky(RateLimited(retry_after_s=30), {"o0"}, times=3)))
    here.emit(*drafts(1))

    for _ in range(3):
        here.pump()
        ((attempts, wait_s),) = here.sql("SELECT attempts, extract(epoch FROM next_at - now())::int FROM delivery")
        assert (attempts, 28 <= wait_s <= 30) == (0, True)
        here.make_due()
    here.pump()

    assert here.states() == [("o0", 1, "done", 1)]


def test_delivery_is_parked_when_somebody_has_to_sign_in_and_goes_on_afterwards(station):
    here = station(one(Flaky(Denied("session expired", park=True), {"o0"}, times=1)))
    here.emit(*drafts(1))

    here.pump()
    parked = here.sql("SELECT state, reason, attempts FROM delivery")
    with here.world.database.unit(here.world.tea) as session:
        resumed = resume_subscribers(session, ["t.one"], reasons=["reauth"])
    here.pump()

    assert (parked, resumed) == ([("parked", "reauth", 0)], 1)
    assert here.states() == [("o0", 1, "done", 1)]


def test_deliveries_of_a_plugin_wait_while_it_is_off_and_go_on_when_it_is_on(station):
    here = station(one(plugin="p"))
    here.emit(*drafts(3))
    here.gate.modes = {(here.world.tea.tenant_id, "p"): Mode.OFF}

    here.pump()
    parked = here.sql("SELECT DISTINCT state, reason, attempts FROM delivery")
    here.relay.chores(here.connection)
    still = here.sql("SELECT DISTINCT state FROM delivery")
    here.gate.modes = {}
    here.relay._due.clear()
    here.relay.chores(here.connection)
    here.pump()

    assert (parked, still) == ([("parked", "plugin", 0)], [("parked",)])
    assert len(here.effects()) == 3


def test_deliveries_of_a_draining_plugin_are_still_carried_out(station):
    here = station(one(plugin="p"))
    here.emit(*drafts(3))
    here.gate.modes = {(here.world.tea.tenant_id, "p"): Mode.DRAINING}

    here.pump()

    assert len(here.effects()) == 3


def test_deliveries_wait_when_their_subscriber_is_not_installed(station):
    here = station(one())
    here.emit(*drafts(1))
    here.sql("UPDATE delivery SET subscriber = 'gone.one'")

    here.pump()

    assert here.sql("SELECT state, reason FROM delivery") == [("parked", "missing")]


def test_a_doubled_message_changes_nothing(station):
    here = station(one(), batch())
    here.emit(*drafts(10))
    here.ring()
    messages = here.messages()

    for message in [*messages, *messages]:
        here.dispatcher.deliver(message)
    here.work()

    assert len(here.effects()) == 20
    assert {row[2:] for row in here.states()} == {("done", 1)}


def test_a_begun_delivery_is_not_begun_again_before_its_guard_ends(station):
    here = station(one())
    here.emit(*drafts(1))
    with here.world.database.unit(here.world.tea) as session:
        begun = begin(session, "t.one", delivery_ids(here), blocks=True)

    here.pump()
    meanwhile = here.effects()
    here.make_due()
    here.pump()

    assert (len(begun), meanwhile) == (1, [])
    assert here.states() == [("o0", 1, "done", 2)]


def test_an_interrupted_batch_comes_back_one_by_one(station):
    flaky = Flaky(Invalid("no"), set())
    here = station(batch(flaky))
    here.emit(*drafts(5))
    with here.world.database.unit(here.world.tea) as session:
        begin(session, "t.batch", delivery_ids(here), blocks=True)

    here.make_due()
    here.pump()

    assert [len(call) for call in flaky.calls] == [1] * 5
    assert {row[2:] for row in here.states()} == {("done", 2)}


def test_a_delivery_is_dead_when_its_process_ended_every_time(station):
    here = station(one())
    here.emit(*drafts(1))
    for _ in range(5):
        with here.world.database.unit(here.world.tea) as session:
            begin(session, "t.one", delivery_ids(here), blocks=True)
        here.make_due()

    here.pump()

    ((state, error),) = here.sql("SELECT state, last_error FROM delivery")
    assert (state, error["code"], here.effects()) == ("dead", "events.worker_died", [])


def test_the_rest_of_a_message_is_due_at_once_when_its_worker_died(station):
    here = station(one())
    here.emit(*drafts(3))
    bad, begun, waiting = delivery_ids(here)
    with here.world.database.unit(here.world.tea) as session:
        begin(session, "t.one", [bad, begun], blocks=True)
    message = [[here.world.tea.tenant_id, "t.one", 1, [one.hex for one in (bad, begun, waiting)]]]

    here.dispatcher.take_over(Remains(message, [here.world.tea.tenant_id, "t.one", [bad.hex], None]))

    assert here.states() == [("o0", 1, "pending", 1), ("o1", 1, "pending", 0), ("o2", 1, "pending", 0)]
    here.pump()
    assert here.states() == [("o0", 1, "done", 2), ("o1", 1, "done", 1), ("o2", 1, "done", 1)]
    assert sorted(here.effects()) == [("o0", 1), ("o1", 1), ("o2", 1)]


def test_a_delivery_is_dead_at_once_when_as_many_workers_died_over_it_as_may(station):
    here = station(one(), worker_deaths=2)
    here.emit(*drafts(1))
    [bad] = delivery_ids(here)
    found = []
    for _ in range(2):
        with here.world.database.unit(here.world.tea) as session:
            begin(session, "t.one", [bad], blocks=True)
        here.dispatcher.take_over(Remains(None, [here.world.tea.tenant_id, "t.one", [bad.hex], None]))
        found.append(here.sql("SELECT state, last_error -> 'facts' ->> 'deaths', reason FROM delivery"))
        here.make_due()

    assert found == [[("pending", "1", "died")], [("dead", "2", None)]]
    assert [(outcome.count, outcome.dead) for outcome in here.outcomes] == [(1, 1)]


def test_deaths_are_counted_anew_when_an_attempt_only_failed(station):
    flaky = Flaky(Unavailable(), {"o0"})
    here = station(Subscriber(key="t.one", events=("order.",), handle=flaky))
    here.emit(*drafts(1))
    with here.world.database.unit(here.world.tea) as session:
        begin(session, "t.one", delivery_ids(here), blocks=True)
    here.make_due()

    here.pump()

    [(state, error)] = here.sql("SELECT state, last_error FROM delivery")
    assert (state, error["code"]) == ("pending", "unavailable")


def test_a_hanging_subscriber_is_ended_and_tried_again(station):
    hung = []

    def handle(ctx, events):
        leave_effects(ctx.session, "t.one", events)
        if not hung:
            hung.append(1)
            ctx.session.connection().execute(text("SELECT pg_sleep(20)"))

    here = station(one(handle, timeout_s=0.3))
    here.emit(*drafts(1))

    begun = time.monotonic()
    here.pump()
    took_s = time.monotonic() - begun
    ((error,),) = here.sql("SELECT last_error FROM delivery")
    here.make_due()
    here.pump()

    assert took_s < 5
    assert error["code"] == "events.time_limit"
    assert (here.states(), here.effects()) == ([("o0", 1, "done", 2)], [("o0", 1)])


@pytest.mark.parametrize("misdeed", ["commit", "rollback"])
def test_a_subscriber_that_ends_the_transaction_is_refused_and_leaves_nothing(station, misdeed):
    def handle(ctx, events):
        leave_effects(ctx.session, "t.one", events)
        getattr(ctx.session, misdeed)()

    here = station(one(handle))
    here.emit(*drafts(1))

    here.pump()

    ((state, error),) = here.sql("SELECT state, last_error FROM delivery")
    assert (state, error["code"], here.effects()) == ("dead", "events.transaction_taken", [])


def test_a_subscriber_may_use_savepoints(station):
    def handle(ctx, events):
        with ctx.session.begin_nested():
            leave_effects(ctx.session, "t.one", events)

    here = station(one(handle))
    here.emit(*drafts(1))

    here.pump()

    assert here.effects() == [("o0", 1)]


def test_a_subscriber_cannot_write_into_another_tenant(station):
    def handle(ctx, events):
        ctx.session.connection().execute(
            text("INSERT INTO effect (tenant_id, subscriber, event_id, subject, seq) VALUES (:t, 'x', uuidv7(), 'x', 1)"),
            {"t": here.world.gift.tenant_id},
        )

    here = station(one(handle, max_attempts=1))
    here.emit(*drafts(1))

    here.pump()

    assert [row[2] for row in here.states()] == ["dead"]
    assert (here.effects(), here.effects(here.world.gift)) == ([], [])


def test_events_emitted_by_a_subscriber_follow_the_same_trace(station):
    def handle(ctx, events):
        emit(ctx.session, [EventDraft("note.added", "note", event.subject_id) for event in events], registry=here.registry)

    here = station(one(handle))
    here.emit(*drafts(1))

    here.pump()

    traces = here.sql("SELECT trace FROM event ORDER BY kind")
    assert len(traces) == 2
    assert traces[0] == traces[1]


def test_replay_sends_a_dead_delivery_once_more_with_a_trail(station):
    flaky = Flaky(Invalid("no"), {"a"}, times=1)
    here = station(one(flaky))
    here.emit(*chain("a", 2))
    here.pump()

    with here.world.database.unit(here.world.tea) as session:
        again = replay_one(session, delivery_ids(here)[0])
    here.pump()

    assert here.effects() == [("a", 1), ("a", 2)]
    rows = here.sql("SELECT seq, generation, state FROM delivery ORDER BY seq, generation")
    assert rows == [(1, 1, "skipped"), (1, 2, "done"), (2, 1, "done")]
    assert again in delivery_ids(here)
    with here.world.database.unit(here.world.tea) as session:
        found = entries(session, AuditFilter(subject_type="delivery", action="delivery.replayed"))
    assert [(entry.subject_id, entry.changes) for entry in found] == [(str(delivery_ids(here)[0]), {"generation": [1, 2]})]


def test_replay_leaves_alone_what_is_on_its_way_or_was_replayed_already(station):
    here = station(one())
    here.emit(*drafts(1))
    ids = delivery_ids(here)

    with here.world.database.unit(here.world.tea) as session:
        pending = replay(session, ids)
    here.pump()
    with here.world.database.unit(here.world.tea) as session:
        done = replay(session, ids)
    with here.world.database.unit(here.world.tea) as session:
        twice = replay(session, ids)
    with here.world.database.unit(here.world.gift) as session:
        foreign = replay(session, ids)

    assert (pending, len(done), twice, foreign) == ([], 1, [], [])


def test_parking_by_hand_holds_a_delivery_until_it_is_resumed(station):
    here = station(one())
    here.emit(*drafts(2))
    ids = delivery_ids(here)

    with here.world.database.unit(here.world.tea) as session:
        parked = park(session, ids[:1])
    here.pump()
    meanwhile = here.effects()
    with here.world.database.unit(here.world.tea) as session:
        resumed = resume(session, ids)
    here.pump()

    assert (parked, meanwhile, resumed) == (1, [("o1", 1)], 1)
    assert here.effects() == [("o1", 1), ("o0", 1)]


def test_a_message_cut_short_gives_back_its_rest_and_counts_no_attempt_for_it(station):
    answers = iter([False, False, False, True])
    here = station(one(), should_yield=lambda: next(answers, False))
    here.emit(*drafts(5))
    here.ring()
    (message,) = here.messages()

    left = here.dispatcher.deliver(message)
    halfway = here.states()
    again = here.dispatcher.deliver(left)

    assert (left, again) == (message, [])
    assert [row[2:] for row in halfway] == [("done", 1), ("done", 1), ("pending", 0), ("pending", 0), ("pending", 0)]
    assert {row[2:] for row in here.states()} == {("done", 1)}
    assert len(here.effects()) == 5


def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_others(station):
    answers = iter([False, False, True])
    here = station(one(), should_stop=lambda: next(answers, True))
    here.emit(*drafts(5))
    here.ring()

    left = here.dispatcher.deliver(here.messages()[0])

    assert left == []
    assert [row[2:] for row in here.states()] == [("done", 1)] + [("pending", 0)] * 4
