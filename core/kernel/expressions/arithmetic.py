"""Operators of formulas: exact, bounded, and with a rule for missing values."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import Any

from core.kernel.expressions.errors import ExpressionFailed
from core.kernel.expressions.types import bounded

Number = int | Decimal
# 34 digits leave room for the intermediate digits of 28-digit numbers; tiny results become zero instead of growing exponents.
CONTEXT = Context(prec=34, rounding=ROUND_HALF_UP, Emin=-40, Emax=40, traps=[DivisionByZero, InvalidOperation, Overflow])
# Rounding a large number writes zeros behind its point; they are no digits that it would have to lose elsewhere.
_ROUNDING = Context(prec=80, rounding=ROUND_HALF_UP, traps=[DivisionByZero, InvalidOperation, Overflow])
MAX_DIGITS = 8


def _arithmetic(exact: Callable[[int, int], int] | None, decimal: Callable[[Number, Number], Decimal]) -> Callable[[Any, Any], Any]:
    """An operator that is missing when a side is, exact on whole numbers if it can be, and bounded."""

    def apply(left: Any, right: Any) -> Any:
        if left is None or right is None:
            return None
        if exact is not None and type(left) is int and type(right) is int:
            return bounded(exact(left, right))
        return bounded(decimal(left, right))

    return apply


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return bounded(left + right)
    return _add_numbers(left, right)


def _floor_divide(left: Number, right: Number) -> Decimal:
    """Rounded down for negative numbers too, as whole numbers are; Decimal's own operator cuts towards zero."""
    cut, rest = CONTEXT.divmod(left, right)
    return CONTEXT.subtract(cut, 1) if rest and (rest < 0) is not (right < 0) else cut


def _modulo(left: Number, right: Number) -> Decimal:
    """What `_floor_divide` leaves over; it has the sign of `right`."""
    rest = CONTEXT.remainder(left, right)
    return CONTEXT.add(rest, right) if rest and (rest < 0) is not (right < 0) else rest


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """A comparison with a missing value is false, as in the condition language."""

    def apply(left: Any, right: Any) -> bool:
        return left is not None and right is not None and compare(left, right)

    return apply


_add_numbers = _arithmetic(operator.add, CONTEXT.add)

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _add,
    ast.Sub: _arithmetic(operator.sub, CONTEXT.subtract),
    ast.Mult: _arithmetic(operator.mul, CONTEXT.multiply),
    ast.Div: _arithmetic(None, CONTEXT.divide),
    ast.FloorDiv: _arithmetic(operator.floordiv, _floor_divide),
    ast.Mod: _arithmetic(operator.mod, _modulo),
    ast.Eq: _comparison(operator.eq),
    ast.NotEq: _comparison(operator.ne),
    ast.Lt: _comparison(operator.lt),
    ast.LtE: _comparison(operator.le),
    ast.Gt: _comparison(operator.gt),
    ast.GtE: _comparison(operator.ge),
    ast.USub: lambda value: None if value is None else -value if type(value) is int else CONTEXT.minus(value),
    ast.UAdd: lambda value: value,
    ast.Not: operator.not_,
}


def round_half_up(value: Number, digits: int = 0) -> Number:
    """`value` rounded half away from zero to `digits` decimals, 0 to 8; whole numbers stay as they are."""
    if not 0 <= digits <= MAX_DIGITS:
        raise ExpressionFailed(f"A number is rounded to 0 to {MAX_DIGITS} decimals.")
    return value if type(value) is int else bounded(_ROUNDING.quantize(value, Decimal(1).scaleb(-digits)))


def floor(value: Number) -> int:
    """The next whole number below, or `value` itself."""
    return int(Decimal(value).to_integral_value(ROUND_FLOOR))


def ceiling(value: Number) -> int:
    """The next whole number above, or `value` itself."""
    return int(Decimal(value).to_integral_value(ROUND_CEILING))
