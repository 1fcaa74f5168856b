"""What happened to an order: events, notes and what people changed, in the timeline's shape."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.screens.order_facts import badge_of
from core.delivery.web.crud.bulk import timeline_entry
from core.domain.orders.entities import HOLD_CHOICES
from core.domain.orders.models import Order, OrderNote
from core.kernel.messages import N_
from core.runtime.events.models import Event
from core.runtime.security import audit

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
    "shipment.delivered": (N_("noted that a parcel has arrived"), "package", "ok"),
    "shipment.dispatched": (N_("handed a parcel to the carrier"), "package", "ok"),
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
    parts = [", ".join(badge_of(HOLD_CHOICES, code)[2] for code in payload.get("codes", [])), str(payload.get("reason", ""))]
    note = " · ".join(part for part in parts if part)
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
        "note": note,
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
