"""What an embedded PostgreSQL is told: settings, access, roles, and which functions are harmless under row-level security."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import sql

ROLES = ("oms_owner", "oms_app", "oms_relay", "oms_backup")
# Counted up when `bootstrap` changes, so that older clusters are brought up to date at their next start.
BOOTSTRAP_VERSION = 1

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

# Meant for a machine of two cores that also runs web and workers. Safe against power loss unless `durable` is off.
_SETTINGS = """\
# Written by Orderloom at every start; changes here are lost. See docs/operations/embedded.md.
data_directory = '{cluster}'
hba_file = '{cluster}/pg_hba.conf'
ident_file = '{cluster}/pg_ident.conf'
listen_addresses = '{listen}'
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = 150
superuser_reserved_connections = 3
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 16MB
maintenance_work_mem = 128MB
huge_pages = off
jit = off
max_worker_processes = 8
max_parallel_workers = 2
max_parallel_workers_per_gather = 1
random_page_cost = 1.1
wal_level = minimal
max_wal_senders = 0
wal_compression = pglz
min_wal_size = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
fsync = {durable}
full_page_writes = {durable}
autovacuum_naptime = 20s
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.02
track_io_timing = on
idle_in_transaction_session_timeout = 120s
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
log_line_prefix = '%m [%p] %u@%d '
log_min_duration_statement = 2s
log_checkpoints = off
"""


def settings_text(cluster: Path, sockets: Path, *, port: int, tcp: bool, durable: bool) -> str:
    """The whole postgresql.conf. With `tcp` the server also listens on 127.0.0.1."""
    return _SETTINGS.format(
        cluster=_quoted(cluster),
        sockets=_quoted(sockets),
        listen="127.0.0.1" if tcp else "",
        port=port,
        durable="on" if durable else "off",
    )


def access_text() -> str:
    """The whole pg_hba.conf: the superuser only by the socket and as the user who runs the server, all others by password."""
    return (
        "local all postgres peer map=keeper\n"
        "local all all scram-sha-256\n"
        "host all postgres all reject\n"
        "host all all 127.0.0.1/32 scram-sha-256\n"
    )


def keepers_text(names: set[str]) -> str:
    """The whole pg_ident.conf: operating system users who may be the superuser."""
    return "".join(f'keeper "{name}" postgres\n' for name in sorted(names))


def bootstrap(connection: psycopg.Connection, passwords: dict[str, str]) -> None:
    """Make or correct the roles, in a connection to template1 as the superuser with autocommit; may run any number of times.

    Databases made afterwards inherit the leakproof marks, since functions belong to a database and template1 is what they
    are copied from.
    """
    known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
    for role in ROLES:
        verb = "ALTER" if role in known else "CREATE"
        bypass = "BYPASSRLS" if role == "oms_backup" else "NOBYPASSRLS"
        connection.execute(
            sql.SQL(f"{verb} ROLE {{}} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION {bypass} PASSWORD {{}}").format(
                sql.Identifier(role), sql.Literal(passwords[role])
            )
        )
    connection.execute("GRANT pg_read_all_data TO oms_backup")
    mark_leakproof(connection)
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connection.execute("REVOKE ALL ON DATABASE template1, postgres FROM PUBLIC")


def mark_leakproof(connection: psycopg.Connection) -> None:
    """Mark the functions of LEAKPROOF in the connection's database. Needs a superuser; may run any number of times."""
    for function in LEAKPROOF:
        connection.execute(f"ALTER FUNCTION pg_catalog.{function} LEAKPROOF".encode())


def make_database(connection: psycopg.Connection, name: str, template: str) -> None:
    """Create a database that `oms_owner` owns and only our roles may enter, in a superuser connection with autocommit."""
    database = sql.Identifier(name)
    connection.execute(sql.SQL("CREATE DATABASE {} OWNER oms_owner TEMPLATE {}").format(database, sql.Identifier(template)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO oms_app, oms_relay, oms_backup").format(database))


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "''")
