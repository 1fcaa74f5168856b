"""Remote effects: under a lease, with a key, and never repeated blindly."""

from collections import Counter
from uuid import UUID

import pytest

from core.kernel.errors import Denied, Invalid, Unavailable
from core.kernel.ids import new_id
from core.runtime.events import Answer, EventDraft, Subscriber
from core.runtime.events.claims import Lease, take_lease
from core.runtime.events.errors import AnswerLost, BreakerOpen, RateLimited
from core.runtime.events.service import replay_one
from tests.fixtures.stations import delivery_ids, drafts, leave_effects

pytestmark = [pytest.mark.database, pytest.mark.queue]


class Remote:
    """The other side: counts calls by key; `plan` says what each call does before it is counted (an error), or after (`lose`)."""

    def __init__(self, *plan):
        self.calls, self.plan, self.asked, self.says = Counter(), list(plan), 0, None

    def send(self, ctx):
        assert ctx.session is None
        step = self.plan.pop(0) if self.plan else None
        if step is not None and not isinstance(step, AnswerLost):
            raise step
        self.calls[ctx.idempotency_key] += 1
        if step is not None:
            raise step
        return {"receipt": f"r{sum(self.calls.values())}"}

    def ask(self, ctx):
        assert ctx.session is None
        self.asked += 1
        if self.says is not None:
            return self.says
        return Answer.DONE if self.calls[ctx.idempotency_key] else Answer.NOT_DONE

    def complete(self, ctx, answer):
        self.answer = answer
        leave_effects(ctx.session, "t.far", [ctx.event])


def far(remote, **options):
    given = {"send": remote.send, "complete": remote.complete, **options}
    return Subscriber(key="t.far", events=("order.",), **given)


def settle(here, rounds=3):
    for _ in range(rounds):
        here.pump()
        here.make_due()
    here.pump()


def test_remote_effect_is_prepared_sent_and_completed_once(station):
    remote = Remote()
    prepared = []

    def prepare(ctx):
        prepared.append(ctx.session is not None)
        return {"id": ctx.event.subject_id}

    here = station(far(remote, prepare=prepare))
    here.emit(*drafts(3))

    here.pump()

    assert (prepared, sorted(remote.calls.values())) == ([True] * 3, [1, 1, 1])
    assert sorted(here.effects()) == [("o0", 1), ("o1", 1), ("o2", 1)]
    assert {row[2:] for row in here.states()} == {("done", 1)}


def test_remote_call_goes_out_without_an_open_transaction(station):
    busy = []
    remote = Remote()

    def send(ctx):
        busy.append(here.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()")[0][0])
        return remote.send(ctx)

    here = station(far(remote, send=send, prepare=id))
    here.emit(*drafts(1))

    here.pump()

    assert busy == [0]


def test_remote_key_names_event_subscriber_and_generation(station):
    remote = Remote()
    here = station(far(remote))
    here.emit(*drafts(1))
    here.pump()

    with here.world.database.unit(here.world.tea) as session:
        replay_one(session, delivery_ids(here)[0])
    here.pump()

    ((event,),) = here.sql("SELECT id FROM event")
    assert remote.calls == {f"{event}:t.far:1": 1, f"{event}:t.far:2": 1}


def test_lost_answer_is_asked_for_and_not_sent_again_when_it_took_effect(station):
    remote = Remote(AnswerLost())
    here = station(far(remote, ask=remote.ask))
    here.emit(*drafts(1))

    here.pump()
    doubtful = here.states()
    settle(here)

    assert doubtful == [("o0", 1, "unknown", 1)]
    assert (list(remote.calls.values()), remote.asked, remote.answer) == ([1], 1, None)
    assert (here.states(), here.effects()) == ([("o0", 1, "done", 2)], [("o0", 1)])


def test_lost_answer_is_sent_again_when_it_did_not_take_effect(station):
    remote = Remote(KeyError("a bug before the call"))
    here = station(far(remote, ask=remote.ask))
    here.emit(*drafts(1))

    settle(here)

    assert (list(remote.calls.values()), remote.asked) == ([1], 1)
    assert here.states() == [("o0", 1, "done", 2)]


def test_lost_answer_is_asked_for_again_and_again_while_nobody_knows(station):
    remote = Remote(AnswerLost())
    remote.says = Answer.UNKNOWN
    here = station(far(remote, ask=remote.ask, max_attempts=4))
    here.emit(*drafts(1))

    settle(here, 6)

    ((state, error),) = here.sql("SELECT state, last_error FROM delivery")
    assert (state, error["code"], list(remote.calls.values()), remote.asked) == ("dead", "events.outcome_unknown", [1], 3)


def test_lost_answer_is_repeated_with_the_same_key_when_that_is_harmless(station):
    remote = Remote(AnswerLost())
    here = station(far(remote, repeatable=True))
    here.emit(*drafts(1))

    settle(here)

    assert list(remote.calls.values()) == [2]
    assert (here.states(), here.effects()) == ([("o0", 1, "done", 2)], [("o0", 1)])


def test_lost_answer_waits_for_a_person_when_nobody_can_be_asked(station):
    remote = Remote(AnswerLost())
    here = station(far(remote))
    here.emit(*drafts(1))

    settle(here)

    ((state, error),) = here.sql("SELECT state, last_error FROM delivery")
    assert (state, error["code"], list(remote.calls.values())) == ("dead", "events.outcome_unknown", [1])


def test_call_that_hangs_has_an_unknown_outcome(station):
    remote = Remote()

    def send(ctx):
        remote.send(ctx)
        while True:
            try:
                here.redis.blpop("nothing", 30)
            except Exception:
                continue

    here = station(far(remote, send=send, ask=remote.ask, timeout_s=0.2))
    here.emit(*drafts(1))

    here.pump()
    ((state, error),) = here.sql("SELECT state, last_error FROM delivery")
    settle(here)

    assert (state, error["code"]) == ("unknown", "events.time_limit")
    assert (list(remote.calls.values()), here.states()) == ([1], [("o0", 1, "done", 2)])


@pytest.mark.parametrize(
    ("error", "state", "attempts"),
    [
        (Unavailable("down"), "pending", 1),
        (RateLimited(retry_after_s=9), "pending", 0),
        (BreakerOpen(), "pending", 0),
        (Invalid("no"), "dead", 1),
        (Denied(), "dead", 1),
        (Denied(park=True), "parked", 0),
    ],
    ids=lambda value: getattr(value, "code", str(value)),
)
def test_refused_call_ends_as_its_error_says(station, error, state, attempts):
    remote = Remote(error)
    here = station(far(remote, ask=remote.ask))
    here.emit(*drafts(1))

    here.pump()

    assert here.states() == [("o0", 1, state, attempts)]
    assert (remote.calls, remote.asked, here.effects()) == ({}, 0, [])


def test_failure_while_preparing_is_known_to_have_sent_nothing(station):
    remote = Remote()

    def prepare(ctx):
        if ctx.event.attempt == 1:
            raise KeyError("x")

    here = station(far(remote, prepare=prepare))
    here.emit(*drafts(1))

    here.pump()
    failed = here.states()
    settle(here)

    assert failed == [("o0", 1, "pending", 1)]
    assert (list(remote.calls.values()), here.states()) == ([1], [("o0", 1, "done", 2)])


def test_failure_while_completing_is_asked_about_and_completed_without_a_second_call(station):
    remote = Remote()
    failures = [KeyError("x")]

    def complete(ctx, answer):
        leave_effects(ctx.session, "t.far", [ctx.event])
        if failures:
            raise failures.pop()

    here = station(far(remote, ask=remote.ask, complete=complete))
    here.emit(*drafts(1))

    settle(here)

    assert list(remote.calls.values()) == [1]
    assert (here.states(), here.effects()) == ([("o0", 1, "done", 2)], [("o0", 1)])


@pytest.mark.parametrize(("prepares", "state", "asked"), [(False, "unknown", 1), (True, "pending", 0)], ids=["sending", "preparing"])
def test_expired_lease_is_asked_about_only_when_the_call_had_begun(station, prepares, state, asked):
    remote = Remote()
    here = station(far(remote, ask=remote.ask, **({"prepare": id} if prepares else {})))
    here.emit(*drafts(1))
    with here.world.database.unit(here.world.tea) as session:
        lease = Lease(delivery_ids(here)[0], new_id(), 60)
        take_lease(session, lease, "t.far", blocks=True, prepares=prepares)

    here.relay.chores(here.connection)
    held = here.states()
    here.make_due()
    here.relay._due.clear()
    here.relay.chores(here.connection)
    expired = here.states()
    settle(here)

    assert (held[0][2], expired[0][2]) == ("running", state)
    assert (list(remote.calls.values()), remote.asked, here.states()) == ([1], asked, [("o0", 1, "done", 2)])


def test_holder_of_a_lost_lease_cannot_end_the_delivery(station):
    remote = Remote()

    def send(ctx):
        here.sql("UPDATE delivery SET lease_token = %(new)s", new=new_id())
        return remote.send(ctx)

    here = station(far(remote, send=send, ask=remote.ask))
    here.emit(*drafts(1))

    here.pump()

    assert (here.states(), here.effects()) == ([("o0", 1, "running", 1)], [])


def test_doubled_message_makes_one_call(station):
    remote = Remote()
    here = station(far(remote))
    here.emit(*drafts(3))
    here.ring()
    messages = here.messages()

    for message in [*messages, *messages]:
        here.dispatcher.deliver(message)

    assert sorted(remote.calls.values()) == [1, 1, 1]


def test_later_calls_of_a_subject_wait_until_the_outcome_is_known(station):
    remote = Remote(AnswerLost())
    here = station(far(remote, ask=remote.ask))
    here.emit(EventDraft("order.a", "order", "x"), EventDraft("order.b", "order", "x"))

    here.pump()
    waiting = here.states()
    settle(here)

    assert [row[2] for row in waiting] == ["unknown", "pending"]
    assert here.effects() == [("x", 1), ("x", 2)]
    assert {UUID(key.split(":")[0]) for key in remote.calls} == {row[0] for row in here.sql("SELECT id FROM event")}


def test_a_process_that_ends_in_every_call_is_given_up(station):
    remote = Remote()
    here = station(far(remote, ask=remote.ask))
    here.emit(*drafts(1))
    for _ in range(5):
        with here.world.database.unit(here.world.tea) as session:
            take_lease(session, Lease(delivery_ids(here)[0], new_id(), 60), "t.far", blocks=True, prepares=False)
        here.make_due()
        here.relay._due.clear()
        here.relay.chores(here.connection)

    here.pump()

    ((state, error),) = here.sql("SELECT state, last_error FROM delivery")
    assert (state, error["code"], remote.calls) == ("dead", "events.outcome_unknown", {})


def test_failure_is_noted_beside_its_verdict_when_an_attempt_fails(station):
    noted = []

    def failed(ctx, failure):
        leave_effects(ctx.session, "t.failed", [ctx.event])
        noted.append((type(failure.error).__name__, failure.state, failure.attempt, failure.is_counted, ctx.request))

    here = station(far(Remote(Unavailable(), RateLimited(retry_after_s=60), Invalid()), prepare=lambda _ctx: "asked", failed=failed))
    here.emit(*drafts(1))

    settle(here)

    assert noted == [
        ("Unavailable", "pending", 1, True, "asked"),
        ("RateLimited", "pending", 2, False, "asked"),
        ("Invalid", "dead", 2, True, "asked"),
    ]
    assert (here.states(), here.effects()) == ([("o0", 1, "dead", 2)], [("o0", 1)] * 3)


@pytest.mark.parametrize("trouble", [KeyError("x"), Unavailable()], ids=["defect", "refusal"])
def test_verdict_stands_when_noting_the_failure_fails(station, trouble):
    def failed(ctx, _failure):
        leave_effects(ctx.session, "t.failed", [ctx.event])
        raise trouble

    here = station(far(Remote(Unavailable()), failed=failed))
    here.emit(*drafts(1))

    here.pump()
    after_failure = (here.states(), here.effects())
    settle(here)

    assert after_failure == ([("o0", 1, "pending", 1)], [])
    assert (here.states(), here.effects()) == ([("o0", 1, "done", 2)], [("o0", 1)])


def test_lost_answer_is_noted_when_nobody_can_be_asked(station):
    noted = []
    remote = Remote(AnswerLost())
    here = station(far(remote, repeatable=True, failed=lambda _ctx, failure: noted.append((failure.state, failure.retry_in_s > 0))))
    here.emit(*drafts(1))

    settle(here)

    assert (noted, list(remote.calls.values())) == ([("unknown", True)], [2])
