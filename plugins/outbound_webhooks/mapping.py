"""From an event to what is sent: the same shape for every kind, without personal data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from core.sdk import DeliveredEvent
from plugins.outbound_webhooks.events import TEST_KIND, public_facts

SUBJECT = "webhook"


def body_of(event: DeliveredEvent, *, tenant: str) -> str:
    """The body that tells of `event`; the same event always gives the same body."""
    return _written(
        {
            "id": str(event.id),
            "kind": event.kind,
            "version": event.version,
            "occurred_at": _moment(event.occurred_at),
            "tenant": tenant,
            "subject": {"type": event.subject_type, "id": event.subject_id, "sequence": event.seq},
            "facts": public_facts(event.payload),
        }
    )


def trial_body(event_id: UUID, hook_id: UUID, *, tenant: str, at: datetime) -> str:
    """The body of a test event."""
    return _written(
        {
            "id": str(event_id),
            "kind": TEST_KIND,
            "version": 1,
            "occurred_at": _moment(at),
            "tenant": tenant,
            "subject": {"type": SUBJECT, "id": str(hook_id), "sequence": 0},
            "facts": {},
        }
    )


def lane_of(hook_id: UUID, subject: str) -> str:
    """The subject of a message on its way: messages of one lane are delivered one after the other."""
    return f"{hook_id}/{subject}"


def _written(envelope: Mapping[str, Any]) -> str:
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
