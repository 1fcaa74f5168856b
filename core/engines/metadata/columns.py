"""Where the fields of an entity type live in the database: mapped columns, slots of the `custom` document, and computed expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, Text, and_, case, exists, false, func, literal, null, select, type_coerce
from sqlalchemy.orm import aliased

from core.engines.metadata import index_keys
from core.engines.metadata.entity import Condition, EntityType, Field, FieldType
from core.engines.metadata.formulas import CalculatedValue, calculation_of, expression_of, value_type_of
from core.engines.metadata.rollups import ROLLUP_SIZE, rollup_sql
from core.engines.metadata.sealed import MASK, sealed_fields
from core.engines.metadata.stored import CustomValue, StoredValue
from core.engines.metadata.typed import as_json, input_json, slot_value, stored_sql
from core.kernel.conditions import ConditionInvalid, FieldSpec, parse_condition
from core.kernel.conditions import FieldType as ConditionType
from core.runtime.db.condition_sql import ColumnMapping, to_sql
from core.runtime.db.expression_sql import SQL_TYPES, FormulaSql, formula_sql
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


def column_of(entity: EntityType, key: str, *, now: datetime | None = None) -> Any:
    """The expression of one field, under the field's key, giving values of the field's type.

    Formulas are worked out in Python from what they start from, whether or not they have SQL: what is shown comes from one place.
    """
    item = entity.by_key.get(key)
    if item is not None and item.formula:
        calculation = calculation_of(entity, item)
        inputs = [_input(entity, one, now) for one in calculation.inputs]
        return type_coerce(func.jsonb_build_array(*inputs), CalculatedValue(calculation)).label(key)
    if item is not None and item.rollup is not None:
        return type_coerce(_input(entity, item, now), StoredValue(item.type)).label(key)
    if item is None or not item.slot:
        return getattr(entity.model, key)
    if item.is_sealed:
        return case((slot_value(entity, item).is_not(None), literal(MASK, Text()))).label(key)
    return type_coerce(slot_value(entity, item), StoredValue(item.type)).label(key)


def _input(entity: EntityType, item: Field, now: datetime | None) -> Any:
    if item.rollup is None:
        return input_json(entity, item)
    found = _rollup(entity, item, now)
    return null() if found is None else as_json(item, found)


def value_of(entity: EntityType, key: str, *, now: datetime | None = None) -> FormulaSql | None:
    """A field as SQL of its type, for filters, orders, sums and formulas; None where it has none."""
    item = entity.by_key.get(key)
    if item is None:
        return None
    if item.rollup is not None:
        kind, found = value_type_of(item), _rollup(entity, item, now)
        return None if kind is None or found is None else FormulaSql(type_coerce(found, SQL_TYPES[kind]), kind, ROLLUP_SIZE)
    if not item.formula:
        return stored_sql(entity, item)
    expression = expression_of(entity, item)
    if expression is None:
        return None
    parts = {name: part for name in expression.names if (part := value_of(entity, name, now=now)) is not None}
    return formula_sql(expression, parts)


def _rollup(entity: EntityType, item: Field, now: datetime | None) -> ColumnElement[Any] | None:
    moment = now or datetime.now(UTC)

    def value(child: EntityType, key: str) -> ColumnElement[Any] | None:
        found = value_of(child, key, now=moment)
        return None if found is None else found.value

    def criterion(child: EntityType, tree: Condition) -> ColumnElement[bool]:
        try:
            return to_sql(parse_condition(tree, catalogue_of(child.whole)), columns_of(child.whole, now=moment), moment)
        except ConditionInvalid:
            # What the condition asks for is no longer there; then no row meets it.
            return false()

    return rollup_sql(entity, item, now=moment, value_of=value, criterion_of=criterion)


def spec_of(item: Field) -> FieldSpec | None:
    """What conditions may know of a field; None when they cannot speak about it."""
    kind = CONDITION_TYPES.get(item.type)
    is_own = item.slot or item.is_computed
    if kind is None or item.is_write_only or (is_own and not item.is_filterable) or item.is_sealed:
        return None
    return FieldSpec(kind, item.label, {choice.value: choice.label for choice in item.choices} or None)


def filter_catalogue(entity: EntityType) -> Mapping[str, FieldSpec]:
    """The fields that people's own filters may use: encrypted ones too, which are found by their whole value only (`sealed`)."""
    found = entity.memo.get("filter_catalogue")
    if found is None:
        sealed = {item.key: FieldSpec(ConditionType.CHOICE, item.label) for item in sealed_fields(entity)}
        found = entity.memo["filter_catalogue"] = {**catalogue_of(entity), **sealed}
    return cast("Mapping[str, FieldSpec]", found)


def catalogue_of(entity: EntityType) -> dict[str, FieldSpec]:
    """The fields that conditions over this entity may use."""
    found = entity.memo.get("catalogue")
    if found is None:
        found = entity.memo["catalogue"] = {item.key: spec for item in entity.fields if (spec := spec_of(item)) is not None}
    return cast("dict[str, FieldSpec]", found)


class Places(Mapping[str, ColumnMapping]):
    """Where the fields of an entity type live. Computed ones are written out when they are asked for: what they ask may be of now."""

    def __init__(self, entity: EntityType, now: datetime | None) -> None:
        self._entity, self._now = entity, now
        self._known: dict[str, ColumnMapping] = entity.memo.setdefault("columns", {})

    def __getitem__(self, key: str) -> ColumnMapping:
        found = self._known.get(key)
        if found is not None:
            return found
        item, spec = self._entity.by_key.get(key), catalogue_of(self._entity)[key]
        if item is None or not item.is_computed:
            found = self._known[key] = _mapping(self._entity, self._entity.by_key[key], spec)
            return found
        value = value_of(self._entity, key, now=self._now)
        if value is None:
            raise KeyError(key)
        return ColumnMapping(value.value, spec.type)

    def __iter__(self) -> Iterator[str]:
        return iter(catalogue_of(self._entity))

    def __len__(self) -> int:
        return len(catalogue_of(self._entity))


def columns_of(entity: EntityType, *, now: datetime | None = None) -> Mapping[str, ColumnMapping]:
    """Where the fields that conditions may use live; sums within them are as of `now`."""
    return Places(entity, now)


def sort_key_of(entity: EntityType, item: Field, *, is_descending: bool, now: datetime | None = None) -> SortKey | None:
    """The order by a computed field, empty values last; None when the server cannot work it out."""
    found = value_of(entity, item.key, now=now)
    return None if found is None else SortKey(found.value.label(item.key), is_descending, is_nullable=True)


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
