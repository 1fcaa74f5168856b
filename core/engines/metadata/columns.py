"""Where the fields of an entity type live in the database: mapped columns, slots of the `custom` document, and computed expressions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, select, type_coerce
from sqlalchemy.orm import aliased

from core.engines.metadata import index_keys
from core.engines.metadata.entity import EntityType, Field, FieldType
from core.engines.metadata.stored import CustomValue, StoredValue
from core.kernel.conditions import FieldSpec
from core.kernel.conditions import FieldType as ConditionType
from core.runtime.db.condition_sql import ColumnMapping
from core.runtime.db.keyset import SortKey

CONDITION_TYPES = {
    FieldType.TEXT: ConditionType.TEXT,
    FieldType.LONG_TEXT: ConditionType.TEXT,
    FieldType.PHONE: ConditionType.TEXT,
    FieldType.EMAIL: ConditionType.TEXT,
    FieldType.URL: ConditionType.TEXT,
    FieldType.ADDRESS: ConditionType.TEXT,
    FieldType.INTEGER: ConditionType.INTEGER,
    FieldType.DECIMAL: ConditionType.DECIMAL,
    FieldType.MONEY: ConditionType.DECIMAL,
    FieldType.QUANTITY: ConditionType.DECIMAL,
    FieldType.BOOLEAN: ConditionType.BOOLEAN,
    FieldType.DATE: ConditionType.DATE,
    FieldType.DATETIME: ConditionType.DATETIME,
    FieldType.CHOICE: ConditionType.CHOICE,
    FieldType.CHOICES: ConditionType.CHOICES,
    FieldType.TAGS: ConditionType.CHOICES,
    FieldType.REFERENCE: ConditionType.REFERENCE,
    FieldType.USER: ConditionType.REFERENCE,
}
Exists = Callable[[ColumnElement[bool]], ColumnElement[bool]]


def column_of(entity: EntityType, key: str) -> Any:
    """The expression of one field, under the field's key."""
    model: Any = entity.model
    item = entity.by_key.get(key)
    if item is None or not item.slot:
        return getattr(model, key)
    return type_coerce(func.jsonb_object_field(model.custom, literal(item.slot)), StoredValue(item.type)).label(key)


def spec_of(item: Field) -> FieldSpec | None:
    """What conditions may know of a field; None when they cannot speak about it."""
    kind = CONDITION_TYPES.get(item.type)
    if kind is None or item.is_write_only or item.is_computed or (item.slot and not item.is_filterable) or item.is_sealed:
        return None
    return FieldSpec(kind, item.label, {choice.value: choice.label for choice in item.choices} or None)


def catalogue_of(entity: EntityType) -> dict[str, FieldSpec]:
    """The fields that conditions over this entity may use."""
    found = entity.memo.get("catalogue")
    if found is None:
        found = entity.memo["catalogue"] = {item.key: spec for item in entity.fields if (spec := spec_of(item)) is not None}
    return cast("dict[str, FieldSpec]", found)


def columns_of(entity: EntityType) -> dict[str, ColumnMapping]:
    """Where those fields live."""
    found = entity.memo.get("columns")
    if found is None:
        found = entity.memo["columns"] = {key: _mapping(entity, entity.by_key[key], spec) for key, spec in catalogue_of(entity).items()}
    return cast("dict[str, ColumnMapping]", found)


def _mapping(entity: EntityType, item: Field, spec: FieldSpec) -> ColumnMapping:
    if not item.slot:
        return ColumnMapping(getattr(entity.model, item.key), spec.type)
    value = aliased(CustomValue)
    return ColumnMapping(value.key, spec.type, _row_of(entity, item, value), partial(index_keys.key_of, spec.type))


def _row_of(entity: EntityType, item: Field, value: Any) -> Exists:
    model: Any = entity.model

    def within(criterion: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists(select(1).where(value.record_id == model.id, value.slot == item.slot, criterion).correlate(model))

    return within


class IndexJoin:
    """A list that is sorted by a tenant's own field: joined with the field's index, so that rows come in its order.

    Rows without a value have no partner in the join. Conditions on the same field ask the joined row (`mapping`) instead of searching.
    """

    def __init__(self, entity: EntityType, item: Field) -> None:
        self._entity, self._item, self._value = entity, item, aliased(CustomValue)
        kind = CONDITION_TYPES[item.type]
        self.mapping = ColumnMapping(self._value.key, kind, None, partial(index_keys.key_of, kind))

    def join(self, statement: Select[Any]) -> Select[Any]:
        """The statement with the join."""
        model: Any = self._entity.model
        return statement.outerjoin(self._value, and_(self._value.record_id == model.id, self._value.slot == self._item.slot))

    def sort_key(self, *, is_descending: bool) -> SortKey:
        """The order by the field, empty values last."""
        return SortKey(self._value.key.label(self._item.slot), is_descending, is_nullable=True)
