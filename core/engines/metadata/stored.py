"""How tenants' own fields lie in the database: slots, the index of their values, and the rows of entity types that only a tenant has.

A field's values lie in the record's `custom` document under the field's slot, a name that never changes: renaming moves nothing, and an
archived field's values wait where they are. Values that lists filter and sort by also lie in `custom_value`, one row a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Dialect, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import PrimaryKeyConstraint
from sqlalchemy.types import TypeDecorator

from core.engines.metadata.entity import TEXTS, FieldType
from core.kernel.ids import parse_id
from core.runtime.db.base import (
    Base,
    Extensible,
    TenantOwned,
    TenantScoped,
    Timestamped,
    Versioned,
    tenant_index,
    tenant_table,
    tenant_unique,
)


class FieldSlot(Base, TenantOwned, Timestamped):
    """The place of one field's values. It outlives the field: who makes a field of the same name again finds its values."""

    __tablename__ = "field_slot"
    __table_args__ = tenant_table(tenant_unique("slot"), tenant_unique("entity", "key"))

    entity: Mapped[str]
    key: Mapped[str]
    slot: Mapped[str]
    indexed_as: Mapped[str] = mapped_column(server_default=text("''"))


class CustomValue(Base, TenantScoped):
    """One value of one field of one record, as text that sorts as the value does (`index_keys`)."""

    __tablename__ = "custom_value"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "slot", "record_id", "key"),
        tenant_index("ix_custom_value_key", "slot", "key", "record_id"),
        tenant_index("ix_custom_value_record", "record_id"),
        Index("ix_custom_value_unique", "tenant_id", "slot", "key", unique=True, postgresql_where=text("is_unique")),
    )

    slot: Mapped[str] = mapped_column(Text(), sort_order=1)
    key: Mapped[str] = mapped_column(Text(), sort_order=2)
    record_id: Mapped[UUID] = mapped_column(sort_order=3)
    is_unique: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class CustomRecord(Base, TenantOwned, Versioned, Extensible):
    """A record of an entity type that a tenant made; `entity` is the type's key."""

    __tablename__ = "custom_record"
    __table_args__ = tenant_table(
        tenant_index("ix_custom_record_entity", "entity", "id"),
        tenant_index("ix_custom_record_title", "entity", "title", "id"),
        tenant_index("ix_custom_record_parent", "parent_id", "entity", "id", where="parent_id IS NOT NULL"),
    )

    entity: Mapped[str]
    title: Mapped[str] = mapped_column(server_default=text("''"))
    parent_id: Mapped[UUID | None]

    @property
    def __audited__(self) -> str:
        """The audit trail tells of the record as one of its entity type."""
        return self.entity


class NumberSeries(Base, TenantOwned):
    """The next number of a series in one period; taken under the row's lock, so that there are no gaps."""

    __tablename__ = "number_series"
    __table_args__ = tenant_table(tenant_unique("series", "period"))

    series: Mapped[str]
    period: Mapped[str] = mapped_column(server_default=text("''"))
    next_value: Mapped[int] = mapped_column(Integer)


TRUE, FALSE = ("true", "1", "yes"), ("false", "0", "no")
#: How numbers, days and moments lie in a document; SQL reads them by the same rules (`columns`).
NUMBER = r"[+-]?[0-9]{1,28}(?:[.][0-9]{1,28})?"
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
MOMENT = rf"{DAY}(?:[T ][0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:[.][0-9]{{1,6}})?)?(?:Z|[+-][0-9]{{2}}:?[0-9]{{2}})?)?"


def stored(kind: FieldType, value: Any) -> Any:
    """A typed value as the `custom` document keeps it: decimals, days, moments and ids as text."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | UUID):
        return str(value)
    if kind in (FieldType.CHOICES, FieldType.TAGS):
        return list(value)
    return value


def read_stored(kind: FieldType, raw: Any) -> Any:
    """The typed value of what a document keeps; None where it cannot be read as this type."""
    if raw is None:
        return None
    try:
        return _READERS[kind](raw)
    except (ValueError, TypeError, ArithmeticError):
        return None


def _text(raw: Any) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, list):
        return ", ".join(map(str, raw))
    if isinstance(raw, int):
        return str(raw)
    raise TypeError


def _integer(raw: Any) -> int:
    if type(raw) is int:
        return raw
    number = _decimal(raw)
    if number != number.to_integral_value():
        raise ValueError
    return int(number)


def _decimal(raw: Any) -> Decimal:
    if isinstance(raw, bool | float) or not re.fullmatch(NUMBER, str(raw)):
        raise TypeError
    return Decimal(raw)


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    known = {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}.get(str(raw).lower())
    if known is None:
        raise ValueError
    return known


def _day(raw: Any) -> date:
    if not re.match(DAY, raw):
        raise ValueError
    return date.fromisoformat(raw[:10])


def _moment(raw: Any) -> datetime:
    if not re.fullmatch(MOMENT, raw):
        raise ValueError
    found = datetime.fromisoformat(raw)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _words(raw: Any) -> list[str]:
    if isinstance(raw, list):
        return [str(one) for one in raw]
    return [part.strip() for part in _text(raw).split(",") if part.strip()]


def _id(raw: Any) -> UUID:
    found = parse_id(raw)
    if found is None:
        raise ValueError
    return found


def _document(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise TypeError
    return raw


_READERS: dict[FieldType, Callable[[Any], Any]] = {
    **dict.fromkeys(TEXTS, _text),
    FieldType.CHOICE: _text,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.MONEY: _decimal,
    FieldType.QUANTITY: _decimal,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _day,
    FieldType.DATETIME: _moment,
    FieldType.CHOICES: _words,
    FieldType.TAGS: _words,
    FieldType.REFERENCE: _id,
    FieldType.USER: _id,
    FieldType.FILE: _id,
    FieldType.JSON: _document,
}


class StoredValue(TypeDecorator[Any]):
    """A slot of a `custom` document as the field's Python type."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: FieldType) -> None:
        super().__init__()
        self.kind = kind

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The typed value, None where there is none or where it cannot be read."""
        return read_stored(self.kind, value)
