"""Writing what happened: events and their deliveries, any number in one statement, inside the business transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.kernel.errors import Invalid
from core.kernel.ids import new_id
from core.kernel.jsontext import encode_json
from core.runtime.db.bulk import tenant_of
from core.runtime.db.direct import connection_of, fetch, later
from core.runtime.events.errors import SequenceTaken
from core.runtime.events.subscribers import Mode, SubscriberRegistry, installed_registry
from core.runtime.tenancy.scope import SYSTEM, Scope, require_scope

CHANNEL = "oms_due"
HINT_EVERY_S = 0.05
_TRIES = 100
_hinted_at = 0.0


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What happened to one subject, in the past tense: `order.paid`. `payload` holds ids and facts as JSON can say them.

    `seq` numbers the subject's events; left out, it is the next free number. `version` is that of the payload's shape. `trace` is
    the scope's unless given: a subscriber that handles a batch passes on the trace of the event that each draft follows from.
    """

    kind: str
    subject_type: str
    subject_id: UUID | str | int
    payload: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    seq: int | None = None
    trace: str | None = None


# Numbering: the subject's highest number plus one. A concurrent transaction that takes the same number makes this one wait for
# its end and then come back short (DO NOTHING), upon which the rest is numbered anew: so a subject's events commit in the order
# of their numbers, without gaps. Whoever holds the subject's row lock, as state changes do, never comes back short.
_EMIT = f"""
WITH given AS (
    SELECT * FROM jsonb_to_recordset(CAST(%(rows)s AS jsonb))
        AS r(id uuid, pos int, subject_type text, subject_id text, seq bigint, kind text, version smallint, payload jsonb,
            trace text)
), counted AS (
    SELECT subject_type, subject_id, coalesce((
        SELECT max(e.seq) FROM event e
        WHERE e.tenant_id = %(tenant)s AND e.subject_type = s.subject_type AND e.subject_id = s.subject_id), 0) AS top
    FROM (SELECT DISTINCT subject_type, subject_id FROM given WHERE seq IS NULL) s
), happened AS (
    INSERT INTO event (tenant_id, id, subject_type, subject_id, seq, kind, version, payload, trace, actor)
    SELECT CAST(%(tenant)s AS int), g.id, g.subject_type, g.subject_id,
        coalesce(g.seq, c.top + row_number() OVER (
            PARTITION BY g.subject_type, g.subject_id, g.seq IS NULL ORDER BY g.pos)),
        g.kind, g.version, g.payload, coalesce(g.trace, %(trace)s), CAST(%(actor)s AS jsonb)
    FROM given g LEFT JOIN counted c ON g.seq IS NULL AND c.subject_type = g.subject_type AND c.subject_id = g.subject_id
    ORDER BY g.subject_type, g.subject_id, g.pos
    ON CONFLICT (tenant_id, subject_type, subject_id, seq) DO NOTHING
    RETURNING id, subject_type, subject_id, seq, kind
), addressed AS (
    INSERT INTO delivery (tenant_id, event_id, subscriber, subject, seq, state, reason)
    SELECT CAST(%(tenant)s AS int), h.id, w.subscriber, h.subject_type || ':' || h.subject_id, h.seq, w.state, w.reason
    FROM happened h JOIN jsonb_to_recordset(CAST(%(wires)s AS jsonb))
        AS w(kind text, subscriber text, state text, reason text) ON w.kind = h.kind
    RETURNING 1
)
SELECT (SELECT count(*) FROM happened) AS written,
    CASE WHEN %(hint)s AND EXISTS (SELECT FROM addressed) THEN pg_notify('{CHANNEL}', '') END
"""  # noqa: S608 - the channel's name is a constant


def emit(session: Session, drafts: Sequence[EventDraft], *, registry: SubscriberRegistry | None = None) -> None:
    """Write events, and one delivery for each subscriber that hears them and runs for this tenant, in one statement.

    Part of the caller's transaction: nothing is committed, nothing leaves before the commit; inside `direct.together` the statement is
    sent with the block's others. Trace and actor come from the open scope. Drafts of one subject keep their order. `registry`
    replaces the process's own.
    Raises: SequenceTaken - a draft names a `seq` that the subject has already, or other transactions kept taking the next one.
    """
    if not drafts:
        return
    tenant_id, scope = tenant_of_open(session), require_scope()
    values = {
        "tenant": tenant_id,
        "trace": scope.trace,
        "actor": actor_json(scope),
        "wires": encode_json(_wires(tenant_id, drafts, registry or installed_registry())),
        "hint": _may_hint(),
    }
    rows = [_row(position, draft) for position, draft in enumerate(drafts)]

    def complete(found: Sequence[Any]) -> None:
        if found[0].written != len(rows):
            _number_anew(session, values, rows)

    later(session, _EMIT, {**values, "rows": encode_json(rows)}, then=complete)


def _number_anew(session: Session, values: Mapping[str, Any], rows: list[dict[str, Any]]) -> None:
    """Write what came back short because others took the same numbers."""
    for _ in range(_TRIES):
        rows = _missing(session, values["tenant"], rows)
        if fetch(session, _EMIT, {**values, "rows": encode_json(rows)})[0].written == len(rows):
            return
    raise SequenceTaken(subjects=len(rows))


def tenant_of_open(session: Session) -> int:
    """The session's tenant; begins its transaction when none is open yet. Raises NoTenant."""
    connection_of(session)
    return tenant_of(session)


def actor_json(scope: Scope) -> str | None:
    """The scope's actor as stored with an event; nothing for the system itself."""
    actor = scope.actor
    return None if actor == SYSTEM else encode_json({"kind": actor.kind, "id": actor.id, "label": actor.label})


def _may_hint() -> bool:
    """Whether to wake the relay at the commit. Commits that notify wait for each other, which would make all writers queue up.

    So a process does it at most every 50 ms; a relay that was woken looks again that often for a while.
    """
    global _hinted_at
    now = time.monotonic()
    if now - _hinted_at < HINT_EVERY_S:
        return False
    _hinted_at = now
    return True


def _row(position: int, draft: EventDraft) -> dict[str, Any]:
    if not draft.kind or not draft.subject_type:
        raise Invalid("An event has a kind and a subject.", field="kind")
    return {
        "id": new_id(),
        "pos": position,
        "subject_type": draft.subject_type,
        "subject_id": str(draft.subject_id),
        "seq": draft.seq,
        "kind": draft.kind,
        "version": draft.version,
        "payload": dict(draft.payload),
        "trace": draft.trace,
    }


def _wires(tenant_id: int, drafts: Sequence[EventDraft], registry: SubscriberRegistry) -> list[dict[str, Any]]:
    wires: list[dict[str, Any]] = []
    for kind in {draft.kind for draft in drafts}:
        for subscriber in registry.hearers(kind):
            mode = registry.mode(tenant_id, subscriber)
            if mode is Mode.ON:
                wires.append({"kind": kind, "subscriber": subscriber.key, "state": "pending"})
            elif mode is Mode.PAUSED:
                wires.append({"kind": kind, "subscriber": subscriber.key, "state": "parked", "reason": "plugin"})
    return wires


_PRESENT = "SELECT id FROM event WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s)"


def _missing(session: Session, tenant_id: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    values = {"tenant": tenant_id, "ids": [row["id"] for row in rows]}
    present = {row.id for row in fetch(session, _PRESENT, values)}
    missing = [row for row in rows if row["id"] not in present]
    taken = [row["subject_id"] for row in missing if row["seq"] is not None]
    if taken:
        raise SequenceTaken(subjects=taken)
    return missing
