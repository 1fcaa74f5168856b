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
from core.runtime.events.schedules import Schedule
from core.runtime.events.subscribers import Answer, Subscriber
from core.runtime.plugin_host.context import DeliveryContext, HttpClient, HttpResponse, PluginContext, PluginLog, ProblemReporter
from core.runtime.plugin_host.descriptors import Command, Finding, Health, Lifecycle, Purged, Seed
from core.runtime.plugin_host.errors import AnswerLost, BreakerOpen, CannotConnect, CredentialsRefused, HostNotAllowed, RateLimited
from core.runtime.plugin_host.forms import Secret
from core.runtime.plugin_host.markers import hookimpl
from core.runtime.plugin_host.throttling import refuse_if_limited, retry_after_s
from core.runtime.security.permission import Permission
from core.sdk.goods import Goods, ensure_carriers, ensure_goods, ensure_own_shop, ensure_warehouse

__all__ = [
    "N_",
    "Answer",
    "AnswerLost",
    "BreakerOpen",
    "CannotConnect",
    "ChannelMessage",
    "ChannelSku",
    "ChannelState",
    "Clock",
    "Command",
    "Conflict",
    "Connection",
    "CredentialsRefused",
    "DeliveryContext",
    "Denied",
    "Document",
    "Finding",
    "FixedClock",
    "Goods",
    "Health",
    "HostNotAllowed",
    "HttpClient",
    "HttpResponse",
    "Invalid",
    "Lifecycle",
    "Marketplace",
    "Money",
    "NormalisedLine",
    "NormalisedOrder",
    "NormalisedRefund",
    "NotFound",
    "OrderloomError",
    "Permission",
    "PluginContext",
    "PluginLog",
    "ProblemReporter",
    "Purged",
    "PushResult",
    "RateLimited",
    "Receiver",
    "RefundState",
    "Schedule",
    "Secret",
    "Seed",
    "ShipmentPush",
    "Stamp",
    "StockPush",
    "Subscriber",
    "SystemClock",
    "Unavailable",
    "Window",
    "amount_from",
    "ensure_carriers",
    "ensure_goods",
    "ensure_own_shop",
    "ensure_warehouse",
    "hookimpl",
    "new_id",
    "quantity_from",
    "refuse_if_limited",
    "retry_after_s",
    "rounded",
    "share_out",
]
