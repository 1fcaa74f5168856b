"""`oms jobs` on a real database."""

import json
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from core.delivery.cli import jobs
from core.delivery.cli.main import run
from core.kernel.errors import Invalid
from core.runtime.events import EventDraft, Subscriber
from core.runtime.security.audit import AuditFilter, entries
from tests.fixtures.stations import delivery_ids, drafts

pytestmark = [pytest.mark.database, pytest.mark.queue]


@dataclass
class Addresses:
    """The settings that the command reads."""

    database_url: str


@pytest.fixture
def told(station, monkeypatch):
    """A station with three dead deliveries, and the command working on its database."""

    def refuse(ctx, events):
        raise Invalid("It has no price.", number=events[0].subject_id)

    @contextmanager
    def installation():
        yield Addresses(here.world.app_url)

    here = station(Subscriber(key="t.bad", events=("order.",), handle=refuse))
    here.emit(*drafts(3))
    here.pump()
    monkeypatch.setattr(jobs, "running_installation", installation)
    return here


@pytest.fixture
def oms(capsys):
    """Run `oms jobs …` and give its JSON answer."""

    def call(*arguments):
        assert run(["jobs", *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return call


def test_stats_count_what_is_not_finished(told, oms):
    told.emit(EventDraft("order.paid", "order", "new"))

    answer = oms("stats", "--tenant", "tea")

    assert [(row["subscriber"], row["state"], row["number"]) for row in answer["open"]] == [("t.bad", "dead", 3), ("t.bad", "pending", 1)]
    assert answer["last_hour"] == {"done": 0, "dead": 3}


def test_list_shows_why_and_keeps_to_the_filter(told, oms, capsys):
    rows = oms("list", "--tenant", "tea", "--subject", "order:o1")

    assert [(row["subject"], row["state"], row["why"]) for row in rows] == [("order:o1", "dead", "invalid It has no price.")]
    assert oms("list", "--tenant", "gift") == []
    run(["jobs", "list", "--tenant", "tea"])
    assert capsys.readouterr().out.count("invalid It has no price.") == 3


def test_show_tells_the_whole_story_of_one(told, oms):
    answer = oms("show", "--tenant", "tea", str(delivery_ids(told)[0]))

    assert (answer["state"], answer["event"]["kind"], answer["error"]["facts"]) == ("dead", "order.paid", {"number": "o0"})
    assert [one["generation"] for one in answer["generations"]] == [1]


def test_replay_by_id_sends_one_and_leaves_a_trail(told, oms):
    one = str(delivery_ids(told)[0])

    answer = oms("replay", "--tenant", "tea", one)

    assert answer == {"matched": 1, "done": 1}
    with told.world.database.unit(told.world.tea) as session:
        (entry,) = entries(session, AuditFilter(action="delivery.replayed", subject_id=one))
    assert entry.actor_label.startswith("oms jobs (")


def test_replay_by_filter_only_counts_until_it_is_confirmed(told, oms):
    counted = oms("replay", "--tenant", "tea", "--subscriber", "t.bad")
    untouched = {row[2] for row in told.states()}
    done = oms("replay", "--tenant", "tea", "--subscriber", "t.bad", "--yes")

    assert (counted, untouched, done) == ({"matched": 3, "done": 0}, {"dead"}, {"matched": 3, "done": 3})


def test_park_resume_and_skip_change_states(told, oms):
    told.emit(EventDraft("order.paid", "order", "new"))
    states = []
    for verb in ("park", "resume", "skip"):
        oms(verb, "--tenant", "tea", "--subject", "order:new", *(["--state", "pending"] if verb == "skip" else []), "--yes")
        states.append(told.sql("SELECT state FROM delivery WHERE subject = 'order:new'")[0][0])

    assert states == ["parked", "pending", "skipped"]


def test_unknown_tenant_or_delivery_is_an_error(told, capsys):
    codes = [run(["jobs", "stats", "--tenant", "nobody"]), run(["jobs", "show", "--tenant", "gift", str(delivery_ids(told)[0])])]

    assert codes == [1, 1]
    assert "There is no such delivery." in capsys.readouterr().err
