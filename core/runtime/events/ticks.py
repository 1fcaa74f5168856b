"""Firing timers: tick, event and deliveries are one statement, and the tick's key makes sure that it is fired once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import structlog
from psycopg import Connection
from psycopg.rows import class_row

from core.runtime.events.schedules import SUBJECT, Schedule, due_ticks, offset_s
from core.runtime.events.subscribers import Mode, SubscriberRegistry

_TENANTS = "SELECT id, timezone FROM tenant WHERE is_active ORDER BY id"

_LAST = """
SELECT s.tenant_id, s.task, (SELECT max(x.tick) FROM schedule_tick x WHERE x.tenant_id = s.tenant_id AND x.task = s.task)
FROM unnest(%(tenants)s::int[], %(tasks)s::text[]) AS s(tenant_id, task)
"""

_FIRE = f"""
WITH ticked AS (
    INSERT INTO schedule_tick (tenant_id, task, tick)
    SELECT * FROM unnest(%(tenants)s::int[], %(tasks)s::text[], %(ticks)s::timestamptz[])
    ON CONFLICT (tenant_id, task, tick) DO NOTHING
    RETURNING tenant_id, task, tick
), happened AS (
    INSERT INTO event (tenant_id, subject_type, subject_id, seq, kind, payload, trace)
    SELECT tenant_id, '{SUBJECT}', task, extract(epoch FROM tick)::bigint, '{SUBJECT}.' || task,
        jsonb_build_object('tick', to_char(tick AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')),
        replace(uuidv7()::text, '-', '')
    FROM ticked
    RETURNING tenant_id, id, subject_id, seq, kind
), addressed AS (
    INSERT INTO delivery (tenant_id, event_id, subscriber, subject, seq)
    SELECT h.tenant_id, h.id, w.subscriber, '{SUBJECT}:' || h.subject_id, h.seq
    FROM happened h JOIN unnest(%(heard_by)s::int[], %(kinds)s::text[], %(subscribers)s::text[]) AS w(tenant_id, kind, subscriber)
        ON w.tenant_id = h.tenant_id AND w.kind = h.kind
)
SELECT count(*) FROM ticked
"""  # noqa: S608 - a constant


class TenantZone(NamedTuple):
    """An active tenant and the name of its time zone."""

    id: int
    timezone: str


class Timekeeper:
    """Fires what is due; remembers what it has fired, so that it asks the database only when something may be due."""

    def __init__(self, schedules: Sequence[Schedule], registry: SubscriberRegistry) -> None:
        self._schedules = schedules
        self._registry = registry
        self._last: dict[tuple[int, str], datetime | None] = {}
        self._tenants: list[TenantZone] = []
        self._read_at: datetime | None = None
        self._log = structlog.get_logger("oms.schedule")

    def fire(self, connection: Connection[Any], now: datetime) -> int:
        """Fire all ticks that are due at `now` in the connection's transaction.

        Returns how many were new; another relay's are not.
        """
        self._read_tenants(connection, now)
        pairs = ((tenant, schedule) for tenant in self._tenants for schedule in self._schedules)
        running = [(tenant, schedule) for tenant, schedule in pairs if self._runs(tenant.id, schedule)]
        self._recall(connection, [(tenant.id, schedule.key) for tenant, schedule in running])
        due = [
            (tenant.id, schedule, tick)
            for tenant, schedule in running
            for tick in due_ticks(
                schedule,
                zone=self._zone(tenant),
                offset=offset_s(schedule, tenant.id),
                now=now,
                last=self._last[tenant.id, schedule.key],
            )
        ]
        if not due:
            return 0
        fired = self._insert(connection, due)
        self._last.update({(tenant_id, schedule.key): tick for tenant_id, schedule, tick in due})
        return fired

    def forget(self) -> None:
        """Read everything anew: the transaction that fired last was lost."""
        self._last.clear()
        self._read_at = None

    def _runs(self, tenant_id: int, schedule: Schedule) -> bool:
        return schedule.plugin is None or self._registry.gate(tenant_id, schedule.plugin) is Mode.ON

    def _read_tenants(self, connection: Connection[Any], now: datetime) -> None:
        if self._read_at is not None and abs(now - self._read_at) < timedelta(seconds=5):
            return
        with connection.cursor(row_factory=class_row(TenantZone)) as cursor:
            self._tenants = cursor.execute(_TENANTS).fetchall()
        self._read_at = now

    def _recall(self, connection: Connection[Any], wanted: Sequence[tuple[int, str]]) -> None:
        unknown = [pair for pair in wanted if pair not in self._last]
        if not unknown:
            return
        values = {"tenants": [pair[0] for pair in unknown], "tasks": [pair[1] for pair in unknown]}
        for tenant_id, task, tick in connection.execute(_LAST, values):
            self._last[tenant_id, task] = tick

    def _zone(self, tenant: TenantZone) -> ZoneInfo:
        try:
            return ZoneInfo(tenant.timezone)
        except (KeyError, ValueError):
            self._log.error("schedule.unknown_zone", tenant=tenant.id, timezone=tenant.timezone)
            return ZoneInfo("UTC")

    def _insert(self, connection: Connection[Any], due: Sequence[tuple[int, Schedule, datetime]]) -> int:
        wires = {
            (tenant_id, schedule.kind, subscriber.key)
            for tenant_id, schedule, _ in due
            for subscriber in self._registry.hearers(schedule.kind)
            if self._registry.mode(tenant_id, subscriber) is Mode.ON
        }
        values = {
            "tenants": [tenant_id for tenant_id, _, _ in due],
            "tasks": [schedule.key for _, schedule, _ in due],
            "ticks": [tick for _, _, tick in due],
            "heard_by": [wire[0] for wire in wires],
            "kinds": [wire[1] for wire in wires],
            "subscribers": [wire[2] for wire in wires],
        }
        row = connection.execute(_FIRE, values).fetchone()
        return int(row[0]) if row else 0
