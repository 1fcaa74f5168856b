"""Why is this order stuck? Answers from stored facts: holds with the rule and the values it saw, and what would release each.

An order that is not stuck gets an empty answer; one that merely waits for the next person says for whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.orders.errors import OrderUnknown
from core.domain.orders.holds import open_holds
from core.domain.orders.models import Order, OrderHold
from core.kernel.messages import N_


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: `code` is stable, `text` an English message id with `facts` for its blanks, `cure` names the action that helps.

    Cures: release (an action on the order), match (the unmatched list), stock (the SKU's stock), channel (only the channel can), retry.
    """

    code: str
    text: str
    since: datetime | None
    cure: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""


_TEXTS = {
    "stock_short": (N_("Not enough stock: all lines of an order are reserved together."), "stock"),
    "sku_unmatched": (N_("A line is not matched to any of your SKUs."), "match"),
    "channel_locked": (N_("The channel has locked the order; it must not ship until the channel unlocks it."), "channel"),
    "refund_requested": (N_("The buyer has asked for a refund; decide it on the channel first."), "channel"),
    "cancelled_after_shipping": (N_("The channel cancelled the order after goods had left. Stop the parcel or take it back."), "release"),
    "replaced_after_shipping": (N_("This order replaces another one of which goods have left already."), "release"),
    "currency_differs": (N_("The order's currency is not the shop's currency."), "release"),
    "customer_blocked": (
        N_("The customer is blocked. Release the order with a reason, or unblock the customer: then it goes on by itself."),
        "release",
    ),
    "manual": (N_("Someone put the order on hold."), "release"),
}


def why_stuck(session: Session, order_id: UUID) -> Sequence[Reason]:
    """The reasons why an order does not move, the oldest first. Raises OrderUnknown."""
    head = session.execute(select(Order.id, Order.state, Order.placed_at).where(Order.id == order_id)).one_or_none()
    if head is None:
        raise OrderUnknown(order=str(order_id))
    reasons = [_of_hold(hold) for hold in open_holds(session, [order_id]).get(order_id, [])]
    if head.state == "placed" and not reasons:
        reasons.append(Reason("awaiting_payment", N_("The buyer has not paid yet."), head.placed_at, "channel"))
    return reasons


def _of_hold(hold: Any) -> Reason:
    text, cure = _TEXTS.get(hold.code, (N_("The order is on hold."), "release"))
    return Reason(hold.code, text, hold.placed_at, cure, hold.facts, hold.placed_by)


@dataclass(frozen=True, slots=True)
class StuckOrder:
    """An order that waits for a person, with its newest reason."""

    order_id: UUID
    number: str
    reason: Reason


def newest_stuck(session: Session, *, limit: int = 8) -> Sequence[StuckOrder]:
    """The orders that were held last, newest first, each once."""
    held = select(Order.id, Order.number, OrderHold.code, OrderHold.placed_at, OrderHold.facts, OrderHold.placed_by).join(
        OrderHold, OrderHold.order_id == Order.id
    )
    open_ones = held.where(OrderHold.released_at.is_(None), Order.state.not_in(("cancelled", "completed")))
    found: dict[UUID, StuckOrder] = {}
    for row in session.execute(open_ones.order_by(OrderHold.placed_at.desc(), OrderHold.id.desc()).limit(limit * 2)):
        found.setdefault(row.id, StuckOrder(row.id, row.number, _of_hold(row)))
    return list(found.values())[:limit]
