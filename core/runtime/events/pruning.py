"""Forgetting what is over: deliveries, ticks, raw messages and old events, in small bites, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection

BITE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How many days things are kept after their end.

    Events are the facts that histories and back-tests read: they stay longest.
    """

    done: int = 30
    dead: int = 180
    inbox: int = 30
    ticks: int = 30
    events: int = 400


# Ids begin with the time at which they were made, so the primary key leads to the oldest rows; nothing else is indexed for this.
_BITE = """
DELETE FROM {table} WHERE (tenant_id, id) IN (
    SELECT x.tenant_id, x.id FROM tenant t CROSS JOIN LATERAL (
        SELECT d.tenant_id, d.id FROM {table} d WHERE d.tenant_id = t.id AND d.id < %(first)s AND {over}
        ORDER BY d.id LIMIT %(bite)s FOR UPDATE SKIP LOCKED) x
    LIMIT %(bite)s)
"""
_NO_DELIVERY = "NOT EXISTS (SELECT FROM delivery o WHERE o.tenant_id = d.tenant_id AND o.event_id = d.id)"


def first_id(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _rules(keep: Keep) -> Iterator[tuple[str, int, str]]:
    yield "delivery", keep.done, "d.state IN ('done', 'skipped') AND d.finished_at < %(limit)s"
    yield "delivery", keep.dead, "d.state = 'dead' AND d.finished_at < %(limit)s"
    yield "inbox", keep.inbox, "true"
    yield "schedule_tick", keep.ticks, "true"
    yield "event", keep.events, _NO_DELIVERY


def prune(connection: Connection[Any], now: datetime, keep: Keep) -> int:
    """Delete one bite of each kind, each in its own transaction.

    Returns how many rows went; fewer than a bite means nothing is left.
    """
    count = 0
    for table, days, over in _rules(keep):
        limit = now - timedelta(days=days)
        with connection.transaction():
            statement = _BITE.format(table=table, over=over)
            count += connection.execute(statement, {"first": first_id(limit), "limit": limit, "bite": BITE}).rowcount
    return count
