"""What people and the plugin host do to deliveries: send again, set aside, take up, skip. The caller has asked whether they may.

Everything here is one or two statements for any number of deliveries, and leaves an audit entry for each that changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.runtime.events.errors import DeliveryUnknown, NotReplayable
from core.runtime.events.outbox import CHANNEL, tenant_of_open
from core.runtime.security.audit import record_many

AUDITED_AS = "delivery"

# Only the newest generation can be followed by another one; the unique key stops two people who do it at once.
_REPLAY = text(f"""
WITH chosen AS (
    SELECT d.id, d.event_id, d.subscriber, d.subject, d.seq, d.generation, d.state FROM delivery d
    WHERE d.tenant_id = :tenant AND d.id = ANY(:ids) AND d.state IN ('dead', 'done', 'skipped') AND NOT EXISTS (
        SELECT FROM delivery n WHERE n.tenant_id = :tenant AND n.event_id = d.event_id AND n.subscriber = d.subscriber
            AND n.generation > d.generation)
    FOR UPDATE
), ended AS (
    UPDATE delivery d SET state = 'skipped', reason = 'replayed' FROM chosen c
    WHERE d.tenant_id = :tenant AND d.id = c.id AND c.state = 'dead'
), again AS (
    INSERT INTO delivery (tenant_id, event_id, subscriber, subject, seq, generation)
    SELECT :tenant, event_id, subscriber, subject, seq, generation + 1 FROM chosen
    RETURNING id, event_id, subscriber, generation
)
SELECT c.id AS old_id, a.id, a.generation, pg_notify('{CHANNEL}', '')
FROM again a JOIN chosen c ON c.event_id = a.event_id AND c.subscriber = a.subscriber
""")  # noqa: S608 - a constant

_WAKE = text("""
UPDATE delivery w SET next_at = now(), reason = NULL
WHERE w.tenant_id = :tenant AND w.id IN (
    SELECT n.id FROM delivery d
    JOIN delivery n ON n.tenant_id = :tenant AND n.subscriber = d.subscriber AND n.subject = d.subject AND n.seq > d.seq
    WHERE d.tenant_id = :tenant AND d.id = ANY(:ids) AND n.state = 'pending' AND n.reason = 'order'
    FOR UPDATE OF n SKIP LOCKED)
""")


def _change(condition: str, assignments: str) -> Any:
    return text(f"""
        WITH chosen AS (
            SELECT id, state FROM delivery WHERE tenant_id = :tenant AND {condition} FOR UPDATE SKIP LOCKED
        )
        UPDATE delivery d SET {assignments} FROM chosen c WHERE d.tenant_id = :tenant AND d.id = c.id
        RETURNING d.id, c.state AS was, d.state
    """)  # noqa: S608 - both parts are constants of this module


_ASIDE = "state = 'parked', reason = :reason, guard_until = NULL, started_at = NULL"
_UP = f"state = 'pending', reason = NULL, next_at = CASE WHEN pg_notify('{CHANNEL}', '') IS NOT NULL THEN now() END"
_PARK = _change("id = ANY(:ids) AND state || '' IN ('pending', 'unknown')", _ASIDE)
_PARK_OF = _change("subscriber = ANY(:subscribers) AND state IN ('pending', 'unknown')", _ASIDE)
_RESUME = _change("id = ANY(:ids) AND state = 'parked'", _UP)
_RESUME_OF = _change("subscriber = ANY(:subscribers) AND state = 'parked' AND reason = ANY(:reasons)", _UP)
_SKIP = _change(
    "id = ANY(:ids) AND state || '' IN ('pending', 'unknown', 'parked', 'dead')",
    "state = 'skipped', reason = 'skipped by hand', finished_at = now(), guard_until = NULL, started_at = NULL",
)


def replay(session: Session, ids: Collection[UUID]) -> list[UUID]:
    """Send ended deliveries (dead, done or skipped) once more, each as a new generation with a new idempotency key.

    A dead one no longer holds back later events of its subject; its replay does until it is done. Those that are still on their
    way, or have a newer generation, are left alone. Returns the ids of the new deliveries.
    """
    rows = session.connection().execute(_REPLAY, {"tenant": tenant_of_open(session), "ids": list(ids)}).all()
    changes = [(row.old_id, {"generation": [row.generation - 1, row.generation]}) for row in rows]
    record_many(session, "delivery.replayed", AUDITED_AS, changes)
    _wake_behind(session, [row.old_id for row in rows])
    return [row.id for row in rows]


def replay_one(session: Session, delivery: UUID) -> UUID:
    """Send one ended delivery once more.

    Raises: DeliveryUnknown; NotReplayable - it is on its way, or has been replayed already.
    """
    found = replay(session, [delivery])
    if found:
        return found[0]
    known = session.connection().execute(
        text("SELECT state FROM delivery WHERE tenant_id = :tenant AND id = :id"),
        {"tenant": tenant_of_open(session), "id": delivery},
    )
    state = known.scalar_one_or_none()
    if state is None:
        raise DeliveryUnknown(delivery=str(delivery))
    raise NotReplayable(delivery=str(delivery), state=state)


def park(session: Session, ids: Collection[UUID]) -> int:
    """Set deliveries aside until somebody resumes them. A remote call that is out is not touched. Returns how many."""
    return len(_apply(session, _PARK, "delivery.parked", {"ids": list(ids), "reason": "by hand"}))


def resume(session: Session, ids: Collection[UUID]) -> int:
    """Make parked deliveries due again. Returns how many."""
    return len(_apply(session, _RESUME, "delivery.resumed", {"ids": list(ids)}))


def skip(session: Session, ids: Collection[UUID]) -> int:
    """Give deliveries up, so that later events of their subjects pass.

    A remote call that is out is not touched. Returns how many.
    """
    rows = _apply(session, _SKIP, "delivery.skipped", {"ids": list(ids)})
    _wake_behind(session, [row.id for row in rows])
    return len(rows)


def park_subscribers(session: Session, subscribers: Collection[str]) -> int:
    """Set aside all waiting deliveries of some subscribers; for the plugin host, when a plugin goes off without draining."""
    return len(_apply(session, _PARK_OF, "", {"subscribers": list(subscribers), "reason": "plugin"}))


def resume_subscribers(
    session: Session, subscribers: Collection[str], *, reasons: Sequence[str] = ("plugin", "missing", "reauth")
) -> int:
    """Take up parked deliveries of some subscribers; for the plugin host, when a plugin comes on or somebody has signed in again.

    `reasons` says which: parked because the plugin was off (plugin), not installed (missing), or refused (reauth).
    """
    return len(_apply(session, _RESUME_OF, "", {"subscribers": list(subscribers), "reasons": list(reasons)}))


def _apply(session: Session, statement: Any, action: str, values: Mapping[str, Any]) -> Sequence[Any]:
    rows = session.connection().execute(statement, {"tenant": tenant_of_open(session), **values}).all()
    if action and rows:
        record_many(session, action, AUDITED_AS, [(row.id, {"state": [row.was, row.state]}) for row in rows])
    return rows


def _wake_behind(session: Session, ids: Sequence[UUID]) -> None:
    if ids:
        session.connection().execute(_WAKE, {"tenant": tenant_of_open(session), "ids": list(ids)})
