"""For the migrations of plugins: the wall around a tenant's table, and the columns that every such table begins with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from core.runtime.db.rls import TENANT, tenant_policy

__all__ = ["create_tenant_table", "tenant_policy"]


def create_tenant_table(name: str, *columns: Any) -> None:
    """Create a tenant's table: key columns, `columns` (and constraints), primary key, policies and grants.

    What `columns` say must match the mapped class; a test compares them.
    """
    op.create_table(
        name,
        sa.Column("tenant_id", sa.Integer(), server_default=sa.text(TENANT), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{name}"),
    )
    for statement in tenant_policy(name):
        op.execute(statement)
