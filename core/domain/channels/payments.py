"""Payments that people record: for orders of shops of one's own, which no marketplace speaks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.domain.channels.errors import PaymentElsewhere
from core.domain.channels.models import Shop
from core.domain.orders.errors import OrderMoved, OrderUnknown
from core.domain.orders.models import Order
from core.engines.metadata import Action
from core.kernel.errors import OrderloomError
from core.kernel.messages import N_
from core.runtime.events import EventDraft, emit
from core.runtime.security.audit import record_many

DUE = ("unpaid", "deposit", "on_delivery")


def record_payment(session: Session, order_ids: Sequence[UUID]) -> Mapping[UUID, OrderloomError | None]:
    """Note that orders of own shops are paid; one that was placed moves on, one that is paid already counts as done.

    Locks the orders and does not commit. Each order is answered for itself: OrderUnknown, PaymentElsewhere - a marketplace reports the
    payments of its orders; OrderMoved - cancelled or refunded. Emits: `order.paid`.
    """
    statement = (
        select(Order.id, Order.number, Order.state, Order.payment, Order.channel_state, Shop.marketplace)
        .join(Shop, Shop.id == Order.shop_id)
        .where(Order.id.in_(list(order_ids)))
        .order_by(Order.id)
        .with_for_update(of=Order)
    )
    known = {row.id: row for row in session.execute(statement)}
    outcomes: dict[UUID, OrderloomError | None] = {order: OrderUnknown(order=str(order)) for order in order_ids if order not in known}
    going = []
    for order, row in known.items():
        outcomes[order] = _refusal(row)
        if outcomes[order] is None and row.payment != "paid":
            going.append(row)
    _write(session, going)
    return outcomes


def _refusal(row: Any) -> OrderloomError | None:
    if row.marketplace:
        return PaymentElsewhere(number=row.number)
    is_due = row.payment in DUE and row.state != "cancelled"
    return None if is_due or row.payment == "paid" else OrderMoved(number=row.number, state=row.state, wanted="paid")


def _write(session: Session, going: Sequence[Any]) -> None:
    if not going:
        return
    placed = [row.id for row in going if row.state == "placed"]
    session.execute(
        update(Order)
        .where(Order.id.in_([row.id for row in going]))
        .values(payment="paid", paid_at=func.now(), updated_at=func.now(), row_version=Order.row_version + 1)
        .execution_options(synchronize_session=False)
    )
    session.execute(update(Order).where(Order.id.in_(placed)).values(state="paid").execution_options(synchronize_session=False))
    states = {row.id: "paid" if row.state == "placed" else row.state for row in going}
    audits = [(row.id, {"payment": (row.payment, "paid"), "state": (row.state, states[row.id])}) for row in going]
    record_many(session, "orders.payment_recorded", "order", [(order, _changed(diff)) for order, diff in audits])
    emit(
        session,
        [
            EventDraft(
                "order.paid",
                "order",
                row.id,
                {
                    "number": row.number,
                    "state": states[row.id],
                    "was": row.state,
                    "payment": "paid",
                    "channel_state": row.channel_state,
                    "lines": [],
                },
            )
            for row in going
        ],
    )


def _changed(diff: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    return {key: pair for key, pair in diff.items() if pair[0] != pair[1]}


def _apply(session: Session, ids: Sequence[UUID], _params: Mapping[str, Any]) -> Mapping[UUID, OrderloomError | None]:
    return record_payment(session, ids)


RECORD_PAYMENT = Action("pay", N_("Record payment"), "orders.write", _apply, icon="cash")
