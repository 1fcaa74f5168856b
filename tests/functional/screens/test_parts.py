"""A record that is a part of another leads back to it; a hold cannot end before it begins; a currency is the business's own."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.catalog.models import KIT, KitItem
from core.domain.channels.models import Shop
from core.domain.orders.intake import accept
from core.domain.orders.models import OrderHold
from tests.factories.orders import NOON, make_shop, make_sku, order
from tests.fixtures.programs import token_program

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


def test_form_of_a_component_leads_back_to_its_kit(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        kit, tea = make_sku(session, "SET-1", kind=KIT), make_sku(session, "TEA-1")
    browser, back = floor.visitor("owner@tea.example"), f"/t/tea/skus/show/{kit}"
    values = {"kit_id": str(kit), "component_id": str(tea), "quantity": "2"}

    form = browser.get(f"/t/tea/kit-items/add?kit_id={kit}").text
    added = browser.post(f"/t/tea/kit-items/add?kit_id={kit}", values, **HERE)
    with floor.world.database.unit(floor.world.tea) as session:
        item = session.scalars(select(KitItem.id)).one()
    changed = browser.post(f"/t/tea/kit-items/edit/{item}", {"quantity": "3", "row_version": "1"}, **HERE)
    deleted = browser.post(f"/t/tea/kit-items/delete/{item}", **HERE)

    assert f'<a class="btn" href="{back}">Cancel</a>' in form
    assert [answer.headers["Location"] for answer in (added, changed, deleted)] == [back, back, back]


def test_hold_is_refused_when_it_would_end_in_the_past(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        held = accept(session, make_shop(session), [order("H-1")], now=NOON)[0].order_id
    chosen = {"action": "hold", "pk": str(held), "go": "1", "p.reason": "gift wrap", "p.release_at": "2020-01-01T10:00:00"}
    program = token_program(floor, floor.world.tea, "owner@tea.example")

    page = floor.visitor("owner@tea.example").post("/t/tea/orders/bulk", chosen, **HERE)
    many = floor.visitor("owner@tea.example").post("/t/tea/orders/bulk", {**chosen, "scope": "all", "pk": ""}, **HERE)
    params = {"reason": "gift wrap", "release_at": "2020-01-01T10:00:00Z"}
    answer = program.post("/orders/actions/hold", {"ids": [str(held)], "params": params})

    assert (page.status_code, many.status_code) == (422, 422)
    assert "This moment has passed already; the hold would end at once." in page.text
    assert (answer.status_code, answer.json["field"]) == (422, "release_at")
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalars(select(OrderHold).where(OrderHold.code == "manual")).all() == []


def test_currency_is_the_business_own_when_none_is_given(floor):
    browser, program = floor.visitor("owner@gift.example"), token_program(floor, floor.world.gift, "owner@gift.example")

    forms = [browser.get(f"/t/gift/{name}/add").text for name in ("skus", "shops")]
    made = program.post("/skus/", {"code": "CUP", "title": "Cup"})
    program.post("/shops/", {"code": "counter", "title": "Counter"})

    assert ['value="GBP"' in form for form in forms] == [True, True]
    assert made.json["currency"] == "GBP"
    with floor.world.database.unit(floor.world.gift) as session:
        assert session.scalars(select(Shop.currency)).all() == ["GBP"]
