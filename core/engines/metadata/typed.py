"""Stored fields as SQL of their own type, and as JSON: what formulas, sums and orders start from.

Values in the `custom` document may be left from an earlier type of their field. What cannot be read is missing, by the rules of
`stored.read_stored`, and never an error that would spoil a whole list.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Date, DateTime, Numeric, Text, and_, case, cast, func, literal

from core.engines.metadata.entity import EntityType, Field
from core.engines.metadata.formulas import VALUE_TYPES, value_type_of
from core.engines.metadata.stored import DAY, FALSE, MOMENT, NUMBER, TRUE
from core.kernel.expressions import ValueType
from core.runtime.db.expression_sql import FormulaSql

#: What a stored field weighs within a formula (`expression_sql.sql_size`).
STORED_SIZE = 4


def slot_value(entity: EntityType, item: Field) -> Any:
    """What lies in the field's slot, as JSON."""
    model: Any = entity.model
    return func.jsonb_object_field(model.custom, literal(item.slot, Text()), type_=model.custom.type)


def stored_sql(entity: EntityType, item: Field) -> FormulaSql | None:
    """A stored field as SQL of its type; None for lists, and for what formulas cannot use."""
    kind = value_type_of(item)
    if kind is None or kind in (ValueType.TEXTS, ValueType.INTEGERS, ValueType.DECIMALS):
        return None
    if not item.slot:
        column = getattr(entity.model, item.key)
        return FormulaSql(cast(column, Numeric()) if kind is ValueType.INTEGER else column, kind, STORED_SIZE)
    model: Any = entity.model
    text = func.jsonb_object_field_text(model.custom, literal(item.slot, Text()), type_=Text())
    return FormulaSql(_read(kind, text, slot_value(entity, item)), kind, STORED_SIZE)


def _read(kind: ValueType, text: Any, raw: Any) -> Any:
    match kind:
        case ValueType.TEXT:
            # Lists and documents that an earlier type has left are no text.
            return case((func.jsonb_typeof(raw).not_in(["array", "object"]), text))
        case ValueType.BOOLEAN:
            return case((func.lower(text).in_(TRUE), literal(True)), (func.lower(text).in_(FALSE), literal(False)))  # noqa: FBT003 - values
        case ValueType.DATE:
            day = func.left(text, 10, type_=Text())
            return case((and_(_fits(day, DAY), func.pg_input_is_valid(day, "date")), cast(day, Date())))
        case ValueType.DATETIME:
            is_valid = and_(_fits(text, MOMENT), func.pg_input_is_valid(text, "timestamptz"))
            return case((is_valid, cast(text, DateTime(timezone=True))))
    number = case((_fits(text, NUMBER), cast(text, Numeric())))
    if kind is ValueType.INTEGER:
        return case((number == func.trunc(number), number))
    return number


def _fits(text: Any, pattern: str) -> Any:
    return text.regexp_match(f"^(?:{pattern})$")


def input_json(entity: EntityType, item: Field) -> Any:
    """A stored field as JSON that `stored.read_stored` reads as the field's type."""
    if item.slot:
        return slot_value(entity, item)
    return as_json(item, getattr(entity.model, item.key))


def as_json(item: Field, value: Any) -> Any:
    """A typed expression as JSON that `stored.read_stored` reads as the field's type: exact numbers stand as text there."""
    is_number = VALUE_TYPES.get(item.type) in (ValueType.DECIMAL, ValueType.INTEGER)
    return func.to_jsonb(cast(func.trim_scale(cast(value, Numeric())), Text()) if is_number else value)

