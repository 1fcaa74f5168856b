"""Tables of configuration: the items as they are, and every change that made them so."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import PrimaryKeyConstraint

from core.runtime.db.base import JSON, Base, TenantOwned, TenantScoped, Timestamped, tenant_table, tenant_unique

#: The mark that a session bears once it has changed the configuration.
CHANGED = "config_changed"


class ConfigHead(Base, TenantScoped):
    """The present version of a tenant's configuration; its row is the lock under which changes happen one after the other.

    `serial` counts everything up after which schemas have to be compiled anew, a new index that became ready too.
    """

    __tablename__ = "config_head"
    __table_args__ = (PrimaryKeyConstraint("tenant_id"),)

    version: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    serial: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_slot: Mapped[int] = mapped_column(Integer, server_default=text("0"))


class ConfigItem(Base, TenantOwned, Timestamped):
    """One item: what `kind` it is, its key within the kind, its body, and the version that last changed it."""

    __tablename__ = "config_item"
    __table_args__ = tenant_table(tenant_unique("kind", "key"))

    kind: Mapped[str]
    key: Mapped[str]
    body: Mapped[JSON]
    version: Mapped[int] = mapped_column(Integer)


class ConfigVersion(Base, TenantOwned):
    """One change: `changes` is `{"changes": [{kind, key, before, after, renamed_from}]}`; a body of null is no item."""

    __tablename__ = "config_version"
    __append_only__ = True
    __table_args__ = tenant_table(tenant_unique("number"))

    number: Mapped[int] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(server_default=text("''"))
    changes: Mapped[JSON]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_label: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
