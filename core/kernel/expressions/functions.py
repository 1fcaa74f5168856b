"""The functions a formula may call: this list and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from core.kernel.expressions.arithmetic import CONTEXT, Number, ceiling, floor, round_half_up
from core.kernel.expressions.errors import ExpressionFailed, ExpressionInvalid
from core.kernel.expressions.types import MEMBER_OF, NUMBERS, SCALARS, SORTABLE, ValueType, bounded, meet
from core.kernel.text.clean import fold_case

Kinds = Sequence[ValueType]
_MAX_DAYS = 3_660_000
_MAX_NUMBER = 60


@dataclass(frozen=True, slots=True)
class Function:
    """One function: how it is written (for the editor's help), what it gives for which types, and how it is carried out.

    `result` raises ExpressionInvalid for types it does not take. `call` gets None for a missing value only if `takes_missing`;
    otherwise the result is missing as soon as one argument is. A lazy function gets its arguments as calls without parameters.
    """

    signature: str
    result: Callable[[Kinds], ValueType]
    call: Callable[..., Any]
    takes_missing: bool = False
    is_lazy: bool = False


def _takes(*wanted: frozenset[ValueType], gives: ValueType | int, at_least: int | None = None) -> Callable[[Kinds], ValueType]:
    """A rule for a fixed list of arguments; `gives` is a type, or the place of the argument whose type it is."""
    fewest = len(wanted) if at_least is None else at_least

    def result(kinds: Kinds) -> ValueType:
        if not fewest <= len(kinds) <= len(wanted):
            raise ExpressionInvalid("The number of arguments is not right.")
        for at, (kind, allowed) in enumerate(zip(kinds, wanted, strict=False), start=1):
            if kind is not ValueType.NOTHING and kind not in allowed:
                raise ExpressionInvalid(f"Argument {at} is of type {kind}; it takes {', '.join(sorted(allowed))}.")
        return kinds[gives] if isinstance(gives, int) else gives

    return result


def _of_many(allowed: frozenset[ValueType]) -> Callable[[Kinds], ValueType]:
    """A rule for one list, or any number of single values of one type."""

    def result(kinds: Kinds) -> ValueType:
        found = meet(MEMBER_OF.get(kind, kind) for kind in kinds)
        has_list = any(kind in MEMBER_OF for kind in kinds)
        if not kinds or found not in allowed or (has_list and len(kinds) > 1):
            raise ExpressionInvalid(f"It takes one list, or values of one type: {', '.join(sorted(allowed))}.")
        return found

    return result


def _choice(kinds: Kinds) -> ValueType:
    if len(kinds) != 3 or kinds[0] not in {ValueType.BOOLEAN, ValueType.NOTHING}:
        raise ExpressionInvalid("It takes a condition and two values.")
    return meet(kinds[1:])


def _first(kinds: Kinds) -> ValueType:
    if not kinds:
        raise ExpressionInvalid("It takes at least one value.")
    return meet(kinds)


def _joined(kinds: Kinds) -> ValueType:
    if not kinds or not SCALARS.issuperset(set(kinds) - {ValueType.NOTHING}):
        raise ExpressionInvalid("It takes single values.")
    return ValueType.TEXT


def _days(kinds: Kinds) -> ValueType:
    if len(kinds) != 2 or meet(kinds) not in _DAYS:
        raise ExpressionInvalid("It takes two dates or two moments.")
    return ValueType.INTEGER


def _rounding(kinds: Kinds) -> ValueType:
    _takes(NUMBERS, _INTEGER, gives=0, at_least=1)(kinds)
    return ValueType.INTEGER if len(kinds) == 1 else kinds[0]


def _round(value: Number, digits: int | None = None) -> Number:
    return floor(round_half_up(value)) if digits is None else round_half_up(value, digits)


def _members(values: tuple[Any, ...]) -> list[Any]:
    several = values[0] if len(values) == 1 and isinstance(values[0], list | tuple) else values
    return [value for value in several if value is not None]


def _sum(*values: Any) -> Any:
    members = _members(values)
    if all(type(member) is int for member in members):
        return bounded(sum(members))
    total = Decimal(0)
    for member in members:
        total = CONTEXT.add(total, member)
    return bounded(total)


def _text(value: Any) -> str:
    """Numbers without exponent, `true` and `false`, dates and moments in ISO form."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
    return str(value)


def _number(text: str) -> Decimal | None:
    try:
        number = CONTEXT.create_decimal(text.strip()) if len(text) <= _MAX_NUMBER else None
    except (InvalidOperation, ArithmeticError):
        return None
    return bounded(number) if number is not None and number.is_finite() else None


def _days_between(start: date, end: date) -> int:
    return (end - start) // timedelta(days=1)


def _add_days(day: date, count: int) -> date:
    if abs(count) > _MAX_DAYS:
        raise ExpressionFailed("This is too many days.")
    try:
        return day + timedelta(days=count)
    except OverflowError as error:
        raise ExpressionFailed("This date lies outside the calendar.") from error


def _coalesce(*values: Callable[[], Any]) -> Any:
    for value in values:
        found = value()
        if found is not None:
            return found
    return None


def _cut(count: int) -> int:
    if count < 0:
        raise ExpressionFailed("A number of characters cannot be negative.")
    return count


_INTEGER, _TEXT = frozenset({ValueType.INTEGER}), frozenset({ValueType.TEXT})
_DATE, _DAYS = frozenset({ValueType.DATE}), frozenset({ValueType.DATE, ValueType.DATETIME})
_LISTS, _ANY = frozenset(MEMBER_OF), SCALARS | frozenset(MEMBER_OF)

FUNCTIONS: dict[str, Function] = {
    "abs": Function("abs(number)", _takes(NUMBERS, gives=0), lambda value: abs(value) if type(value) is int else CONTEXT.abs(value)),
    "add_days": Function("add_days(date, days)", _takes(_DAYS, _INTEGER, gives=0), _add_days),
    "ceil": Function("ceil(number)", _takes(NUMBERS, gives=ValueType.INTEGER), ceiling),
    "coalesce": Function("coalesce(value, …)", _first, _coalesce, takes_missing=True, is_lazy=True),
    "concat": Function(
        "concat(value, …)",
        _joined,
        lambda *values: bounded("".join(_text(value) for value in values if value is not None)),
        takes_missing=True,
    ),
    "contains": Function(
        "contains(text, part)",
        _takes(_TEXT, _TEXT, gives=ValueType.BOOLEAN),
        lambda text, part: fold_case(part) in fold_case(text),
    ),
    "day": Function("day(date)", _takes(_DATE, gives=ValueType.INTEGER), lambda day: day.day),
    "days_between": Function("days_between(start, end)", _days, _days_between),
    "floor": Function("floor(number)", _takes(NUMBERS, gives=ValueType.INTEGER), floor),
    "if_": Function(
        "if_(condition, then, otherwise)",
        _choice,
        lambda condition, then, otherwise: then() if condition() else otherwise(),
        takes_missing=True,
        is_lazy=True,
    ),
    "is_empty": Function(
        "is_empty(value)",
        _takes(_ANY, gives=ValueType.BOOLEAN),
        lambda value: value is None or (isinstance(value, str | list | tuple) and not value),
        takes_missing=True,
    ),
    "left": Function("left(text, count)", _takes(_TEXT, _INTEGER, gives=ValueType.TEXT), lambda text, count: text[: _cut(count)]),
    "len": Function("len(text or list)", _takes(_TEXT | _LISTS, gives=ValueType.INTEGER), len),
    "lower": Function("lower(text)", _takes(_TEXT, gives=ValueType.TEXT), lambda text: bounded(text.lower())),
    "max": Function(
        "max(value, …)", _of_many(SORTABLE), lambda *values: max(_members(values), default=None), takes_missing=True
    ),
    "min": Function(
        "min(value, …)", _of_many(SORTABLE), lambda *values: min(_members(values), default=None), takes_missing=True
    ),
    "month": Function("month(date)", _takes(_DATE, gives=ValueType.INTEGER), lambda day: day.month),
    "number": Function("number(text)", _takes(_TEXT, gives=ValueType.DECIMAL), _number),
    "right": Function(
        "right(text, count)",
        _takes(_TEXT, _INTEGER, gives=ValueType.TEXT),
        lambda text, count: text[len(text) - min(_cut(count), len(text)) :],
    ),
    "round": Function("round(number, decimals)", _rounding, _round),
    "starts_with": Function("starts_with(text, start)", _takes(_TEXT, _TEXT, gives=ValueType.BOOLEAN), str.startswith),
    "sum": Function("sum(number, …)", _of_many(NUMBERS), _sum, takes_missing=True),
    "text": Function("text(value)", _takes(SCALARS, gives=ValueType.TEXT), _text),
    "trim": Function("trim(text)", _takes(_TEXT, gives=ValueType.TEXT), str.strip),
    "upper": Function("upper(text)", _takes(_TEXT, gives=ValueType.TEXT), lambda text: bounded(text.upper())),
    "weekday": Function("weekday(date)", _takes(_DATE, gives=ValueType.INTEGER), date.isoweekday),
    "year": Function("year(date)", _takes(_DATE, gives=ValueType.INTEGER), lambda day: day.year),
}
