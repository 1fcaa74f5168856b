"""Refusing to start when the walls or the secrets would not hold."""

from __future__ import annotations

import pytest

from core.runtime.db.role import RoleTooPowerful
from core.runtime.security.boot import refuse_unsafe_start
from core.runtime.security.keyring import MasterKeyChanged, Vault, VaultMissing
from core.runtime.tenancy.database import Database
from tests.fixtures.database import MASTER_KEY

pytestmark = pytest.mark.database


def _start(url, vault):
    database = Database(url, vault=vault)
    try:
        refuse_unsafe_start(database)
    finally:
        database.dispose()


def test_process_starts_again_and_again_with_the_same_key(world):
    _start(world.app_url, Vault(MASTER_KEY))
    _start(world.app_url, Vault(MASTER_KEY))


def test_process_does_not_start_with_another_key_or_none(world):
    _start(world.app_url, Vault(MASTER_KEY))

    with pytest.raises(MasterKeyChanged):
        _start(world.app_url, Vault({"test": bytes(32)}))
    with pytest.raises(VaultMissing):
        _start(world.app_url, None)


def test_process_does_not_start_as_the_owner_of_the_tables(world):
    with pytest.raises(RoleTooPowerful):
        _start(world.owner_url, Vault(MASTER_KEY))
