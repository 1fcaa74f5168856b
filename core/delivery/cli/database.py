"""The installation's database for commands that work on accounts and tenants."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.schema import Settings
from core.delivery.cli.installation import running_installation
from core.runtime.security.permissions import CORE_PERMISSIONS, PermissionRegistry, Rights
from core.runtime.security.vault import Vault
from core.runtime.tenancy.database import Database


@dataclass(frozen=True)
class Opened:
    """An installation with its database open. `rights` knows the core's permissions, which is enough to tell owners from others."""

    settings: Settings
    database: Database
    rights: Rights

    def link(self, path: str) -> str:
        """`path` as an address to send to somebody."""
        base = self.settings.public_url or running_address(self.settings.data_dir)
        base = base or f"http://{self.settings.host}:{self.settings.port}"
        return base.rstrip("/") + path


def running_address(data_dir: Path) -> str:
    """Where `oms up` serves the data of this folder at the moment, or nothing; it may listen on another port than the settings say."""
    try:
        said = json.loads((data_dir / "up.json").read_text(encoding="utf-8"))
        os.kill(said["pid"], 0)
    except PermissionError:
        return str(said["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(said["address"])


@contextmanager
def opened(name: str) -> Iterator[Opened]:
    """The running installation for the time of the block; `name` is how the connection shows in the database."""
    with running_installation() as settings:
        database = Database(settings.database_url, pool_size=1, name=name, vault=Vault.from_text(settings.master_key))
        try:
            yield Opened(settings, database, Rights(PermissionRegistry(CORE_PERMISSIONS)))
        finally:
            database.dispose()
