"""What plugins may import; everything else in `core` is off limits to them (docs/reference/sdk.md)."""

from __future__ import annotations

from core.delivery.api.descriptors import ApiSpec
from core.delivery.web.descriptors import Bell, MenuEntry, ViewSpec
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
from core.runtime.events.handling import DeliveredEvent, Failure
from core.runtime.events.outbox import EventDraft, emit
from core.runtime.events.schedules import Schedule
from core.runtime.events.subscribers import Answer, Subscriber
from core.runtime.plugin_host.context import (
    AddressBook,
    DeliveryContext,
    HttpClient,
    HttpResponse,
    PluginContext,
    PluginLog,
    ProblemReporter,
)
from core.runtime.plugin_host.descriptors import Command, Finding, Health, Lifecycle, Purged, Seed
from core.runtime.plugin_host.errors import AnswerLost, BreakerOpen, CannotConnect, CredentialsRefused, HostNotAllowed, RateLimited
from core.runtime.plugin_host.forms import Secret
from core.runtime.plugin_host.markers import hookimpl
from core.runtime.plugin_host.throttling import refuse_if_limited, retry_after_s
from core.runtime.security.audit import record as record_audit
from core.runtime.security.members import holders_of
from core.runtime.security.permission import Permission
from core.sdk.goods import Goods, ensure_carriers, ensure_goods, ensure_own_shop, ensure_warehouse

__all__ = [
    "N_",
    "AddressBook",
    "Answer",
    "AnswerLost",
    "ApiSpec",
    "Bell",
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
    "DeliveredEvent",
    "DeliveryContext",
    "Denied",
    "Document",
    "EventDraft",
    "Failure",
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
    "MenuEntry",
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
    "ViewSpec",
    "Window",
    "amount_from",
    "emit",
    "ensure_carriers",
    "ensure_goods",
    "ensure_own_shop",
    "ensure_warehouse",
    "holders_of",
    "hookimpl",
    "new_id",
    "quantity_from",
    "record_audit",
    "refuse_if_limited",
    "retry_after_s",
    "rounded",
    "share_out",
]
