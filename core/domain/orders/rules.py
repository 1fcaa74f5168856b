"""Pure decisions about orders: what intake refuses, what a channel's state means here, and how two versions of an order merge."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from core.domain.orders.errors import OrderRefused
from core.domain.orders.normalised import ChannelState, NormalisedLine, NormalisedOrder, RefundState
from core.kernel.errors import Invalid
from core.kernel.money import amount_from, minor_digits, money_text
from core.kernel.quantity import quantity_from

MAX_LINES = 1_000
MAX_ID = 128
MAX_TITLE = 500
MAX_NOTE = 2_000

CHANNEL_LOCKED = "channel_locked"
REFUND_REQUESTED = "refund_requested"
SKU_UNMATCHED = "sku_unmatched"
STOCK_SHORT = "stock_short"
CANCELLED_AFTER_SHIPPING = "cancelled_after_shipping"
REPLACED_AFTER_SHIPPING = "replaced_after_shipping"
CURRENCY_DIFFERS = "currency_differs"
CUSTOMER_BLOCKED = "customer_blocked"
MANUAL = "manual"
#: The kind of a refund that gives money back and leaves the goods with the buyer.
REDUCTION = "reduction"
# Holds that people cannot lift: the channel does, or the cause goes away (stock comes, a SKU is matched).
NOT_BY_HAND = {CHANNEL_LOCKED, REFUND_REQUESTED, SKU_UNMATCHED, STOCK_SHORT}

# Holds that end by hand only for a reason that stays on record.
NEEDS_NOTE = {CUSTOMER_BLOCKED}

_RANK = {"placed": 0, "paid": 1, "approved": 2, "allocated": 3, "picking": 4, "shipped": 5, "delivered": 6, "completed": 7, "cancelled": 8}
_FULFILMENT_RANK = {"none": 0, "reserved": 1, "shipped_partly": 2, "shipped": 3, "delivered": 4}
_ENDED = ("completed", "cancelled")
# What PostgreSQL cannot store as text: NUL, and halves of surrogate pairs, which have no UTF-8 form.
_UNFIT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Standing:
    """An order's own state with its two badges."""

    state: str
    payment: str
    fulfilment: str


_STANDINGS = {
    ChannelState.AWAITING_PAYMENT: Standing("placed", "unpaid", "none"),
    ChannelState.PRESALE_DEPOSIT: Standing("placed", "deposit", "none"),
    ChannelState.PAID: Standing("paid", "paid", "none"),
    ChannelState.LOCKED: Standing("paid", "paid", "none"),
    ChannelState.SHIPPED_PARTLY: Standing("paid", "paid", "shipped_partly"),
    ChannelState.SHIPPED: Standing("shipped", "paid", "shipped"),
    ChannelState.DELIVERED: Standing("delivered", "paid", "delivered"),
    ChannelState.COMPLETED: Standing("completed", "paid", "delivered"),
    ChannelState.CANCELLED: Standing("cancelled", "unpaid", "none"),
}


def standing_of(order: NormalisedOrder) -> Standing:
    """What the channel's state means for an order that was not known before."""
    standing = _STANDINGS[order.state]
    if order.is_cash_on_delivery and standing.payment != "deposit" and standing.state not in _ENDED:
        return Standing("paid" if standing.state == "placed" else standing.state, "on_delivery", standing.fulfilment)
    if order.state is ChannelState.CANCELLED and order.paid_at is not None:
        return Standing("cancelled", "refunded", "none")
    return standing


def merged(current: Standing, incoming: Standing) -> Standing:
    """How a known order moves when the channel reports `incoming`: forward, never back.

    Our own progress (approved, allocated, picking) is ahead of the channel's paid. A cancellation wins over everything but goods that
    have left; what then happens is a hold, decided by `holds_from_channel`.
    """
    state, fulfilment, payment = current.state, current.fulfilment, current.payment
    if current.state not in _ENDED:
        if incoming.state == "cancelled":
            state = current.state if _has_left(current) else "cancelled"
        elif _RANK[incoming.state] > _RANK[current.state]:
            state = incoming.state
    if _FULFILMENT_RANK[incoming.fulfilment] > _FULFILMENT_RANK[current.fulfilment]:
        fulfilment = incoming.fulfilment
    if payment in ("unpaid", "deposit", "on_delivery") and incoming.payment != "unpaid":
        payment = incoming.payment
    if state == "cancelled" and payment == "paid":
        payment = "refunded"
    return Standing(state, payment, fulfilment)


def _has_left(standing: Standing) -> bool:
    return standing.fulfilment in ("shipped_partly", "shipped", "delivered")


def holds_from_channel(order: NormalisedOrder, current: Standing | None) -> dict[str, dict[str, object]]:
    """Reasons, by code, why the order must not move on, as far as the channel's own words tell. Facts explain each."""
    holds: dict[str, dict[str, object]] = {}
    if order.state is ChannelState.LOCKED or order.hold_codes:
        codes = sorted(set(order.hold_codes) or {"locked"})
        holds[CHANNEL_LOCKED] = {"reasons": codes, "cure": "The channel releases the order itself."}
    asked = [line.external_id for line in order.lines if line.refund_state is RefundState.REQUESTED]
    if asked:
        holds[REFUND_REQUESTED] = refund_facts(asked)
    if order.state is ChannelState.CANCELLED and current is not None and _has_left(current):
        holds[CANCELLED_AFTER_SHIPPING] = {"cure": "Stop the parcel or take it back."}
    return holds


def refund_facts(lines: list[str]) -> dict[str, object]:
    """What explains the hold for refunds that are asked for these lines, by their external ids."""
    return {"lines": lines, "cure": "Agree to the refund or refuse it on the channel."}


def refund_after(current: str, incoming: RefundState) -> RefundState:
    """Where a line's refund stands after a newer version of its order.

    Channels that report refunds apart from orders say NONE in every order, which is no news. A line refunded in full stays so.
    """
    if current == RefundState.DONE or incoming is RefundState.NONE:
        return RefundState(current)
    return incoming


def line_is_void(line: NormalisedLine) -> bool:
    """Whether nothing of this line is to be delivered any more."""
    return line.state is ChannelState.CANCELLED or line.refund_state is RefundState.DONE


def refusal_of(order: NormalisedOrder) -> Invalid | None:
    """The first rule of intake that the order breaks, as an error that names the field, or None."""
    try:
        _check_head(order)
        _check_lines(order)
    except Invalid as error:
        return error if isinstance(error, OrderRefused) else OrderRefused(error.message, field=error.field)
    return None


def _check_head(order: NormalisedOrder) -> None:
    _text(order.external_id, "external_id", MAX_ID, needed=True)
    if len(order.currency) != 3 or not (order.currency.isascii() and order.currency.isalpha() and order.currency.isupper()):
        raise OrderRefused("A currency is a three-letter ISO 4217 code.", field="currency")
    for name in ("modified_at", "placed_at", "paid_at", "ship_by", "completed_at"):
        moment = getattr(order, name)
        if moment is not None and moment.tzinfo is None:
            raise OrderRefused("A moment needs its time zone.", field=name)
    for name in ("paid_total", "postage", "discount_total"):
        _amount(getattr(order, name), name, order.currency)
    _text(order.buyer_note, "buyer_note", MAX_NOTE)
    _text(order.seller_note, "seller_note", MAX_NOTE)
    if order.replaces == order.external_id:
        raise OrderRefused("An order cannot replace itself.", field="replaces")


def _check_lines(order: NormalisedOrder) -> None:
    if not order.lines:
        raise OrderRefused("An order needs at least one line.", field="lines")
    if len(order.lines) > MAX_LINES:
        raise OrderRefused(f"An order has at most {MAX_LINES} lines.", field="lines")
    seen: set[str] = set()
    total, units = order.postage, Decimal(0)
    for index, line in enumerate(order.lines):
        place = f"lines[{index}]"
        _text(line.external_id, f"{place}.external_id", MAX_ID, needed=True)
        if line.external_id in seen:
            raise OrderRefused("Two lines have the same id.", field=f"{place}.external_id")
        seen.add(line.external_id)
        _text(line.seller_code, f"{place}.seller_code", MAX_ID)
        _text(line.title, f"{place}.title", MAX_TITLE)
        if quantity_from(line.quantity, field=f"{place}.quantity") <= 0:
            raise OrderRefused("A line's quantity is more than zero.", field=f"{place}.quantity")
        _amount(line.paid_amount, f"{place}.paid_amount", order.currency)
        amount_from(line.unit_price, field=f"{place}.unit_price")
        total += line.paid_amount
        units += line.quantity
    quantity_from(units, field="lines")
    if total != order.paid_total:
        raise OrderRefused(
            "The lines' paid amounts and the postage do not add up to the total.",
            field="paid_total",
            expected=money_text(total, order.currency),
            given=money_text(order.paid_total, order.currency),
        )


def _amount(value: Decimal, field: str, currency: str) -> None:
    amount = amount_from(value, field=field)
    if amount < 0:
        raise OrderRefused("An amount of an order is not negative.", field=field)
    if amount % Decimal(1).scaleb(-minor_digits(currency)):
        raise OrderRefused(f"An amount in {currency} has at most {minor_digits(currency)} decimals.", field=field)


def _text(value: str, field: str, length: int, *, needed: bool = False) -> None:
    if not isinstance(value, str) or (needed and not value.strip()):
        raise OrderRefused("This must not be empty.", field=field)
    if len(value) > length:
        raise OrderRefused(f"This has at most {length} characters.", field=field)
    if _UNFIT.search(value):
        raise OrderRefused("This holds characters that cannot be stored.", field=field)


def newest_of(orders: Iterable[tuple[int, NormalisedOrder]]) -> dict[str, tuple[int, NormalisedOrder]]:
    """Of several versions of one order the newest by `modified_at`, the later in the batch when equal; keyed by external id."""
    newest: dict[str, tuple[int, NormalisedOrder]] = {}
    for index, order in orders:
        known = newest.get(order.external_id)
        if known is None or order.modified_at >= known[1].modified_at:
            newest[order.external_id] = (index, order)
    return newest
