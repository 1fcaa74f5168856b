"""The rule that drives orders on: paid and matched, then reserved, then approved; or a hold that says why not.

`advance` looks only at stored facts and may be called at any time, any number of times, for any orders: it does what is due and
nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.catalog.kits import Recipe, recipes
from core.domain.catalog.models import KitItem, Sku
from core.domain.fulfilment.rules import Decision, LineFacts, OrderFacts, decide
from core.domain.inventory import service as inventory
from core.domain.inventory.rules import Demand, Shortage
from core.domain.orders.holds import open_holds, place_holds, release_holds
from core.domain.orders.models import Order, OrderHold, OrderLine
from core.domain.orders.rules import SKU_UNMATCHED, STOCK_SHORT
from core.kernel.messages import N_
from core.runtime.db.bulk import find_soon, update_rows
from core.runtime.db.direct import together
from core.runtime.events import EventDraft, emit
from core.runtime.security.audit import record_many

BY = "way"
WAITING_LIMIT = 500
_HEAD = ("id", "state", "fulfilment", "hold_count", "ship_by", "placed_at")
_LINE = (
    "id", "order_id", "sku_id", "quantity", "reserved", "shipped", "cancelled", "channel_state", "refund_state", "seller_code", "title",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """What one call of `advance` did, as order ids."""

    approved: tuple[UUID, ...] = ()
    held: tuple[UUID, ...] = ()


def owner_of(line_id: UUID) -> str:
    """The owner key of a line's reservations."""
    return f"line:{line_id}"


def advance(session: Session, order_ids: Iterable[UUID], *, now: datetime) -> Progress:
    """Do for each of these orders what is due. Locks the orders, then stock. Does not commit.

    Orders are served in the order of their promised or placed time, so that scarce stock goes to whoever waits longest.
    Emits: `order.approved`, `order.held`, `order.released`.
    """
    orders = _load(session, sorted(set(order_ids)))
    decisions = {order.id: decide(order) for order in orders}
    lines = [line for order in orders for line in order.lines]
    cookbook = recipes(session, {line.sku_id for line in lines if line.sku_id is not None})
    with together(session):
        _give_back(session, decisions.values())
        _leave_outside(session, decisions, cookbook)
        _lift(session, decisions, now)
        short = _reserve(session, [order for order in orders if decisions[order.id].wants_stock], cookbook)
        holds = {order: decision.holds for order, decision in decisions.items() if decision.holds}
        holds.update({order: {STOCK_SHORT: facts} for order, facts in short.items()})
        place_holds(session, holds, by=BY)
        ready = [order for order in orders if decisions[order.id].wants_stock and order.id not in short]
        approved = _approve(session, ready, now)
    return Progress(tuple(approved), tuple(holds))


def _load(session: Session, order_ids: list[UUID]) -> list[OrderFacts]:
    with together(session):
        heads = find_soon(session, Order, _HEAD, {"id": order_ids}, order_by="id", lock=True)
        found = find_soon(session, OrderLine, _LINE, {"order_id": order_ids}, order_by="order_id, position")
    lines: dict[UUID, list[LineFacts]] = {head.id: [] for head in heads}
    for row in found:
        if row.order_id not in lines:
            continue
        is_void = row.channel_state == "cancelled" or row.refund_state == "done" or row.cancelled + row.shipped >= row.quantity
        lines[row.order_id].append(
            LineFacts(row.id, row.sku_id, row.quantity, row.reserved, row.shipped, row.cancelled, is_void, row.seller_code, row.title)
        )
    held = open_holds(session, [head.id for head in heads if head.hold_count])
    heads = sorted(heads, key=lambda head: (head.ship_by or head.placed_at, head.id))
    return [
        OrderFacts(head.id, head.state, head.fulfilment, frozenset(hold.code for hold in held.get(head.id, [])), lines[head.id])
        for head in heads
    ]


def _give_back(session: Session, decisions: Iterable[Decision]) -> None:
    lines = [line for decision in decisions for line in decision.give_back]
    if not lines:
        return
    inventory.release(session, [owner_of(line.id) for line in lines])
    update_rows(session, OrderLine, [{"id": line.id, "reserved": 0, "cancelled": line.quantity - line.shipped} for line in lines])


def _leave_outside(session: Session, decisions: Mapping[UUID, Decision], cookbook: Mapping[UUID, Recipe]) -> None:
    """The channel says the goods have left, though not through us: reserved units leave the shelf, the rest is only noted."""
    rows = []
    for order_id, decision in decisions.items():
        uses = [use for line in decision.leave_outside if line.reserved > 0 for use in uses_of(line, line.reserved, cookbook)]
        if uses:
            inventory.consume(session, uses, reference=f"order:{order_id}")
        rows += [{"id": line.id, "reserved": 0, "shipped": line.quantity - line.cancelled} for line in decision.leave_outside]
    update_rows(session, OrderLine, rows)


def uses_of(line: LineFacts, quantity: Decimal, cookbook: Mapping[UUID, Recipe]) -> list[inventory.Use]:
    """What `quantity` units of a line take from the shelves."""
    recipe = cookbook.get(line.sku_id) if line.sku_id else None
    return [inventory.Use(owner_of(line.id), sku, quantity * each) for sku, each in (recipe.parts if recipe else ())]


def _lift(session: Session, decisions: Mapping[UUID, Decision], now: datetime) -> None:
    for code in (SKU_UNMATCHED, STOCK_SHORT):
        orders = [order for order, decision in decisions.items() if code in decision.lifted]
        if orders:
            release_holds(session, orders, codes=[code], by=BY, now=now)


def _reserve(session: Session, orders: Sequence[OrderFacts], cookbook: Mapping[UUID, Recipe]) -> dict[UUID, dict[str, Any]]:
    """Reserve the open lines; returns, per order that came off short, the facts for its hold."""
    demands, rows = [], {}
    for order in orders:
        for line in order.lines:
            if line.is_void or line.open <= 0 or line.sku_id is None:
                continue
            rows[line.id] = (order.id, {"id": line.id, "reserved": line.reserved + line.open})
            for sku, each in cookbook[line.sku_id].parts:
                demands.append(Demand(str(order.id), owner_of(line.id), sku, line.open * each))
    decision = inventory.reserve(session, demands) if demands else inventory.Allocation()
    short = {UUID(group): shortages for group, shortages in decision.short.items()}
    update_rows(session, OrderLine, [row for order_id, row in rows.values() if order_id not in short])
    return _explain(session, short)


def _explain(session: Session, short: Mapping[UUID, Sequence[Shortage]]) -> dict[UUID, dict[str, Any]]:
    skus = {shortage.sku_id for shortages in short.values() for shortage in shortages}
    codes = {row.id: row.code for row in session.execute(select(Sku.id, Sku.code).where(Sku.id.in_(skus)))} if skus else {}
    return {
        order: {
            "rule": N_("all lines are reserved together"),
            "skus": [
                {
                    "sku_id": str(s.sku_id),
                    "sku": codes.get(s.sku_id, ""),
                    "asked": f"{s.asked.normalize():f}",
                    "free": f"{s.free.normalize():f}",
                }
                for s in shortages
            ],
            "cure": "stock",
        }
        for order, shortages in short.items()
    }


def _approve(session: Session, orders: Sequence[OrderFacts], now: datetime) -> list[UUID]:
    if not orders:
        return []
    ids = [order.id for order in orders]
    waited = [order.id for order in orders if STOCK_SHORT in order.holds]
    if waited:
        release_holds(session, waited, codes=[STOCK_SHORT], by=BY, now=now)
    rows = [{"id": order, "state": "approved"} for order in ids]
    sets = (
        "state = r.state, updated_at = now(), row_version = t.row_version + 1, "
        "fulfilment = CASE WHEN t.fulfilment = 'none' THEN 'reserved' ELSE t.fulfilment END"
    )
    update_rows(session, Order, rows, sets=sets)
    record_many(session, "orders.approved", "order", [(order, {"state": ("paid", "approved")}) for order in ids])
    emit(session, [EventDraft("order.approved", "order", order, {"by": BY}) for order in ids])
    return ids


def waiting_for(session: Session, sku_ids: Iterable[UUID]) -> list[UUID]:
    """Orders held for want of stock that one of these SKUs may cure, directly or as part of a kit; the longest waiting first."""
    skus = list(sku_ids)
    kits = select(KitItem.kit_id).where(KitItem.component_id.in_(skus))
    lines = select(OrderLine.order_id).where(OrderLine.sku_id.in_(skus) | OrderLine.sku_id.in_(kits))
    statement = (
        select(OrderHold.order_id)
        .where(OrderHold.code == STOCK_SHORT, OrderHold.released_at.is_(None), OrderHold.order_id.in_(lines))
        .order_by(OrderHold.placed_at)
        .limit(WAITING_LIMIT)
    )
    return list(session.scalars(statement))
