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

from core.delivery.web.theme import grid
from core.domain.channels.models import Push, Shop
from core.domain.fulfilment.models import Carrier, Parcel, Shipment
from core.domain.fulfilment.stuck import Reason, why_stuck
from core.domain.orders.entities import FULFILMENT_CHOICES, HOLD_CHOICES, LINE_REFUNDS, PAYMENT_CHOICES, STATE_CHOICES
from core.domain.orders.models import Order, OrderLine
from core.domain.orders.rules import NEEDS_NOTE
from core.engines.metadata.entity import Choice

ZERO = Decimal(0)


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
    """Addresses that the page needs; empty where the reader may not go. `form` asks what an action needs before it is carried out."""

    sku: Callable[[UUID], str]
    action: Callable[[str], str]
    form: str = ""
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
        actions.append(_release_of(order, reasons, links))
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


def _release_of(order: Order, reasons: Sequence[Reason], links: Links) -> grid.Action:
    """The button that lifts the holds: at once, or with a form where a reason is asked for."""
    fields = {"action": "release"}
    if any(reason.code in NEEDS_NOTE for reason in reasons):
        fields.update(pk=str(order.id), back="record")
    url = links.form if "pk" in fields else links.action("release")
    return grid.Action(gettext("Release hold"), url, "lock-open", method="post", fields=fields)


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
