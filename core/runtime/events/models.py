"""The tables of events: what happened, who is to hear of it, what came in from outside, and which timers have fired.

They are written in every business transaction, so they are kept small: no foreign key between them (one statement writes an event
with its deliveries, one place prunes both), and each index beyond the keys is partial and covers unfinished work only.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column

from core.runtime.db.base import JSON, Base, TenantOwned, tenant_index, tenant_table, tenant_unique

STATES = ("pending", "running", "unknown", "parked", "done", "dead", "skipped")
FINISHED = ("done", "skipped")
_DUE = "state IN ('pending', 'unknown')"
_OPEN = "state NOT IN ('done', 'skipped')"


class Event(Base, TenantOwned):
    """One fact about a subject. `seq` counts the subject's events from 1, in the order in which they were committed."""

    __tablename__ = "event"
    __relay__ = True
    __table_args__ = tenant_table(tenant_unique("subject_type", "subject_id", "seq"))

    subject_type: Mapped[str]
    subject_id: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    version: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    payload: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    trace: Mapped[str] = mapped_column(server_default=text("''"))
    actor: Mapped[JSON | None]
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Delivery(Base, TenantOwned):
    """One event on its way to one subscriber; a replay is a new `generation`.

    States: pending (due at `next_at`) → running (a remote call is out, under a lease) → done, back to pending, or unknown (nobody
    can say whether the call took effect); parked (waits for a plugin to be resumed); dead (gave up, waits for a person); skipped.
    `started_at` is set while a worker is on it, and nobody else begins it before `guard_until`: a row that comes up again with
    `started_at` set was interrupted by the death of its worker.
    """

    __tablename__ = "delivery"
    __relay__ = True
    __table_args__ = tenant_table(
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state"),
        tenant_unique("event_id", "subscriber", "generation"),
        tenant_index("ix_delivery_due", "subscriber", "next_at", "id", where=_DUE),
        tenant_index("ix_delivery_order", "subscriber", "subject", "seq", where=_OPEN),
        tenant_index("ix_delivery_stopped", "state", "id", where="state IN ('dead', 'parked')"),
        Index("ix_delivery_lease", "lease_until", postgresql_where=text("state = 'running'")),
        {"postgresql_with": {"fillfactor": 60, "autovacuum_vacuum_scale_factor": 0.05}},
    )

    event_id: Mapped[UUID] = mapped_column(Uuid())
    subscriber: Mapped[str]
    subject: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger)
    generation: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    state: Mapped[str] = mapped_column(server_default=text("'pending'"))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(server_default=func.now())
    guard_until: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None] = mapped_column(Uuid())
    finished_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    last_error: Mapped[JSON | None]


class Inbox(Base, TenantOwned):
    """One message from outside, kept as it came. The same message again is the same row."""

    __tablename__ = "inbox"
    __relay__ = True
    __table_args__ = tenant_table(tenant_unique("source", "external_id"))

    source: Mapped[str]
    external_id: Mapped[str]
    headers: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    raw: Mapped[bytes] = mapped_column(BYTEA)
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ScheduleTick(Base, TenantOwned):
    """One firing of a timer for one tenant; whoever inserts it first has fired it."""

    __tablename__ = "schedule_tick"
    __relay__ = True
    __table_args__ = tenant_table(tenant_unique("task", "tick"))

    task: Mapped[str] = mapped_column(Text)
    tick: Mapped[datetime]
    fired_at: Mapped[datetime] = mapped_column(server_default=func.now())
