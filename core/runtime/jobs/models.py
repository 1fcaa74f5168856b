"""The tables of bulk runs: one action over many records, and what became of each of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.runtime.db.base import JSON, Base, TenantOwned, tenant_index, tenant_ref, tenant_table, tenant_unique

RUN_STATES = ("expanding", "running", "done", "cancelled")
ROW_STATES = ("waiting", "done", "refused", "failed", "cancelled")


class BulkRun(Base, TenantOwned):
    """One action over many records. The numbers count its rows by state; they only ever grow.

    `source` is the filter as it was when the run was asked for, None when the records were named one by one. Two requests with
    one `request_key` are one run.
    """

    __tablename__ = "bulk_run"
    __table_args__ = tenant_table(
        tenant_unique("request_key", name="uq_bulk_run_request_key", where="request_key IS NOT NULL"),
    )

    action: Mapped[str]
    params: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    source: Mapped[JSON | None]
    state: Mapped[str] = mapped_column(server_default=text("'expanding'"))
    total: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    done: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    refused: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    failed: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    cancelled: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    actor: Mapped[JSON]
    request_key: Mapped[str | None]
    retry_of: Mapped[UUID | None] = mapped_column(Uuid())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None]


class BulkRunRow(Base, TenantOwned):
    """One record of a run. Rows of one `chunk` are handled in one transaction."""

    __tablename__ = "bulk_run_row"
    __table_args__ = tenant_table(
        tenant_ref("run_id", "bulk_run", ondelete="CASCADE"),
        tenant_unique("run_id", "subject_id"),
        tenant_index("ix_bulk_run_row_state", "run_id", "state", "id"),
        tenant_index("ix_bulk_run_row_waiting", "run_id", "chunk", where="state = 'waiting'"),
    )

    run_id: Mapped[UUID] = mapped_column(Uuid())
    subject_id: Mapped[UUID] = mapped_column(Uuid())
    chunk: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    code: Mapped[str | None]
    message: Mapped[str | None]
    facts: Mapped[JSON | None]
