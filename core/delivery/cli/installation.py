"""The installation that a command works on: its settings, its generated keys, and its embedded servers if it has any."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from config.reading import load_settings
from config.schema import Settings
from core.delivery.logs import configure_logging
from core.runtime.db.embedded import EmbeddedPostgres, Endpoints
from core.runtime.db.embedded_home import write_private
from core.runtime.jobs.embedded import EmbeddedValkey


@dataclass(frozen=True)
class EmbeddedServers:
    """The servers that run in the data folder; None where the settings name another."""

    database: EmbeddedPostgres | None
    queue: EmbeddedValkey | None


def read_installation(**overrides: Any) -> Settings:
    """The settings, with generated keys where they are allowed to be missing (not in production). Starts nothing."""
    settings = load_settings(**overrides)
    if settings.secret_key and settings.master_key:
        return settings
    keys = _generated_keys(settings.data_dir)
    return replace(settings, secret_key=settings.secret_key or keys["secret_key"], master_key=settings.master_key or keys["master_key"])


def new_keys() -> dict[str, str]:
    """Fresh values for the settings `secret_key` and `master_key`."""
    return {
        "secret_key": secrets.token_urlsafe(48),
        "master_key": f"{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(32)).decode()}",
    }


def embedded_servers(settings: Settings) -> EmbeddedServers:
    """The embedded servers of these settings, not started."""
    return EmbeddedServers(
        database=EmbeddedPostgres(settings.data_dir / "postgres") if settings.embeds_database else None,
        queue=EmbeddedValkey(settings.data_dir / "valkey") if settings.embeds_queue else None,
    )


def with_servers(settings: Settings, endpoints: Endpoints | None, queue_url: str | None) -> Settings:
    """The settings with the addresses of embedded servers filled in."""
    if endpoints is not None:
        settings = replace(
            settings,
            database_url=endpoints.app_url,
            database_owner_url=endpoints.owner_url,
            relay_url=endpoints.relay_url,
            backup_url=endpoints.backup_url,
        )
    return settings if queue_url is None else replace(settings, queue_url=queue_url)


@contextmanager
def running_installation(**overrides: Any) -> Iterator[Settings]:
    """Settings whose servers run, for the time of the block: embedded ones are joined, or started and stopped again.

    Every command that touches the database opens this first; it sets up logging too. Servers of its own that the settings
    name are not checked.
    """
    settings = read_installation(**overrides)
    configure_logging(settings.log_level, settings.log_format)
    servers = embedded_servers(settings)
    try:
        endpoints = servers.database.start() if servers.database else None
        queue_url = servers.queue.start() if servers.queue else None
        yield with_servers(settings, endpoints, queue_url)
    finally:
        for server in (servers.queue, servers.database):
            if server is not None:
                server.stop()


def _generated_keys(data_dir: Path) -> dict[str, str]:
    file = data_dir / "keys.json"
    if not file.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh = data_dir / f"keys.{os.getpid()}.json"
        write_private(fresh, json.dumps(new_keys(), indent=1), None)
        # Two commands may get here at once; the second must take the keys of the first.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    keys: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return keys
