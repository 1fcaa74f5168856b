"""`oms doctor`: what is wrong with this installation, and the command that repairs it."""

from __future__ import annotations

import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import click
import redis
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from config.reading import unsafe_values
from config.schema import Settings
from core.delivery.cli.installation import running_installation
from core.delivery.cli.listening import is_ready
from core.delivery.cli.output import json_option, show
from core.delivery.cli.plugin_folders import migration_folders
from core.kernel.errors import OrderloomError
from core.runtime.db.migrate import pending
from core.runtime.db.role import powers_of_role
from core.runtime.security.keyring import Vault
from core.runtime.tenancy.database import Database

LEAST_FREE_BYTES = 1 << 30


@dataclass(frozen=True)
class Finding:
    """The result of one check. `repair` is a command or a setting, empty when nothing is wrong."""

    check: str
    is_ok: bool
    message: str
    repair: str = ""


class Fault(Exception):
    """A check found something wrong; `repair` says what helps."""

    def __init__(self, message: str, repair: str) -> None:
        super().__init__(message)
        self.repair = repair


def check_python(settings: Settings) -> str:  # noqa: ARG001 - all checks have one signature
    """Python is new enough."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an installation may have been moved to an older one
        raise Fault(f"Python {platform.python_version()} is too old.", "install Python 3.11 or newer, then: python3 dev.py setup")
    return f"Python {platform.python_version()}"


def check_settings(settings: Settings) -> str:
    """No setting is unsafe; outside production this is for information."""
    unsafe = unsafe_values(settings)
    if unsafe and settings.is_production:
        raise Fault(" ".join(unsafe), "see docs/reference/settings.md")
    return f"{settings.environment}" + (f", {len(unsafe)} values would not do in production" if unsafe else "")


def check_data_folder(settings: Settings) -> str:
    """The data folder can be written to and has room."""
    probe = settings.data_dir / ".doctor"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise Fault(f"{settings.data_dir} cannot be written to: {error.strerror}.", f"chown -R $(id -un) {settings.data_dir}") from error
    free = shutil.disk_usage(settings.data_dir).free
    if free < LEAST_FREE_BYTES:
        raise Fault(f"Only {free >> 20} MiB are free in {settings.data_dir}.", "free some space, or set OMS_DATA_DIR")
    return f"{settings.data_dir}, {free >> 30} GiB free"


def check_database(settings: Settings) -> str:
    """PostgreSQL answers and is new enough."""
    with _connected(settings.database_url, "OMS_DATABASE_URL") as connection:
        version = connection.dialect.server_version_info or (0,)
        if version[0] < 18:
            raise Fault(f"PostgreSQL {version[0]} is too old; 18 is needed.", "upgrade the server (see deploy/compose.yaml)")
        return f"PostgreSQL {'.'.join(map(str, version))}"


def check_role(settings: Settings) -> str:
    """The application's role cannot step over the walls between tenants."""
    with _connected(settings.database_url, "OMS_DATABASE_URL") as connection:
        powers = powers_of_role(connection)
        if powers:
            raise Fault(f"The application's role {', '.join(powers)}.", "set OMS_DATABASE_URL to the role oms_app")
        return f"{connection.engine.url.username} owns nothing and obeys row-level security"


def check_relay(settings: Settings) -> str:
    """The relay's role can log in."""
    if not settings.relay_url:
        raise Fault("No address is set for the relay.", "set OMS_RELAY_URL to the role oms_relay")
    with _connected(settings.relay_url, "OMS_RELAY_URL") as connection:
        return f"{connection.engine.url.username} can log in"


def check_schema(settings: Settings) -> str:
    """All migrations have run."""
    missing = pending(settings.database_owner_url or settings.database_url, migration_folders(settings))
    if missing:
        raise Fault(f"{len(missing)} migrations have not run: {', '.join(missing)}.", "oms migrate")
    return "up to date"


def check_queue(settings: Settings) -> str:
    """Valkey answers and never throws keys away."""
    with redis.Redis.from_url(settings.queue_url, socket_connect_timeout=5, socket_timeout=5) as client:
        try:
            server, memory = client.info("server"), client.info("memory")
        except redis.RedisError as error:
            raise Fault(f"Valkey does not answer: {error}.", "start it, or correct OMS_QUEUE_URL") from error
    if memory.get("maxmemory_policy") != "noeviction":
        raise Fault("Valkey may throw keys away when memory is short.", "valkey-cli config set maxmemory-policy noeviction")
    return f"Valkey {server.get('valkey_version') or server.get('redis_version')}"


def check_master_key(settings: Settings) -> str:
    """The master key opens what is stored."""
    vault = Vault.from_text(settings.master_key)
    database = Database(settings.database_url, pool_size=1, name="oms-doctor")
    try:
        with database.platform() as session:
            vault.check(session)
    except SQLAlchemyError as error:
        raise Fault(f"It could not be tried: {_first_line(error)}", "oms migrate") from error
    finally:
        database.dispose()
    return f"{vault.current} opens all stored keys"


def check_port(settings: Settings) -> str:
    """The port is free, or it is us who answer there."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if is_ready(settings.host, settings.port):
                return f"{settings.port}: the site answers there and is ready"
            raise Fault(
                f"Port {settings.port} on {settings.host}: {error.strerror}.", "set OMS_PORT, or stop what listens there"
            ) from error
    return f"{settings.port} is free"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "python": check_python,
    "settings": check_settings,
    "data folder": check_data_folder,
    "database": check_database,
    "role": check_role,
    "relay": check_relay,
    "schema": check_schema,
    "queue": check_queue,
    "master key": check_master_key,
    "port": check_port,
}


def examine(settings: Settings) -> list[Finding]:
    """Run every check, also after one has failed. Needs an installation whose embedded servers run."""
    return [_finding(name, check, settings) for name, check in CHECKS.items()]


@click.command(short_help="Say what is wrong and how to repair it.")
@json_option
def command(as_json: bool) -> int:
    """Check this installation. Exit code 1 when something is wrong; each line then names the command that repairs it."""
    with running_installation() as settings:
        findings = examine(settings)
    lines = [f"{'ok' if one.is_ok else 'WRONG':<6} {one.check:<12} {one.message}" for one in findings]
    lines = [line + (f"\n{'':<20}repair: {one.repair}" if one.repair else "") for line, one in zip(lines, findings, strict=True)]
    show([asdict(one) for one in findings], "\n".join(lines), as_json=as_json)
    return 0 if all(one.is_ok for one in findings) else 1


def _finding(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, is_ok=True, message=check(settings))
    except Fault as fault:
        return Finding(name, is_ok=False, message=str(fault), repair=fault.repair)
    except OrderloomError as error:
        return Finding(name, is_ok=False, message=error.message, repair=f"see docs/operations, {error.code}")
    except SQLAlchemyError as error:
        return Finding(name, is_ok=False, message=_first_line(error), repair="oms migrate")


@contextmanager
def _connected(url: str, variable: str) -> Iterator:
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.connect() as connection:
            yield connection
    except SQLAlchemyError as error:
        raise Fault(f"The database does not answer: {_first_line(error)}", f"start it, or correct {variable}") from error
    finally:
        engine.dispose()


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
