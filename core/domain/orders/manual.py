"""Orders entered by hand: by phone, at the counter, from a letter. They take the same way in as all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.orders.intake import REFUSED, ShopFacts, accept
from core.domain.orders.models import Order
from core.domain.orders.normalised import ChannelState, NormalisedLine, NormalisedOrder, Receiver
from core.kernel.errors import Invalid
from core.kernel.ids import new_id
from core.kernel.money import amount_within, rounded, share_out

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ManualLine:
    """One line as staff enter it; `unit_price` is before the order's discount."""

    code: str
    title: str
    quantity: Decimal
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class ManualOrder:
    """An order as staff enter it. `reference` is the buyer's own number, or empty for one of ours; `discount` is shared over the lines."""

    lines: Sequence[ManualLine]
    receiver: Receiver
    postage: Decimal = ZERO
    discount: Decimal = ZERO
    is_paid: bool = True
    is_on_delivery: bool = False
    reference: str = ""
    buyer_note: str = ""
    seller_note: str = ""
    tags: Sequence[str] = ()


def enter(session: Session, shop: ShopFacts, entered: ManualOrder, *, now: datetime) -> UUID:
    """Take a hand-entered order in; returns its id. The same reference in the same shop again returns the first order and changes nothing.

    Raises: Invalid with the field's name - no lines, a discount above the goods, and every rule of intake.
    """
    known = find_entered(session, shop.id, entered.reference)
    if known is not None:
        return known
    totals = [_total(index, line, shop.currency) for index, line in enumerate(entered.lines)]
    goods = sum(totals, ZERO)
    if not entered.lines:
        raise Invalid("An order needs at least one line.", field="lines")
    if entered.discount < 0 or entered.discount > goods:
        raise Invalid("The discount lies between zero and the value of the goods.", field="discount")
    shares = share_out(rounded(entered.discount, shop.currency), totals, shop.currency)
    state = ChannelState.PAID if entered.is_paid or entered.is_on_delivery else ChannelState.AWAITING_PAYMENT
    lines = tuple(
        NormalisedLine(
            external_id=str(index),
            seller_code=line.code.strip(),
            quantity=line.quantity,
            paid_amount=total - share,
            state=state,
            title=line.title,
            unit_price=line.unit_price,
        )
        for index, (line, total, share) in enumerate(zip(entered.lines, totals, shares, strict=True), start=1)
    )
    order = NormalisedOrder(
        external_id=entered.reference.strip() or f"M-{new_id().hex[-12:].upper()}",
        state=state,
        paid_total=goods - sum(shares, ZERO) + entered.postage,
        postage=entered.postage,
        currency=shop.currency,
        modified_at=now,
        lines=lines,
        placed_at=now,
        paid_at=now if entered.is_paid else None,
        receiver=entered.receiver,
        buyer_id=entered.receiver.phone,
        buyer_name=entered.receiver.name,
        buyer_note=entered.buyer_note,
        seller_note=entered.seller_note,
        discount_total=entered.discount,
        is_cash_on_delivery=entered.is_on_delivery,
        tags=tuple(entered.tags),
    )
    outcome = accept(session, ShopFacts(shop.id, shop.currency, "manual"), [order], now=now)[0]
    if outcome.result == REFUSED or outcome.order_id is None:
        raise outcome.error or Invalid("The order cannot be taken in.")
    return outcome.order_id


def find_entered(session: Session, shop_id: UUID, reference: str) -> UUID | None:
    """The order of this shop that bears the buyer's own number already, if there is one."""
    number = reference.strip()
    return session.scalar(select(Order.id).where(Order.shop_id == shop_id, Order.external_id == number)) if number else None


def _total(index: int, line: ManualLine, currency: str) -> Decimal:
    """What a line costs. Raises Invalid - no quantity, a negative price, or more than an amount of money can hold."""
    if line.quantity <= 0:
        raise Invalid("A line's quantity is more than zero.", field=f"lines[{index}].quantity")
    if line.unit_price < 0:
        raise Invalid("An amount of an order is not negative.", field=f"lines[{index}].unit_price")
    return rounded(amount_within(line.quantity * line.unit_price, field=f"lines[{index}].unit_price"), currency)


def manual_from(values: Mapping[str, object]) -> ManualOrder:
    """A hand-entered order from checked plain values (a form, REST); `lines` are mappings with code, title, quantity, unit_price."""
    raw_lines = values.get("lines")
    raw_receiver = values.get("receiver")
    lines = [ManualLine(**line) for line in raw_lines] if isinstance(raw_lines, list) else []
    receiver = Receiver(**raw_receiver) if isinstance(raw_receiver, dict) else Receiver()
    rest = {key: value for key, value in values.items() if key not in ("lines", "receiver")}
    return ManualOrder(lines=lines, receiver=receiver, **rest)  # type: ignore[arg-type]
