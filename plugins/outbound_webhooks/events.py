"""Which events can be subscribed to, and which of their facts leave the house.

Events hold ids and facts, and some of those are words that people wrote or names of people. So facts are sent by a list of names:
numbers, codes, states, amounts. What is not on it stays here, and a receiver that needs more asks the REST interface, with permissions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from core.sdk import N_

# Beginnings of kinds; each can be subscribed to as a whole. Ticks and the channels' own chores are not news for anybody outside.
AREAS: dict[str, str] = {
    "order.": N_("Everything about orders"),
    "shipment.": N_("Everything about shipments"),
    "stock.": N_("Everything about stock"),
    "catalog.": N_("Everything about the catalog"),
    "invoicing.": N_("Everything about invoices"),
    "dispatch.": N_("Everything about deliveries by own vehicles"),
}
KINDS: dict[str, str] = {
    "order.accepted": N_("An order came in"),
    "order.paid": N_("An order was paid"),
    "order.changed": N_("An order was changed on its channel"),
    "order.approved": N_("An order may be picked"),
    "order.held": N_("An order is held"),
    "order.released": N_("A hold was released"),
    "order.shipped_partly": N_("A part of an order was shipped"),
    "order.shipped": N_("An order was shipped"),
    "order.delivered": N_("An order was delivered"),
    "order.completed": N_("An order was completed"),
    "order.cancelled": N_("An order was cancelled"),
    "order.replaced": N_("An order was replaced by its parts"),
    "order.refund_requested": N_("A refund was asked for"),
    "order.refunded": N_("An order was refunded"),
    "shipment.dispatched": N_("A shipment left the warehouse"),
    "shipment.delivered": N_("A shipment arrived"),
    "stock.low": N_("A SKU fell to its alert level"),
    "stock.increased": N_("More of a SKU became free"),
    "catalog.sku_added": N_("A SKU was added"),
    "channel.sync_failed": N_("Fetching from a shop failed"),
    "channel.push_refused": N_("A shop refused a shipment"),
    "plugin.problem": N_("A plugin has a new problem"),
}
TEST_KIND = "webhook.test"
# Our own events are not heard: a webhook that tells of webhooks would never come to an end.
HEARD = (*AREAS, *(kind for kind in KINDS if not kind.startswith(tuple(AREAS))))

_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*\.")
_FACTS = frozenset(
    {
        *("number", "external_id", "state", "was", "payment", "channel_state", "codes", "code", "stream", "shop", "severity"),
        *("paid_total", "refunded_total", "currency", "quantity", "free", "is_partial", "lines", "refunds"),
        *("shop_id", "order_id", "shipment_id", "sku_id", "warehouse_id", "invoice_id", "vehicle_id", "route_id"),
        *("carrier", "tracking_number", "plugin", "instance", "sku"),
    }
)
_MAX_TEXT = 200
_MAX_ITEMS = 500


def is_offered(wanted: str) -> bool:
    """Whether `wanted`, a kind or the beginning of kinds, can be subscribed to."""
    if len(wanted) > 100 or not _KIND.fullmatch(wanted):
        return False
    return wanted in HEARD or any(wanted.startswith(area) for area in AREAS)


def wants(events: Iterable[str], kind: str) -> bool:
    """Whether a subscription to `events` is to hear of events of this kind."""
    return any(kind == wanted or (wanted.endswith(".") and kind.startswith(wanted)) for wanted in events)


def public_facts(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an event's payload that may be sent: listed names, with plain values, short texts and lists of such."""
    return {name: value for name, found in payload.items() if name in _FACTS and (value := _plain(found)) is not None}


def _plain(value: Any) -> Any:
    """The value if it is harmless by its form, else None."""
    if isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT else None
    if isinstance(value, Mapping):
        return public_facts(value)
    if isinstance(value, list | tuple):
        return [plain for item in value[:_MAX_ITEMS] if (plain := _plain(item)) is not None]
    return None
