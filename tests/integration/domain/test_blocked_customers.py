"""Orders of blocked customers wait: on their way in, when the customer is blocked later, and until somebody says why one may go on."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.customers.models import Customer
from core.domain.customers.service import update_customer
from core.domain.fulfilment.stuck import why_stuck
from core.domain.fulfilment.way import advance
from core.domain.orders import service
from core.domain.orders.blocking import follow_customers
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderHold
from core.domain.orders.normalised import ChannelState
from core.kernel.errors import Invalid
from core.runtime.events.models import Event
from tests.factories.orders import NOON, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database


@pytest.fixture
def unit(world):
    """A transaction for the tea shop that is rolled back at the end."""
    with world.database.unit(world.tea) as session:
        yield session
        session.rollback()


@pytest.fixture
def shop(unit):
    stock_up(unit, make_sku(unit, "TEA-100"), make_warehouse(unit), 50)
    return make_shop(unit)


def _take(session, shop, *external_ids, **values):
    outcomes = accept(session, shop, [order(one, **values) for one in external_ids], now=NOON)
    ids = [outcome.order_id for outcome in outcomes]
    advance(session, ids, now=NOON)
    return ids


def _block(session, *, is_blocked):
    customer = session.scalars(select(Customer)).one()
    update_customer(session, customer, {"is_blocked": is_blocked})
    follow_customers(session, [customer.id], now=NOON)


def _codes(session, order_id):
    return list(session.scalars(select(OrderHold.code).where(OrderHold.order_id == order_id, OrderHold.released_at.is_(None))))


def _state(session, order_id):
    return session.scalar(select(Order.state).where(Order.id == order_id))


def test_order_is_held_with_its_reason_when_the_customer_is_blocked(unit, shop):
    _take(unit, shop, "T1")
    _block(unit, is_blocked=True)

    (late,) = _take(unit, shop, "T2")

    reasons = [(one.code, one.cure, one.facts["rule"]) for one in why_stuck(unit, late)]
    assert reasons == [("customer_blocked", "release", "orders of a blocked customer wait for a person")]
    assert _state(unit, late) == "paid"


def test_open_orders_are_held_and_ended_ones_left_when_the_customer_is_blocked(unit, shop):
    ids = [*_take(unit, shop, "T1"), *_take(unit, shop, "T2", state=ChannelState.SHIPPED)]

    _block(unit, is_blocked=True)

    assert [_codes(unit, one) for one in ids] == [["customer_blocked"], []]


def test_orders_go_on_by_themselves_when_the_customer_is_unblocked(unit, shop):
    _take(unit, shop, "T1")
    _block(unit, is_blocked=True)
    (late,) = _take(unit, shop, "T2")

    _block(unit, is_blocked=False)
    advance(unit, [late], now=NOON)

    assert (_codes(unit, late), _state(unit, late)) == ([], "approved")
    kinds = unit.scalars(select(Event.kind).where(Event.subject_type == "customer").order_by(Event.seq)).all()
    assert kinds == ["customer.blocked", "customer.unblocked"]


def test_release_asks_for_a_reason_and_lasts_when_one_is_given(unit, shop):
    (held,) = _take(unit, shop, "T1")
    _block(unit, is_blocked=True)

    silent = service.release(unit, [held], note=" ", now=NOON)[held]
    before = _codes(unit, held)
    said = service.release(unit, [held], note="paid in advance", now=NOON)[held]
    accept(unit, shop, [order("T1", modified_at=NOON.replace(hour=13), buyer_note="hurry")], now=NOON)

    assert (type(silent), silent.field, before) == (Invalid, "note", ["customer_blocked"])
    assert (said, _codes(unit, held)) == (None, [])
    assert unit.scalars(select(OrderHold.release_note).where(OrderHold.code == "customer_blocked")).all() == ["paid in advance"]


def test_order_of_another_customer_goes_on_when_one_is_blocked(unit, shop):
    _take(unit, shop, "T1")
    _block(unit, is_blocked=True)

    (other,) = _take(unit, shop, "T2", buyer_id="buyer-2")

    assert (_codes(unit, other), _state(unit, other)) == ([], "approved")
