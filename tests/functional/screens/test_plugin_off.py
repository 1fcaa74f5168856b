"""Switching a plugin off asks what becomes of its work under way, says how much there is, and does as told."""

from __future__ import annotations

import pytest

from core.domain.orders.intake import accept
from core.kernel.ids import new_id
from core.runtime.plugin_host.instances import MAIN, find_instance
from core.runtime.plugin_host.lifecycle import enable
from tests.factories.orders import NOON, make_shop, order

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}
PLUGIN = "outbound_webhooks"


@pytest.fixture
def at_work(floor):
    """The plugin is on and has heard of an order; nobody has carried that out yet."""
    floor.settle(floor.world.tea)
    with floor.world.database.unit(floor.world.tea) as session:
        enable(session, floor.system.plugins, PLUGIN)
    floor.system.plugins.enablement.forget()
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session, code=new_id().hex)
        accept(session, shop, [order("W-1")], now=NOON)
        return sum(floor.system.plugins.in_flight(session, PLUGIN).values())


def _standing(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        row = find_instance(session, PLUGIN, MAIN)
        return row.state, row.mode


def test_switch_leads_to_the_question_and_changes_nothing_yet(floor, at_work):
    owner = floor.visitor("owner@tea.example")

    answer = owner.post(f"/t/tea/plugins/{PLUGIN}/switch", {"enabled": "0"}, **HERE)
    page = owner.get(answer.headers["Location"]).text

    assert answer.headers["Location"] == f"/t/tea/plugins/{PLUGIN}/off"
    assert at_work > 0
    assert f"{at_work} job" in page
    assert ('value="drain"' in page, 'value="park" checked' in page) == (True, True)
    assert _standing(floor) == ("enabled", "")


@pytest.mark.parametrize(("mode", "said"), [("drain", "finished first"), ("park", "until it is on again")])
def test_work_is_finished_or_left_as_chosen(floor, at_work, mode, said):
    owner = floor.visitor("owner@tea.example")

    owner.post(f"/t/tea/plugins/{PLUGIN}/switch", {"mode": mode}, **HERE)
    page = owner.get(f"/t/tea/plugins/{PLUGIN}/").text

    assert _standing(floor) == ("disabling", mode)
    assert said in page
    assert f'href="/t/tea/plugins/{PLUGIN}/off"' in page


def test_mind_can_be_changed_while_work_is_finished(floor, at_work):
    owner = floor.visitor("owner@tea.example")
    owner.post(f"/t/tea/plugins/{PLUGIN}/switch", {"mode": "drain"}, **HERE)

    page = owner.get(f"/t/tea/plugins/{PLUGIN}/off").text
    owner.post(f"/t/tea/plugins/{PLUGIN}/switch", {"mode": "park"}, **HERE)

    assert "It is being switched off already" in page
    assert _standing(floor) == ("disabling", "park")


def test_question_is_for_those_who_may_switch(floor, at_work):
    page = floor.visitor("reader@tea.example").get(f"/t/tea/plugins/{PLUGIN}/off")

    assert page.status_code == 403
    assert _standing(floor) == ("enabled", "")
