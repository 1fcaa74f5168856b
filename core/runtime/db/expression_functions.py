"""The functions of formulas in SQL. What is missing here has no exact counterpart: capital letters, reading numbers from text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    collate,
    extract,
    func,
    literal,
    not_,
    null,
    or_,
    true,
    type_coerce,
)

from core.kernel.expressions import ValueType
from core.kernel.expressions.arithmetic import MAX_DIGITS
from core.kernel.expressions.types import MAX_TEXT
from core.runtime.db.expression_parts import (
    SQL_TYPES,
    Criterion,
    NoSql,
    Part,
    any_of,
    constant,
    failures_of,
    fit,
    holds,
    kind_of,
    missing,
    too_large,
)

MAX_DAYS = 3_660_000
_SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_FIRST_DAY, _LAST_DAY = "0001-01-01", "9999-12-31"
_FIRST_SECOND, _END_SECOND = -62135596800, 253402300800
_DAY_S = 86_400


def branch(parts: Sequence[Part]) -> Part:
    test, then, otherwise = parts
    chosen, kind = holds(test.value), kind_of((then, otherwise))
    failed = list(test.failed)
    if then.failed or otherwise.failed:
        failed.append(case((chosen, any_of(then.failed)), else_=any_of(otherwise.failed)))
    if kind is ValueType.NOTHING:
        return Part(null(), kind, tuple(failed))
    return Part(case((chosen, then.value), else_=otherwise.value), kind, tuple(failed))


def _first(parts: Sequence[Part]) -> Part:
    failed: list[Criterion] = []
    missing: list[Criterion] = []
    for part in parts:
        if part.failed:
            failed.append(and_(true(), *missing, any_of(part.failed)))
        if not part.is_nothing:
            missing.append(part.value.is_(None))
    known = [part.value for part in parts if not part.is_nothing]
    if not known:
        return Part(null(), ValueType.NOTHING, tuple(failed))
    return Part(func.coalesce(*known, type_=SQL_TYPES[kind_of(parts)]), kind_of(parts), tuple(failed))


def _extreme(choose: Any) -> Callable[[Sequence[Part]], Part]:
    def write(parts: Sequence[Part]) -> Part:
        kind = kind_of(parts)
        known = [part.value for part in parts if not part.is_nothing]
        value = choose(*known, type_=SQL_TYPES[kind]) if known else missing(kind)
        return Part(value, kind, failures_of(parts))

    return write


def _sum(parts: Sequence[Part]) -> Part:
    kind, total = kind_of(parts), constant(0)
    for part in parts:
        if not part.is_nothing:
            added = total + func.coalesce(part.value, constant(0), type_=Numeric())
            total = fit(added) if kind is ValueType.DECIMAL else added
    kind = ValueType.INTEGER if kind is ValueType.NOTHING else kind
    return Part(total, kind, (*failures_of(parts), too_large(total)))


def _joined(parts: Sequence[Part]) -> Part:
    words = [func.coalesce(_as_text(part), literal("", Text()), type_=Text()) for part in parts if not part.is_nothing]
    value: Any = literal("", Text())
    for word in words:
        value = value.concat(word)
    return Part(value, ValueType.TEXT, (*failures_of(parts), func.char_length(value) > MAX_TEXT))


def _as_text(part: Part) -> Any:
    value = part.value
    match part.kind:
        case ValueType.TEXT:
            return value
        case ValueType.INTEGER:
            return cast(func.trunc(value), Text())
        case ValueType.BOOLEAN:
            return case((value, literal("true", Text())), (not_(value), literal("false", Text())))
        case ValueType.DATE:
            return func.to_char(value, "YYYY-MM-DD", type_=Text())
    # Decimals keep needless zeros in another way than Python's do, and moments the zone that they came in.
    raise NoSql


def _is_empty(parts: Sequence[Part]) -> Part:
    (part,) = parts
    if part.is_nothing:
        return Part(literal(True, Boolean()), ValueType.BOOLEAN, part.failed)  # noqa: FBT003 - a value, not a switch
    is_missing = part.value.is_(None)
    value = or_(is_missing, part.value == literal("", Text())) if part.kind is ValueType.TEXT else is_missing
    return Part(holds(value), ValueType.BOOLEAN, part.failed)


def _plain(write: Callable[..., Any], kind: ValueType | None = None) -> Callable[[Sequence[Part]], Part]:
    """A function that cannot fail; without `kind` it gives the type of its first argument."""

    def made(parts: Sequence[Part]) -> Part:
        found = kind or parts[0].kind
        return Part(type_coerce(write(*(part.value for part in parts)), SQL_TYPES[found]), found, failures_of(parts))

    return made


def _absolute(parts: Sequence[Part]) -> Part:
    (part,) = parts
    value = func.abs(part.value, type_=Numeric())
    return Part(fit(value) if part.kind is ValueType.DECIMAL else value, part.kind, part.failed)


def _round(parts: Sequence[Part]) -> Part:
    rounded, failed = parts[0], list(failures_of(parts))
    if len(parts) == 1:
        whole = func.round(rounded.value, 0, type_=Numeric())
        return Part(whole, ValueType.INTEGER, (*failed, too_large(whole)))
    digits = parts[1].value
    is_wrong = or_(digits < constant(0), digits > constant(MAX_DIGITS))
    failed.append(and_(rounded.value.is_not(None), is_wrong))
    if rounded.kind is ValueType.INTEGER:
        return Part(case((digits.is_not(None), rounded.value)), rounded.kind, tuple(failed))
    value: Any = case((not_(is_wrong), func.round(rounded.value, cast(digits, Integer()))))
    value = type_coerce(value, Numeric())
    failed.append(too_large(value))
    return Part(value, rounded.kind, tuple(failed))


def _cut(take: Any) -> Callable[[Sequence[Part]], Part]:
    def write(parts: Sequence[Part]) -> Part:
        text, count = parts
        is_negative = count.value < constant(0)
        number = cast(func.least(count.value, constant(MAX_TEXT)), Integer())
        value = case((not_(is_negative), take(text.value, number)))
        failed = (*failures_of(parts), and_(text.value.is_not(None), is_negative))
        return Part(type_coerce(value, Text()), ValueType.TEXT, failed)

    return write


def _add_days(parts: Sequence[Part]) -> Part:
    day, count = parts
    number = count.value
    if day.kind is ValueType.DATE:
        first, last = (cast(literal(edge, Text()), Date()) for edge in (_FIRST_DAY, _LAST_DAY))
        fits = and_(number >= first - day.value, number <= last - day.value)
        moved = day.value + cast(number, Integer())
    else:
        second = extract("epoch", day.value) + number * constant(_DAY_S)
        fits = and_(second >= constant(_FIRST_SECOND), second < constant(_END_SECOND))
        moved = day.value + func.make_interval(0, 0, 0, 0, cast(number * constant(24), Integer()))
    is_far = func.abs(number) > constant(MAX_DAYS)
    value = case((and_(not_(is_far), fits), moved))
    failed = (*failures_of(parts), and_(day.value.is_not(None), or_(is_far, not_(fits))))
    return Part(type_coerce(value, SQL_TYPES[day.kind]), day.kind, failed)


def _days_between(parts: Sequence[Part]) -> Part:
    start, end = parts
    if start.kind is ValueType.DATE:
        value: Any = cast(end.value - start.value, Numeric())
    else:
        value = func.floor((extract("epoch", end.value) - extract("epoch", start.value)) / constant(_DAY_S))
    return Part(type_coerce(value, Numeric()), ValueType.INTEGER, failures_of(parts))


def _contains(text: Any, part: Any) -> Any:
    # The rules of `fold_case`, whatever the database's locale.
    return func.strpos(func.lower(collate(text, "pg_c_utf8")), func.lower(collate(part, "pg_c_utf8"))) > 0


def _calendar(part: str) -> Callable[[Sequence[Part]], Part]:
    return _plain(lambda day: cast(extract(part, day), Numeric()), ValueType.INTEGER)


def _length(parts: Sequence[Part]) -> Part:
    return _plain(lambda text: cast(func.char_length(text), Numeric()), ValueType.INTEGER)(parts)


def _written(parts: Sequence[Part]) -> Part:
    return Part(_as_text(parts[0]), ValueType.TEXT, parts[0].failed)


#: Missing as soon as one argument is.
STRICT: dict[str, Callable[[Sequence[Part]], Part]] = {
    "abs": _absolute,
    "add_days": _add_days,
    "ceil": _plain(func.ceil, ValueType.INTEGER),
    "contains": _plain(_contains, ValueType.BOOLEAN),
    "day": _calendar("day"),
    "days_between": _days_between,
    "floor": _plain(func.floor, ValueType.INTEGER),
    "left": _cut(func.left),
    "len": _length,
    "month": _calendar("month"),
    "right": _cut(func.right),
    "round": _round,
    "starts_with": _plain(func.starts_with, ValueType.BOOLEAN),
    "text": _written,
    "trim": _plain(lambda text: func.btrim(text, _SPACES), ValueType.TEXT),
    "weekday": _calendar("isodow"),
    "year": _calendar("year"),
}
#: These look at missing arguments themselves.
LENIENT: dict[str, Callable[[Sequence[Part]], Part]] = {
    "coalesce": _first,
    "concat": _joined,
    "if_": branch,
    "is_empty": _is_empty,
    "max": _extreme(func.greatest),
    "min": _extreme(func.least),
    "sum": _sum,
}
#: Functions that make texts of values, and the types that SQL writes in another way than Python does.
WRITING = frozenset({"concat", "text"})
WRITTEN_OTHERWISE = frozenset({ValueType.DECIMAL, ValueType.DATETIME})
