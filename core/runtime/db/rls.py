"""Row-level security as DDL: the second wall between tenants.

Every tenant table has one forced policy for all commands that compares `tenant_id` with the transaction-local setting `app.tenant`.
Unset or empty means no rows. `oms_relay` gets a policy of its own on the few tables it must see across tenants.
"""

from __future__ import annotations

from sqlalchemy.orm import Mapper

from core.runtime.db.base import Base, TenantScoped, metadata

TENANT = "nullif(current_setting('app.tenant', true), '')::int"
USER = "nullif(current_setting('app.user', true), '')::int"


def tenant_policy(table: str) -> list[str]:
    """Statements that put `table` behind the wall and let the application role work on its rows."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS tenant_wall ON {table}",
        f"CREATE POLICY tenant_wall ON {table} TO oms_app USING (tenant_id = {TENANT}) WITH CHECK (tenant_id = {TENANT})",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO oms_app",
        f"GRANT SELECT ON {table} TO oms_backup",
    ]


def append_only(table: str) -> list[str]:
    """Statements that let the application role add rows to `table` but never change or delete one."""
    return [f"REVOKE UPDATE, DELETE ON {table} FROM oms_app"]


def own_rows_policy(table: str, column: str = "user_id") -> list[str]:
    """Let a signed-in user read their own rows of `table` before a tenant is chosen."""
    return [
        f"DROP POLICY IF EXISTS own_rows ON {table}",
        f"CREATE POLICY own_rows ON {table} FOR SELECT TO oms_app USING ({column} = {USER})",
    ]


def relay_policy(table: str) -> list[str]:
    """Let the relay role see and mark the rows of `table` of every tenant."""
    return [
        f"DROP POLICY IF EXISTS relay_door ON {table}",
        f"CREATE POLICY relay_door ON {table} TO oms_relay USING (true) WITH CHECK (true)",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO oms_relay",
    ]


def global_table(table: str, *, app: str = "SELECT, INSERT, UPDATE, DELETE") -> list[str]:
    """Grants for a table that belongs to the platform, not to a tenant."""
    return [f"GRANT {app} ON {table} TO oms_app", f"GRANT SELECT ON {table} TO oms_relay, oms_backup"]


def _mapper_of(table: str) -> Mapper | None:
    return next((mapper for mapper in Base.registry.mappers if getattr(mapper.local_table, "name", None) == table), None)


def wall_statements(tables: list[str] | None = None) -> list[str]:
    """All policies and grants for `tables` (default: every mapped table), as the models declare them."""
    statements: list[str] = ["GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO oms_app"]
    for table in sorted(metadata.tables if tables is None else tables):
        mapper = _mapper_of(table)
        owner = mapper.class_ if mapper is not None else None
        if owner is None or not issubclass(owner, TenantScoped):
            statements += global_table(table, app=getattr(owner, "__app_grant__", "SELECT, INSERT, UPDATE, DELETE"))
            continue
        statements += tenant_policy(table)
        if owner.__append_only__:
            statements += append_only(table)
        if owner.__relay__:
            statements += relay_policy(table)
        if owner.__own_rows__:
            statements += own_rows_policy(table, owner.__own_rows__)
    return statements
