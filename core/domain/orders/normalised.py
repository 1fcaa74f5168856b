"""The order as every channel delivers it: one shape for Taobao, JD, REST, files and the phone.

Amounts are Decimals in the order's `currency`. The invariant that every mapping keeps and intake checks:
the sum of the lines' `paid_amount` plus `postage` equals `paid_total`, to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class ChannelState(StrEnum):
    """Where an order or a line stands on its channel, in words common to all channels."""

    AWAITING_PAYMENT = "awaiting_payment"
    PRESALE_DEPOSIT = "presale_deposit"
    PAID = "paid"
    LOCKED = "locked"
    SHIPPED_PARTLY = "shipped_partly"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """Where a line's refund stands."""

    NONE = "none"
    REQUESTED = "requested"
    REFUSED = "refused"
    CLOSED = "closed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class NormalisedLine:
    """One line of a channel's order.

    `seller_code` is the seller's own SKU code, empty when the channel has none; `external_sku` and `external_product` are the
    channel's ids and serve alias matching. `quantity` counts sellable units. `paid_amount` is this line's share of what the
    buyer pays for goods: after line and order discounts, without postage. `unit_price` is before discounts.
    """

    external_id: str
    seller_code: str
    quantity: Decimal
    paid_amount: Decimal
    state: ChannelState
    title: str = ""
    external_sku: str = ""
    external_product: str = ""
    unit_price: Decimal = Decimal(0)
    variant: str = ""
    is_gift: bool = False
    refund_state: RefundState = RefundState.NONE
    refund_external_id: str = ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who gets the parcel. `is_masked` says that the channel hides parts; `token` (OAID) then stands for the rest."""

    name: str = ""
    phone: str = ""
    country: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    town: str = ""
    street: str = ""
    postcode: str = ""
    email: str = ""
    token: str = ""
    is_masked: bool = False


@dataclass(frozen=True, slots=True)
class NormalisedOrder:
    """One order of one shop, as the channel knew it at `modified_at`.

    `external_id` is unique within the shop. `replaces` is the external id of the parent that this order took the place of
    (platform split), else None; `ancestors` are further ones, nearest first, when a part was split again. `paid_total` is what the
    buyer pays the seller in all, postage included; for an unpaid order it is what is due. `ship_by` is the promised moment of
    shipping. `hold_codes` are reasons, given by the channel, why the order must not ship.
    All moments are aware.
    """

    external_id: str
    state: ChannelState
    paid_total: Decimal
    postage: Decimal
    currency: str
    modified_at: datetime
    lines: tuple[NormalisedLine, ...]
    replaces: str | None = None
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    ship_by: datetime | None = None
    completed_at: datetime | None = None
    buyer_id: str = ""
    buyer_name: str = ""
    receiver: Receiver = field(default_factory=Receiver)
    buyer_note: str = ""
    seller_note: str = ""
    seller_flag: int = 0
    discount_total: Decimal = Decimal(0)
    is_cash_on_delivery: bool = False
    hold_codes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    ancestors: tuple[str, ...] = ()

    @property
    def stands_for(self) -> tuple[str, ...]:
        """The external ids of all orders whose place this one took, the nearest first."""
        return ((self.replaces,) if self.replaces else ()) + self.ancestors


@dataclass(frozen=True, slots=True)
class NormalisedRefund:
    """A refund or return that a buyer asked for on the channel.

    `line_external_ids` is empty when it concerns the whole order. `amount` is in `currency`. `kind` is one of refund_only,
    return, exchange.
    """

    external_id: str
    order_external_id: str
    state: RefundState
    amount: Decimal
    currency: str
    modified_at: datetime
    line_external_ids: tuple[str, ...] = ()
    kind: str = "refund_only"
    reason: str = ""
    channel_state: str = ""
