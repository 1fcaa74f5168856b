"""Values as text that sorts as they do.

The index of tenants' own fields has one text column for values of every type, compared code point by code point: equality and ranges on
text reach an index under row-level security, comparisons of numbers do not (docs/architecture/data.md, "Fields of tenants").
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.kernel.conditions import FieldType

#: Longest text that the index holds; a B-tree entry has at most some 2,700 bytes.
MAX_KEY = 500
_WHOLE, _DECIMALS = 30, 12
_SCALE = 10**_DECIMALS
_SPAN = 10 ** (_WHOLE + _DECIMALS)
_WIDTH = _WHOLE + _DECIMALS


def key_of(kind: FieldType, value: Any) -> str:
    """The key of one value of a condition's type. Numbers outside 30 digits before and 12 behind the point are cut to the nearest key."""
    return _WRITERS[kind](value)


def _text(value: Any) -> str:
    return str(value)[:MAX_KEY]


def _number(value: Any) -> str:
    scaled = int((Decimal(value) * _SCALE).to_integral_value())
    scaled = max(-_SPAN + 1, min(_SPAN - 1, scaled))
    # Negative numbers count down from the top of their own range, so that more digits of value sort lower.
    return f"1{scaled:0{_WIDTH}d}" if scaled >= 0 else f"0{_SPAN + scaled:0{_WIDTH}d}"


def _day(value: date) -> str:
    return value.isoformat()


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _id(value: UUID) -> str:
    return value.hex


_WRITERS: dict[FieldType, Callable[[Any], str]] = {
    FieldType.TEXT: _text,
    FieldType.CHOICE: _text,
    FieldType.CHOICES: _text,
    FieldType.INTEGER: _number,
    FieldType.DECIMAL: _number,
    FieldType.DATE: _day,
    FieldType.DATETIME: _moment,
    FieldType.BOOLEAN: _flag,
    FieldType.REFERENCE: _id,
}
