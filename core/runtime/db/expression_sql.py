"""The SQL back end of formulas: the same results as `Expression.evaluate`, for filters, orders and sums over many rows.

Every part of a formula becomes a value and a condition under which it has failed, so that a failure spoils the whole result, as it does
there, and a branch that is not taken spoils nothing. Numbers are `numeric`, rounded to 34 digits after each step by `to_char`, which rounds
half away from zero and needs its argument once. What PostgreSQL does in another way than Python (capital letters, reading numbers,
decimals as text) has no SQL: `formula_sql` then gives None, and the caller works the formula out in Python.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Text,
    and_,
    case,
    cast,
    collate,
    extract,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    true,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from core.kernel.expressions import Expression, ValueType
from core.kernel.expressions.arithmetic import MAX_DIGITS
from core.kernel.expressions.types import LIMIT, MAX_TEXT, NUMBERS

#: A formula that gets larger than this as SQL is worked out in Python: formulas may use formulas, and each use is written out.
MAX_SIZE = 1_500
MAX_DAYS = 3_660_000
_DIGITS, _SMALLEST, _EXACT = 34, 73, 120
_SCIENTIFIC = f"9.{'9' * (_DIGITS - 1)}EEEE"
_SPACES = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_FIRST_DAY, _LAST_DAY = "0001-01-01", "9999-12-31"
_FIRST_SECOND, _END_SECOND = -62135596800, 253402300800
_DAY_S = 86_400
Criterion = ColumnElement[bool]
SQL_TYPES: dict[ValueType, TypeEngine[Any]] = {
    ValueType.INTEGER: Numeric(),
    ValueType.DECIMAL: Numeric(),
    ValueType.TEXT: Text(),
    ValueType.BOOLEAN: Boolean(),
    ValueType.DATE: Date(),
    ValueType.DATETIME: DateTime(timezone=True),
}


class _NoSql(Exception):  # noqa: N818 - it never leaves this module
    """This part of a formula has no exact counterpart in SQL."""


@dataclass(frozen=True, slots=True)
class FormulaSql:
    """A formula in SQL: NULL where it is missing or has failed. `size` counts its parts, those of formulas within it included."""

    value: ColumnElement[Any]
    type: ValueType
    size: int


@dataclass(frozen=True, slots=True)
class _Part:
    value: Any
    kind: ValueType
    failed: tuple[Criterion, ...] = ()
    size: int = 1

    @property
    def is_nothing(self) -> bool:
        return self.kind is ValueType.NOTHING


def formula_sql(expression: Expression, columns: Mapping[str, FormulaSql]) -> FormulaSql | None:
    """`expression` as SQL over `columns`, its names' places; None where it has no exact SQL or grows too large.

    Columns are of the SQL type of their name (`SQL_TYPES`), decimals of at most 34 digits, moments compared as they are.
    """
    if expression.result_type not in SQL_TYPES or any(name not in columns for name in expression.names):
        return None
    writer = _Writer(expression, columns)
    try:
        part = writer.part(expression.tree)
    except _NoSql:
        return None
    failed = [check for name in sorted(expression.names) for check in _wrong(columns[name])]
    failed += part.failed
    size = part.size + sum(columns[name].size for name in expression.names)
    if size > MAX_SIZE:
        return None
    sql_type = SQL_TYPES[expression.result_type]
    value = cast(null(), sql_type) if part.is_nothing else type_coerce(part.value, sql_type)
    return FormulaSql(case((or_(*failed), null()), else_=value) if failed else value, expression.result_type, size)


def _wrong(column: FormulaSql) -> list[Criterion]:
    """When the value of a name is not let in (`types.admit`)."""
    if column.type is ValueType.TEXT:
        return [func.char_length(column.value) > MAX_TEXT]
    if column.type in NUMBERS:
        return [_too_large(column.value)]
    return []


def _too_large(value: Any) -> Criterion:
    return func.abs(value) >= _number(LIMIT)


def _number(value: int | Decimal) -> Any:
    return literal(Decimal(value), Numeric())


def _fit(value: Any) -> Any:
    """The value with at most 34 digits, the last one rounded half away from zero, and nothing below 10^-73."""
    digits = cast(func.to_char(value, _SCIENTIFIC), Numeric())
    return func.trim_scale(func.round(digits, _SMALLEST), type_=Numeric())


def _quotient(left: Any, right: Any) -> Any:
    """With more decimals than a rounding to 34 digits, or to whole numbers, can need: 34 digits divided by 34 digits."""
    return func.round(left, _EXACT, type_=Numeric()) / func.nullif(right, _number(0), type_=Numeric())


def _modulo(left: Any, right: Any) -> Any:
    divisor = func.nullif(right, _number(0), type_=Numeric())
    return func.mod(func.mod(left, divisor, type_=Numeric()) + right, divisor, type_=Numeric())


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: _quotient,
    ast.FloorDiv: lambda left, right: func.floor(_quotient(left, right), type_=Numeric()),
    ast.Mod: _modulo,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
}


def _missing(kind: ValueType) -> Any:
    return null() if kind is ValueType.NOTHING else cast(null(), SQL_TYPES[kind])


def _holds(value: Any) -> Any:
    return func.coalesce(value, false(), type_=Boolean())


def _opposite(value: Any) -> Any:
    # NOT binds weaker than what may come behind it.
    return case((_holds(value), literal(False, Boolean())), else_=literal(True, Boolean()))  # noqa: FBT003 - values, not switches


class _Writer:
    """Writes the tree of one formula, from the leaves up."""

    def __init__(self, expression: Expression, columns: Mapping[str, FormulaSql]) -> None:
        self._types, self._columns = expression.types, columns

    def part(self, node: ast.expr) -> _Part:
        """One node. Raises _NoSql."""
        match node:
            case ast.Constant(value):
                return _constant(value)
            case ast.Name(name):
                if self._types[name] not in SQL_TYPES:
                    raise _NoSql
                return _Part(self._columns[name].value, self._types[name], size=self._columns[name].size)
            case ast.UnaryOp(op, operand):
                return _unary(op, self.part(operand))
            case ast.BinOp(left, op, right):
                return _checked(_binary(op, self.part(left), self.part(right)))
            case ast.BoolOp(op, values):
                return _bool(isinstance(op, ast.And), [self.part(value) for value in values])
            case ast.Compare(left, ops, others):
                return _compare([self.part(side) for side in (left, *others)], ops)
            case ast.IfExp(test, body, orelse):
                return _branch([self.part(one) for one in (test, body, orelse)])
            case ast.Call(ast.Name(name), arguments, []):
                return self._call(name, [self.part(argument) for argument in arguments])
        raise _NoSql

    def _call(self, name: str, parts: Sequence[_Part]) -> _Part:
        if name in _LENIENT:
            return _checked(_LENIENT[name](parts))
        write = _STRICT.get(name)
        if write is None:
            raise _NoSql
        if any(part.is_nothing for part in parts):
            return _Part(null(), ValueType.NOTHING, _failures(parts), _size(parts))
        return _checked(write(parts))


def _checked(part: _Part) -> _Part:
    if part.size > MAX_SIZE:
        raise _NoSql
    return part


def _constant(value: Any) -> _Part:
    match value:
        case None:
            return _Part(null(), ValueType.NOTHING)
        case bool():
            return _Part(literal(value, Boolean()), ValueType.BOOLEAN)
        case str():
            return _Part(literal(value, Text()), ValueType.TEXT)
        case int():
            return _Part(_number(value), ValueType.INTEGER)
    return _Part(_number(value), ValueType.DECIMAL)


def _size(parts: Sequence[_Part]) -> int:
    """A value stands once in its place, and once more where its failure is asked about."""
    return 1 + sum(2 * part.size for part in parts)


def _failures(parts: Sequence[_Part]) -> tuple[Criterion, ...]:
    return tuple(check for part in parts for check in part.failed)


def _any(checks: Sequence[Criterion]) -> Criterion:
    return _holds(or_(false(), *checks))


def _kind(parts: Sequence[_Part]) -> ValueType:
    """The type that parts which go together have in common; they do, or the formula would not have been compiled."""
    kinds = {part.kind for part in parts} - {ValueType.NOTHING}
    if not kinds:
        return ValueType.NOTHING
    return ValueType.DECIMAL if len(kinds) > 1 else kinds.pop()


def _unary(op: ast.unaryop, part: _Part) -> _Part:
    if isinstance(op, ast.Not):
        return _Part(_opposite(part.value), ValueType.BOOLEAN, part.failed, part.size + 1)
    if isinstance(op, ast.UAdd) or part.is_nothing:
        return part
    negative = -part.value
    return _Part(_fit(negative) if part.kind is ValueType.DECIMAL else negative, part.kind, part.failed, part.size + 1)


def _binary(op: ast.operator, left: _Part, right: _Part) -> _Part:
    parts = (left, right)
    kind = _kind(parts)
    if left.is_nothing or right.is_nothing:
        return _Part(_missing(kind), kind, _failures(parts), _size(parts))
    if kind is ValueType.TEXT:
        value = left.value.concat(right.value)
        return _Part(value, kind, (*_failures(parts), func.char_length(value) > MAX_TEXT), _size(parts))
    value = _ARITHMETIC[type(op)](left.value, right.value)
    if isinstance(op, ast.Div):
        kind = ValueType.DECIMAL
    if kind is ValueType.DECIMAL and not isinstance(op, ast.FloorDiv):
        value = _fit(value)
    failed = [*_failures(parts), _too_large(value)]
    if isinstance(op, ast.Div | ast.FloorDiv | ast.Mod):
        # A missing side comes before the division: then there is no division by zero.
        failed.append(and_(left.value.is_not(None), right.value == _number(0)))
    if isinstance(op, ast.Mod) and kind is ValueType.DECIMAL:
        failed.append(func.abs(_quotient(left.value, right.value)) >= _number(10**_DIGITS))
    return _Part(value, kind, tuple(failed), _size(parts))


def _bool(is_and: bool, parts: Sequence[_Part]) -> _Part:  # noqa: FBT001 - one of two operators
    """What comes after the part that decides is not looked at, so it cannot fail."""
    failed: list[Criterion] = []
    reached: list[Criterion] = []
    for part in parts:
        if part.failed:
            failed.append(and_(true(), *reached, _any(part.failed)))
        reached.append(_holds(part.value) if is_and else not_(_holds(part.value)))
    values = [_holds(part.value) for part in parts]
    return _Part(and_(*values) if is_and else or_(*values), ValueType.BOOLEAN, tuple(failed), _size(parts))


def _compare(sides: Sequence[_Part], ops: Sequence[ast.cmpop]) -> _Part:
    failed, so_far = list(sides[0].failed), []
    for op, left, right in zip(ops, sides, sides[1:], strict=False):
        if right.failed:
            failed.append(and_(true(), *so_far, _any(right.failed)))
        is_known = not (left.is_nothing or right.is_nothing)
        so_far.append(_holds(_COMPARISONS[type(op)](left.value, right.value)) if is_known else false())
    return _Part(and_(*so_far), ValueType.BOOLEAN, tuple(failed), _size(sides))


def _branch(parts: Sequence[_Part]) -> _Part:
    test, then, otherwise = parts
    holds, kind = _holds(test.value), _kind((then, otherwise))
    failed = list(test.failed)
    if then.failed or otherwise.failed:
        failed.append(case((holds, _any(then.failed)), else_=_any(otherwise.failed)))
    if kind is ValueType.NOTHING:
        return _Part(null(), kind, tuple(failed), _size(parts))
    return _Part(case((holds, then.value), else_=otherwise.value), kind, tuple(failed), _size(parts))


def _first(parts: Sequence[_Part]) -> _Part:
    failed: list[Criterion] = []
    missing: list[Criterion] = []
    for part in parts:
        if part.failed:
            failed.append(and_(true(), *missing, _any(part.failed)))
        if not part.is_nothing:
            missing.append(part.value.is_(None))
    known = [part.value for part in parts if not part.is_nothing]
    if not known:
        return _Part(null(), ValueType.NOTHING, tuple(failed), _size(parts))
    return _Part(func.coalesce(*known, type_=SQL_TYPES[_kind(parts)]), _kind(parts), tuple(failed), _size(parts))


def _extreme(choose: Any) -> Callable[[Sequence[_Part]], _Part]:
    def write(parts: Sequence[_Part]) -> _Part:
        kind = _kind(parts)
        known = [part.value for part in parts if not part.is_nothing]
        value = choose(*known, type_=SQL_TYPES[kind]) if known else _missing(kind)
        return _Part(value, kind, _failures(parts), _size(parts))

    return write


def _sum(parts: Sequence[_Part]) -> _Part:
    kind, total = _kind(parts), _number(0)
    for part in parts:
        if not part.is_nothing:
            added = total + func.coalesce(part.value, _number(0), type_=Numeric())
            total = _fit(added) if kind is ValueType.DECIMAL else added
    kind = ValueType.INTEGER if kind is ValueType.NOTHING else kind
    return _Part(total, kind, (*_failures(parts), _too_large(total)), _size(parts))


def _joined(parts: Sequence[_Part]) -> _Part:
    words = [func.coalesce(_as_text(part), literal("", Text()), type_=Text()) for part in parts if not part.is_nothing]
    value: Any = literal("", Text())
    for word in words:
        value = value.concat(word)
    return _Part(value, ValueType.TEXT, (*_failures(parts), func.char_length(value) > MAX_TEXT), _size(parts))


def _as_text(part: _Part) -> Any:
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
    raise _NoSql


def _is_empty(parts: Sequence[_Part]) -> _Part:
    (part,) = parts
    if part.is_nothing:
        return _Part(true(), ValueType.BOOLEAN)
    is_missing = part.value.is_(None)
    value = or_(is_missing, part.value == literal("", Text())) if part.kind is ValueType.TEXT else is_missing
    return _Part(_holds(value), ValueType.BOOLEAN, part.failed, _size(parts))


def _plain(write: Callable[..., Any], kind: ValueType | None = None) -> Callable[[Sequence[_Part]], _Part]:
    """A function that cannot fail; without `kind` it gives the type of its first argument."""

    def made(parts: Sequence[_Part]) -> _Part:
        found = kind or parts[0].kind
        return _Part(type_coerce(write(*(part.value for part in parts)), SQL_TYPES[found]), found, _failures(parts), _size(parts))

    return made


def _absolute(parts: Sequence[_Part]) -> _Part:
    (part,) = parts
    value = func.abs(part.value, type_=Numeric())
    return _Part(_fit(value) if part.kind is ValueType.DECIMAL else value, part.kind, part.failed, _size(parts))


def _round(parts: Sequence[_Part]) -> _Part:
    number, failed = parts[0], list(_failures(parts))
    if len(parts) == 1:
        value = func.round(number.value, 0, type_=Numeric())
        return _Part(value, ValueType.INTEGER, (*failed, _too_large(value)), _size(parts))
    digits = parts[1].value
    is_wrong = or_(digits < _number(0), digits > _number(MAX_DIGITS))
    failed.append(and_(number.value.is_not(None), is_wrong))
    if number.kind is ValueType.INTEGER:
        return _Part(case((digits.is_not(None), number.value)), number.kind, tuple(failed), _size(parts))
    value = case((not_(is_wrong), func.round(number.value, cast(digits, Integer()))))
    value = type_coerce(value, Numeric())
    # A rounded number of more than 34 digits, its zeros behind the point among them, cannot be written.
    largest = case((not_(is_wrong), func.power(_number(10), _number(_DIGITS) - digits)))
    failed += [_too_large(value), func.abs(value) >= type_coerce(largest, Numeric())]
    return _Part(value, number.kind, tuple(failed), _size(parts))


def _cut(take: Any) -> Callable[[Sequence[_Part]], _Part]:
    def write(parts: Sequence[_Part]) -> _Part:
        text, count = parts
        is_negative = count.value < _number(0)
        number = cast(func.least(count.value, _number(MAX_TEXT)), Integer())
        value = case((not_(is_negative), take(text.value, number)))
        failed = (*_failures(parts), and_(text.value.is_not(None), is_negative))
        return _Part(type_coerce(value, Text()), ValueType.TEXT, failed, _size(parts))

    return write


def _add_days(parts: Sequence[_Part]) -> _Part:
    day, count = parts
    number = count.value
    if day.kind is ValueType.DATE:
        first, last = (cast(literal(edge, Text()), Date()) for edge in (_FIRST_DAY, _LAST_DAY))
        fits = and_(number >= first - day.value, number <= last - day.value)
        moved = day.value + cast(number, Integer())
    else:
        second = extract("epoch", day.value) + number * _number(_DAY_S)
        fits = and_(second >= _number(_FIRST_SECOND), second < _number(_END_SECOND))
        moved = day.value + func.make_interval(0, 0, 0, 0, cast(number * _number(24), Integer()))
    is_far = func.abs(number) > _number(MAX_DAYS)
    value = case((and_(not_(is_far), fits), moved))
    failed = (*_failures(parts), and_(day.value.is_not(None), or_(is_far, not_(fits))))
    return _Part(type_coerce(value, SQL_TYPES[day.kind]), day.kind, failed, _size(parts))


def _days_between(parts: Sequence[_Part]) -> _Part:
    start, end = parts
    if start.kind is ValueType.DATE:
        value: Any = cast(end.value - start.value, Numeric())
    else:
        value = func.floor((extract("epoch", end.value) - extract("epoch", start.value)) / _number(_DAY_S))
    return _Part(type_coerce(value, Numeric()), ValueType.INTEGER, _failures(parts), _size(parts))


def _contains(text: Any, part: Any) -> Any:
    # The rules of `fold_case`, whatever the database's locale.
    return func.strpos(func.lower(collate(text, "pg_c_utf8")), func.lower(collate(part, "pg_c_utf8"))) > 0


def _calendar(part: str) -> Callable[[Sequence[_Part]], _Part]:
    return _plain(lambda day: cast(extract(part, day), Numeric()), ValueType.INTEGER)


def _length(parts: Sequence[_Part]) -> _Part:
    return _plain(lambda text: cast(func.char_length(text), Numeric()), ValueType.INTEGER)(parts)


def _written(parts: Sequence[_Part]) -> _Part:
    return _Part(_as_text(parts[0]), ValueType.TEXT, parts[0].failed, _size(parts))


#: Missing as soon as one argument is.
_STRICT: dict[str, Callable[[Sequence[_Part]], _Part]] = {
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
_LENIENT: dict[str, Callable[[Sequence[_Part]], _Part]] = {
    "coalesce": _first,
    "concat": _joined,
    "if_": _branch,
    "is_empty": _is_empty,
    "max": _extreme(func.greatest),
    "min": _extreme(func.least),
    "sum": _sum,
}
