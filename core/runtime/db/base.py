"""The declarative base of every table, and the shape of a table that belongs to a tenant.

The base shares Flask-AppBuilder's metadata, so that one migration history covers its tables too, but not its base class: that one
sets `extend_existing` and would silently merge two classes that use one table name. Ours raises.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID

from flask_appbuilder import Model as FabModel
from flask_appbuilder.security.sqla.models import User as FabUser  # noqa: F401 - adds the table of accounts to the metadata
from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Index, Integer, Numeric, Table, Text, UniqueConstraint, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.schema import PrimaryKeyConstraint

from core.kernel.ids import new_id

metadata = FabModel.metadata
metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

MONEY = Numeric(19, 4)
QUANTITY = Numeric(18, 6)
JSON = dict[str, Any]


class Base(DeclarativeBase):
    """Base of all Orderloom tables."""

    metadata = metadata
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        Decimal: MONEY,
        str: Text(),
        JSON: JSONB(none_as_null=True),
        list[str]: ARRAY(Text()),
        UUID: Uuid(),
    }


class TenantScoped:
    """A row that belongs to one tenant, whatever its key: row-level security, tenant filter in the ORM.

    What a table needs besides the common wall it declares: `__append_only__` (no update, no delete by the application),
    `__relay__` (the relay role works on it across tenants), `__own_rows__` (column by which users read their own rows).
    """

    __append_only__: ClassVar[bool] = False
    __relay__: ClassVar[bool] = False
    __own_rows__: ClassVar[str | None] = None

    tenant_id: Mapped[int] = mapped_column(
        Integer,
        nullable=False,
        server_default=text("nullif(current_setting('app.tenant', true), '')::int"),
        sort_order=-20,
    )


class TenantOwned(TenantScoped):
    """The usual tenant row: primary key (tenant_id, id).

    The mapper's key is `id` alone (a UUIDv7, unique everywhere), which is all that generated screens see.
    Unique keys start with `tenant_id`: use `tenant_unique`; references are composite: use `tenant_ref`.
    """

    id: Mapped[UUID] = mapped_column(Uuid(), nullable=False, default=new_id, server_default=text("uuidv7()"), sort_order=-19)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - a declared attribute receives the class
        return {"primary_key": [cls.id]}

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805 - a declared attribute receives the class
        return tenant_table()


def tenant_table(*extra: Any) -> tuple[Any, ...]:
    """Table arguments of a tenant table: the composite primary key and what is added to it."""
    return (PrimaryKeyConstraint("tenant_id", "id"), *extra)


def tenant_unique(*columns: str, name: str | None = None, where: str | None = None) -> UniqueConstraint | Index:
    """A uniqueness rule within one tenant; with `where` it covers only the rows that match (then `name` is needed)."""
    if where is None:
        return UniqueConstraint("tenant_id", *columns, name=name)
    return Index(name, "tenant_id", *columns, unique=True, postgresql_where=text(where))


def tenant_index(name: str, *columns: Any, where: str | None = None) -> Index:
    """An index that starts with the tenant, as every hot query does."""
    return Index(name, "tenant_id", *columns, postgresql_where=text(where) if where else None)


def tenant_ref(column: str, target: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A reference to a row of the same tenant: foreign key (tenant_id, column) to target(tenant_id, id)."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], ondelete=ondelete)


class Timestamped:
    """When a row was made and last changed; both aware UTC, by the database's clock."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), nullable=False, sort_order=900)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), nullable=False, sort_order=901)


class Versioned(Timestamped):
    """A row that people edit: every update counts `row_version` up, so that a stale edit is noticed."""

    row_version: Mapped[int] = mapped_column(BigInteger, nullable=False, default=1, server_default=text("1"), sort_order=902)


class Extensible:
    """A row that tenants add fields of their own to: `custom` maps a field's slot to its value as JSON; NULL while there is none."""

    custom: Mapped[JSON | None] = mapped_column(JSONB(none_as_null=True), sort_order=950)


def tenant_tables() -> list[str]:
    """Names of all mapped tables that belong to tenants, sorted."""
    return sorted({cast(Table, mapper.local_table).name for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantScoped)})
