"""Preparing a PostgreSQL server for Orderloom: its four roles, its database, and the functions that are harmless under row-level security.

    oms_owner    owns the database and runs migrations
    oms_app      web and workers, inside one tenant
    oms_relay    sees events, deliveries and ticks of all tenants, nothing else
    oms_backup   reads everything, for dumps

Done by a superuser, or by the administrator of a managed server as far as that one may.
"""

from __future__ import annotations

import psycopg
from psycopg import sql

OWNER, BACKUP = "oms_owner", "oms_backup"
ROLES = (OWNER, "oms_app", "oms_relay", BACKUP)

# Under row-level security only LEAKPROOF functions may reach an index. PostgreSQL marks few, out of caution. Those below
# are harmless: for the types that Orderloom stores they neither raise an error nor send a message that depends on the
# values they see. Left out on purpose: LIKE and regular expressions (a pattern such as 'x\' raises only for rows that
# begin with x, which tells rows apart), casts and arithmetic (overflow and syntax errors quote the value), jsonb_path_*
# (strict mode raises), jsonb_array_elements (raises for scalars). The array functions ask the element type's own
# comparison: text, uuid and integers, which PostgreSQL itself marks.
LEAKPROOF = (
    *(f"jsonb_{name}(jsonb, jsonb)" for name in ("eq", "ne", "lt", "le", "gt", "ge", "cmp", "contains", "contained")),
    *(f"jsonb_{name}(jsonb, text)" for name in ("object_field", "object_field_text", "exists")),
    *(f"jsonb_{name}(jsonb, integer)" for name in ("array_element", "array_element_text")),
    *(f"jsonb_{name}(jsonb, text[])" for name in ("extract_path", "extract_path_text", "exists_any", "exists_all")),
    *(f"numeric_{name}(numeric, numeric)" for name in ("eq", "ne", "lt", "le", "gt", "ge", "cmp")),
    *(f"array_{name}(anyarray, anyarray)" for name in ("eq", "ne", "lt", "le", "gt", "ge")),
    *(f"{name}(anyarray, anyarray)" for name in ("btarraycmp", "arrayoverlap", "arraycontains", "arraycontained")),
    "lower(text)",
)


def make_roles(connection: psycopg.Connection, passwords: dict[str, str]) -> list[str]:
    """Make or correct the roles of `passwords`, in a connection with autocommit; may run any number of times.

    The server learns only what it needs to check a password (SCRAM), so none can turn up in its log. Returns a sentence for each
    thing that the connected administrator has no right to do.
    """
    left_out = []
    known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
    for role, password in passwords.items():
        name = sql.Identifier(role)
        if role not in known:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(verifier)))
        connection.execute(sql.SQL("ALTER ROLE {} NOCREATEDB NOCREATEROLE").format(name))
    if BACKUP in passwords:
        try:
            connection.execute("ALTER ROLE oms_backup BYPASSRLS")
            connection.execute("GRANT pg_read_all_data TO oms_backup")
        except psycopg.errors.InsufficientPrivilege as error:
            left_out.append(f"oms_backup cannot read all tenants ({error.diag.message_primary}); back up by the server's own means.")
    return left_out


def mark_leakproof(connection: psycopg.Connection) -> list[str]:
    """Mark the functions of LEAKPROOF in the connection's database; may run any number of times.

    Functions belong to a database, and a new one gets those of its template. Returns a sentence when the right to do so is missing.
    """
    try:
        for function in LEAKPROOF:
            connection.execute(f"ALTER FUNCTION pg_catalog.{function} LEAKPROOF".encode())
    except psycopg.errors.InsufficientPrivilege:
        return ["Filters on custom fields scan the tenant's rows: only a superuser may mark functions LEAKPROOF."]
    return []


def make_database(connection: psycopg.Connection, name: str, template: str = "template1") -> None:
    """Create a database that `oms_owner` owns and only our roles may enter, in a connection with autocommit.

    Raises psycopg's DuplicateDatabase when there is one of that name.
    """
    database = sql.Identifier(name)
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(OWNER)))
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(database, sql.Identifier(OWNER), sql.Identifier(template)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO oms_app, oms_relay, oms_backup").format(database))
