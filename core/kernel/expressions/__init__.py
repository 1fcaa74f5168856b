"""Formulas: small, exact, typed expressions over the fields of one record. Not a programming language, on purpose."""

from core.kernel.expressions.errors import ExpressionFailed, ExpressionInvalid
from core.kernel.expressions.evaluator import Expression, compile_expression
from core.kernel.expressions.functions import FUNCTIONS
from core.kernel.expressions.types import ValueType, names_of

__all__ = ["FUNCTIONS", "Expression", "ExpressionFailed", "ExpressionInvalid", "ValueType", "compile_expression", "names_of"]
