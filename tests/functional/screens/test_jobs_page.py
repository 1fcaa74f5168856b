"""The jobs page groups what was given up by its cause, sends it again or drops it, and stays within its tenant."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from core.kernel.ids import new_id
from core.runtime.events import EventDraft, emit, install_registry
from core.runtime.events.models import Delivery

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


@pytest.fixture
def dead(floor):
    """Three dead deliveries of one cause in the tea shop, one in the gift shop."""
    install_registry(floor.system.registry)
    for scope, number in ((floor.world.tea, 3), (floor.world.gift, 1)):
        with floor.world.database.unit(scope) as session:
            session.execute(update(Delivery).values(state="skipped"))
            emit(session, [EventDraft("order.matched", "order", f"{scope.slug}-{n}-{new_id().hex}", {}) for n in range(number)])
            session.flush()
            error = {"code": "carrier.unmapped", "message": "Nobody has mapped this carrier."}
            values = {"state": "dead", "last_error": error, "attempts": 4}
            session.execute(update(Delivery).where(Delivery.state == "pending").values(**values))
    return floor


def _states(floor, scope):
    with floor.world.database.unit(scope) as session:
        return sorted(session.scalars(select(Delivery.state).where(Delivery.state != "skipped")))


def test_page_groups_the_dead_by_cause(dead):
    page = dead.visitor("owner@tea.example").get("/t/tea/jobs/")

    assert page.status_code == 200, page.text[:3000]
    assert page.text.count('class="cause"') == len({"core.way"})
    assert "Nobody has mapped this carrier." in page.text
    assert "Send all again" in page.text


def test_replay_sends_all_of_a_cause_again_and_nothing_of_another_tenant(dead):
    browser = dead.visitor("owner@tea.example")
    count = len(_states(dead, dead.world.tea))
    with dead.world.database.unit(dead.world.tea) as session:
        subscriber = session.scalars(select(Delivery.subscriber).where(Delivery.state == "dead").limit(1)).one()

    answer = browser.post("/t/tea/jobs/act", {"action": "replay", "subscriber": subscriber, "code": "carrier.unmapped"}, **HERE)

    assert answer.status_code == 302
    assert _states(dead, dead.world.tea) == ["pending"] * count
    assert set(_states(dead, dead.world.gift)) == {"dead"}


def test_replay_leaves_other_causes_alone_when_this_one_has_no_code(dead):
    with dead.world.database.unit(dead.world.tea) as session:
        first, subscriber = session.execute(select(Delivery.id, Delivery.subscriber).where(Delivery.state == "dead").limit(1)).one()
        session.execute(update(Delivery).where(Delivery.id == first).values(last_error=None))
    before = len(_states(dead, dead.world.tea))

    page = dead.visitor("owner@tea.example").get("/t/tea/jobs/").text
    dead.visitor("owner@tea.example").post("/t/tea/jobs/act", {"action": "replay", "subscriber": subscriber, "code": ""}, **HERE)

    assert "The job ended without saying why." in page
    assert _states(dead, dead.world.tea) == ["dead"] * (before - 1) + ["pending"]


def test_drop_gives_chosen_jobs_up(dead):
    browser = dead.visitor("owner@tea.example")
    with dead.world.database.unit(dead.world.tea) as session:
        ids = [str(one) for one in session.scalars(select(Delivery.id).where(Delivery.state == "dead"))]

    browser.post("/t/tea/jobs/act", {"action": "drop", "pk": ids[:1]}, **HERE)

    assert _states(dead, dead.world.tea) == ["dead"] * (len(ids) - 1)


def test_single_job_shows_its_error(dead):
    browser = dead.visitor("owner@tea.example")
    with dead.world.database.unit(dead.world.tea) as session:
        pk = session.scalars(select(Delivery.id).where(Delivery.state == "dead").limit(1)).one()

    mine, theirs = browser.get(f"/t/tea/jobs/show/{pk}"), dead.visitor("owner@gift.example").get(f"/t/gift/jobs/show/{pk}")

    assert (mine.status_code, theirs.status_code) == (200, 404)
    assert "carrier.unmapped" in mine.text


def test_reader_cannot_replay(dead):
    browser = dead.visitor("reader@tea.example")
    before = _states(dead, dead.world.tea)

    answer = browser.post("/t/tea/jobs/act", {"action": "replay", "subscriber": "core.way", "code": ""}, **HERE)

    assert answer.status_code == 403
    assert _states(dead, dead.world.tea) == before


@pytest.mark.parametrize("state", ["pending", "running", "unknown", "parked", "done", "skipped", "runs"])
def test_every_tab_answers(dead, state):
    page = dead.visitor("owner@tea.example").get(f"/t/tea/jobs/?state={state}")

    assert page.status_code == 200, page.text[:2000]
