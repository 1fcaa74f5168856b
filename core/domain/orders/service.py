"""What staff do with orders: cancel, hold, release, tag, note. Set-based, each order answered for itself; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.domain.orders import rules
from core.domain.orders.errors import HoldStays, OrderMoved, OrderUnknown
from core.domain.orders.holds import open_holds, place_holds, release_holds
from core.domain.orders.models import Order, OrderNote
from core.kernel.errors import Invalid, OrderloomError
from core.kernel.ids import new_id
from core.kernel.text import clean_text
from core.runtime.db.bulk import insert_rows
from core.runtime.events import EventDraft, emit
from core.runtime.security.audit import record_many
from core.runtime.tenancy.scope import require_scope

Outcomes = Mapping[UUID, OrderloomError | None]
MAX_TAGS = 20
_OPEN = ("placed", "paid", "approved", "allocated", "picking")
_LEFT = ("shipped_partly", "shipped", "delivered")


def _locked(session: Session, order_ids: Iterable[UUID]) -> dict[UUID, Any]:
    statement = (
        select(Order.id, Order.number, Order.state, Order.fulfilment, Order.hold_count, Order.tags)
        .where(Order.id.in_(list(order_ids)))
        .order_by(Order.id)
        .with_for_update()
    )
    return {row.id: row for row in session.execute(statement)}


def _unknown(order_ids: Sequence[UUID], known: Mapping[UUID, Any]) -> dict[UUID, OrderloomError | None]:
    return {order: OrderUnknown(order=str(order)) for order in order_ids if order not in known}


def cancel(session: Session, order_ids: Sequence[UUID], *, reason: str, now: datetime) -> Outcomes:
    """Cancel orders of which nothing has left; one that is cancelled already counts as done. Emits: `order.cancelled`."""
    reason = clean_text(reason, max_length=200, field="reason")
    if not reason:
        raise Invalid("Say why the order is cancelled.", field="reason")
    known = _locked(session, order_ids)
    outcomes = _unknown(order_ids, known)
    going = []
    for order, row in known.items():
        if row.state in _OPEN and row.fulfilment not in _LEFT:
            going.append(row)
            outcomes[order] = None
        else:
            outcomes[order] = None if row.state == "cancelled" else OrderMoved(number=row.number, state=row.state, wanted="cancelled")
    if going:
        session.execute(
            update(Order)
            .where(Order.id.in_([row.id for row in going]))
            .values(state="cancelled", closed_at=now, closed_reason=reason, row_version=Order.row_version + 1, updated_at=func.now())
            .execution_options(synchronize_session=False)
        )
        record_many(session, "orders.cancelled", "order", [(row.id, {"state": (row.state, "cancelled")}) for row in going])
        emit(
            session,
            [EventDraft("order.cancelled", "order", row.id, {"number": row.number, "was": row.state, "reason": reason}) for row in going],
        )
    return outcomes


def check_release(release_at: datetime | None, *, now: datetime) -> None:
    """Raises Invalid - a hold is to end at a moment that has passed."""
    if release_at is not None and release_at <= now:
        raise Invalid("This moment has passed already; the hold would end at once.", field="release_at")


def hold(
    session: Session, order_ids: Sequence[UUID], *, reason: str, release_at: datetime | None = None, now: datetime
) -> Outcomes:
    """Hold open orders by hand, until released or until `release_at`. Raises Invalid - no reason, or a moment in the past.

    Emits: `order.held`.
    """
    check_release(release_at, now=now)
    reason = clean_text(reason, max_length=500, field="reason")
    if not reason:
        raise Invalid("Say why the order is held.", field="reason")
    known = _locked(session, order_ids)
    outcomes = _unknown(order_ids, known)
    actor = require_scope().actor
    facts = {"reason": reason, "cure": "release"}
    going = [row for row in known.values() if row.state in _OPEN]
    place_holds(session, {row.id: {rules.MANUAL: facts} for row in going}, by=actor.label, release_at=release_at)
    for order, row in known.items():
        outcomes[order] = None if row.state in _OPEN else OrderMoved(number=row.number, state=row.state, wanted="held")
    return outcomes


def release(session: Session, order_ids: Sequence[UUID], *, note: str, now: datetime) -> Outcomes:
    """Release the holds that people may release; an order without a hold counts as done. Emits: `order.released`.

    A lock or refund of the channel, missing stock and unmatched SKUs end with their cause only; an order that has nothing but those answers
    HoldStays. An order of a blocked customer answers Invalid while `note` does not say why it may go on.
    """
    known = _locked(session, order_ids)
    outcomes = _unknown(order_ids, known)
    text = clean_text(note, max_length=500, field="note")
    standing = open_holds(session, [order for order, row in known.items() if row.hold_count])
    codes = {order: {hold.code for hold in holds} for order, holds in standing.items()}
    silent = set() if text else {order for order, found in codes.items() if found & rules.NEEDS_NOTE}
    going = [order for order in known if order not in silent]
    liftable = {code for order in going for code in codes.get(order, ())} - rules.NOT_BY_HAND
    by = require_scope().actor.label
    released = release_holds(session, going, codes=sorted(liftable), by=by, note=text, now=now) if liftable else set()
    for order, row in known.items():
        outcomes[order] = HoldStays(number=row.number) if order in standing and order not in released else None
        if order in silent:
            outcomes[order] = Invalid("Say why an order of a blocked customer goes on.", field="note")
    return outcomes


def tag(session: Session, order_ids: Sequence[UUID], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> Outcomes:
    """Add and take away tags; a tag that is there, or not there, already counts as done."""
    wanted = [clean_text(name, max_length=40, field="tags") for name in add]
    known = _locked(session, order_ids)
    outcomes = _unknown(order_ids, known)
    audits = []
    for order, row in known.items():
        tags = sorted({*row.tags, *wanted} - set(remove))
        if len(tags) > MAX_TAGS:
            outcomes[order] = Invalid(f"An order bears at most {MAX_TAGS} tags.", field="tags")
            continue
        outcomes[order] = None
        if tags != sorted(row.tags):
            session.execute(
                update(Order).where(Order.id == order).values(tags=tags, updated_at=func.now()).execution_options(synchronize_session=False)
            )
            audits.append((order, {"tags": (list(row.tags), tags)}))
    record_many(session, "orders.tagged", "order", audits)
    return outcomes


def write_note(session: Session, order_id: UUID, text: str) -> UUID:
    """Add a note to the order's timeline; returns its id. Raises: Invalid - empty or too long; OrderUnknown."""
    text = clean_text(text, max_length=rules.MAX_NOTE, field="text")
    if not text:
        raise Invalid("A note is not empty.", field="text")
    if session.scalar(select(Order.id).where(Order.id == order_id)) is None:
        raise OrderUnknown(order=str(order_id))
    actor = require_scope().actor
    note = new_id()
    insert_rows(session, OrderNote, [{"id": note, "order_id": order_id, "text": text, "author": actor.label, "author_id": actor.id}])
    return note
