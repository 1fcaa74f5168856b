"""Finding customers: by their own words, and by those of their orders (numbers, SKUs, receivers)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, false, or_, select
from sqlalchemy.orm import Session

from core.domain.customers.models import Customer
from core.domain.customers.service import SEARCH_ENTITY
from core.domain.orders.models import Order
from core.engines.metadata.search import matching

#: Orders looked at for their customers; a text that finds more is too short to tell customers apart.
MOST_ORDERS = 1_000


def found_customers(session: Session, text: str) -> Any:
    """The condition under which a customer is found by this text; text without a word finds nobody."""
    own, through = matching(session, SEARCH_ENTITY, text), matching(session, "orders.order", text)
    if not own:
        return false()
    orders = select(Order.customer_id).where(*(Order.id.in_(part) for part in through), Order.customer_id.is_not(None)).limit(MOST_ORDERS)
    return or_(and_(*(Customer.id.in_(part) for part in own)), Customer.id.in_(orders))
