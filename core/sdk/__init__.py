"""What plugins may import; everything else in `core` is off limits to them (docs/reference/sdk.md)."""

from __future__ import annotations

from core.domain.channels.marketplace import (
    ChannelMessage,
    ChannelSku,
    Connection,
    Document,
    Marketplace,
    PushResult,
    ShipmentPush,
    Stamp,
    StockPush,
    Window,
)
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
from core.kernel.messages import N_
from core.kernel.money import Money, amount_from, rounded, share_out
from core.kernel.quantity import quantity_from
from core.runtime.plugin_host.context import HttpClient, HttpResponse, PluginContext, PluginLog
from core.runtime.plugin_host.forms import Secret

__all__ = [
    "N_",
    "ChannelMessage",
    "ChannelSku",
    "ChannelState",
    "Clock",
    "Conflict",
    "Connection",
    "Denied",
    "Document",
    "FixedClock",
    "HttpClient",
    "HttpResponse",
    "Invalid",
    "Marketplace",
    "Money",
    "NormalisedLine",
    "NormalisedOrder",
    "NormalisedRefund",
    "NotFound",
    "OrderloomError",
    "PluginContext",
    "PluginLog",
    "PushResult",
    "Receiver",
    "RefundState",
    "Secret",
    "ShipmentPush",
    "Stamp",
    "StockPush",
    "SystemClock",
    "Unavailable",
    "Window",
    "amount_from",
    "new_id",
    "quantity_from",
    "rounded",
    "share_out",
]
