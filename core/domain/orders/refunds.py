"""Refunds and returns that channels report: they hold lines while undecided, and void them when done. Idempotent by (shop, external id)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.domain.orders import rules
from core.domain.orders.holds import place_holds, release_holds
from core.domain.orders.models import Order, OrderLine, Refund
from core.domain.orders.normalised import NormalisedRefund, RefundState
from core.kernel.ids import new_id
from core.kernel.money import money_text
from core.runtime.db.bulk import insert_rows, update_rows
from core.runtime.events import EventDraft, emit

_NEWER = (
    "ON CONFLICT (tenant_id, shop_id, external_id) DO UPDATE SET state = excluded.state, channel_state = excluded.channel_state, "
    "amount = excluded.amount, reason = excluded.reason, kind = excluded.kind, line_external_ids = excluded.line_external_ids, "
    "channel_modified_at = excluded.channel_modified_at, updated_at = now() "
    "WHERE order_refund.channel_modified_at < excluded.channel_modified_at "
    "OR (order_refund.channel_modified_at = excluded.channel_modified_at AND (order_refund.state, order_refund.channel_state, "
    "order_refund.amount, order_refund.kind, order_refund.reason, order_refund.line_external_ids) IS DISTINCT FROM (excluded.state, "
    "excluded.channel_state, excluded.amount, excluded.kind, excluded.reason, excluded.line_external_ids))"
)


def accept_refunds(session: Session, shop_id: UUID, refunds: Sequence[NormalisedRefund], *, now: datetime) -> dict[str, UUID | None]:
    """Take refunds in; returns per external id the order it belongs to, None while that order has not come yet.

    An older version than the stored one changes nothing; of equal moment, which channels give to the second at best, the later one counts
    when it says something else. Emits: `order.refund_requested`, `order.refunded` or `order.refund_closed` per order.
    """
    known = [refund for refund in refunds if refund.state is not RefundState.NONE]
    newest: dict[str, NormalisedRefund] = {}
    for refund in known:
        if refund.external_id not in newest or refund.modified_at >= newest[refund.external_id].modified_at:
            newest[refund.external_id] = refund
    if not newest:
        return {}
    orders = _orders(session, shop_id, {refund.order_external_id for refund in newest.values()})
    rows = [_row(shop_id, refund, orders.get(refund.order_external_id)) for refund in newest.values()]
    changed = insert_rows(session, Refund, rows, on_conflict=_NEWER, returning="external_id, order_id")
    settle(session, {row.order_id for row in changed if row.order_id is not None}, now=now)
    return {key: orders.get(refund.order_external_id) for key, refund in newest.items()}


def _orders(session: Session, shop_id: UUID, external_ids: Iterable[str]) -> dict[str, UUID]:
    statement = select(Order.external_id, Order.id).where(Order.shop_id == shop_id, Order.external_id.in_(list(external_ids)))
    return {row.external_id: row.id for row in session.execute(statement)}


def _row(shop_id: UUID, refund: NormalisedRefund, order_id: UUID | None) -> dict[str, Any]:
    return {
        "id": new_id(),
        "shop_id": shop_id,
        "order_id": order_id,
        "order_external_id": refund.order_external_id,
        "external_id": refund.external_id,
        "kind": refund.kind,
        "state": refund.state.value,
        "channel_state": refund.channel_state,
        "amount": refund.amount,
        "currency": refund.currency,
        "reason": refund.reason,
        "line_external_ids": list(refund.line_external_ids),
        "channel_modified_at": refund.modified_at,
    }


def link_waiting(session: Session, shop_id: UUID, external_ids: Sequence[str], *, now: datetime) -> int:
    """Join refunds that came before their orders with these orders; returns how many were waiting."""
    waiting = session.execute(
        select(Refund.id, Refund.order_external_id).where(
            Refund.shop_id == shop_id, Refund.order_id.is_(None), Refund.order_external_id.in_(external_ids)
        )
    ).all()
    if not waiting:
        return 0
    orders = _orders(session, shop_id, {row.order_external_id for row in waiting})
    found = [{"id": row.id, "order_id": orders[row.order_external_id]} for row in waiting if row.order_external_id in orders]
    update_rows(session, Refund, found)
    settle(session, {row["order_id"] for row in found}, now=now)
    return len(found)


def settle(session: Session, order_ids: Iterable[UUID], *, now: datetime) -> None:
    """Bring lines, holds and totals of these orders in line with their refunds. Locks the orders; may be repeated."""
    wanted = sorted(set(order_ids))
    if not wanted:
        return
    heads = session.execute(
        select(Order.id, Order.paid_total, Order.currency).where(Order.id.in_(wanted)).order_by(Order.id).with_for_update()
    ).all()
    by_order: dict[UUID, list[Any]] = {head.id: [] for head in heads}
    columns = (Refund.order_id, Refund.external_id, Refund.state, Refund.amount, Refund.kind, Refund.line_external_ids)
    for refund in session.execute(select(*columns).where(Refund.order_id.in_(by_order)).order_by(Refund.channel_modified_at)):
        by_order[refund.order_id].append(refund)
    lines: dict[UUID, list[Any]] = {head.id: [] for head in heads}
    line_columns = (OrderLine.id, OrderLine.order_id, OrderLine.external_id, OrderLine.refund_state)
    for line in session.execute(select(*line_columns).where(OrderLine.order_id.in_(by_order))):
        lines[line.order_id].append(line)
    updates, held, free, drafts = [], {}, [], []
    for head in heads:
        refunds = by_order[head.id]
        states = _line_states(refunds, lines[head.id])
        updates += [
            {"id": line.id, "refund_state": states[line.external_id]}
            for line in lines[head.id]
            if states[line.external_id] != line.refund_state
        ]
        asked = sorted(key for key, state in states.items() if state == "requested")
        if asked:
            held[head.id] = {rules.REFUND_REQUESTED: rules.refund_facts(asked)}
        else:
            free.append(head.id)
        drafts.append(_write_totals(session, head, refunds, is_asked=bool(asked)))
    update_rows(session, OrderLine, updates)
    place_holds(session, held, by="channel")
    release_holds(session, free, codes=[rules.REFUND_REQUESTED], by="channel", now=now)
    emit(session, drafts)


def _line_states(refunds: Sequence[Any], lines: Sequence[Any]) -> dict[str, str]:
    """The refund state of each line after the refunds in the order of their last change; a line refunded in full stays done."""
    states = {line.external_id: line.refund_state for line in lines}
    for refund in refunds:
        if refund.kind == rules.REDUCTION:
            continue
        for key in refund.line_external_ids or list(states):
            if states.get(key) not in (None, "done"):
                states[key] = refund.state
    return states


def _write_totals(session: Session, head: Any, refunds: Sequence[Any], *, is_asked: bool) -> EventDraft:
    refunded = min(sum((refund.amount for refund in refunds if refund.state == "done"), Decimal(0)), head.paid_total)
    values: dict[str, Any] = {"refunded_total": refunded, "updated_at": func.now()}
    if refunded:
        values["payment"] = "refunded" if refunded >= head.paid_total else "partly_refunded"
    session.execute(update(Order).where(Order.id == head.id).values(values).execution_options(synchronize_session=False))
    kind = "order.refund_requested" if is_asked else ("order.refunded" if refunded else "order.refund_closed")
    facts = {"refunded_total": money_text(refunded, head.currency), "currency": head.currency}
    return EventDraft(kind, "order", head.id, {**facts, "refunds": [refund.external_id for refund in refunds]})
