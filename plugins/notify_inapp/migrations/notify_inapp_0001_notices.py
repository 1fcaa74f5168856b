"""Notices, and what people do not want to be told.

Revision ID: notify_inapp_0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.sdk.migrations import create_tenant_table

revision = "notify_inapp_0001"
down_revision = None
branch_labels = ("notify_inapp",)
depends_on = "core_0001"

NOTICE, MUTED = "plg_notify_inapp_notice", "plg_notify_inapp_muted"
_NOW = sa.text("now()")


def upgrade() -> None:
    create_tenant_table(
        NOTICE,
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("subjects", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("subject_count", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=_NOW, nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
    )
    op.create_index(
        "uq_plg_notify_inapp_notice_unread",
        NOTICE,
        ["tenant_id", "user_id", "group_key"],
        unique=True,
        postgresql_where=sa.text("read_at IS NULL"),
    )
    op.create_index("ix_plg_notify_inapp_notice_latest", NOTICE, ["tenant_id", "user_id", "last_at", "id"])
    op.create_index("ix_plg_notify_inapp_notice_group", NOTICE, ["tenant_id", "user_id", "group_key", "read_at"])
    create_tenant_table(
        MUTED,
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.UniqueConstraint("tenant_id", "user_id", "kind", name=f"uq_{MUTED}_tenant_id_user_id_kind"),
    )


def downgrade() -> None:
    op.drop_table(MUTED)
    op.drop_table(NOTICE)
