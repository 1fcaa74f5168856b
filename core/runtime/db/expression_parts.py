"""Parts of formulas in SQL: a value with the conditions under which it has failed, and numbers that are rounded as Python rounds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, DateTime, Numeric, Text, case, cast, false, func, literal, null, or_
from sqlalchemy.types import TypeEngine

from core.kernel.expressions import ValueType
from core.kernel.expressions.types import LIMIT

#: A formula that gets larger than this as SQL is worked out in Python: formulas may use formulas, and each use is written out.
MAX_SIZE = 3_000
DIGITS, _SMALLEST, _EXACT = 34, 73, 120
_SCIENTIFIC = f"9.{'9' * (DIGITS - 1)}EEEE"
Criterion = ColumnElement[bool]
SQL_TYPES: dict[ValueType, TypeEngine[Any]] = {
    ValueType.INTEGER: Numeric(),
    ValueType.DECIMAL: Numeric(),
    ValueType.TEXT: Text(),
    ValueType.BOOLEAN: Boolean(),
    ValueType.DATE: Date(),
    ValueType.DATETIME: DateTime(timezone=True),
}


class NoSql(Exception):
    """This part of a formula has no exact counterpart in SQL."""


@dataclass(frozen=True, slots=True)
class Part:
    value: Any
    kind: ValueType
    failed: tuple[Criterion, ...] = ()

    @property
    def is_nothing(self) -> bool:
        return self.kind is ValueType.NOTHING


def failures_of(parts: Sequence[Part]) -> tuple[Criterion, ...]:
    return tuple(check for part in parts for check in part.failed)


def any_of(checks: Sequence[Criterion]) -> Criterion:
    return holds(or_(false(), *checks))


def kind_of(parts: Sequence[Part]) -> ValueType:
    """The type that parts which go together have in common; they do, or the formula would not have been compiled."""
    kinds = {part.kind for part in parts} - {ValueType.NOTHING}
    if not kinds:
        return ValueType.NOTHING
    return ValueType.DECIMAL if len(kinds) > 1 else kinds.pop()


def too_large(value: Any) -> Criterion:
    return func.abs(value) >= constant(LIMIT)


def constant(value: int | Decimal) -> Any:
    return literal(Decimal(value), Numeric())


def fit(value: Any) -> Any:
    """The value with at most 34 digits, the last one rounded half away from zero, and nothing below 10^-73."""
    digits = cast(func.to_char(value, _SCIENTIFIC), Numeric())
    return func.trim_scale(func.round(digits, _SMALLEST), type_=Numeric())


def quotient(left: Any, right: Any) -> Any:
    """With more decimals than a rounding to 34 digits, or to whole numbers, can need: 34 digits divided by 34 digits."""
    return func.round(left, _EXACT, type_=Numeric()) / func.nullif(right, constant(0), type_=Numeric())


def modulo(left: Any, right: Any) -> Any:
    divisor = func.nullif(right, constant(0), type_=Numeric())
    return func.mod(func.mod(left, divisor, type_=Numeric()) + right, divisor, type_=Numeric())


def missing(kind: ValueType) -> Any:
    return null() if kind is ValueType.NOTHING else cast(null(), SQL_TYPES[kind])


def holds(value: Any) -> Any:
    return func.coalesce(value, false(), type_=Boolean())


def opposite(value: Any) -> Any:
    # NOT binds weaker than what may come behind it.
    return case((holds(value), literal(False, Boolean())), else_=literal(True, Boolean()))  # noqa: FBT003 - values, not switches
