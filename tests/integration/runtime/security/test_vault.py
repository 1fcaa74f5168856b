"""The vault on the real database: walls between tenants and purposes, races, rotation, lost keys."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select, text, update

from core.runtime.security.keyring import MasterKeyChanged, MasterKeyLost, SealBroken, Vault, VaultMissing
from core.runtime.security.vault import blind, blind_many, key_number, reseal, seal, seal_many, unseal, unseal_many, vault_of
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.models import Tenant
from tests.fixtures.database import MASTER_KEY

pytestmark = pytest.mark.database
OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def test_seal_opens_only_for_its_tenant_and_purpose(world):
    with world.database.unit(world.tea) as session:
        sealed = seal(session, "jd.app_secret", "s3cret 茶")
        opened = unseal(session, "jd.app_secret", sealed)
        with pytest.raises(SealBroken):
            unseal(session, "jd.session", sealed)
        with pytest.raises(SealBroken):
            unseal(session, "jd.app_secret", sealed[:-1] + bytes([sealed[-1] ^ 1]))
        with pytest.raises(SealBroken):
            unseal(session, "jd.app_secret", b"short")

    with world.database.unit(world.gift) as session, pytest.raises(SealBroken):
        unseal(session, "jd.app_secret", sealed)

    assert opened == "s3cret 茶"
    assert b"s3cret" not in sealed


def test_seal_many_gives_what_seal_gives_when_values_are_missing(world):
    with world.database.unit(world.tea) as session:
        sealed = seal_many(session, "customer.phone", ["13800138000", None, "x", ""])
        opened = unseal_many(session, "customer.phone", sealed)

        assert opened == ["13800138000", None, "x", ""]
        assert unseal(session, "customer.phone", sealed[0]) == "13800138000"
        assert len({bytes(value[5:17]) for value in sealed if value is not None}) == 3


def test_blind_is_equal_within_a_tenant_and_purpose_only(world):
    with world.database.unit(world.tea) as session:
        phone = blind(session, "customer.phone", "13800138000")
        again, missing = blind_many(session, "customer.phone", ["13800138000", None])
        other_purpose = blind(session, "customer.email", "13800138000")
    with world.database.unit(world.gift) as session:
        other_tenant = blind(session, "customer.phone", "13800138000")

    assert (again, missing) == (phone, None)
    assert len({phone, other_purpose, other_tenant}) == 3
    assert len(phone) == 32


def test_data_key_is_made_once_when_two_sessions_race(world):
    with world.database.platform() as session:
        session.execute(update(Tenant).where(Tenant.slug == "gift").values(data_key=None))
    databases = [Database(world.app_url, vault=Vault(MASTER_KEY)) for _ in range(4)]
    barrier = threading.Barrier(4)
    sealed = []

    def first_use(database):
        with database.unit(world.gift) as session:
            barrier.wait()
            sealed.append(seal(session, "race", "one"))

    threads = [threading.Thread(target=first_use, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    fresh = Database(world.app_url, vault=Vault(MASTER_KEY))
    with fresh.unit(world.gift) as session:
        opened = [unseal(session, "race", value) for value in sealed]
    for database in (*databases, fresh):
        database.dispose()

    assert opened == ["one"] * 4


def test_data_key_is_forgotten_when_its_transaction_rolls_back(world):
    with world.database.platform() as session:
        session.execute(update(Tenant).where(Tenant.slug == "gift").values(data_key=None))
    vault = Vault(MASTER_KEY)
    database = Database(world.app_url, vault=vault)

    def fail():
        with database.unit(world.gift) as session:
            seal(session, "p", "lost")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.unit(world.gift) as session:
        with session.begin_nested() as savepoint:
            seal(session, "p", "lost too")
            savepoint.rollback()
        kept = seal(session, "p", "kept")

    other = Database(world.app_url, vault=Vault(MASTER_KEY))
    with other.unit(world.gift) as session:
        opened = unseal(session, "p", kept)
    other.dispose()
    database.dispose()
    assert opened == "kept"


def test_rotation_loses_no_read_when_other_processes_hold_the_old_ring(world):
    mine, theirs = (Database(world.app_url, vault=Vault(MASTER_KEY)) for _ in range(2))
    with theirs.unit(world.tea) as session:
        first = seal(session, "p", "first")
        index = blind(session, "p", "first")

    with mine.unit(world.tea) as session:
        number = vault_of(session).rotate_data_key(session)
        second = seal(session, "p", "second")
        moved = reseal(session, "p", first)
    with theirs.unit(world.tea) as session:
        opened = [unseal(session, "p", value) for value in (first, second, moved)]
        index_later = blind(session, "p", "first")
        untouched = reseal(session, "p", second)
    for database in (mine, theirs):
        database.dispose()

    assert opened == ["first", "second", "first"]
    assert (key_number(second), key_number(moved)) == (number, number)
    assert untouched == second
    assert index_later == index


def test_master_key_rotation_rewraps_and_the_old_key_can_go(cluster, template):
    endpoints = cluster.create_database("vault_rotation", template=template)
    before = Database(endpoints.app_url, vault=Vault({"k1": OLD}))
    with before.platform() as session:
        vault_of(session).check(session)
        session.add(Tenant(slug="one", name="One"))
    with before.tenant("one") as session:
        sealed = seal(session, "p", "kept")
    before.dispose()

    both = Database(endpoints.app_url, vault=Vault({"k2": NEW, "k1": OLD}))
    with both.platform() as session:
        vault_of(session).check(session)
    with both.tenant("one") as session:
        moved = vault_of(session).rewrap(session)
        again = vault_of(session).rewrap(session)
    both.dispose()
    after = Database(endpoints.app_url, vault=Vault({"k2": NEW}))
    with after.platform() as session:
        vault_of(session).check(session)
    with after.tenant("one") as session:
        opened = unseal(session, "p", sealed)
    after.dispose()
    cluster.drop_database("vault_rotation")

    assert (moved, again, opened) == (True, False, "kept")


def test_check_refuses_when_the_master_key_is_lost_or_changed(cluster, template):
    endpoints = cluster.create_database("vault_lost", template=template)
    first = Database(endpoints.app_url, vault=Vault({"k1": OLD}))
    with first.platform() as session:
        vault_of(session).check(session)
        session.add(Tenant(slug="one", name="One"))
    with first.tenant("one") as session:
        seal(session, "p", "kept")

    with first.platform() as session:
        with pytest.raises(MasterKeyLost) as lost:
            Vault({"k9": NEW}).check(session)
        with pytest.raises(MasterKeyChanged) as changed:
            Vault({"k1": NEW}).check(session)
        stored = session.execute(text("SELECT key_id FROM vault_canary")).scalars().all()
    first.dispose()
    cluster.drop_database("vault_lost")

    assert "master key k1, which is not configured" in str(lost.value)
    assert changed.value.key_id == "k1"
    assert stored == ["k1"]


def test_vault_is_missing_when_the_database_has_none(world):
    bare = Database(world.app_url)

    with bare.unit(world.tea) as session, pytest.raises(VaultMissing):
        seal(session, "p", "x")
    bare.dispose()


def test_stored_data_key_shows_no_key_when_read_from_the_database(world):
    with world.database.unit(world.tea) as session:
        seal(session, "p", "x")
        ring = vault_of(session).ring(session)
        stored = session.scalar(select(Tenant.data_key).where(Tenant.id == world.tea.tenant_id))

    assert all(key not in stored for key in (*ring.keys.values(), ring.blind))
