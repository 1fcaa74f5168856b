"""Sums over the records that refer to a record, as one correlated sub-query each: nothing is stored, nothing can be out of date.

The sub-query finds the rows through the index of the reference. A reader's rollup counts the rows that this reader may see, as the list
below the record does; a rule about records that asks for a rollup counts them all (docs/architecture/low-code.md, "Formulas and rollups").
Amounts in several currencies are never added: the field says in which currency it sums, and the others are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, select, true
from sqlalchemy.orm import aliased

from core.engines.metadata.entity import EntityRegistry, EntityType, Field, FieldType
from core.engines.metadata.stored import CustomValue
from core.runtime.db.expression_sql import quotient

REGISTRY = "registry"
#: What a sub-query weighs within a formula (`expression_sql.sql_size`).
ROLLUP_SIZE = 40
#: Decimals of an average that says nothing of them.
AVERAGE_DIGITS, AVERAGE_CENTS = 6, 4
ValueOf = Callable[[EntityType, str], ColumnElement[Any] | None]
CriterionOf = Callable[[EntityType, Mapping[str, Any]], ColumnElement[bool]]


def rollup_sql(
    entity: EntityType, item: Field, *, now: datetime, value_of: ValueOf, criterion_of: CriterionOf
) -> ColumnElement[Any] | None:
    """The sum of a rollup for the row of `entity` that the statement around it reads; None when what it sums is gone.

    `value_of` and `criterion_of` tell how a field and a condition of the summed entity type are written.
    """
    registry: EntityRegistry | None = entity.memo.get(REGISTRY)
    rollup = item.rollup
    child = registry.find(rollup.entity) if registry is not None and rollup is not None else None
    if rollup is None or child is None or rollup.via not in child.by_key:
        return None
    value = value_of(child, rollup.of) if rollup.of else None
    if value is None and rollup.use != "count":
        return None
    rows, place = _rows(entity, child, child.by_key[rollup.via], value)
    if child.kind is not None:
        rows = rows.where(getattr(child.model, child.kind[0]) == child.kind[1])
    if child.confine is not None:
        rows = child.confine(rows, now)
    if rollup.where:
        rows = rows.where(criterion_of(child, rollup.where))
    currency_key = child.by_key[rollup.of].currency_key if rollup.of else ""
    if currency_key and item.currency:
        rows = rows.where(getattr(child.model, currency_key) == item.currency)
    found = rows.subquery()
    summed = _summed(item, found.c)
    return select(summed).select_from(found).where(found.c.place == place).correlate(entity.model).scalar_subquery()


def _rows(entity: EntityType, child: EntityType, via: Field, value: Any) -> tuple[Any, Any]:
    """The statement over the rows, with the record that each refers to as `place`; and how the record is named there."""
    model: Any = child.model
    parent: Any = entity.model
    wanted = [value.label("value")] if value is not None else []
    if not via.slot:
        return select(getattr(model, via.key).label("place"), *wanted), parent.id
    index = aliased(CustomValue)
    rows = select(index.key.label("place"), *wanted).select_from(index).join(model, model.id == index.record_id)
    return rows.where(index.slot == via.slot), func.replace(cast(parent.id, Text()), "-", "")


def _summed(item: Field, columns: Any) -> Any:
    use = item.rollup.use if item.rollup is not None else "count"
    if use == "count":
        return func.count(true()) if "value" not in columns else func.count(columns.value)
    if use == "avg":
        default = AVERAGE_CENTS if item.type is FieldType.MONEY else AVERAGE_DIGITS
        average = quotient(func.sum(columns.value), func.count(columns.value))
        return func.round(average, default if item.digits is None else item.digits)
    return getattr(func, use)(columns.value)


def fields_summed(item: Field) -> set[str]:
    """The fields of the summed entity type that a rollup's value tells about."""
    rollup = item.rollup
    return set() if rollup is None else {rollup.via, *([rollup.of] if rollup.of else []), *fields_named(rollup.where)}


def fields_named(tree: Any) -> set[str]:
    """The names of fields that a condition tree asks about."""
    if isinstance(tree, Mapping):
        own = {tree["field"].partition(".")[0]} if isinstance(tree.get("field"), str) else set()
        return own.union(*(fields_named(inner) for inner in tree.values()))
    if isinstance(tree, list):
        return set().union(*(fields_named(inner) for inner in tree))
    return set()
