"""Orders of blocked customers: held while the customer is blocked, unless somebody releases one with a reason.

Source: docs/guide/orders.md, "Blocked customers".
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.customers.models import Customer
from core.domain.orders.holds import place_holds, release_holds
from core.domain.orders.models import Order
from core.domain.orders.rules import CUSTOMER_BLOCKED
from core.kernel.messages import N_

BY = "customers"
_WAITING = ("placed", "paid", "approved", "allocated", "picking")


def blocked_facts() -> dict[str, Any]:
    """What explains the hold."""
    return {"rule": N_("orders of a blocked customer wait for a person"), "cure": "release"}


def blocked_among(session: Session, customer_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these customers are blocked.

    The rows stay as they are until the transaction ends: whoever blocks a customer meanwhile waits, and then sees the orders of this one.
    """
    wanted = sorted(set(customer_ids))
    if not wanted:
        return set()
    statement = select(Customer.id, Customer.is_blocked).where(Customer.id.in_(wanted)).order_by(Customer.id).with_for_update(read=True)
    return {row.id for row in session.execute(statement) if row.is_blocked}


def follow_customers(session: Session, customer_ids: Iterable[UUID], *, now: datetime) -> None:
    """Hold the orders of customers that are blocked now, of which nothing has left yet, and release those of customers that are not.

    Does not commit. Emits: `order.held`, `order.released`.
    """
    customers = sorted(set(customer_ids))
    blocked = blocked_among(session, customers)
    held = select(Order.id).where(Order.customer_id.in_(blocked), Order.state.in_(_WAITING)).order_by(Order.id).with_for_update()
    place_holds(session, {order: {CUSTOMER_BLOCKED: blocked_facts()} for order in session.scalars(held)} if blocked else {}, by=BY)
    free = [customer for customer in customers if customer not in blocked]
    freed = select(Order.id).where(Order.customer_id.in_(free), Order.hold_count > 0).order_by(Order.id).with_for_update()
    orders = list(session.scalars(freed)) if free else []
    if orders:
        release_holds(session, orders, codes=[CUSTOMER_BLOCKED], by=BY, now=now)
