"""What has to be true of the stored secrets before a process serves anybody."""

from __future__ import annotations

from sqlalchemy import inspect

from core.runtime.security.keyring import MasterKeyCanary, Vault
from core.runtime.tenancy.database import Database


def refuse_lost_master_key(url: str, master_key: str) -> None:
    """Call at the start of every process that works for tenants, before it forks; opens a connection and closes it again.

    A database without a schema holds no secrets yet and passes. The first start with a new key leaves its canary.
    Raises: MasterKeyInvalid, VaultMissing - there is no usable key; MasterKeyLost, MasterKeyChanged - it does not open what is stored.
    """
    vault = Vault.from_text(master_key)
    database = Database(url, pool_size=1, name="oms-boot", vault=vault)
    try:
        with database.platform() as session:
            if inspect(session.connection()).has_table(MasterKeyCanary.__tablename__):
                vault.check(session)
    finally:
        database.dispose()
