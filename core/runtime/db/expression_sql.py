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
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Numeric, Text, and_, case, cast, false, func, literal, not_, null, or_, true, type_coerce

from core.kernel.expressions import Expression, ValueType
from core.kernel.expressions.compiler import Checker
from core.kernel.expressions.types import MAX_TEXT, NUMBERS
from core.runtime.db.expression_functions import LENIENT, STRICT, WRITING, WRITTEN_OTHERWISE, branch
from core.runtime.db.expression_parts import (
    DIGITS,
    MAX_SIZE,
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
    modulo,
    opposite,
    quotient,
    too_large,
)

__all__ = ["SQL_TYPES", "FormulaSql", "formula_sql", "quotient", "sql_size"]


@dataclass(frozen=True, slots=True)
class FormulaSql:
    """A formula in SQL: NULL where it is missing or has failed. `size` counts its parts, those of formulas within it included."""

    value: ColumnElement[Any]
    type: ValueType
    size: int


def formula_sql(expression: Expression, columns: Mapping[str, FormulaSql]) -> FormulaSql | None:
    """`expression` as SQL over `columns`, its names' places; None where it has no exact SQL or grows too large (`sql_size`).

    Columns are of the SQL type of their name (`SQL_TYPES`), decimals of at most 34 digits, moments compared as they are.
    """
    size = sql_size(expression, {name: column.size for name, column in columns.items()})
    if size is None:
        return None
    part = _Writer(expression, columns).part(expression.tree)
    failed = [check for name in sorted(expression.names) for check in _wrong(columns[name])]
    failed += part.failed
    sql_type = SQL_TYPES[expression.result_type]
    value = cast(null(), sql_type) if part.is_nothing else type_coerce(part.value, sql_type)
    return FormulaSql(case((or_(*failed), null()), else_=value) if failed else value, expression.result_type, size)


def sql_size(expression: Expression, sizes: Mapping[str, int]) -> int | None:
    """How large a formula is as SQL, from the sizes of its names; None when it has no exact SQL or grows too large.

    Every part stands in its place, and again where the parts above it ask whether they have failed.
    """
    if expression.result_type not in SQL_TYPES:
        return None
    found = 0

    def measure(node: ast.expr) -> int:
        nonlocal found
        if isinstance(node, ast.Name):
            if node.id not in sizes or expression.types[node.id] not in SQL_TYPES:
                raise NoSql
            own = sizes[node.id]
        else:
            if isinstance(node, ast.Call):
                _check_call(expression, node)
            parts = node.args if isinstance(node, ast.Call) else [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr)]
            own = 1 + sum(measure(part) for part in parts)
        found += 2 * own
        return own

    try:
        measure(expression.tree)
    except NoSql:
        return None
    return found if found <= MAX_SIZE else None


def _check_call(expression: Expression, node: ast.Call) -> None:
    """Raises NoSql - the function is no exact one, or takes a text from what SQL writes in another way."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name not in STRICT and name not in LENIENT:
        raise NoSql
    if name in WRITING:
        checker = Checker(expression.types)
        if any(checker.type_of(part) in WRITTEN_OTHERWISE for part in node.args):
            raise NoSql


def _wrong(column: FormulaSql) -> list[Criterion]:
    """When the value of a name is not let in (`types.admit`)."""
    if column.type is ValueType.TEXT:
        return [func.char_length(column.value) > MAX_TEXT]
    if column.type in NUMBERS:
        return [too_large(column.value)]
    return []


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: quotient,
    ast.FloorDiv: lambda left, right: func.floor(quotient(left, right), type_=Numeric()),
    ast.Mod: modulo,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
}


class _Writer:
    """Writes the tree of one formula, from the leaves up."""

    def __init__(self, expression: Expression, columns: Mapping[str, FormulaSql]) -> None:
        self._types, self._columns = expression.types, columns

    def part(self, node: ast.expr) -> Part:
        """One node. Raises NoSql."""
        match node:
            case ast.Constant(value):
                return _constant(value)
            case ast.Name(name):
                return Part(self._columns[name].value, self._types[name])
            case ast.UnaryOp(op, operand):
                return _unary(op, self.part(operand))
            case ast.BinOp(left, op, right):
                return _binary(op, self.part(left), self.part(right))
            case ast.BoolOp(op, values):
                return _bool(isinstance(op, ast.And), [self.part(value) for value in values])
            case ast.Compare(left, ops, others):
                return _compare([self.part(side) for side in (left, *others)], ops)
            case ast.IfExp(test, body, orelse):
                return branch([self.part(one) for one in (test, body, orelse)])
            case ast.Call(ast.Name(name), arguments, []):
                return self._call(name, [self.part(argument) for argument in arguments])
        raise NoSql

    def _call(self, name: str, parts: Sequence[Part]) -> Part:
        if name in LENIENT:
            return LENIENT[name](parts)
        write = STRICT.get(name)
        if write is None:
            raise NoSql
        if any(part.is_nothing for part in parts):
            return Part(null(), ValueType.NOTHING, failures_of(parts))
        return write(parts)


def _constant(value: Any) -> Part:
    match value:
        case None:
            return Part(null(), ValueType.NOTHING)
        case bool():
            return Part(literal(value, Boolean()), ValueType.BOOLEAN)
        case str():
            return Part(literal(value, Text()), ValueType.TEXT)
        case int():
            return Part(constant(value), ValueType.INTEGER)
    return Part(constant(value), ValueType.DECIMAL)


def _unary(op: ast.unaryop, part: Part) -> Part:
    if isinstance(op, ast.Not):
        return Part(opposite(part.value), ValueType.BOOLEAN, part.failed)
    if isinstance(op, ast.UAdd) or part.is_nothing:
        return part
    negative = -part.value
    return Part(fit(negative) if part.kind is ValueType.DECIMAL else negative, part.kind, part.failed)


def _binary(op: ast.operator, left: Part, right: Part) -> Part:
    parts = (left, right)
    kind = kind_of(parts)
    if left.is_nothing or right.is_nothing:
        return Part(missing(kind), kind, failures_of(parts))
    if kind is ValueType.TEXT:
        value = left.value.concat(right.value)
        return Part(value, kind, (*failures_of(parts), func.char_length(value) > MAX_TEXT))
    value = _ARITHMETIC[type(op)](left.value, right.value)
    if isinstance(op, ast.Div):
        kind = ValueType.DECIMAL
    if kind is ValueType.DECIMAL and not isinstance(op, ast.FloorDiv):
        value = fit(value)
    failed = [*failures_of(parts), too_large(value)]
    if isinstance(op, ast.Div | ast.FloorDiv | ast.Mod):
        # A missing side comes before the division: then there is no division by zero.
        failed.append(and_(left.value.is_not(None), right.value == constant(0)))
    if isinstance(op, ast.Mod) and kind is ValueType.DECIMAL:
        failed.append(func.abs(quotient(left.value, right.value)) >= constant(10**DIGITS))
    return Part(value, kind, tuple(failed))


def _bool(is_and: bool, parts: Sequence[Part]) -> Part:
    """What comes after the part that decides is not looked at, so it cannot fail."""
    failed: list[Criterion] = []
    reached: list[Criterion] = []
    for part in parts:
        if part.failed:
            failed.append(and_(true(), *reached, any_of(part.failed)))
        reached.append(holds(part.value) if is_and else not_(holds(part.value)))
    values = [holds(part.value) for part in parts]
    return Part(and_(*values) if is_and else or_(*values), ValueType.BOOLEAN, tuple(failed))


def _compare(sides: Sequence[Part], ops: Sequence[ast.cmpop]) -> Part:
    failed = list(sides[0].failed)
    so_far: list[Any] = []
    for op, left, right in zip(ops, sides, sides[1:], strict=False):
        if right.failed:
            failed.append(and_(true(), *so_far, any_of(right.failed)))
        is_known = not (left.is_nothing or right.is_nothing)
        so_far.append(holds(_COMPARISONS[type(op)](left.value, right.value)) if is_known else false())
    return Part(and_(*so_far), ValueType.BOOLEAN, tuple(failed))
