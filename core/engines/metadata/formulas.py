"""Formulas over the fields of a record: which names they have, and working them out from stored values.

A formula that has no result for a record (a division by zero, a number too large) is empty there. Formulas use formulas: a `Calculation`
holds all of them in the order in which they are worked out, and the stored fields that they start from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Dialect
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from core.engines.metadata.entity import TEXTS, EntityType, Field, FieldType
from core.engines.metadata.stored import read_stored
from core.kernel.expressions import Expression, ExpressionFailed, ExpressionInvalid, ValueType, compile_expression

#: What a field is in a formula. References, people, files and documents are nothing that one calculates with.
VALUE_TYPES: dict[FieldType, ValueType] = {
    **dict.fromkeys(TEXTS, ValueType.TEXT),
    FieldType.CHOICE: ValueType.TEXT,
    FieldType.INTEGER: ValueType.INTEGER,
    FieldType.DECIMAL: ValueType.DECIMAL,
    FieldType.MONEY: ValueType.DECIMAL,
    FieldType.QUANTITY: ValueType.DECIMAL,
    FieldType.BOOLEAN: ValueType.BOOLEAN,
    FieldType.DATE: ValueType.DATE,
    FieldType.DATETIME: ValueType.DATETIME,
    FieldType.CHOICES: ValueType.TEXTS,
    FieldType.TAGS: ValueType.TEXTS,
}
#: What a field becomes that says nothing of the type of its formula's result.
RESULT_TYPES: dict[ValueType, FieldType] = {
    ValueType.TEXT: FieldType.TEXT,
    ValueType.INTEGER: FieldType.INTEGER,
    ValueType.DECIMAL: FieldType.DECIMAL,
    ValueType.BOOLEAN: FieldType.BOOLEAN,
    ValueType.DATE: FieldType.DATE,
    ValueType.DATETIME: FieldType.DATETIME,
}


def value_type_of(item: Field) -> ValueType | None:
    """What a field is in a formula; None where formulas cannot use it: values that are encrypted or never given out stay out."""
    return None if item.is_sealed or item.is_write_only else VALUE_TYPES.get(item.type)


def fits_result(found: ValueType, wanted: FieldType) -> bool:
    """Whether a formula's result can be shown as a field of this type; whole numbers can stand for others."""
    expected = VALUE_TYPES.get(wanted)
    return found is expected or (found is ValueType.INTEGER and expected is ValueType.DECIMAL)


@dataclass(frozen=True, slots=True, eq=False)
class Calculation:
    """A formula ready to be worked out: the fields that it starts from, and the formulas in their order, its own last."""

    inputs: tuple[Field, ...]
    steps: tuple[tuple[Field, Expression], ...]

    def result(self, values: Mapping[str, Any]) -> Any:
        """The value for a record, from typed values of its `inputs`; None where there is none."""
        known = {item.key: values.get(item.key) for item in self.inputs}
        found: Any = None
        for item, expression in self.steps:
            found = known[item.key] = _evaluated(item, expression, known)
        return found


def _evaluated(item: Field, expression: Expression, values: Mapping[str, Any]) -> Any:
    try:
        found = expression.evaluate(values)
    except ExpressionFailed:
        return None
    return Decimal(found) if type(found) is int and item.type is not FieldType.INTEGER else found


class CalculatedValue(TypeDecorator[Any]):
    """A formula's value, worked out from a JSON list of its inputs as the `custom` document would keep them."""

    impl = JSONB
    cache_ok = True

    def __init__(self, calculation: Calculation) -> None:
        super().__init__()
        self.calculation = calculation

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The typed value of the formula."""
        inputs = self.calculation.inputs
        read = {item.key: read_stored(item.type, raw) for item, raw in zip(inputs, value or (), strict=False)}
        return self.calculation.result(read)


def expression_of(entity: EntityType, item: Field) -> Expression | None:
    """The compiled formula of a field; None when it has none, or one that no longer can be read."""
    made: dict[str, Expression | None] = entity.memo.setdefault("expressions", {})
    if item.key not in made:
        names = entity.memo.get("names")
        if names is None:
            names = entity.memo["names"] = {one.key: kind for one in entity.fields if (kind := value_type_of(one)) is not None}
        try:
            made[item.key] = compile_expression(item.formula, names) if item.formula else None
        except ExpressionInvalid:
            made[item.key] = None
    return made[item.key]


def calculation_of(entity: EntityType, item: Field) -> Calculation:
    """How a formula of the entity type is worked out; one that cannot be read gives nothing."""
    made: dict[str, Calculation] = entity.memo.setdefault("calculations", {})
    if item.key not in made:
        inputs: dict[str, Field] = {}
        steps: dict[str, tuple[Field, Expression]] = {}
        _collect(entity, item, inputs, steps)
        made[item.key] = Calculation(tuple(inputs.values()), tuple(steps.values()))
    return made[item.key]


def _collect(entity: EntityType, item: Field, inputs: dict[str, Field], steps: dict[str, tuple[Field, Expression]]) -> None:
    """Depth first, so that every formula stands behind those that it uses. Cycles do not get into a configuration."""
    expression = expression_of(entity, item)
    if expression is None:
        return
    for name in sorted(expression.names):
        part = entity.by_key[name]
        if part.formula:
            if name not in steps:
                _collect(entity, part, inputs, steps)
        else:
            inputs[name] = part
    steps[item.key] = (item, expression)


def with_formulas(entity: EntityType, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a record together with what its formulas give for them."""
    found = dict(values)
    for item in entity.fields:
        if item.formula:
            found[item.key] = calculation_of(entity, item).result(values)
    return found


def names_used(entity: EntityType, item: Field) -> frozenset[str]:
    """The fields of the same record that a formula reads itself."""
    expression = cast("Expression | None", expression_of(entity, item))
    return expression.names if expression is not None else frozenset()
