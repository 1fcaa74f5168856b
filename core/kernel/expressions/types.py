"""Types of formulas: what names and results may be, and how two types meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.kernel.conditions.fields import FieldSpec, FieldType
from core.kernel.expressions.errors import ExpressionFailed, ExpressionInvalid

MAX_TEXT = 10_000
MAX_MEMBERS = 10_000
LIMIT = 10**28


class ValueType(StrEnum):
    """The type of a name or a result. The plural ones are lists and only go into functions; NOTHING is the type of `None`."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    INTEGERS = "integers"
    DECIMALS = "decimals"
    TEXTS = "texts"
    NOTHING = "nothing"


NUMBERS = frozenset({ValueType.INTEGER, ValueType.DECIMAL})
SCALARS = NUMBERS | {ValueType.TEXT, ValueType.BOOLEAN, ValueType.DATE, ValueType.DATETIME}
SORTABLE = SCALARS - {ValueType.BOOLEAN}
MEMBER_OF: dict[ValueType, ValueType] = {
    ValueType.INTEGERS: ValueType.INTEGER,
    ValueType.DECIMALS: ValueType.DECIMAL,
    ValueType.TEXTS: ValueType.TEXT,
}
_OF_FIELD: dict[FieldType, ValueType] = {
    FieldType.TEXT: ValueType.TEXT,
    FieldType.INTEGER: ValueType.INTEGER,
    FieldType.DECIMAL: ValueType.DECIMAL,
    FieldType.DATE: ValueType.DATE,
    FieldType.DATETIME: ValueType.DATETIME,
    FieldType.BOOLEAN: ValueType.BOOLEAN,
    FieldType.CHOICE: ValueType.TEXT,
    FieldType.CHOICES: ValueType.TEXTS,
}


def names_of(fields: Mapping[str, FieldSpec]) -> dict[str, ValueType]:
    """The names that a formula may use about an entity with these fields; references, relations and collections are left out."""
    return {name: _OF_FIELD[field.type] for name, field in fields.items() if field.type in _OF_FIELD}


def meet(kinds: Iterable[ValueType], at: int | None = None) -> ValueType:
    """The one type that can stand for all of `kinds`: whole numbers give way to decimals, NOTHING to anything.

    Raises: ExpressionInvalid - they have no type in common; `position` is `at`.
    """
    found = set(kinds) - {ValueType.NOTHING}
    if found == NUMBERS:
        return ValueType.DECIMAL
    if len(found) > 1:
        raise ExpressionInvalid(f"These do not go together: {', '.join(sorted(found))}.", position=at)
    return found.pop() if found else ValueType.NOTHING


_CHECKS: dict[ValueType, Callable[[Any], bool]] = {
    ValueType.INTEGER: lambda value: type(value) is int and abs(value) < LIMIT,
    ValueType.DECIMAL: lambda value: (
        (type(value) is int and abs(value) < LIMIT)
        or (isinstance(value, Decimal) and value.is_finite() and (not value or -30 < value.adjusted() < 28))
    ),
    ValueType.TEXT: lambda value: isinstance(value, str) and len(value) <= MAX_TEXT,
    ValueType.BOOLEAN: lambda value: isinstance(value, bool),
    ValueType.DATE: lambda value: type(value) is date,
    ValueType.DATETIME: lambda value: isinstance(value, datetime) and value.utcoffset() is not None,
}


def admit(name: str, value: Any, kind: ValueType) -> Any:
    """`value` for the name, when it is of the type; None always is.

    Raises: ExpressionFailed - another type, not finite, or too large; `name` tells which.
    """
    if value is None:
        return None
    if kind in MEMBER_OF:
        is_member = _CHECKS[MEMBER_OF[kind]]
        is_list = isinstance(value, list | tuple) and len(value) <= MAX_MEMBERS
        if is_list and all(member is None or is_member(member) for member in value):
            return value
    elif _CHECKS[kind](value):
        return value
    raise ExpressionFailed(f"The value of {name} is not of type {kind}, or it is too large.", name=name)


def bounded(value: Any) -> Any:
    """`value`, when a number is below 10^28 and a text at most 10,000 characters.

    Raises: ExpressionFailed - it is larger, so that no chain of small steps grows without end.
    """
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise ExpressionFailed(f"A text grows longer than {MAX_TEXT} characters.")
    elif isinstance(value, int | Decimal) and not -LIMIT < value < LIMIT:
        raise ExpressionFailed("A number grows too large.")
    return value
