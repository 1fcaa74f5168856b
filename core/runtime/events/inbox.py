"""Messages from outside: kept as they came, once, and turned into an event; the sender is answered when that has committed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from core.runtime.db.bulk import insert_rows
from core.runtime.events.models import Inbox
from core.runtime.events.outbox import EventDraft, emit, tenant_of_open


def receive(
    session: Session, draft: EventDraft, *, source: str, external_id: str, headers: Mapping[str, str], raw: bytes
) -> bool:
    """Keep one message and emit `draft`, unless `source` has sent this `external_id` before.

    `headers` are those worth keeping, never credentials. Returns False for a repeat, which changes nothing. Two deliveries of one
    message at the same time wait for each other, and one of them is the repeat.
    """
    tenant_of_open(session)
    new = insert_rows(
        session,
        Inbox,
        [{"source": source, "external_id": external_id, "headers": dict(headers), "raw": raw}],
        on_conflict="ON CONFLICT (tenant_id, source, external_id) DO NOTHING",
        returning="id",
    )
    if new:
        emit(session, [draft])
    return bool(new)
