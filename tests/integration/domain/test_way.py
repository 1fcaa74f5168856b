"""An order's way on the real database: intake, reservation, approval, holds and shipping."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from core.domain.catalog.models import KIT, KitItem
from core.domain.fulfilment.errors import NotShippable
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.fulfilment.way import advance, waiting_for
from core.domain.inventory.models import LedgerEntry, Reservation, Stock
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderHold, OrderLine
from core.domain.orders.normalised import ChannelState, RefundState
from core.kernel.ids import new_id
from core.runtime.events.models import Event
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database


@pytest.fixture
def unit(world):
    """A transaction for the tea shop that is rolled back at the end."""
    with world.database.unit(world.tea) as session:
        yield session
        session.rollback()


def _order(session, external_id="T1"):
    return session.scalars(select(Order).where(Order.external_id == external_id).execution_options(populate_existing=True)).one()


def _kinds(session, order_id):
    return list(session.scalars(select(Event.kind).where(Event.subject_id == str(order_id)).order_by(Event.seq)))


def test_order_is_approved_when_paid_matched_and_in_stock(unit):
    shop = make_shop(unit)
    sku = make_sku(unit, "TEA-100")
    stock_up(unit, sku, make_warehouse(unit), 5)

    outcome = accept(unit, shop, [order("T1", line(quantity=2))], now=NOON)[0]
    progress = advance(unit, [outcome.order_id], now=NOON)

    stored = _order(unit)
    shelf = unit.scalars(select(Stock)).one()
    assert (outcome.result, stored.state, stored.fulfilment) == ("created", "approved", "reserved")
    assert progress.approved == (outcome.order_id,)
    assert (shelf.on_hand, shelf.reserved) == (5, 2)
    assert _kinds(unit, stored.id) == ["order.accepted", "order.approved"]


def test_order_is_held_with_what_is_missing_when_stock_is_short(unit):
    shop = make_shop(unit)
    sku = make_sku(unit, "TEA-100")
    house = make_warehouse(unit)
    stock_up(unit, sku, house, 1)

    outcome = accept(unit, shop, [order("T1", line(quantity=2))], now=NOON)[0]
    advance(unit, [outcome.order_id], now=NOON)

    hold = unit.scalars(select(OrderHold)).one()
    assert hold.code == "stock_short"
    assert hold.facts["skus"] == [{"sku_id": str(sku), "sku": "TEA-100", "asked": "2", "free": "1"}]
    assert _order(unit).state == "paid"
    assert unit.scalars(select(Reservation)).all() == []

    stock_up(unit, sku, house, 1, reference="delivery")
    advance(unit, waiting_for(unit, [sku]), now=NOON)

    assert (_order(unit).state, _order(unit).hold_count) == ("approved", 0)


def test_order_is_held_when_a_line_has_no_sku(unit):
    shop = make_shop(unit)

    outcome = accept(unit, shop, [order("T1", line(code="NOBODY"))], now=NOON)[0]
    advance(unit, [outcome.order_id], now=NOON)

    assert _order(unit).hold_code == "sku_unmatched"


def test_second_intake_changes_nothing_when_the_version_is_the_same(unit):
    shop = make_shop(unit)
    first = accept(unit, shop, [order("T1")], now=NOON)[0]

    again = accept(unit, shop, [order("T1")], now=NOON)[0]

    assert (again.result, again.order_id) == ("unchanged", first.order_id)
    assert _kinds(unit, first.order_id) == ["order.accepted"]
    assert len(unit.scalars(select(OrderLine)).all()) == 1


def test_cancelled_order_gives_its_stock_back(unit):
    shop = make_shop(unit)
    sku = make_sku(unit, "TEA-100")
    stock_up(unit, sku, make_warehouse(unit), 5)
    outcome = accept(unit, shop, [order("T1", line(quantity=2))], now=NOON)[0]
    advance(unit, [outcome.order_id], now=NOON)

    later = NOON + timedelta(minutes=5)
    gone = order("T1", line(quantity=2, state=ChannelState.CANCELLED), state=ChannelState.CANCELLED, modified_at=later)
    accept(unit, shop, [gone], now=later)
    advance(unit, [outcome.order_id], now=later)

    shelf = unit.scalars(select(Stock).execution_options(populate_existing=True)).one()
    assert (shelf.on_hand, shelf.reserved) == (5, 0)
    assert (_order(unit).state, _order(unit).payment) == ("cancelled", "refunded")


def test_refund_request_holds_an_approved_order_so_that_it_cannot_ship(unit):
    shop = make_shop(unit)
    sku = make_sku(unit, "TEA-100")
    carrier = make_carrier(unit)
    stock_up(unit, sku, make_warehouse(unit), 5)
    outcome = accept(unit, shop, [order("T1")], now=NOON)[0]
    advance(unit, [outcome.order_id], now=NOON)

    later = NOON + timedelta(minutes=5)
    accept(unit, shop, [order("T1", line(refund_state=RefundState.REQUESTED), modified_at=later)], now=later)

    with pytest.raises(NotShippable) as caught:
        ship(unit, ShipmentOrder(outcome.order_id, carrier, "SF100"), now=later)
    assert caught.value.facts["holds"] == ["refund_requested"]


def test_order_ships_in_two_parts_and_consumes_exactly_what_left(unit):
    shop = make_shop(unit)
    sku = make_sku(unit, "TEA-100")
    carrier = make_carrier(unit)
    stock_up(unit, sku, make_warehouse(unit), 5)
    outcome = accept(unit, shop, [order("T1", line("1", quantity=2), line("2", quantity=1))], now=NOON)[0]
    advance(unit, [outcome.order_id], now=NOON)
    first = unit.scalars(select(OrderLine).where(OrderLine.external_id == "1")).one()

    ship(unit, ShipmentOrder(outcome.order_id, carrier, "SF1", {first.id: Decimal(2)}), now=NOON)
    unit.expire_all()
    assert (_order(unit).state, _order(unit).fulfilment) == ("approved", "shipped_partly")
    one = ship(unit, ShipmentOrder(outcome.order_id, carrier, "SF2"), now=NOON)
    unit.expire_all()
    again = ship(unit, ShipmentOrder(outcome.order_id, carrier, "SF2"), now=NOON)

    shelf = unit.scalars(select(Stock).execution_options(populate_existing=True)).one()
    assert again == one
    assert (_order(unit).state, shelf.on_hand, shelf.reserved) == ("shipped", 2, 0)
    assert [entry.delta for entry in unit.scalars(select(LedgerEntry).order_by(LedgerEntry.id))] == [5, -2, -1]


def test_children_replace_their_parent_whichever_comes_first(unit):
    shop = make_shop(unit)
    parent = accept(unit, shop, [order("P1")], now=NOON)[0]

    accept(unit, shop, [order("C1", replaces="P1"), order("C2", replaces="P2")], now=NOON)
    late = accept(unit, shop, [order("P2")], now=NOON)[0]

    assert (_order(unit, "P1").state, _order(unit, "P1").closed_reason) == ("cancelled", "replaced")
    assert (_order(unit, "P2").state, _order(unit, "P2").closed_reason) == ("cancelled", "replaced")
    assert "order.replaced" in _kinds(unit, parent.order_id)
    assert late.result == "created"


def test_kit_waits_for_stock_when_nobody_has_filled_it(unit):
    shop = make_shop(unit)
    kit, part = make_sku(unit, "TEA-100", kind=KIT), make_sku(unit, "TEA-200")
    stock_up(unit, part, make_warehouse(unit), 5)

    outcome = accept(unit, shop, [order("T1", line(quantity=2))], now=NOON)[0]
    advance(unit, [outcome.order_id], now=NOON)
    held = [(hold.code, hold.facts["skus"][0]["sku"]) for hold in unit.scalars(select(OrderHold))]
    unit.add(KitItem(id=new_id(), kit_id=kit, component_id=part, quantity=2))
    unit.flush()
    advance(unit, [outcome.order_id], now=NOON)

    assert held == [("stock_short", "TEA-100")]
    assert (_order(unit).state, unit.scalars(select(Stock.reserved).where(Stock.sku_id == part)).one()) == ("approved", 4)
