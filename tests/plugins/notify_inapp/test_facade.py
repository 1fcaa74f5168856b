"""What holds for pages of any plugin, tried on these: a page that fails takes nothing with it, and a page ends no transaction."""

from __future__ import annotations

import pytest
from flask import abort
from sqlalchemy import select

from core.delivery.web.unit import db
from core.runtime.plugin_host.problems import open_problems
from core.sdk import Denied, Invalid
from plugins.notify_inapp.models import Muted
from tests.plugins.notify_inapp.conftest import PLUGIN
from tests.plugins.notify_inapp.test_telling import OWNER

pytestmark = pytest.mark.database
BASE = "/t/tea/notifications/"


@pytest.fixture
def owner(desk):
    return desk.floor.visitor(OWNER)


def failing(monkeypatch, act):
    """Let the page do `act(session)` where it reads its rows."""

    def instead(session, *_args, **_options):
        session.add(Muted(user_id=1, kind="left behind"))
        session.flush()
        act(session)

    monkeypatch.setattr("plugins.notify_inapp.queries.latest", instead)


def explode(_session):
    raise RuntimeError("secret inside")


def left_behind(desk):
    with desk.unit() as session:
        return list(session.scalars(select(Muted.kind)))


def problems(desk):
    desk.floor.system.plugins.flush()
    with desk.unit() as session:
        return [problem.code for problem in open_problems(session, PLUGIN)]


def test_page_answers_500_and_leaves_a_problem_when_a_plugin_raises(desk, owner, monkeypatch):
    failing(monkeypatch, explode)

    page = owner.get(BASE)

    assert (page.status_code, left_behind(desk), problems(desk)) == (500, [], ["plugin.call_failed"])
    assert "secret inside" not in page.text
    assert owner.get("/t/tea/account/").status_code == 200


@pytest.mark.parametrize(
    ("act", "status"),
    [
        (lambda _session: abort(404), 404),
        (lambda _session: (_ for _ in ()).throw(Invalid("No.", field="x")), 422),
        (lambda _session: (_ for _ in ()).throw(Denied()), 403),
    ],
    ids=["abort", "invalid", "denied"],
)
def test_refusal_reaches_the_reader_and_is_no_problem_when_a_plugin_means_it(desk, owner, monkeypatch, act, status):
    failing(monkeypatch, act)

    assert (owner.get(BASE).status_code, left_behind(desk), problems(desk)) == (status, [], [])


@pytest.mark.parametrize("act", [lambda _session: db().commit(), lambda session: session.commit()], ids=["real", "guarded"])
def test_page_cannot_end_the_transaction_when_a_plugin_tries(desk, owner, monkeypatch, act):
    failing(monkeypatch, act)

    page = owner.get(BASE)

    assert (page.status_code, left_behind(desk)) == (500, [])
    assert problems(desk) == ["plugin.call_failed"]
    assert owner.get("/t/tea/account/").status_code == 200
