"""Running a checked formula: simpleeval with everything taken out that a formula does not need."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, DecimalException
from typing import Any

from simpleeval import InvalidExpression, SimpleEval

from core.kernel.expressions.arithmetic import OPERATORS
from core.kernel.expressions.compiler import Checker, parse
from core.kernel.expressions.errors import ExpressionFailed, ExpressionInvalid
from core.kernel.expressions.functions import FUNCTIONS
from core.kernel.expressions.types import MEMBER_OF, ValueType, admit

Value = int | Decimal | str | bool | date | None


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula that has been checked. `names` are the fields it reads, `result_type` is what it gives (or None: missing).

    `tree` is what was read and `types` the types of its names, for back ends that carry it out elsewhere.
    """

    text: str
    names: frozenset[str]
    result_type: ValueType
    tree: ast.expr = field(repr=False, compare=False)
    types: Mapping[str, ValueType] = field(repr=False, compare=False)

    def evaluate(self, values: Mapping[str, Any]) -> Value:
        """The result for these values, of `result_type`, or None.

        A name that `values` lacks is missing (None), like a None in it. Calculating with something missing gives None, comparing
        with it gives false, `and`, `or` and `not` take it as false; `coalesce`, `concat`, `min`, `max` and `sum` pass over it.
        Work is bounded by the size of the formula: no name, function or operator does more than a pass over its arguments.
        Raises: ExpressionFailed - division by zero, a result too large, a value that is not of its name's type.
        """
        known = {name: admit(name, values.get(name), self.types[name]) for name in self.names}
        try:
            result = _Evaluator(known).run(self.tree)
        except (DecimalException, ZeroDivisionError) as error:
            raise ExpressionFailed("This division or calculation has no result.") from error
        except InvalidExpression as error:
            raise ExpressionFailed from error
        return Decimal(result) if self.result_type is ValueType.DECIMAL and type(result) is int else result


def compile_expression(text: str, catalogue: Mapping[str, ValueType]) -> Expression:
    """Check a formula against the names it may use, and make it ready to run any number of times, in any thread.

    Formulas have numbers, texts in quotes, True, False, None, `+ - * / // %`, comparisons, `and`, `or`, `not`, `a if c else b` and the
    functions of `FUNCTIONS`; nothing else. `/` always gives a decimal. Numbers are exact: there are no floats.
    Raises: ExpressionInvalid - `position` is the place of the fault, for the editor.
    """
    tree = parse(text)
    checker = Checker(catalogue)
    result_type = checker.type_of(tree)
    if result_type in MEMBER_OF:
        raise ExpressionInvalid("A formula gives a single value, not a list.", position=0)
    names = frozenset(checker.names)
    return Expression(text, names, result_type, tree, {name: catalogue[name] for name in names})


class _Evaluator(SimpleEval):
    """simpleeval with eight kinds of node, our operators and our functions, for one run.

    The parent's constructor is not called: it would bring the default functions, operators and names, and it switches the warning
    filters of the whole process off and on, which is not safe in threads.
    """

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names
        self.operators = OPERATORS
        self.functions: dict[str, Any] = {}
        self.allowed_attrs: dict[type, set[str]] = {}
        self.nodes: dict[type[ast.AST], Callable[[Any], Any]] = {
            ast.Constant: self._eval_constant,
            ast.Name: self._eval_name,
            ast.UnaryOp: self._eval_unaryop,
            ast.BinOp: self._eval_binop,
            ast.BoolOp: self._eval_boolop,
            ast.Compare: self._eval_compare,
            ast.IfExp: self._eval_ifexp,
            ast.Call: self._eval_call,
        }

    def run(self, tree: ast.expr) -> Any:
        """The value of a checked tree."""
        return self._eval(tree)

    def _check_disallowed_items(self, item: Any) -> None:
        """Nothing to do: `admit` has let in plain values only, and the parent would walk a list again wherever it is mentioned."""

    def _eval_boolop(self, node: ast.BoolOp) -> bool:
        """A truth value, where the parent gives the last operand."""
        is_and = isinstance(node.op, ast.And)
        for value in node.values:
            if bool(self._eval(value)) is not is_and:
                return not is_and
        return is_and

    def _eval_call(self, node: ast.Call) -> Any:
        """A call of one of our functions by name; lazy ones get calls, so that the branch not taken is not calculated."""
        function = FUNCTIONS[node.func.id]  # type: ignore[attr-defined]
        if function.is_lazy:
            return function.call(*(lambda part=part: self._eval(part) for part in node.args))  # type: ignore[misc]
        arguments = [self._eval(part) for part in node.args]
        if not function.takes_missing and any(argument is None for argument in arguments):
            return None
        return function.call(*arguments)
