"""The relay's statements: what is due, whose turn it is, which leases have run out.

They run as the relay's role, which sees deliveries of all tenants and nothing of their business. Looking for due deliveries only
reads; what is written skips rows that somebody else holds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from psycopg import Connection
from psycopg.rows import class_row

from core.runtime.events.sharing import Pair, Picked
from core.runtime.events.subscribers import Mode, SubscriberRegistry

LEADER_KEY = 720_351_612
HUNG_S = 15.0

# Steps from one (tenant, subscriber) with something waiting to the next, one index probe each, however long their queues are.
_PAIRS = """
WITH RECURSIVE pair AS (
    (SELECT tenant_id, subscriber FROM delivery WHERE state IN ('pending', 'unknown') ORDER BY tenant_id, subscriber LIMIT 1)
    UNION ALL
    SELECT n.tenant_id, n.subscriber FROM pair p CROSS JOIN LATERAL (
        SELECT d.tenant_id, d.subscriber FROM delivery d
        WHERE d.state IN ('pending', 'unknown') AND (d.tenant_id, d.subscriber) > (p.tenant_id, p.subscriber)
        ORDER BY d.tenant_id, d.subscriber LIMIT 1) n
)
SELECT p.tenant_id, p.subscriber FROM pair p JOIN tenant t ON t.id = p.tenant_id AND t.is_active
"""

_PICK = """
SELECT d.* FROM unnest(%(tenants)s::int[], %(subscribers)s::text[], %(limits)s::int[]) AS p(tenant_id, subscriber, k)
CROSS JOIN LATERAL (
    SELECT d.id, d.tenant_id, d.subscriber, d.subject, d.seq, d.next_at, d.attempts, d.started_at IS NOT NULL AS interrupted
    FROM delivery d
    WHERE d.tenant_id = p.tenant_id AND d.subscriber = p.subscriber AND d.state IN ('pending', 'unknown')
        AND d.next_at <= now() AND (d.guard_until IS NULL OR d.guard_until < now())
    ORDER BY d.next_at, d.id LIMIT p.k) d
"""

# For whom only the newest counts: what is older and has not begun is done with.
_COALESCE = """
UPDATE delivery o SET state = 'skipped', reason = 'coalesced', finished_at = now()
WHERE (o.tenant_id, o.id) IN (
    SELECT s.tenant_id, s.id FROM unnest(%(tenants)s::int[], %(subscribers)s::text[], %(subjects)s::text[], %(seqs)s::bigint[])
        AS n(tenant_id, subscriber, subject, seq)
    JOIN delivery s ON s.tenant_id = n.tenant_id AND s.subscriber = n.subscriber AND s.subject = n.subject AND s.seq < n.seq
    WHERE s.state IN ('pending', 'dead') AND (s.guard_until IS NULL OR s.guard_until < now())
    FOR UPDATE OF s SKIP LOCKED)
RETURNING o.id
"""

# An unfinished lower number that is not picked in the same round holds a delivery back. Behind one that is being worked on it
# stays due; behind one that waits it waits too, so that long rows of such deliveries are not looked at again and again.
_HOLD_BACK = """
WITH behind AS (
    SELECT p.tenant_id, p.id, b.wait
    FROM unnest(%(tenants)s::int[], %(ids)s::uuid[], %(subscribers)s::text[], %(subjects)s::text[], %(seqs)s::bigint[])
        AS p(tenant_id, id, subscriber, subject, seq)
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN o.state = 'pending' AND o.next_at > now() THEN least(o.next_at + interval '0.1 s', now() + interval '300 s')
            WHEN o.state IN ('running', 'unknown') THEN now() + interval '1 s'
            WHEN o.state IN ('parked', 'dead') THEN now() + interval '60 s'
        END AS wait
        FROM delivery o
        WHERE o.tenant_id = p.tenant_id AND o.subscriber = p.subscriber AND o.subject = p.subject AND o.seq < p.seq
            AND o.state NOT IN ('done', 'skipped') AND (o.state <> 'dead' OR o.subscriber = ANY(%(blocking)s))
            AND NOT o.id = ANY(%(picked)s)
        ORDER BY o.seq DESC LIMIT 1) b
), later AS (
    UPDATE delivery d SET next_at = b.wait, reason = 'order'
    FROM behind b JOIN LATERAL (
        SELECT x.tenant_id, x.id FROM delivery x
        WHERE x.tenant_id = b.tenant_id AND x.id = b.id AND x.state || '' = 'pending' FOR UPDATE SKIP LOCKED) f ON true
    WHERE b.wait IS NOT NULL AND d.tenant_id = f.tenant_id AND d.id = f.id
)
SELECT id, wait IS NULL FROM behind
"""

# One relay works, others stand by. One that holds the lock but has not moved for a while (stopped, or cut off) loses its
# connection.
_LEAD = "SELECT pg_try_advisory_lock(%s)"
_DEPOSE = """
SELECT pg_terminate_backend(a.pid)
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.classid = 0 AND l.objid = %s AND l.objsubid = 1 AND l.granted
    AND a.pid <> pg_backend_pid() AND a.state = 'idle' AND a.state_change < clock_timestamp() - %s * interval '1 s'
"""

# A remote call whose worker is gone: if it had not begun, it is due again; else nobody knows how it ended, and the remote side
# is asked.
_EXPIRE = """
UPDATE delivery d SET state = CASE WHEN d.reason = 'preparing' THEN 'pending' ELSE 'unknown' END,
    reason = 'interrupted', next_at = now(), guard_until = NULL, lease_until = NULL, lease_token = NULL
WHERE (d.tenant_id, d.id) IN (
    SELECT tenant_id, id FROM delivery WHERE state = 'running' AND lease_until < now() LIMIT 1000 FOR UPDATE SKIP LOCKED)
"""

_PARKED = """
SELECT DISTINCT tenant_id, subscriber FROM delivery WHERE state = 'parked' AND reason IN ('plugin', 'missing')
"""

_RESUME = """
UPDATE delivery SET state = 'pending', reason = NULL, next_at = now()
WHERE tenant_id = %s AND subscriber = %s AND state = 'parked' AND reason IN ('plugin', 'missing')
"""


class InTurn(NamedTuple):
    """Picked deliveries whose turn it is, and how many stay due behind one that is being worked on."""

    picked: list[Picked]
    held: int


def lead(connection: Connection[Any]) -> bool:
    """Become the relay that works, or stay it. Returns False while another one does; a dead one is deposed."""
    row = connection.execute(_LEAD, (LEADER_KEY,)).fetchone()
    if row is not None and row[0]:
        return True
    connection.execute(_DEPOSE, (LEADER_KEY, HUNG_S))
    return False


def waiting_pairs(connection: Connection[Any]) -> list[Pair]:
    """Tenants and subscribers with unfinished deliveries, due or not; of active tenants only."""
    with connection.cursor(row_factory=class_row(Pair)) as cursor:
        return cursor.execute(_PAIRS).fetchall()


def pick(connection: Connection[Any], given: Mapping[Pair, int]) -> list[Picked]:
    """Due deliveries that nobody works on, up to the given number for each pair, those due longest first."""
    values = {
        "tenants": [pair.tenant_id for pair in given],
        "subscribers": [pair.subscriber for pair in given],
        "limits": list(given.values()),
    }
    return [Picked._make(row) for row in connection.execute(_PICK, values).fetchall()]


def coalesce(connection: Connection[Any], picked: Sequence[Picked], coalescing: Collection[str]) -> list[Picked]:
    """Skip what is older than the newest picked event of a subject, for subscribers that want only that. Returns the rest."""
    newest: dict[tuple[int, str, str], int] = {}
    for one in picked:
        if one.subscriber in coalescing:
            key = (one.tenant_id, one.subscriber, one.subject)
            newest[key] = max(one.seq, newest.get(key, 0))
    if not newest:
        return list(picked)
    values = {
        "tenants": [key[0] for key in newest],
        "subscribers": [key[1] for key in newest],
        "subjects": [key[2] for key in newest],
        "seqs": list(newest.values()),
    }
    skipped = {row[0] for row in connection.execute(_COALESCE, values)}
    return [one for one in picked if one.id not in skipped]


def in_turn(connection: Connection[Any], picked: Sequence[Picked], blocking: Sequence[str]) -> InTurn:
    """Leave out what comes after an unfinished event of its subject; put off what will have to wait for longer."""
    later = [one for one in picked if one.seq > 1]
    if not later:
        return InTurn(list(picked), 0)
    values = {
        "tenants": [one.tenant_id for one in later],
        "ids": [one.id for one in later],
        "subscribers": [one.subscriber for one in later],
        "subjects": [one.subject for one in later],
        "seqs": [one.seq for one in later],
        "picked": [one.id for one in picked],
        "blocking": list(blocking),
    }
    behind = dict(connection.execute(_HOLD_BACK, values).fetchall())
    return InTurn([one for one in picked if one.id not in behind], sum(behind.values()))


def expire_leases(connection: Connection[Any]) -> int:
    """Take back deliveries whose lease has run out. Returns how many."""
    return connection.execute(_EXPIRE).rowcount


def resume_parked(connection: Connection[Any], registry: SubscriberRegistry) -> int:
    """Put back what was parked because its plugin was off and has been switched on meanwhile. Returns how many."""
    count = 0
    for tenant_id, key in connection.execute(_PARKED).fetchall():
        subscriber = registry.find(key)
        if subscriber is not None and registry.mode(tenant_id, subscriber) in (Mode.ON, Mode.DRAINING):
            count += connection.execute(_RESUME, (tenant_id, key)).rowcount
    return count
