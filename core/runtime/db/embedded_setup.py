"""What an embedded PostgreSQL is told: its settings, and who may connect."""

from __future__ import annotations

from pathlib import Path

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
# Values are orders and people; the log shows statements without them.
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
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


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace("'", "''")
