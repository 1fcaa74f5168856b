"""Hosts that people let plugins talk to.

Revision ID: core_0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from core.runtime.db.rls import tenant_policy

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None

TABLE = "plugin_egress"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("tenant_id", sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("instance", sa.Text(), server_default=sa.text("'main'"), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_plugin_egress"),
        sa.UniqueConstraint("tenant_id", "plugin", "instance", "reference", name="uq_plugin_egress_tenant_id_plugin_instance_reference"),
    )
    for statement in tenant_policy(TABLE):
        op.execute(statement)


def downgrade() -> None:
    op.drop_table(TABLE)
