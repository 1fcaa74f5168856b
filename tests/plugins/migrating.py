"""Whether a plugin's migrations make what its models say, up, down and up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from core.runtime.db.base import metadata
from core.runtime.db.embedded import EmbeddedPostgres
from core.runtime.db.migrate import downgrade, upgrade

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"


def differences_after_migrating(cluster: EmbeddedPostgres, plugin: str) -> tuple[list[Any], dict[str, tuple[bool, bool]]]:
    """What alembic would still change about the plugin's tables, and by table whether row security is on and forced."""
    name, prefix, folder = f"migrated_{plugin}", f"plg_{plugin}_", PLUGINS / plugin / "migrations"
    url = cluster.create_database(name).owner_url
    try:
        upgrade(url, [folder])
        downgrade(url, f"{plugin}@base", [folder])
        upgrade(url, [folder])
        engine = create_engine(url)
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection,
                opts={
                    "compare_type": True,
                    "compare_server_default": True,
                    "include_object": lambda _item, own, kind, _reflected, _other: kind != "table" or str(own).startswith(prefix),
                },
            )
            # The default of tenant_id is null in any session without a tenant, so comparing its value tells nothing.
            found = [one for one in compare_metadata(context, metadata) if not (isinstance(one, list) and one[0][3] == "tenant_id")]
            walls = connection.execute(
                text("SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class WHERE relkind = 'r' AND relname LIKE :like"),
                {"like": f"{prefix}%"},
            )
            secured = {row.relname: (row.relrowsecurity, row.relforcerowsecurity) for row in walls}
        engine.dispose()
    finally:
        cluster.drop_database(name)
    return found, secured
