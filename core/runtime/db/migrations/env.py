"""Alembic's entry: runs on the connection that `core.runtime.db.migrate` hands over."""

from __future__ import annotations

from alembic import context

from core.runtime.db.base import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    transaction_per_migration=True,
    compare_type=True,
    include_schemas=False,
)
with context.begin_transaction():
    context.run_migrations()
