"""Refunds that come apart from their orders, as some channels report them, on the real database."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from core.domain.fulfilment.errors import NotShippable
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.fulfilment.way import advance
from core.domain.inventory.models import Stock
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderLine
from core.domain.orders.normalised import NormalisedRefund, RefundState
from core.domain.orders.refunds import accept_refunds
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database
LATER = NOON + timedelta(minutes=5)


@pytest.fixture
def unit(world):
    """A transaction for the tea shop that is rolled back at the end."""
    with world.database.unit(world.tea) as session:
        yield session
        session.rollback()


@pytest.fixture
def shop(unit):
    sku = make_sku(unit, "TEA-100")
    stock_up(unit, sku, make_warehouse(unit), 9)
    return make_shop(unit)


def _take(unit, shop, *lines, at=NOON, **values):
    [outcome] = accept(unit, shop, [order("T1", *lines, modified_at=at, **values)], now=at)
    advance(unit, [outcome.order_id], now=at)
    return outcome.order_id


def _refund(unit, shop, order_id, state, *, at, lines=("2",)):
    accept_refunds(unit, shop.id, [NormalisedRefund("R1", "T1", state, Decimal("10.00"), "CNY", at, lines)], now=at)
    advance(unit, [order_id], now=at)


def _head(unit):
    row = unit.execute(select(Order.state, Order.fulfilment, Order.hold_code)).one()
    return tuple(row)


def _refunds(unit):
    return list(unit.scalars(select(OrderLine.refund_state).order_by(OrderLine.position)))


def test_refund_keeps_holding_the_order_when_a_newer_version_says_nothing_of_it(unit, shop):
    found = _take(unit, shop, line("1"), line("2"))
    _refund(unit, shop, found, RefundState.REQUESTED, at=LATER)

    _take(unit, shop, line("1"), line("2"), at=LATER + timedelta(minutes=1), seller_note="Wrap it.")

    assert _refunds(unit) == ["none", "requested"]
    with pytest.raises(NotShippable) as caught:
        ship(unit, ShipmentOrder(found, make_carrier(unit), "SF1"), now=LATER)
    assert caught.value.facts["holds"] == ["refund_requested"]


def test_refunded_line_stays_void_when_a_newer_version_says_nothing_of_it(unit, shop):
    found = _take(unit, shop, line("1"), line("2"))
    _refund(unit, shop, found, RefundState.DONE, at=LATER)

    _take(unit, shop, line("1"), line("2"), at=LATER + timedelta(minutes=1), seller_note="Wrap it.")

    assert _refunds(unit) == ["none", "done"]
    assert unit.execute(select(Stock.on_hand, Stock.reserved)).one() == (9, 1)


def test_order_is_shipped_whole_when_a_line_was_refunded_before_it_was_reserved(unit, shop):
    found = _take(unit, shop, line("1"), line("2", refund_state=RefundState.REQUESTED))
    _refund(unit, shop, found, RefundState.DONE, at=LATER)
    assert _head(unit) == ("approved", "reserved", "")

    ship(unit, ShipmentOrder(found, make_carrier(unit), "SF1"), now=LATER)

    assert _head(unit) == ("shipped", "shipped", "")
    assert unit.execute(select(Stock.on_hand, Stock.reserved)).one() == (8, 0)


def test_order_is_not_approved_when_all_of_it_was_refunded(unit, shop):
    found = _take(unit, shop, line("1", refund_state=RefundState.REQUESTED))

    _refund(unit, shop, found, RefundState.DONE, at=LATER, lines=())

    assert _head(unit) == ("paid", "none", "")
    assert unit.execute(select(Stock.on_hand, Stock.reserved)).one() == (9, 0)


def test_order_is_approved_when_the_refund_is_withdrawn(unit, shop):
    found = _take(unit, shop, line("1"), line("2", refund_state=RefundState.REQUESTED))

    _refund(unit, shop, found, RefundState.CLOSED, at=LATER)

    assert _head(unit) == ("approved", "reserved", "")
    assert unit.execute(select(Stock.on_hand, Stock.reserved)).one() == (9, 2)
