"""Subscriptions, messages, attempts.

Revision ID: outbound_webhooks_0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.sdk.migrations import create_tenant_table

revision = "outbound_webhooks_0001"
down_revision = None
branch_labels = ("outbound_webhooks",)
depends_on = "core_0001"

PREFIX = "plg_outbound_webhooks"
_NOW = sa.text("now()")
_EMPTY = sa.text("''")


def _moment(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **options)


def upgrade() -> None:
    create_tenant_table(
        f"{PREFIX}_hook",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("paused", sa.Text(), server_default=_EMPTY, nullable=False),
        _moment("paused_at"),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("secret_hint", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.Column("former_secret", sa.LargeBinary()),
        _moment("former_until"),
        _moment("rotated_at"),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("failing_since"),
        _moment("last_at"),
        _moment("created_at", server_default=_NOW, nullable=False),
        _moment("updated_at", server_default=_NOW, nullable=False),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.UniqueConstraint("tenant_id", "name", name=f"uq_{PREFIX}_hook_tenant_id_name"),
        sa.CheckConstraint("paused IN ('', 'by_hand', 'failures', 'gone')", name=op.f(f"ck_{PREFIX}_hook_paused")),
    )
    create_tenant_table(
        f"{PREFIX}_message",
        sa.Column("hook_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("is_test", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("turn", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("next_at"),
        _moment("made_at", server_default=_NOW, nullable=False),
        _moment("ended_at"),
        sa.UniqueConstraint("tenant_id", "hook_id", "event_id", name=f"uq_{PREFIX}_message_tenant_id_hook_id_event_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hook_id"],
            [f"{PREFIX}_hook.tenant_id", f"{PREFIX}_hook.id"],
            name=f"fk_{PREFIX}_message_tenant_id_hook_id",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'retrying', 'delivered', 'failed', 'held')", name=op.f(f"ck_{PREFIX}_message_state")
        ),
    )
    op.create_index(f"ix_{PREFIX}_message_log", f"{PREFIX}_message", ["tenant_id", "hook_id", "id"])
    op.create_index(f"ix_{PREFIX}_message_state", f"{PREFIX}_message", ["tenant_id", "hook_id", "state", "id"])
    create_tenant_table(
        f"{PREFIX}_attempt",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        _moment("started_at", nullable=False),
        sa.Column("took_ms", sa.Integer()),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("code", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.Column("answer", sa.Text(), server_default=_EMPTY, nullable=False),
        sa.UniqueConstraint("tenant_id", "message_id", "number", name=f"uq_{PREFIX}_attempt_tenant_id_message_id_number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            [f"{PREFIX}_message.tenant_id", f"{PREFIX}_message.id"],
            name=f"fk_{PREFIX}_attempt_tenant_id_message_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    for name in ("attempt", "message", "hook"):
        op.drop_table(f"{PREFIX}_{name}")
