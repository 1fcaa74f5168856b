"""The start page of a tenant: its work queues as numbers, what went wrong last with the way out, shops, and the day so far."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import render_template, request, url_for
from flask_babel import gettext

from core.delivery.screens import home_facts as facts
from core.delivery.screens.order_facts import badge_of
from core.delivery.screens.shop_scope import ALL, chosen_shop, shops
from core.delivery.web.crud.addressing import view_name
from core.delivery.web.i18n import reader_zone
from core.delivery.web.identity import can
from core.delivery.web.schema import present_schema
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.domain.fulfilment.stuck import StuckOrder, newest_stuck
from core.domain.orders.entities import HOLD_CHOICES
from core.engines.metadata import queries
from core.kernel.ids import parse_id
from core.kernel.messages import N_

LATELY = timedelta(hours=24)
ORDERS = view_name("orders.order")
_HEALTH = {
    "failed": ("bad", N_("Last run failed")),
    "done": ("ok", N_("In step")),
    "partly": ("ok", N_("In step")),
    "running": ("ok", N_("In step")),
}


def home_page() -> Any:
    """The page, with those parts that the reader may see."""
    session, now = db(), datetime.now(UTC)
    sees_orders, sees_channels = can("orders.read"), can("channels.read")
    hours = facts.orders_by_hour(session, now=now, zone=reader_zone()) if sees_orders else []
    is_quiet = not any(today or then for _, today, then in hours)
    return render_template(
        "pages/home.html",
        title=gettext("Home"),
        stats=_stats(now),
        causes=_causes() if sees_orders else [],
        queues=[_trouble(one) for one in _seen(newest_stuck(session))] if sees_orders else [],
        steps=_steps(),
        shops=[_shop(one) for one in facts.shop_states(session)] if sees_channels else [],
        hours=[] if is_quiet else [{"label": f"{hour:02}:00", "value": today, "compare": then} for hour, today, then in hours],
        hours_max=max((max(today, then) for _, today, then in hours), default=1),
        notices=_notices(),
    )


def _notices() -> list[dict[str, str]]:
    """Say so when the lists behind the numbers show one shop only."""
    shop = parse_id(chosen_shop())
    if shop is None:
        return []
    text = gettext("These numbers are of all shops; lists show %(shop)s only.", shop=shops()[shop])
    url = url_for("ShopScopeView.choose", pk=ALL, next=f"{request.script_root}/")
    return [{"kind": "info", "text": text, "url": url, "label": gettext("Show all shops")}]


def _queue_url(queue: str, **more: Any) -> str:
    return url_for(f"{ORDERS}.list", queue=queue, **more)


def _stats(now: datetime) -> list[dict[str, Any]]:
    session = db()
    found: list[dict[str, Any]] = []

    def add(label: str, count: facts.Count, url: str, *, kind: str, icon: str, hint: str = "") -> None:
        shown = kind if count.value else "neutral"
        found.append({"label": label, "value": count.value, "text": count.text, "url": url, "kind": shown, "icon": icon, "hint": hint})

    if can("orders.read"):
        entity = present_schema().get("orders.order")
        for queue, label, kind, icon in (
            ("to_ship", gettext("To ship"), "progress", "truck-delivery"),
            ("exceptions", gettext("Exceptions"), "bad", "alert-triangle"),
            ("overdue", gettext("Overdue"), "warn", "clock-exclamation"),
            ("unpaid", gettext("Awaiting payment"), "info", "cash"),
        ):
            add(label, facts.queue_count(session, entity, queue, now=now), _queue_url(queue), kind=kind, icon=icon)
    if can("catalog.read"):
        url = url_for(f"{view_name('catalog.alias')}.list", queue="unmatched")
        add(gettext("Unmatched SKUs"), facts.unmatched_count(session), url, kind="warn", icon="unlink")
    if can("channels.read"):
        total, failures_url, hint = _failures(now)
        add(gettext("Failures"), total, failures_url, kind="bad", icon="circle-x", hint=hint)
    return found


def _failures(now: datetime) -> tuple[facts.Count, str, str]:
    """The sum of what failed on the way to or from channels; the link leads to the largest part."""
    parts = facts.failure_counts(db(), since=now - LATELY)
    urls = {
        "syncs": url_for(f"{view_name('channels.run')}.list", queue="failed"),
        "pushes": url_for(f"{view_name('channels.push')}.list", queue="failed"),
        "dead": url_for("JobsView.list", state="dead") if can("jobs.read") else "",
    }
    words = {"syncs": gettext("syncs"), "pushes": gettext("reports"), "dead": gettext("jobs")}
    most = max(parts, key=lambda name: parts[name].value)
    hint = " · ".join(f"{words[name]} {count.text}" for name, count in parts.items() if count.value)
    total = facts.Count(sum(count.value for count in parts.values()), any(count.is_capped for count in parts.values()))
    return total, urls[most] or urls["syncs"], hint


def _causes() -> list[dict[str, Any]]:
    return [
        {"states": [badge_of(HOLD_CHOICES, code)], "url": _queue_url("exceptions", **{"f.hold_code": code}), "value": number}
        for code, number in facts.exceptions_by_code(db())
    ]


def _seen(found: Iterable[StuckOrder]) -> list[StuckOrder]:
    """Those of them that the reader may see."""
    stuck = list(found)
    kept = set(queries.visible_ids(db(), present_schema().get("orders.order"), [one.order_id for one in stuck]))
    return [one for one in stuck if one.order_id in kept]


def _trouble(one: StuckOrder) -> dict[str, Any]:
    reason = one.reason
    return {
        "label": one.number,
        "states": [badge_of(HOLD_CHOICES, reason.code)],
        "url": url_for(f"{ORDERS}.show", pk=one.order_id),
        "text": str(reason.facts.get("reason") or gettext(reason.text)),
        "at": reason.since,
        "action": _cure(one.order_id, reason.cure),
    }


def _cure(order_id: UUID, cure: str) -> grid.Action | None:
    if cure == "release" and can("orders.release"):
        url = url_for(f"{ORDERS}.act", pk=order_id)
        return grid.Action(gettext("Release"), url, "lock-open", method="post", fields={"action": "release"})
    if cure == "match" and can("catalog.read"):
        return grid.Action(gettext("Match SKUs"), url_for(f"{view_name('catalog.alias')}.list", queue="unmatched"), "link")
    if cure == "stock" and can("inventory.read"):
        return grid.Action(gettext("See the stock"), url_for(f"{view_name('inventory.stock')}.list"), "packages")
    return None


def _steps() -> list[dict[str, str]] | None:
    """The first-run checklist; None when everything is done."""
    done = facts.missing_steps(db())
    if all(done.values()):
        return None
    steps = (
        (
            "shop",
            gettext("Connect a shop"),
            "PluginView.list" if can("plugins.read") else f"{view_name('channels.shop')}.list",
            "channels.read",
        ),
        ("stock", gettext("Put something into stock"), f"{view_name('inventory.stock')}.list", "inventory.read"),
        ("carrier", gettext("Add a carrier"), f"{view_name('fulfilment.carrier')}.list", "fulfilment.read"),
        ("order", gettext("Take the first order"), f"{ORDERS}.list", "orders.read"),
    )
    present = next(key for key, *_ in steps if not done[key])
    return [
        {
            "label": label,
            "url": url_for(endpoint) if can(permission) else "",
            "state": "done" if done[key] else "now" if key == present else "todo",
        }
        for key, label, endpoint, permission in steps
    ]


def _shop(one: facts.ShopState) -> dict[str, Any]:
    kind, word = _HEALTH.get(one.state or "", ("", N_("Not synchronised yet")))
    if not one.is_active:
        kind, word = "", N_("Paused")
    url = url_for("SyncView.show", pk=one.id)
    return {"name": one.title, "icon": "building-store", "kind": kind, "word": gettext(word), "at": one.at, "url": url}
