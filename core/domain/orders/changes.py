"""Bringing known orders up to date with a newer version from their channel, and replacing parents that the platform split."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.domain.orders import rules
from core.domain.orders.holds import place_holds, release_holds
from core.domain.orders.models import Order, OrderLine
from core.domain.orders.normalised import NormalisedLine, NormalisedOrder
from core.domain.orders.receivers import receiver_columns
from core.domain.orders.rules import Standing
from core.kernel.ids import new_id
from core.runtime.db.bulk import find_rows, find_soon, insert_rows, update_rows
from core.runtime.db.direct import settle
from core.runtime.events import EventDraft, emit
from core.runtime.security.audit import record_many

_CHANNEL_HOLDS = (rules.CHANNEL_LOCKED, rules.REFUND_REQUESTED, rules.CANCELLED_AFTER_SHIPPING)
_EVENTS = {
    "paid": "order.paid",
    "shipped": "order.shipped",
    "delivered": "order.delivered",
    "completed": "order.completed",
    "cancelled": "order.cancelled",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of an order, locked until the transaction ends."""

    id: UUID
    number: str
    external_id: str
    standing: Standing
    channel_modified_at: datetime


def load_known(session: Session, shop_id: UUID, external_ids: Sequence[str]) -> dict[str, Known]:
    """The stored orders among these external ids, locked in the order of their ids."""
    rows = find_known(session, shop_id, external_ids)
    settle(session)
    return known_from(rows)


def find_known(session: Session, shop_id: UUID, external_ids: Sequence[str]) -> list[Any]:
    """Ask for them; inside `direct.together` the question travels with the block's others. `known_from` reads the answer."""
    columns = ("id", "number", "external_id", "state", "payment", "fulfilment", "channel_modified_at")
    return find_soon(session, Order, columns, {"shop_id": shop_id, "external_id": list(external_ids)}, order_by="id", lock=True)


def known_from(rows: Sequence[Any]) -> dict[str, Known]:
    """The stored orders by external id."""
    return {
        row.external_id: Known(
            row.id, row.number, row.external_id, Standing(row.state, row.payment, row.fulfilment), row.channel_modified_at
        )
        for row in rows
    }


def apply(
    session: Session,
    pairs: Sequence[tuple[Known, NormalisedOrder]],
    *,
    differing: Collection[str] = (),
    skus: Mapping[str, UUID | None],
    now: datetime,
) -> dict[str, tuple[str, Known]]:
    """Bring stored orders up to date; returns per external id what happened (updated, unchanged, stale) and the stored order.

    Of equal moment an order counts as newer when it is among `differing`.

    Emits one event per order that changed: the state's own (`order.paid`, `order.cancelled`, …) when the state moved, else `order.changed`.
    """
    results: dict[str, tuple[str, Known]] = {}
    newer = []
    for known, order in pairs:
        is_tie = order.modified_at == known.channel_modified_at
        if order.modified_at > known.channel_modified_at or (is_tie and order.external_id in differing):
            newer.append((known, order))
            results[order.external_id] = ("updated", known)
        else:
            results[order.external_id] = ("unchanged" if is_tie else "stale", known)
    if newer:
        _write(session, newer, skus, now)
    return results


def _write(session: Session, newer: Sequence[tuple[Known, NormalisedOrder]], skus: Mapping[str, UUID | None], now: datetime) -> None:
    moved = {known.id: rules.merged(known.standing, rules.standing_of(order)) for known, order in newer}
    receivers = receiver_columns(session, [order for _known, order in newer])
    rows = [{**_row(known, order, moved[known.id], now), **receiver} for (known, order), receiver in zip(newer, receivers, strict=True)]
    update_rows(session, Order, rows, sets=_SETS)
    newer, changed_lines = _write_lines(session, newer, skus)
    _sync_holds(session, newer, now)
    drafts, audits = [], []
    for known, order in newer:
        standing = moved[known.id]
        has_moved = standing.state != known.standing.state
        kind = _EVENTS.get(standing.state, "order.changed") if has_moved else "order.changed"
        payload = {
            "number": known.number,
            "state": standing.state,
            "was": known.standing.state,
            "payment": standing.payment,
            "channel_state": order.state.value,
            "lines": changed_lines.get(known.id, []),
        }
        drafts.append(EventDraft(kind, "order", known.id, payload))
        if has_moved or standing.payment != known.standing.payment:
            diff = {"state": (known.standing.state, standing.state), "payment": (known.standing.payment, standing.payment)}
            audits.append((known.id, {key: pair for key, pair in diff.items() if pair[0] != pair[1]}))
    record_many(session, "orders.updated_by_channel", "order", audits)
    emit(session, drafts)


_SETS = ", ".join(
    [
        *(
            f"{name} = r.{name}"
            for name in [
                "state",
                "payment",
                "fulfilment",
                "channel_state",
                "channel_modified_at",
                "goods_total",
                "discount_total",
                "postage",
                "paid_total",
                "paid_at",
                "ship_by",
                "seller_note",
                "seller_flag",
                "buyer_note",
                "receiver_sealed",
                "receiver_masked",
                "receiver_phone_blind",
                "province",
                "city",
                "buyer_masked",
            ]
        ),
        "closed_at = coalesce(t.closed_at, r.closed_at)",
        "closed_reason = CASE WHEN t.closed_reason = '' THEN r.closed_reason ELSE t.closed_reason END",
        "row_version = t.row_version + 1",
        "updated_at = now()",
    ]
)


def _row(known: Known, order: NormalisedOrder, standing: Standing, now: datetime) -> dict[str, Any]:
    is_ended = standing.state in ("completed", "cancelled")
    return {
        "id": known.id,
        "state": standing.state,
        "payment": standing.payment,
        "fulfilment": standing.fulfilment,
        "channel_state": order.state.value,
        "channel_modified_at": order.modified_at,
        "goods_total": sum((line.paid_amount for line in order.lines), Decimal(0)),
        "discount_total": order.discount_total,
        "postage": order.postage,
        "paid_total": order.paid_total,
        "paid_at": order.paid_at,
        "ship_by": order.ship_by,
        "closed_at": (order.completed_at or now) if is_ended else None,
        "closed_reason": "channel" if is_ended else "",
        "seller_note": order.seller_note,
        "seller_flag": order.seller_flag,
        "buyer_note": order.buyer_note,
    }


def _write_lines(
    session: Session, newer: Sequence[tuple[Known, NormalisedOrder]], skus: Mapping[str, UUID | None]
) -> tuple[list[tuple[Known, NormalisedOrder]], dict[UUID, list[str]]]:
    """Update the lines that changed; a line never comes back from being void, and never grows.

    Returns the orders with their lines' refunds as they stand now, and the ids of the changed lines by order.
    """
    statement = select(OrderLine).where(OrderLine.order_id.in_([known.id for known, _order in newer]))
    stored: dict[tuple[UUID, str], OrderLine] = {
        (line.order_id, line.external_id): line for line in session.scalars(statement.execution_options(populate_existing=True))
    }
    changed: dict[UUID, list[str]] = {}
    standing, updates, inserts = [], [], []
    for known, order in newer:
        lines = tuple(_as_it_stands(stored.get((known.id, line.external_id)), line) for line in order.lines)
        standing.append((known, replace(order, lines=lines)))
        for position, line in enumerate(lines, start=1):
            mine = stored.get((known.id, line.external_id))
            if mine is None:
                inserts.append(new_line(known.id, position, line, skus))
                changed.setdefault(known.id, []).append(str(inserts[-1]["id"]))
            elif _differs(mine, line):
                updates.append(_line_update(mine, line))
                changed.setdefault(known.id, []).append(str(mine.id))
    insert_rows(session, OrderLine, inserts)
    update_rows(session, OrderLine, updates)
    for kept in stored.values():
        session.expunge(kept)
    return standing, changed


def _as_it_stands(mine: OrderLine | None, line: NormalisedLine) -> NormalisedLine:
    return line if mine is None else replace(line, refund_state=rules.refund_after(mine.refund_state, line.refund_state))


def _differs(mine: OrderLine, line: NormalisedLine) -> bool:
    return (mine.channel_state, mine.refund_state, mine.paid_amount, mine.title) != (
        line.state.value,
        line.refund_state.value,
        line.paid_amount,
        line.title,
    )


def _line_update(mine: OrderLine, line: NormalisedLine) -> dict[str, Any]:
    cancelled = mine.quantity - mine.shipped - mine.reserved if rules.line_is_void(line) else mine.cancelled
    return {
        "id": mine.id,
        "channel_state": line.state.value,
        "refund_state": line.refund_state.value,
        "paid_amount": line.paid_amount,
        "title": line.title,
        "cancelled": max(cancelled, mine.cancelled),
    }


def new_line(order_id: UUID, position: int, line: NormalisedLine, skus: Mapping[str, UUID | None]) -> dict[str, Any]:
    """A line's row as intake writes it."""
    key = line.external_sku or line.external_product or f"code:{line.seller_code}"
    return {
        "id": new_id(),
        "order_id": order_id,
        "position": position,
        "external_id": line.external_id,
        "external_key": key,
        "seller_code": line.seller_code,
        "sku_id": skus.get(key),
        "title": line.title,
        "variant": line.variant,
        "quantity": line.quantity,
        "cancelled": line.quantity if rules.line_is_void(line) else Decimal(0),
        "unit_price": line.unit_price,
        "paid_amount": line.paid_amount,
        "channel_state": line.state.value,
        "refund_state": line.refund_state.value,
        "is_gift": line.is_gift,
    }


def _sync_holds(session: Session, newer: Sequence[tuple[Known, NormalisedOrder]], now: datetime) -> None:
    wanted = {known.id: rules.holds_from_channel(order, known.standing) for known, order in newer}
    place_holds(session, {order: codes for order, codes in wanted.items() if codes}, by="channel")
    for code in _CHANNEL_HOLDS:
        free = [order for order, codes in wanted.items() if code not in codes]
        if free:
            release_holds(session, free, codes=[code], by="channel", now=now)


def settle_replacements(
    session: Session, shop_id: UUID, replaces: Mapping[str, Sequence[str]], placed: Mapping[str, UUID], *, now: datetime
) -> None:
    """Take parents out of play whose children have come, whichever of the two arrived first.

    `replaces` names for each order that came the orders whose place it took, the nearest first. A parent that has not shipped is cancelled
    with reason `replaced`; one that has is left, and its child is held.
    Emits: `order.replaced` for each parent.
    """
    parents: dict[str, UUID] = {}
    for child, ancestors in replaces.items():
        for ancestor in ancestors:
            # A child that is split again in the same batch is a parent itself; the nearest descendant stands for an ancestor.
            parents.setdefault(ancestor, placed[child])
    # The condition in words lets the partial index serve, whatever plan the server keeps.
    where = {"shop_id": shop_id, "replaces": list(replaces)}
    for row in find_rows(session, Order, ("replaces", "id"), where, extra="replaces IS NOT NULL"):
        parents.setdefault(row.replaces, row.id)
    if not parents:
        return
    known = load_known(session, shop_id, list(parents))
    held = {}
    for external_id, parent in known.items():
        if parent.standing.fulfilment in ("shipped_partly", "shipped", "delivered"):
            held[parents[external_id]] = {rules.REPLACED_AFTER_SHIPPING: {"parent": parent.number}}
        elif parent.standing.state != "cancelled":
            _replace(session, parent, parents[external_id], now)
    place_holds(session, held, by="intake")


def _replace(session: Session, parent: Known, child: UUID, now: datetime) -> None:
    session.execute(
        update(Order)
        .where(Order.id == parent.id)
        .values(state="cancelled", closed_at=now, closed_reason="replaced", replaced_by_id=child, row_version=Order.row_version + 1)
        .execution_options(synchronize_session=False)
    )
    record_many(session, "orders.replaced", "order", [(parent.id, {"state": (parent.standing.state, "cancelled")})])
    emit(session, [EventDraft("order.replaced", "order", parent.id, {"number": parent.number, "by": str(child)})])
