"""An order of an own shop is delivered, completed and refunded from its page and by programs; one of a marketplace is not."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from sqlalchemy import select

from core.domain.fulfilment.models import Shipment
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.fulfilment.way import advance
from core.domain.inventory.models import Stock
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderLine, Refund
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up
from tests.fixtures.programs import token_program

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


@pytest.fixture(scope="module")
def place(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        house = make_warehouse(session)
        stock_up(session, make_sku(session, "TEA-100"), house, 50)
        shops = {"counter": make_shop(session, "counter"), "tb": make_shop(session, "tb", marketplace="taobao")}
        return {**shops, "house": house, "sf": make_carrier(session)}


def _shipped(floor, place, external_id, shop="counter"):
    with floor.world.database.unit(floor.world.tea) as session:
        taken = accept(session, place[shop], [order(external_id, line(quantity=2, paid="20.00"))], now=NOON)[0].order_id
        advance(session, [taken], now=NOON)
        ship(session, ShipmentOrder(taken, place["sf"], external_id), now=NOON)
        return taken


def _found(floor, order_id):
    with floor.world.database.unit(floor.world.tea) as session:
        found = session.get(Order, order_id)
        return found.state, found.payment, found.refunded_total


def test_order_ends_and_is_refunded_from_its_page(floor, place):
    taken = _shipped(floor, place, "OWN-1")
    browser, page = floor.visitor("staff@tea.example"), f"/t/tea/orders/show/{taken}"
    before = browser.get(page).text
    chosen = {"pk": str(taken), "back": "record"}

    browser.post("/t/tea/orders/bulk", {**chosen, "action": "deliver"}, **HERE)
    browser.post("/t/tea/orders/bulk", {**chosen, "action": "complete"}, **HERE)
    floor.settle(floor.world.tea)
    form = browser.get(f"/t/tea/refund-order/{taken}").text
    key = re.search(r'name="request_key" value="(\w+)"', form)[1]
    with floor.world.database.unit(floor.world.tea) as session:
        piece = session.scalars(select(OrderLine.id).where(OrderLine.order_id == taken)).one()
        on_hand = session.scalars(select(Stock.on_hand)).one()
    wrong = browser.post(f"/t/tea/refund-order/{taken}", {"amount": "20.01", "reason": "broken", "request_key": key}, **HERE)
    values = {"lines": str(piece), "amount": "19.99", "reason": "broken", "warehouse_id": str(place["house"]), "request_key": key}
    done = [browser.post(f"/t/tea/refund-order/{taken}", values, **HERE) for _twice in range(2)]

    assert ['value="deliver"' in before, 'value="complete"' in before, f"/refund-order/{taken}" in before] == [True, True, True]
    assert (wrong.status_code, "This is more than is left of what was paid." in wrong.text) == (422, True)
    assert [answer.headers.get("Location") for answer in done] == [page, page]
    assert _found(floor, taken) == ("completed", "partly_refunded", Decimal("19.99"))
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalars(select(Stock.on_hand)).one() == on_hand + 2
        assert session.scalars(select(Shipment.state).where(Shipment.order_id == taken)).all() == ["delivered"]
    assert "recorded a refund" in browser.get(page).text


def test_page_offers_nothing_when_the_platform_decides(floor, place):
    taken = _shipped(floor, place, "TB-1", "tb")
    browser = floor.visitor("staff@tea.example")

    page = browser.get(f"/t/tea/orders/show/{taken}").text
    form = browser.get(f"/t/tea/refund-order/{taken}").text
    browser.post("/t/tea/orders/bulk", {"pk": str(taken), "action": "deliver"}, **HERE)
    refused = browser.post(f"/t/tea/refund-order/{taken}", {"amount": "1", "reason": "broken"}, **HERE)

    assert ['value="deliver"' in page, 'value="complete"' in page, "/refund-order/" in page] == [False, False, False]
    assert "The platform decides this for its own orders" in form
    assert refused.status_code == 422
    assert _found(floor, taken) == ("shipped", "paid", 0)


def test_program_ends_and_refunds_an_order(floor, place):
    taken, other = _shipped(floor, place, "OWN-2"), _shipped(floor, place, "TB-2", "tb")
    program = token_program(floor, floor.world.tea, "owner@tea.example")

    rows = program.post("/orders/actions/deliver", {"ids": [str(taken), str(other)]}).json["result"]
    made = program.post(f"/orders/{taken}/refund", {"reason": "broken", "amount": "5.00"})
    too_much = program.post(f"/orders/{taken}/refund", {"reason": "broken", "amount": "15.01"})
    refused = program.post(f"/orders/{other}/refund", {"reason": "broken", "amount": "5.00"})

    assert [row.get("code") for row in rows] == [None, "channels.platform_decides"]
    assert (made.status_code, program.get(made.headers["Location"].removeprefix("/api/v1")).json["amount"]) == (201, "5.00")
    assert (too_much.status_code, too_much.json["field"]) == (422, "amount")
    assert (refused.status_code, refused.json["code"]) == (409, "channels.platform_decides")
    assert _found(floor, taken) == ("delivered", "partly_refunded", Decimal("5.00"))
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalars(select(Refund.kind).where(Refund.order_id == taken)).all() == ["reduction"]
