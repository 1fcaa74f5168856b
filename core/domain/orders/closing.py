"""The end of an order's way, noted by people: delivered, completed, nothing more to ship. Set-based, each order answered for itself.

Whether a platform speaks for the orders instead is for the caller to check; nothing here commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.domain.orders.errors import OrderHeld, OrderMoved, OrderUnknown, OrderUnpaid
from core.domain.orders.models import Order
from core.kernel.errors import OrderloomError
from core.runtime.events import EventDraft, emit
from core.runtime.security.audit import record_many

Outcomes = dict[UUID, OrderloomError | None]
_SETTLED = ("paid", "partly_refunded", "refunded")


def _locked(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, Any]:
    columns = (Order.id, Order.number, Order.state, Order.payment, Order.fulfilment, Order.hold_count, Order.channel_state)
    statement = select(*columns).where(Order.id.in_(list(order_ids))).order_by(Order.id).with_for_update()
    return {row.id: row for row in session.execute(statement)}


def deliver(session: Session, order_ids: Sequence[UUID]) -> Outcomes:
    """Note that shipped orders have reached their buyers; one that has, or is completed, counts as done. Emits: `order.delivered`."""
    known = _locked(session, order_ids)
    outcomes: Outcomes = {order: OrderUnknown(order=str(order)) for order in order_ids if order not in known}
    for order, row in known.items():
        is_fit = row.state in ("shipped", "delivered", "completed")
        outcomes[order] = None if is_fit else OrderMoved(number=row.number, state=row.state, wanted="delivered")
    _move(session, [row for row in known.values() if row.state == "shipped"], "delivered", {"fulfilment": "delivered"})
    return outcomes


def complete(session: Session, order_ids: Sequence[UUID], *, now: datetime) -> Outcomes:
    """Close orders that are shipped and paid; one that is completed counts as done. Emits: `order.completed`.

    Each order is answered for itself: OrderUnknown; OrderMoved - it has not shipped; OrderUnpaid; OrderHeld.
    """
    known = _locked(session, order_ids)
    outcomes: Outcomes = {order: OrderUnknown(order=str(order)) for order in order_ids if order not in known}
    going = []
    for order, row in known.items():
        outcomes[order] = _not_complete(row)
        if outcomes[order] is None and row.state != "completed":
            going.append(row)
    _move(session, going, "completed", {"fulfilment": "delivered", "closed_at": now})
    return outcomes


def _not_complete(row: Any) -> OrderloomError | None:
    if row.state == "completed":
        return None
    if row.state not in ("shipped", "delivered"):
        return OrderMoved(number=row.number, state=row.state, wanted="completed")
    if row.payment not in _SETTLED:
        return OrderUnpaid(number=row.number, payment=row.payment)
    return OrderHeld(number=row.number) if row.hold_count else None


def end_shipping(session: Session, order_id: UUID) -> None:
    """Count an order as shipped of which a part has left and the rest never will. Emits: `order.shipped`."""
    rows = [row for row in _locked(session, [order_id]).values() if row.fulfilment == "shipped_partly"]
    _move(session, rows, "shipped", {"fulfilment": "shipped"})


def _move(session: Session, rows: Sequence[Any], state: str, values: Mapping[str, Any]) -> None:
    if not rows:
        return
    session.execute(
        update(Order)
        .where(Order.id.in_([row.id for row in rows]))
        .values(state=state, row_version=Order.row_version + 1, updated_at=func.now(), **values)
        .execution_options(synchronize_session=False)
    )
    record_many(session, f"orders.{state}", "order", [(row.id, {"state": (row.state, state)}) for row in rows])
    emit(session, [EventDraft(f"order.{state}", "order", row.id, _facts(row, state)) for row in rows])


def _facts(row: Any, state: str) -> dict[str, Any]:
    """The same facts as when a channel reports the state."""
    head = {"number": row.number, "state": state, "was": row.state, "payment": row.payment}
    return {**head, "channel_state": row.channel_state, "lines": []}
