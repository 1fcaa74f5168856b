"""What plugins may import; everything else in `core` is off limits to them (docs/reference/sdk.md)."""

from __future__ import annotations

from core.domain.orders.normalised import (
    ChannelState,
    NormalisedLine,
    NormalisedOrder,
    NormalisedRefund,
    Receiver,
    RefundState,
)
from core.kernel.clock import Clock, FixedClock, SystemClock
from core.kernel.errors import Conflict, Denied, Invalid, NotFound, OrderloomError, Unavailable
from core.kernel.ids import new_id
from core.kernel.money import Money, amount_from, rounded, share_out
from core.kernel.quantity import quantity_from

__all__ = [
    "ChannelState",
    "Clock",
    "Conflict",
    "Denied",
    "FixedClock",
    "Invalid",
    "Money",
    "NormalisedLine",
    "NormalisedOrder",
    "NormalisedRefund",
    "NotFound",
    "OrderloomError",
    "Receiver",
    "RefundState",
    "SystemClock",
    "Unavailable",
    "amount_from",
    "new_id",
    "quantity_from",
    "rounded",
    "share_out",
]
