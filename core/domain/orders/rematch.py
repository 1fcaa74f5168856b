"""Lines that waited for a SKU: when their shop's name for it is matched, or a SKU with their code is added, they get it at once."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.domain.catalog.models import SkuAlias
from core.domain.orders.models import Order, OrderLine
from core.runtime.db.bulk import update_rows
from core.runtime.events import EventDraft, emit

LIMIT = 5_000


def rematch_alias(session: Session, *, shop_id: UUID, external_key: str, sku_id: UUID) -> set[UUID]:
    """Give the SKU to the shop's open lines of that name; returns the orders concerned. Emits: `order.matched` for each."""
    orders = select(Order.id).where(Order.shop_id == shop_id, Order.state.in_(("placed", "paid")))
    statement = select(OrderLine.id, OrderLine.order_id).where(
        OrderLine.external_key == external_key, OrderLine.sku_id.is_(None), OrderLine.order_id.in_(orders)
    )
    return _give(session, session.execute(statement.limit(LIMIT)).all(), sku_id)


def rematch_code(session: Session, *, code: str, sku_id: UUID) -> set[UUID]:
    """Give a new SKU to all that waited under its code, aliases and open lines of any shop. Emits: `order.matched` per order."""
    session.execute(
        update(SkuAlias)
        .where(SkuAlias.seller_code == code, SkuAlias.sku_id.is_(None))
        .values(sku_id=sku_id)
        .execution_options(synchronize_session=False)
    )
    orders = select(Order.id).where(Order.state.in_(("placed", "paid")), Order.hold_code == "sku_unmatched")
    statement = select(OrderLine.id, OrderLine.order_id).where(
        OrderLine.seller_code == code, OrderLine.sku_id.is_(None), OrderLine.order_id.in_(orders)
    )
    return _give(session, session.execute(statement.limit(LIMIT)).all(), sku_id)


def _give(session: Session, lines: Iterable[object], sku_id: UUID) -> set[UUID]:
    found = list(lines)
    update_rows(session, OrderLine, [{"id": line.id, "sku_id": sku_id} for line in found])  # type: ignore[attr-defined]
    orders = {line.order_id for line in found}  # type: ignore[attr-defined]
    emit(session, [EventDraft("order.matched", "order", order, {"sku_id": str(sku_id)}) for order in sorted(orders)])
    return orders
