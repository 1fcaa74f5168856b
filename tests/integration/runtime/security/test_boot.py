"""Refusing to start when stored secrets could not be read."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import inspect, select

from core.runtime.security.boot import refuse_lost_master_key
from core.runtime.security.keyring import MasterKeyCanary, MasterKeyChanged, MasterKeyInvalid, VaultMissing
from core.runtime.tenancy.database import Database

pytestmark = pytest.mark.database
KEY, OTHER = (base64.b64encode(bytes([number] * 32)).decode() for number in (1, 2))


def _kept(world):
    """The rows by which a process knows the key again."""
    with world.database.platform() as session:
        return session.connection().execute(select(MasterKeyCanary.__table__)).all()


def test_process_starts_again_and_again_with_the_same_key(world):
    refuse_lost_master_key(world.app_url, f"boot:{KEY}")
    first = _kept(world)

    refuse_lost_master_key(world.app_url, f"boot:{KEY}")

    assert (len(first), _kept(world)) == (1, first)


def test_process_does_not_start_with_another_key_or_none(world):
    refuse_lost_master_key(world.app_url, f"boot:{KEY}")

    for text, error in ((f"boot:{OTHER}", MasterKeyChanged), ("", VaultMissing), ("boot:short", MasterKeyInvalid)):
        with pytest.raises(error):
            refuse_lost_master_key(world.app_url, text)


def test_process_starts_on_a_database_without_a_schema(cluster):
    endpoints = cluster.create_database("boot_empty")

    refuse_lost_master_key(endpoints.app_url, f"boot:{OTHER}")

    database = Database(endpoints.owner_url, name="look")
    with database.platform() as session:
        assert inspect(session.connection()).get_table_names() == []
    database.dispose()
    cluster.drop_database("boot_empty")
