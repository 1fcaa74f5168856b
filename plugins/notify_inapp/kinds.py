"""What people are told: which events matter, to whom, what belongs together, and how it is said. Pure; texts are message ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.sdk import N_, DeliveredEvent

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened, for one kind: what it belongs to (`group`), what it is about, and what its sentence needs."""

    group: str
    subject: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notification.

    `permission` says who is told: those who can do something about it; empty when it is whoever caused the event. `one` and `many` are
    the sentences for one subject and for several (`%(num)s`), over the facts. `list_of` is the entity and queue that show several subjects.
    """

    key: str
    title: str
    events: tuple[str, ...]
    permission: str
    news: Callable[[DeliveredEvent], Iterable[News]]
    one: str
    many: str
    icon: str = "bell"
    tone: str = "neutral"
    list_of: tuple[str, str] = ("", "")


def subject_of(event: DeliveredEvent) -> str:
    """What an event is about, as notices keep it."""
    return f"{event.subject_type}:{event.subject_id}"


def _plain(*names: str) -> Callable[[DeliveredEvent], Iterable[News]]:
    """All of one kind belong together."""
    return lambda event: [News("", subject_of(event), _facts(event, *names))]


def _by_subject(*names: str) -> Callable[[DeliveredEvent], Iterable[News]]:
    """What happens to one subject belongs together."""
    return lambda event: [News(event.subject_id, subject_of(event), _facts(event, *names))]


def _facts(event: DeliveredEvent, *names: str) -> dict[str, Any]:
    return {name: event.payload[name] for name in names if name in event.payload}


def _holds(event: DeliveredEvent) -> Iterable[News]:
    """One piece of news for each reason: held orders are told by reason."""
    return [News(str(code), subject_of(event), {"hold": str(code)}) for code in event.payload.get("codes", ())]


def _problem(event: DeliveredEvent) -> Iterable[News]:
    """What is wrong enough to look at; the rest is on the plugin's page. A missing sign-in is told as such."""
    payload = event.payload
    if payload.get("severity") not in ("error", "critical") or payload.get("code") == "plugin.needs_reauth":
        return []
    return [News(f"{payload.get('plugin')}/{payload.get('code')}", subject_of(event), _facts(event, "plugin", "code"))]


def _reauth(event: DeliveredEvent) -> Iterable[News]:
    if event.payload.get("code") != "plugin.needs_reauth":
        return []
    return [News(event.subject_id, subject_of(event), _facts(event, "plugin"))]


KINDS: tuple[Kind, ...] = (
    Kind(
        "order_held",
        N_("Orders that are held"),
        ("order.held",),
        "orders.release",
        _holds,
        N_("%(num)s order is held: %(hold)s"),
        N_("%(num)s orders are held: %(hold)s"),
        "hand-stop",
        "warn",
        ("orders.order", "exceptions"),
    ),
    Kind(
        "stock_low",
        N_("Stock that runs low"),
        ("stock.low",),
        "inventory.write",
        _plain(),
        N_("%(num)s SKU has fallen to its alert level"),
        N_("%(num)s SKUs have fallen to their alert level"),
        "packages",
        "warn",
        ("inventory.stock", "low"),
    ),
    Kind(
        "sync_failed",
        N_("Shops that cannot be fetched from"),
        ("channel.sync_failed",),
        "channels.sync",
        _by_subject("shop"),
        N_("Fetching from the shop %(shop)s fails"),
        N_("Fetching from the shop %(shop)s fails"),
        "plug-x",
        "bad",
    ),
    Kind(
        "push_refused",
        N_("Shipments that a shop refuses"),
        ("channel.push_refused",),
        "fulfilment.ship",
        _plain(),
        N_("%(num)s shipment was refused by its shop"),
        N_("%(num)s shipments were refused by their shops"),
        "truck-delivery",
        "bad",
        ("orders.order", "shipped"),
    ),
    Kind(
        "plugin_reauth",
        N_("Plugins that have to be connected again"),
        ("plugin.problem",),
        "plugins.write",
        _reauth,
        N_("%(plugin)s has to be connected again"),
        N_("%(plugin)s has to be connected again"),
        "plug-x",
        "bad",
    ),
    Kind(
        "plugin_problem",
        N_("Problems of plugins"),
        ("plugin.problem",),
        "plugins.write",
        _problem,
        N_("%(plugin)s has a problem"),
        N_("%(plugin)s has a problem"),
        "puzzle",
        "bad",
    ),
    Kind(
        "webhook_paused",
        N_("Webhooks that are paused"),
        ("outbound_webhooks.paused",),
        "outbound_webhooks.manage",
        _by_subject("name", "page"),
        N_("The webhook %(name)s is paused, because its receiver fails"),
        N_("The webhook %(name)s is paused, because its receiver fails"),
        "webhook",
        "bad",
    ),
    Kind(
        "bulk_finished",
        N_("Bulk runs of mine that have ended"),
        ("bulk.finished",),
        "",
        _by_subject("action", "done", "total"),
        N_("%(action)s: %(done)s of %(total)s rows done"),
        N_("%(action)s: %(done)s of %(total)s rows done"),
        "checklist",
        "ok",
    ),
)
BY_KEY: Mapping[str, Kind] = {kind.key: kind for kind in KINDS}
HEARD: tuple[str, ...] = tuple(dict.fromkeys(event for kind in KINDS for event in kind.events))


def kinds_for(event: str) -> list[Kind]:
    """The kinds that events of this kind lead to."""
    return [kind for kind in KINDS if event in kind.events]
