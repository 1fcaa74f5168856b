"""The statements by which a worker takes deliveries, ends them, and puts them back, inside one tenant's transaction.

Beginning skips rows that another worker holds or has begun (`guard_until`), so a doubled message finds nothing to do and goes
away. Statements that look rows up by id say `state || ''`: else the planner may prefer the partial index of due deliveries, which
is short as a rule, and long just when many of them wait.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from core.kernel.jsontext import encode_json
from core.runtime.events.handling import DeliveredEvent
from core.runtime.events.outbox import tenant_of_open
from core.runtime.events.rules import DIED, Verdict

GUARD_S = 15
# How many workers have died over it in a row: what is written, and one more when nobody has counted the last one yet.
DEATHS = f"""
    CASE WHEN d.last_error ->> 'code' = '{DIED}' THEN (d.last_error -> 'facts' ->> 'deaths')::int ELSE 0 END
    + (d.started_at IS NOT NULL AND d.reason IS DISTINCT FROM 'died')::int AS deaths"""
TOLD = f"""jsonb_build_object('code', '{DIED}', 'message', 'Its worker died.', 'facts', jsonb_build_object('deaths', {{0}}.deaths))"""
_NOTED = f"CASE WHEN {{0}}.deaths > 0 THEN {TOLD} ELSE d.last_error END"
_EVENT = "e.kind, e.version, e.subject_type, e.subject_id, e.payload, e.occurred_at, e.trace, e.actor"

# A lower number that is unfinished holds a delivery back, unless it is among those taken together with it.
# The count of attempts need not reach the disk before the work begins: it has to outlive this process, not the server's.
_BEGIN = text(f"""
WITH locked AS (
    SELECT d.id, d.event_id, d.subject, d.seq, d.generation, d.attempts, d.started_at IS NOT NULL AS interrupted, {DEATHS}
    FROM delivery d
    WHERE d.tenant_id = :tenant AND d.id = ANY(:ids) AND d.subscriber || '' = :subscriber AND d.state || '' = 'pending'
        AND d.next_at <= now() AND (d.guard_until IS NULL OR d.guard_until < now())
    FOR UPDATE SKIP LOCKED
), free AS (
    SELECT l.* FROM locked l
    WHERE l.seq = 1 OR NOT EXISTS (
        SELECT FROM delivery o
        WHERE o.tenant_id = :tenant AND o.subscriber = :subscriber AND o.subject = l.subject AND o.seq < l.seq
            AND o.state NOT IN ('done', 'skipped') AND (:blocks OR o.state <> 'dead')
            AND NOT EXISTS (SELECT FROM locked k WHERE k.id = o.id))
), begun AS (
    UPDATE delivery d SET attempts = d.attempts + 1, started_at = now(), guard_until = now() + interval '{GUARD_S} s',
        reason = NULL, last_error = {_NOTED.format("f")}
    FROM free f WHERE d.tenant_id = :tenant AND d.id = f.id
)
SELECT f.*, {_EVENT}, quick.set_config
FROM free f JOIN event e ON e.tenant_id = :tenant AND e.id = f.event_id
CROSS JOIN (SELECT set_config('synchronous_commit', 'off', true)) quick
""")  # noqa: S608 - constants only

_FINISH = text("""
UPDATE delivery SET state = 'done', finished_at = now(), started_at = NULL, guard_until = NULL, reason = NULL, last_error = NULL
WHERE tenant_id = :tenant AND id = ANY(:ids) AND state || '' = 'pending'
RETURNING id
""")

_SETTLE = text("""
UPDATE delivery d SET
    state = r.state, reason = r.reason, last_error = r.error, attempts = d.attempts - r.refund,
    next_at = now() + r.delay_s * interval '1 s', finished_at = CASE WHEN r.state IN ('done', 'dead') THEN now() END,
    started_at = NULL, guard_until = NULL, lease_until = NULL, lease_token = NULL
FROM jsonb_to_recordset(CAST(:rows AS jsonb))
    AS r(id uuid, state text, reason text, error jsonb, refund smallint, delay_s double precision)
WHERE d.tenant_id = :tenant AND d.id = r.id AND d.state || '' = :held AND d.lease_token IS NOT DISTINCT FROM CAST(:token AS uuid)
RETURNING d.id
""")

_PARK = text("""
UPDATE delivery d SET state = 'parked', reason = :reason, started_at = NULL, guard_until = NULL
WHERE d.tenant_id = :tenant AND d.id IN (
    SELECT id FROM delivery
    WHERE tenant_id = :tenant AND id = ANY(:ids) AND state || '' IN ('pending', 'unknown') FOR UPDATE SKIP LOCKED)
""")

_RELEASE = text("""
UPDATE delivery d SET next_at = now()
WHERE d.tenant_id = :tenant AND d.id IN (
    SELECT id FROM delivery
    WHERE tenant_id = :tenant AND id = ANY(:ids) AND state || '' = 'pending' AND next_at < now() AND guard_until IS NULL
    FOR UPDATE SKIP LOCKED)
""")

_GIVE_BACK = text("""
UPDATE delivery d SET attempts = greatest(d.attempts - 1, 0), started_at = NULL, guard_until = NULL, next_at = now()
WHERE d.tenant_id = :tenant AND d.id IN (
    SELECT id FROM delivery
    WHERE tenant_id = :tenant AND id = ANY(:ids) AND state || '' = 'pending' AND started_at IS NOT NULL FOR UPDATE SKIP LOCKED)
""")

_GUARD = text(f"""
UPDATE delivery d SET guard_until = now() + interval '{GUARD_S} s'
WHERE d.tenant_id = :tenant AND d.id IN (
    SELECT id FROM delivery
    WHERE tenant_id = :tenant AND id = ANY(:ids) AND state || '' IN ('pending', 'unknown') FOR UPDATE SKIP LOCKED)
""")  # noqa: S608 - a constant

_LEASE = text(f"""
WITH locked AS (
    SELECT d.id, d.event_id, d.subject, d.seq, d.generation, d.attempts, d.state, d.started_at IS NOT NULL AS interrupted, {DEATHS}
    FROM delivery d
    WHERE d.tenant_id = :tenant AND d.id = :id AND d.subscriber || '' = :subscriber AND d.state || '' IN ('pending', 'unknown')
        AND d.next_at <= now() AND (d.seq = 1 OR NOT EXISTS (
            SELECT FROM delivery o
            WHERE o.tenant_id = :tenant AND o.subscriber = :subscriber AND o.subject = d.subject AND o.seq < d.seq
                AND o.state NOT IN ('done', 'skipped') AND (:blocks OR o.state <> 'dead')))
    FOR UPDATE SKIP LOCKED
), leased AS (
    UPDATE delivery d SET state = 'running', attempts = d.attempts + 1, started_at = now(), guard_until = NULL,
        reason = CASE WHEN l.state = 'unknown' THEN 'asking' WHEN :prepares THEN 'preparing' END,
        lease_until = now() + :lease_s * interval '1 s', lease_token = CAST(:token AS uuid), last_error = {_NOTED.format("l")}
    FROM locked l WHERE d.tenant_id = :tenant AND d.id = l.id
)
SELECT l.*, {_EVENT} FROM locked l JOIN event e ON e.tenant_id = :tenant AND e.id = l.event_id
""")  # noqa: S608 - constants only

_EXTEND = text("""
UPDATE delivery SET lease_until = clock_timestamp() + :lease_s * interval '1 s', reason = NULL
WHERE tenant_id = :tenant AND id = :id AND state = 'running' AND lease_token = CAST(:token AS uuid)
RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery whose attempt has been counted. `attempts` includes this one; `state` is the one it was found in.

    `deaths` counts the workers that have died over it in a row, up to now; it is `interrupted` when the last of them did.
    """

    id: UUID
    subject: str
    seq: int
    attempts: int
    interrupted: bool
    state: str
    event: DeliveredEvent
    deaths: int = 0


def begin(session: Session, subscriber: str, ids: Sequence[UUID], *, blocks: bool) -> list[Taken]:
    """Count an attempt of those deliveries that are due, free and in turn; the caller commits before it handles them.

    Returns them with their events, each subject's in order.
    """
    tenant = tenant_of_open(session)
    values = {"tenant": tenant, "ids": list(ids), "subscriber": subscriber, "blocks": blocks}
    taken = [_taken(row, tenant, "pending") for row in session.connection().execute(_BEGIN, values)]
    taken.sort(key=lambda one: (one.subject, one.seq))
    return taken


def finish(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Mark deliveries done, in the transaction that holds their effect. Returns those that were ours to end."""
    return set(session.connection().execute(_FINISH, {"tenant": tenant_of_open(session), "ids": list(ids)}).scalars())


def settle(
    session: Session, verdicts: Sequence[tuple[UUID, Verdict]], *, held: str = "pending", token: UUID | None = None
) -> set[UUID]:
    """Write verdicts on deliveries that are still in state `held` and under the lease `token`. Returns those that were."""
    rows = [
        {
            "id": delivery,
            "state": verdict.state,
            "reason": verdict.reason,
            "error": verdict.error or None,
            "refund": 0 if verdict.counted else 1,
            "delay_s": verdict.delay_s,
        }
        for delivery, verdict in verdicts
    ]
    values = {"tenant": tenant_of_open(session), "rows": encode_json(rows), "held": held, "token": token}
    return set(session.connection().execute(_SETTLE, values).scalars())


def park(session: Session, ids: Sequence[UUID], reason: str) -> None:
    """Set deliveries aside until their plugin is resumed."""
    session.connection().execute(_PARK, {"tenant": tenant_of_open(session), "ids": list(ids), "reason": reason})


def release(session: Session, ids: Sequence[UUID]) -> None:
    """Make deliveries that were not begun due anew, so that the relay does not take them for queued."""
    session.connection().execute(_RELEASE, {"tenant": tenant_of_open(session), "ids": list(ids)})


def give_back(session: Session, ids: Sequence[UUID]) -> None:
    """Undo `begin` for deliveries that were not handled after all."""
    session.connection().execute(_GIVE_BACK, {"tenant": tenant_of_open(session), "ids": list(ids)})


def guard(session: Session, ids: Sequence[UUID]) -> None:
    """Say that these begun deliveries are still being worked on."""
    session.connection().execute(_GUARD, {"tenant": tenant_of_open(session), "ids": list(ids)})


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to one remote call: it ends `seconds` after it was taken or extended, and `token` tells it from a later one."""

    delivery: UUID
    token: UUID
    seconds: float


def take_lease(session: Session, wanted: Lease, subscriber: str, *, blocks: bool, prepares: bool) -> Taken | None:
    """Take one delivery for a remote call and count the attempt; None when it is not due, not in turn, or somebody else's.

    With `prepares` the lease begins in the phase before the call: should it end there, nothing was sent.
    """
    tenant = tenant_of_open(session)
    values = {"subscriber": subscriber, "blocks": blocks, "prepares": prepares, **_held(tenant, wanted)}
    row = session.connection().execute(_LEASE, values).one_or_none()
    return None if row is None else _taken(row, tenant, row.state)


def extend_lease(session: Session, held: Lease) -> bool:
    """Begin the call: the lease runs anew from now on. Returns whether it is still ours."""
    return session.connection().execute(_EXTEND, _held(tenant_of_open(session), held)).one_or_none() is not None


def _held(tenant: int, lease: Lease) -> dict[str, object]:
    return {"tenant": tenant, "id": lease.delivery, "token": lease.token, "lease_s": lease.seconds}


def _taken(row: Row, tenant: int, state: str) -> Taken:
    event = DeliveredEvent(
        id=row.event_id,
        tenant_id=tenant,
        kind=row.kind,
        version=row.version,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        seq=row.seq,
        payload=row.payload,
        occurred_at=row.occurred_at,
        trace=row.trace,
        actor=row.actor,
        delivery_id=row.id,
        generation=row.generation,
        attempt=row.attempts + 1,
    )
    return Taken(row.id, row.subject, row.seq, row.attempts + 1, row.interrupted, state, event, row.deaths)
