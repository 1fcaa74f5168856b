"""Blocking a customer on their page holds their orders; staff release one with a reason that the timeline keeps."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.customers.models import Customer
from core.domain.orders.intake import accept
from core.domain.orders.models import Order
from tests.factories.orders import NOON, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


def test_order_waits_from_blocking_to_release_when_staff_act_on_its_pages(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        stock_up(session, make_sku(session, "TEA-100"), make_warehouse(session), 50)
        held = accept(session, make_shop(session), [order("B-1")], now=NOON)[0].order_id
        customer, version = session.execute(select(Customer.id, Customer.row_version)).one()
    floor.settle(floor.world.tea)
    owner, page = floor.visitor("owner@tea.example"), f"/t/tea/orders/show/{held}"

    owner.post(f"/t/tea/customers/edit/{customer}", {"kind": "person", "is_blocked": "y", "row_version": str(version)}, **HERE)
    floor.settle(floor.world.tea)
    stuck = owner.get(page).text
    chosen = {"action": "release", "pk": str(held), "back": "record"}
    asked = owner.post("/t/tea/orders/bulk", chosen, **HERE)
    owner.post("/t/tea/orders/bulk", {**chosen, "go": "1", "p.note": ""}, **HERE)
    with floor.world.database.unit(floor.world.tea) as session:
        still_held = session.scalar(select(Order.hold_code).where(Order.id == held))
    owner.post("/t/tea/orders/bulk", {**chosen, "go": "1", "p.note": "paid in advance"}, **HERE)
    after = owner.get(page).text

    assert "The customer is blocked. Release the order with a reason" in stuck
    assert '<form class="one" method="post" action="/t/tea/orders/bulk"' in stuck
    assert (asked.status_code, still_held) == (200, "customer_blocked")
    assert "Customer blocked · paid in advance" in after
    assert "Release hold</button>" not in after
