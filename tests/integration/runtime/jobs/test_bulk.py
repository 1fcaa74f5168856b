"""Bulk runs: over named records or all that match, each record's effect once, each with its outcome."""

from collections import Counter
from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select, text

from core.kernel.errors import Conflict, Invalid, Unavailable
from core.runtime.events import Subscriber
from core.runtime.events.bulk import bulk_subscribers, cancel, retry_failed, start_run
from core.runtime.events.claims import begin
from core.runtime.events.models import Inbox
from core.runtime.jobs.actions import DONE, ActionRegistry, ActionUnknown, BulkAction, RowOutcome
from core.runtime.jobs.bulk import NothingToRetry, RunRequest, RunUnknown, find_run, run_rows, runs
from core.runtime.security.audit import AuditFilter, entries
from core.runtime.tenancy.scope import require_scope
from tests.fixtures.stations import NOON

pytestmark = [pytest.mark.database, pytest.mark.queue]


class Mark:
    """An action that marks records (rows of the inbox) and can be told to stumble over some of them."""

    def __init__(self):
        self.errors, self.calls, self.actors = {}, [], set()

    def apply(self, session, ids, params):
        self.calls.append(len(ids))
        self.actors.add(require_scope().actor.label)
        for one in ids:
            if one in self.errors:
                raise self.errors[one]
        changed = session.execute(
            text("UPDATE inbox SET headers = headers || jsonb_build_object(CAST(:key AS text), 1 + coalesce((headers ->> :key)::int, 0)) WHERE id = ANY(:ids) RETURNING id"),
            {"key": params["key"], "ids": list(ids)},
        )
        return {row.id: DONE for row in changed}

    def select(self, _session, source):
        return select(Inbox.id).where(Inbox.source == source["source"]).order_by(Inbox.external_id)


def make(station, chunk=10, **changes):
    mark = Mark()
    action = BulkAction(key="t.mark", title="Mark", permission="t.mark", apply=mark.apply, select=mark.select, chunk=chunk)
    actions = ActionRegistry.of([replace(action, **changes)])
    here = station(*bulk_subscribers(actions))
    here.mark, here.actions = mark, actions
    with here.world.database.unit(here.world.tea) as session:
        session.execute(text("DELETE FROM bulk_run"))
    return here


def records(here, count, source="shop", scope=None):
    """Ids of fresh records."""
    with here.world.database.unit(scope or here.world.tea) as session:
        rows = [Inbox(source=source, external_id=f"{number:05}", raw=b"", received_at=NOON) for number in range(count)]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def start(here, **values):
    with here.world.database.unit(here.world.tea) as session:
        return start_run(session, RunRequest(action="t.mark", params={"key": "k"}, **values), here.actions)


def seen(here, run):
    with here.world.database.unit(here.world.tea) as session:
        found = find_run(session, run)
        return (found.state, found.total, found.done, found.refused, found.failed, found.cancelled)


def marks(here, scope=None):
    """How often each record has been marked."""
    with here.world.database.unit(scope or here.world.tea) as session:
        return Counter(session.execute(text("SELECT coalesce((headers ->> 'k')::int, 0) FROM inbox")).scalars())


@pytest.fixture(autouse=True)
def use_registry(monkeypatch):
    """Bulk runs emit through the registry of the process; here it is that of the station last made."""
    made = []
    monkeypatch.setattr("core.runtime.events.outbox.installed_registry", lambda: made[-1])
    return made


@pytest.fixture
def bulk(station, use_registry):
    def build(**options):
        here = make(station, **options)
        use_registry.append(here.registry)
        return here

    return build


def test_run_over_named_records_marks_each_once(bulk):
    here = bulk()
    ids = records(here, 25)

    run = start(here, ids=[*ids, ids[0]])
    here.pump()

    assert (seen(here, run), marks(here)) == (("done", 25, 25, 0, 0, 0), {1: 25})
    assert here.mark.calls == [10, 10, 5]


def test_run_over_all_that_match_takes_them_in_one_statement_and_only_this_tenants(bulk):
    here = bulk(chunk=100)
    records(here, 250)
    records(here, 3, source="other")
    records(here, 50, scope=here.world.gift)

    run = start(here, source={"source": "shop"})
    here.pump()

    assert seen(here, run) == ("done", 250, 250, 0, 0, 0)
    assert (marks(here), marks(here, here.world.gift)) == ({1: 250, 0: 3}, {0: 50})


def test_run_over_nothing_is_done_at_once(bulk):
    here = bulk()

    run = start(here, source={"source": "nowhere"})
    here.pump()

    assert seen(here, run) == ("done", 0, 0, 0, 0, 0)


def test_refused_and_failed_records_say_why_and_the_others_are_done(bulk):
    here = bulk()
    ids = records(here, 12)
    here.mark.errors = {ids[3]: Conflict("It is shipped already.", number="A1"), ids[7]: KeyError("secret")}
    gone = UUID(int=1)

    run = start(here, ids=[*ids, gone])
    here.pump()

    assert (seen(here, run), marks(here)) == (("done", 13, 10, 2, 1, 0), {1: 10, 0: 2})
    with here.world.database.unit(here.world.tea) as session:
        told = {row.subject_id: (row.state, row.code, row.message, row.facts) for row in run_rows(session, run) if row.state != "done"}
    assert told == {
        ids[3]: ("refused", "conflict", "It is shipped already.", {"number": "A1"}),
        ids[7]: ("failed", "bulk.unexpected", "KeyError", None),
        gone: ("refused", "bulk.gone", "The record is no longer there.", None),
    }


def test_records_are_tried_one_by_one_with_the_actions_own_function(bulk):
    def each(session, record, params):
        return RowOutcome("refused", "t.no", str(params["key"]))

    here = bulk(apply_one=each)
    ids = records(here, 3)
    here.mark.errors = {ids[0]: Invalid("no")}

    run = start(here, ids=ids)
    here.pump()

    assert (seen(here, run), here.mark.calls) == (("done", 3, 0, 3, 0, 0), [3])


def test_chunk_is_tried_again_later_when_something_is_unavailable(bulk):
    here = bulk()
    ids = records(here, 10)
    here.mark.errors = {ids[0]: Unavailable("down")}

    run = start(here, ids=ids)
    here.pump()
    waiting = seen(here, run)
    here.mark.errors = {}
    here.make_due()
    here.pump()

    assert (waiting, seen(here, run), marks(here)) == (("running", 10, 0, 0, 0, 0), ("done", 10, 10, 0, 0, 0), {1: 10})


def test_record_that_ends_its_process_is_found_and_given_up(bulk):
    here = bulk()
    ids = records(here, 10)
    run = start(here, ids=ids)
    here.ring()
    here.work()
    crash(here)
    here.pump()
    chunks = here.sql("SELECT subject FROM delivery WHERE state = 'done' AND subscriber = 'core.bulk_chunk'")

    assert (seen(here, run), marks(here), len(chunks)) == (("done", 10, 10, 0, 0, 0), {1: 10}, 11)


def test_record_that_always_ends_its_process_fails_alone(bulk):
    here = bulk(chunk=1)
    ids = records(here, 2)
    run = start(here, ids=ids)
    here.ring()
    here.work()
    for _ in range(2):
        crash(here, only=1)
    here.pump()

    assert (seen(here, run), marks(here)) == (("done", 2, 1, 0, 1, 0), {1: 1, 0: 1})


def crash(here, only=None):
    """Begin chunks and die."""
    waiting = here.sql("SELECT id FROM delivery WHERE subscriber = 'core.bulk_chunk' AND state = 'pending' ORDER BY id")
    with here.world.database.unit(here.world.tea) as session:
        begin(session, "core.bulk_chunk", [row[0] for row in waiting][:only], blocks=False)
    here.make_due()


def test_cancelled_run_leaves_out_what_is_not_done_yet(bulk):
    here = bulk()
    ids = records(here, 30)
    run = start(here, ids=ids)
    here.ring()
    here.work()
    here.ring()
    first = here.messages()[0]
    here.dispatcher.deliver([(*first[0][:3], first[0][3][:1])])

    with here.world.database.unit(here.world.tea) as session:
        answers = [cancel(session, run), cancel(session, run)]
    here.pump()

    assert (answers, seen(here, run), marks(here)) == ([True, False], ("cancelled", 30, 10, 0, 0, 20), {1: 10, 0: 20})


def test_failed_records_are_retried_in_a_run_of_their_own(bulk):
    here = bulk()
    ids = records(here, 5)
    here.mark.errors = {ids[1]: KeyError("x"), ids[2]: Conflict("no")}
    run = start(here, ids=ids)
    here.pump()

    here.mark.errors = {}
    with here.world.database.unit(here.world.tea) as session:
        again = [retry_failed(session, run, here.actions) for _ in range(2)]
    here.pump()

    assert (len(set(again)), seen(here, again[0])) == (1, ("done", 1, 1, 0, 0, 0))
    assert marks(here) == {1: 4, 0: 1}
    with here.world.database.unit(here.world.tea) as session:
        assert find_run(session, again[0]).retry_of == run
        with pytest.raises(NothingToRetry):
            retry_failed(session, again[0], here.actions)


def test_doubled_request_is_one_run(bulk):
    here = bulk()
    ids = records(here, 3)

    twice = [start(here, ids=ids, request_key="click-1") for _ in range(2)]
    other = start(here, ids=ids)
    here.pump()

    assert (twice[0] == twice[1], other != twice[0], marks(here)) == (True, True, {2: 3})


def test_run_acts_for_whoever_asked_for_it(bulk):
    here = bulk()
    ids = records(here, 1)
    scope = replace(here.world.tea, actor=replace(here.world.tea.actor, label="Ann"))
    with here.world.database.unit(scope) as session:
        run = start_run(session, RunRequest(action="t.mark", params={"key": "k"}, ids=ids), here.actions)

    here.pump()

    assert here.mark.actors == {"Ann"}
    with here.world.database.unit(here.world.tea) as session:
        assert [entry.actor_label for entry in entries(session, AuditFilter(subject_type="bulk_run", subject_id=str(run)))] == ["Ann"]


def test_runs_are_listed_newest_first_and_stay_within_the_tenant(bulk):
    here = bulk()
    ids = records(here, 1)
    made = [start(here, ids=ids) for _ in range(3)]

    with here.world.database.unit(here.world.tea) as session:
        listed = [run.id for run in runs(session, limit=2)]
        rest = [run.id for run in runs(session, before=listed[-1])]
    with here.world.database.unit(here.world.gift) as session:
        with pytest.raises(RunUnknown):
            find_run(session, made[0])
        foreign = runs(session)

    assert ([*listed, *rest], foreign) == (made[::-1], [])


def test_request_is_refused_when_it_makes_no_sense(bulk):
    here = bulk(select=None)

    with pytest.raises(ActionUnknown):
        here.actions.get("t.other")
    for wrong in ({}, {"ids": []}, {"ids": [UUID(int=1)], "source": {}}):
        with pytest.raises(Invalid):
            RunRequest(action="t.mark", params={}, **wrong)
    with pytest.raises(Invalid):
        ActionRegistry.of([here.actions.get("t.mark")] * 2)


def test_end_of_a_run_is_told(bulk, station, use_registry):
    here = bulk()
    heard = []
    listener = Subscriber(key="t.heard", events=("bulk.finished",), handle=lambda _ctx, events: heard.append(events[0].payload["state"]))
    here = make(lambda *subscribers: station(*subscribers, listener))
    use_registry.append(here.registry)

    start(here, ids=records(here, 1))
    here.pump()

    assert heard == ["done"]

