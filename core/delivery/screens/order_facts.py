"""What the order's page shows, read from the domain in a handful of statements and put into the template's shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import current_app
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.web.crud.bulk import timeline_entry
from core.delivery.web.theme import grid
from core.domain.channels.models import Push, Shop
from core.domain.fulfilment.models import Carrier, Parcel, Shipment
from core.domain.fulfilment.stuck import Reason, why_stuck
from core.domain.orders.entities import FULFILMENT_CHOICES, HOLD_CHOICES, LINE_REFUNDS, PAYMENT_CHOICES, STATE_CHOICES
from core.domain.orders.models import Order, OrderLine, OrderNote
from core.engines.metadata.entity import Choice
from core.kernel.messages import N_
from core.runtime.events.models import Event
from core.runtime.security import audit

ZERO = Decimal(0)
HISTORY = 40
_EVENT_TEXTS = {
    "order.accepted": (N_("took the order in"), "shopping-cart", "info"),
    "order.paid": (N_("reported the payment"), "cash", "ok"),
    "order.changed": (N_("reported a change"), "refresh", "neutral"),
    "order.held": (N_("put the order on hold"), "hand-stop", "warn"),
    "order.released": (N_("released a hold"), "lock-open", "ok"),
    "order.approved": (N_("reserved the stock and approved the order"), "check", "progress"),
    "order.shipped": (N_("shipped the order"), "truck", "ok"),
    "order.shipped_partly": (N_("shipped a part of the order"), "truck", "progress"),
    "order.delivered": (N_("reported the delivery"), "home-check", "ok"),
    "order.completed": (N_("completed the order"), "circle-check", "ok"),
    "order.cancelled": (N_("cancelled the order"), "ban", "bad"),
    "order.replaced": (N_("replaced the order by its parts"), "arrows-split", "warn"),
    "order.refund_requested": (N_("reported that the buyer wants a refund"), "arrow-back-up", "bad"),
    "order.refunded": (N_("reported a refund"), "arrow-back-up", "bad"),
    "order.refund_closed": (N_("reported that a refund is closed"), "arrow-back-up", "neutral"),
    "order.matched": (N_("matched a line to a SKU"), "link", "info"),
    "channel.push_refused": (N_("refused the report of the shipment"), "alert-triangle", "bad"),
    "shipment.dispatched": (N_("handed a parcel to the carrier"), "package", "ok"),
}


def badge_of(choices: Sequence[Choice], value: str) -> tuple[str, str, str]:
    """The badge of a state: kind, icon, translated word."""
    found = next((choice for choice in choices if choice.value == value), None)
    return (found.kind, found.icon, gettext(found.label)) if found else ("neutral", "point", value)


def states_of(order: Order) -> list[tuple[str, str, str]]:
    """The order's badges: state, payment, fulfilment, and the exception if there is one; none says what another says already."""
    found = [badge_of(STATE_CHOICES, order.state)]
    if order.payment != order.state:
        found.append(badge_of(PAYMENT_CHOICES, order.payment))
    if order.fulfilment not in ("none", order.state):
        found.append(badge_of(FULFILMENT_CHOICES, order.fulfilment))
    if order.hold_count:
        found.append(badge_of(HOLD_CHOICES, order.hold_code))
    return found


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that the page needs; empty where the reader may not go."""

    sku: Callable[[UUID], str]
    action: Callable[[str], str]
    stock: str = ""
    aliases: str = ""


def stuck_of(session: Session, order: Order, links: Links, *, may_release: bool) -> dict[str, Any] | None:
    """The banner: the oldest reason on top, all of them below, with what helps."""
    reasons = why_stuck(session, order.id)
    if not reasons or order.state in ("cancelled", "completed"):
        return None
    first = reasons[0]
    actions = []
    if may_release and any(reason.cure == "release" for reason in reasons):
        release = {"action": "release"}
        actions.append(grid.Action(gettext("Release hold"), links.action("release"), "lock-open", method="post", fields=release))
    if links.aliases and any(reason.cure == "match" for reason in reasons):
        actions.append(grid.Action(gettext("Match SKUs"), links.aliases, "link"))
    if links.stock and any(reason.cure == "stock" for reason in reasons):
        actions.append(grid.Action(gettext("See the stock"), links.stock, "packages"))
    return {
        "kind": "bad" if first.code in ("stock_short", "refund_requested", "cancelled_after_shipping") else "warn",
        "title": gettext(first.text),
        "since": first.since,
        "rule": gettext(first.facts["rule"]) if "rule" in first.facts else "",
        "why": [line for reason in reasons for line in _explained(reason)],
        "actions": actions,
    }


def _explained(reason: Reason) -> list[str]:
    facts = reason.facts
    lines = [gettext(reason.text)]
    if "reason" in facts:
        lines.append(str(facts["reason"]))
    lines += [
        gettext("%(sku)s: %(asked)s needed, %(free)s free", **{key: sku[key] for key in ("sku", "asked", "free")})
        for sku in facts.get("skus", [])
    ]
    lines += [
        f"{line.get('seller_code') or '–'} · {line.get('title') or ''}" for line in facts.get("lines", []) if isinstance(line, Mapping)
    ]
    if facts.get("reasons"):
        lines.append(", ".join(facts["reasons"]))
    if reason.cure == "channel":
        lines.append(gettext("Only the channel can change this."))
    return lines


def lines_of(session: Session, order: Order, links: Links) -> list[dict[str, Any]]:
    """The order's lines."""
    statement = select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    shown = []
    for line in session.scalars(statement):
        open_units = line.quantity - line.shipped - line.cancelled
        states = []
        if line.refund_state != "none":
            states.append(
                (
                    "warn" if line.refund_state == "requested" else "bad",
                    "arrow-back-up",
                    gettext("Refund: %(state)s", state=badge_of(LINE_REFUNDS, line.refund_state)[2]),
                )
            )
        if line.cancelled:
            states.append(("neutral", "ban", gettext("%(count)s cancelled", count=f"{line.cancelled.normalize():f}")))
        if line.sku_id is None:
            states.append(("warn", "unlink", gettext("No SKU")))
        if line.is_gift:
            states.append(("info", "gift", gettext("Gift")))
        shown.append(
            {
                "title": line.title or line.seller_code or "–",
                "code": line.seller_code,
                "variant": line.variant,
                "ordered": line.quantity,
                "reserved": line.reserved,
                "shipped": line.shipped,
                "short": order.state in ("paid", "approved") and open_units > 0 and line.reserved < open_units,
                "price": line.unit_price,
                "paid": line.paid_amount,
                "states": states,
                "url": links.sku(line.sku_id) if line.sku_id else "",
            }
        )
    return shown


def sums_of(order: Order) -> dict[str, Any]:
    """How the total came about."""
    sums = [{"label": gettext("Goods"), "amount": order.goods_total + order.discount_total}]
    if order.discount_total:
        sums.append({"label": gettext("Discounts"), "amount": -order.discount_total, "how": gettext("shared over the lines")})
    sums.append({"label": gettext("Postage"), "amount": order.postage})
    if order.refunded_total:
        sums.append({"label": gettext("Refunded"), "amount": -order.refunded_total})
    return {
        "sums": sums,
        "total": {"label": gettext("Total"), "amount": order.paid_total},
        "paid": {"label": gettext("Left after refunds"), "amount": order.paid_total - order.refunded_total}
        if order.refunded_total
        else None,
    }


def parcels_of(session: Session, order: Order) -> list[dict[str, Any]]:
    """The parcels with how their report to the channel went."""
    rows = session.execute(
        select(Parcel.tracking_number, Carrier.name, Carrier.tracking_url, Shipment.id, Shipment.dispatched_at, Shipment.state)
        .join(Shipment, Shipment.id == Parcel.shipment_id)
        .join(Carrier, Carrier.id == Parcel.carrier_id)
        .where(Shipment.order_id == order.id)
        .order_by(Shipment.dispatched_at, Parcel.position)
    ).all()
    pushes = {push.reference: push for push in session.scalars(select(Push).where(Push.order_id == order.id, Push.kind == "shipment"))}
    return [
        {
            "carrier": row.name,
            "number": row.tracking_number,
            "url": row.tracking_url.replace("{number}", row.tracking_number) if row.tracking_url else "",
            "states": _push_states(pushes.get(str(row.id))),
            "steps": [{"at": row.dispatched_at, "text": gettext("Handed to the carrier")}],
            "actions": [],
        }
        for row in rows
    ]


def _push_states(push: Push | None) -> list[tuple[str, str, str]]:
    if push is None:
        return []
    words = {
        "accepted": ("ok", "check", gettext("Reported to the channel")),
        "refused": ("bad", "alert-triangle", gettext("Refused by the channel: %(why)s", why=push.message or push.code)),
        "unknown": ("warn", "help", gettext("The channel's answer was lost")),
    }
    return [words.get(push.state, ("neutral", "clock", gettext("Waiting to be reported")))]


def buyer_of(order: Order, customer_url: str) -> dict[str, Any]:
    """The buyer, masked."""
    shown = order.receiver_masked or {}
    name = shown.get("name") or order.buyer_masked
    return {
        "name": name,
        "phone": shown.get("phone", ""),
        "email": "",
        "nick": order.buyer_masked if order.buyer_masked != name else "",
        "address": place_of(shown),
        "is_masked": True,
        "url": customer_url,
    }


def platform_name(key: str) -> str:
    """What people call a marketplace; its key when the plugin is gone."""
    known = current_app.extensions["oms.system"].channels.marketplace(key)
    return gettext(known.title) if known is not None else key


def place_of(receiver: Mapping[str, Any]) -> str:
    """The address in one line, from the large to the small, without what says nothing: the country at home, a postcode of zeros."""
    parts = {key: str(receiver.get(key) or "").strip() for key in ("country", "province", "city", "district", "town", "street", "postcode")}
    if parts["country"] in ("CN", "中国"):
        parts["country"] = ""
    if not parts["postcode"].strip("0"):
        parts["postcode"] = ""
    if parts["province"] == parts["city"]:
        parts["province"] = ""
    return " ".join(part for part in parts.values() if part)


def origin_of(session: Session, order: Order) -> dict[str, Any]:
    """Where the order came from."""
    shop = session.execute(select(Shop.title, Shop.marketplace, Shop.code).where(Shop.id == order.shop_id)).one()
    return {
        "icon": "building-store",
        "platform": platform_name(shop.marketplace) if shop.marketplace else gettext("Own shop"),
        "shop": shop.title,
        "number": order.external_id,
        "url": "",
        "placed_at": order.placed_at,
    }


def timeline_of(session: Session, order: Order, show: str) -> list[dict[str, Any]]:
    """What happened, newest first: events, notes, and what people changed."""
    found: list[dict[str, Any]] = []
    if show in ("", "plugins"):
        statement = (
            select(Event).where(Event.subject_type == "order", Event.subject_id == str(order.id)).order_by(Event.seq.desc()).limit(HISTORY)
        )
        found += [_event(event) for event in session.scalars(statement)]
    if show in ("", "people"):
        notes = select(OrderNote).where(OrderNote.order_id == order.id).order_by(OrderNote.id.desc()).limit(HISTORY)
        found += [_note(note) for note in session.scalars(notes)]
        wanted = audit.AuditFilter(subject_type="order", subject_id=str(order.id))
        people = [entry for entry in audit.entries(session, wanted, limit=HISTORY) if entry.actor_kind in ("user", "token")]
        found += [timeline_entry(entry) for entry in people]
    return sorted(found, key=lambda one: one["at"], reverse=True)[:HISTORY]


def _event(event: Event) -> dict[str, Any]:
    text, icon, kind = _EVENT_TEXTS.get(event.kind, (event.kind, "point", "neutral"))
    actor = event.actor or {}
    payload = event.payload or {}
    note = ", ".join(badge_of(HOLD_CHOICES, code)[2] for code in payload.get("codes", [])) if "codes" in payload else ""
    if payload.get("tracking_number"):
        note = f"{payload.get('carrier', '')} {payload['tracking_number']}"
    return {
        "at": event.occurred_at,
        "actor": actor.get("label") if actor.get("kind") != "system" and actor.get("label") else gettext("Orderloom"),
        "actor_kind": "person" if actor.get("kind") == "user" else "plugin" if actor.get("kind") == "plugin" else "system",
        "icon": icon,
        "kind": kind,
        "text": gettext(text),
        "changes": [],
        "note": note or payload.get("reason", ""),
        "files": [],
    }


def _note(note: OrderNote) -> dict[str, Any]:
    return {
        "at": note.written_at,
        "actor": note.author,
        "actor_kind": "person",
        "icon": "message",
        "kind": "info",
        "text": gettext("wrote a note"),
        "changes": [],
        "note": note.text,
        "files": [],
    }
