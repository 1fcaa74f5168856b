"""What has to be true before a process serves anybody."""

from __future__ import annotations

from core.runtime.db.role import refuse_powerful_role
from core.runtime.security.passwords import fake_hash
from core.runtime.security.vault import vault_of
from core.runtime.tenancy.database import Database


def refuse_unsafe_start(database: Database) -> None:
    """Call once at the start of web and worker processes, when the schema stands.

    Raises: RoleTooPowerful - the database role could step over the walls; VaultMissing, MasterKeyLost, MasterKeyChanged - what is stored
    could not be read.
    """
    with database.platform() as session:
        refuse_powerful_role(session.connection())
        vault_of(session).check(session)
    fake_hash()
