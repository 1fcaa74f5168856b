"""Holds: reasons, as rows, why orders must not move on. All functions are set-based and harmless when repeated; none commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.domain.orders.models import Order, OrderHold
from core.kernel.ids import new_id
from core.runtime.db.bulk import insert_rows
from core.runtime.events import EventDraft, emit

_OPEN = "ON CONFLICT (tenant_id, order_id, code) WHERE released_at IS NULL DO UPDATE SET facts = excluded.facts"


def recount(session: Session, order_ids: Iterable[UUID]) -> None:
    """Bring `hold_count` and `hold_code` of these orders in line with their open holds."""
    mine = (OrderHold.order_id == Order.id) & OrderHold.released_at.is_(None) & (OrderHold.tenant_id == Order.tenant_id)
    count = select(func.count()).select_from(OrderHold).where(mine).correlate(Order).scalar_subquery()
    first = select(OrderHold.code).where(mine).order_by(OrderHold.placed_at, OrderHold.id).limit(1).correlate(Order).scalar_subquery()
    session.execute(
        update(Order)
        .where(Order.id.in_(list(order_ids)))
        .values(hold_count=count, hold_code=func.coalesce(first, ""))
        .execution_options(synchronize_session=False)
    )


def place_holds(
    session: Session, holds: Mapping[UUID, Mapping[str, Mapping[str, Any]]], *, by: str, release_at: datetime | None = None
) -> set[UUID]:
    """Hold orders: order id → code → facts. A hold that is open already gets the new facts and no second event.

    Returns the orders that were not held by that code before. Emits: `order.held`, one per order.
    """
    rows = [
        {"id": new_id(), "order_id": order, "code": code, "facts": dict(facts), "placed_by": by, "release_at": release_at}
        for order, codes in holds.items()
        for code, facts in codes.items()
    ]
    if not rows:
        return set()
    placed = insert_rows(session, OrderHold, rows, on_conflict=_OPEN, returning="order_id, code, (xmax = 0) AS is_new")
    fresh: dict[UUID, list[str]] = {}
    for row in placed:
        if row.is_new:
            fresh.setdefault(row.order_id, []).append(row.code)
    recount(session, fresh)
    emit(session, [EventDraft("order.held", "order", order, {"codes": sorted(codes), "by": by}) for order, codes in fresh.items()])
    return set(fresh)


def release_holds(
    session: Session, order_ids: Sequence[UUID], *, codes: Sequence[str] | None, by: str, note: str = "", now: datetime
) -> set[UUID]:
    """Release open holds with these codes (None: all) of these orders; returns the orders where one was open.

    Emits: `order.released`, one per order.
    """
    statement = (
        update(OrderHold)
        .where(OrderHold.order_id.in_(list(order_ids)), OrderHold.released_at.is_(None))
        .values(released_at=now, released_by=by, release_note=note)
        .returning(OrderHold.order_id, OrderHold.code)
        .execution_options(synchronize_session=False)
    )
    if codes is not None:
        statement = statement.where(OrderHold.code.in_(list(codes)))
    released: dict[UUID, list[str]] = {}
    for row in session.execute(statement):
        released.setdefault(row.order_id, []).append(row.code)
    if released:
        recount(session, released)
        more = {"reason": note} if note else {}
        told = {order: {"codes": sorted(lifted), "by": by, **more} for order, lifted in released.items()}
        emit(session, [EventDraft("order.released", "order", order, payload) for order, payload in told.items()])
    return set(released)


def open_holds(session: Session, order_ids: Iterable[UUID]) -> dict[UUID, list[OrderHold]]:
    """The open holds of these orders, the oldest first."""
    found: dict[UUID, list[OrderHold]] = {}
    wanted = list(order_ids)
    if not wanted:
        return found
    statement = select(OrderHold).where(OrderHold.order_id.in_(wanted), OrderHold.released_at.is_(None))
    for hold in session.scalars(statement.order_by(OrderHold.placed_at, OrderHold.id)):
        found.setdefault(hold.order_id, []).append(hold)
    return found
