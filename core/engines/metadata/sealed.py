"""Encrypted fields of tenants: shown as a mask, found by their whole value, given out with a reason on record and in no other way."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from core.engines.metadata import index_keys
from core.engines.metadata.entity import EntityType, Field
from core.engines.metadata.stored import CustomValue
from core.kernel.conditions import FieldType as ConditionType
from core.runtime.db.condition_sql import ColumnMapping
from core.runtime.security.vault import blind

if TYPE_CHECKING:
    from collections.abc import Callable

#: What stands in place of an encrypted value; the same for all, so that not even its length is told.
MASK = "••••••"
SEALED = "sealed"


def purpose_of(item: Field) -> str:
    """What a sealed field's values are bound to."""
    return f"custom.{item.slot}"


def sealed_fields(entity: EntityType) -> list[Field]:
    """The encrypted fields by which lists can be filtered."""
    return [item for item in entity.fields if item.is_sealed and item.slot and item.is_filterable]


def blind_places(session: Session, entity: EntityType) -> dict[str, ColumnMapping]:
    """Where conditions find encrypted fields: in the index of keyed hashes, which this session's tenant alone can compute."""
    return {item.key: _place(session, entity, item) for item in sealed_fields(entity)}


def _place(session: Session, entity: EntityType, item: Field) -> ColumnMapping:
    value = aliased(CustomValue)
    encode = partial(_hashed, session, item)
    return ColumnMapping(value.key, ConditionType.CHOICE, _row_of(entity, item, value), encode)


def _hashed(session: Session, item: Field, value: Any) -> str:
    return blind(session, purpose_of(item), index_keys.key_of(ConditionType.TEXT, value))


def _row_of(entity: EntityType, item: Field, value: Any) -> Callable[[ColumnElement[bool]], ColumnElement[bool]]:
    model: Any = entity.model

    def within(criterion: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists(select(1).where(value.record_id == model.id, value.slot == item.slot, criterion).correlate(model))

    return within
