"""From the text of a formula to a checked tree: its characters, its shape, its names and its types, all before it first runs."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from decimal import Decimal

from core.kernel.errors import Invalid
from core.kernel.expressions.errors import ExpressionInvalid
from core.kernel.expressions.functions import FUNCTIONS
from core.kernel.expressions.types import LIMIT, NUMBERS, SORTABLE, ValueType, meet
from core.kernel.text.clean import check_text

MAX_LENGTH = 1_000
MAX_NODES = 64
MAX_NESTING = 20
# Everything else a Python parser understands (attributes, powers, shifts, lambdas, f-strings, braces, comments, escapes) is not even
# read: what has no token cannot reach the parser, whose own speed on hostile text is not ours to promise.
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r\n]+)|(?P<number>[0-9]+(?:\.[0-9]+)?(?![0-9A-Za-z_.]))|(?P<name>[A-Za-z][A-Za-z0-9_]*(?!["']))"""
    r"""|(?P<text>"[^"\\\r\n]*"|'[^'\\\r\n]*')|(?P<operator>//(?!/)|\*(?!\*)|[-+/%]|[<>]=?|[=!]=|,)|(?P<open>\()|(?P<close>\))"""
)
_ARITHMETIC = (ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)
_EQUALITY = (ast.Eq, ast.NotEq)
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_CONSTANTS: dict[type, ValueType] = {
    type(None): ValueType.NOTHING,
    bool: ValueType.BOOLEAN,
    int: ValueType.INTEGER,
    Decimal: ValueType.DECIMAL,
    str: ValueType.TEXT,
}


def parse(text: object) -> ast.expr:
    """The tree of `text`, with exact decimals in place of floats; shape and size are checked, names and types not yet.

    Raises: ExpressionInvalid - over 1,000 characters, over 64 nodes, nested over 20 deep, or not the syntax of a formula.
    """
    try:
        source = check_text(text, max_length=MAX_LENGTH)
    except Invalid as error:
        raise ExpressionInvalid(error.message) from error
    # Line breaks become spaces, so that a long formula may be laid out; they never end it, and positions stay as they are.
    source = re.sub(r"[\t\r\n]", " ", source)
    _check_tokens(source)
    # Leading spaces would be an indentation for the parser.
    margin = len(source) - len(source.lstrip())
    source = source.strip()
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError as error:
        # At the very end the parser gives 0 or nothing.
        position = margin + (error.offset - 1 if error.offset else len(source))
        raise ExpressionInvalid("This is not a complete formula.", position=position) from error
    except (ValueError, RecursionError, MemoryError) as error:
        # Which of these a deep formula meets, if any, differs between Python versions.
        raise ExpressionInvalid("This formula is too complicated.") from error
    nodes = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    if len(nodes) > MAX_NODES:
        raise ExpressionInvalid(f"A formula has at most {MAX_NODES} parts.")
    for node in nodes:
        if isinstance(node, ast.Constant):
            _settle(node, source)
    encoded = source.encode()
    for node in nodes:
        if isinstance(node, ast.expr):
            # The parser counts bytes; people count characters, from the start of what they wrote.
            node.col_offset = margin + len(encoded[: node.col_offset].decode())
    return tree


def _check_tokens(source: str) -> None:
    at = depth = 0
    while at < len(source):
        token = _TOKEN.match(source, at)
        if token is None:
            raise ExpressionInvalid("This character does not belong into a formula.", position=at)
        depth += (token.lastgroup == "open") - (token.lastgroup == "close")
        if depth > MAX_NESTING:
            raise ExpressionInvalid(f"Brackets are nested at most {MAX_NESTING} deep.", position=at)
        at = token.end()


def _settle(node: ast.Constant, source: str) -> None:
    """Make a float literal the decimal that was written, and refuse what no literal of a formula gives."""
    if isinstance(node.value, float):
        node.value = Decimal(ast.get_source_segment(source, node) or "")  # type: ignore[assignment]
    is_large = isinstance(node.value, int | Decimal) and not -LIMIT < node.value < LIMIT
    if type(node.value) not in _CONSTANTS or is_large:
        raise ExpressionInvalid("This value does not belong into a formula, or it is too large.", position=node.col_offset)


class Checker:
    """Works out the type of a tree, and which names it uses."""

    def __init__(self, names: Mapping[str, ValueType]) -> None:
        self._known = names
        self.names: set[str] = set()

    def type_of(self, node: ast.expr) -> ValueType:
        """The type of `node`. Raises: ExpressionInvalid - an unknown name or function, types that do not fit, other syntax."""
        match node:
            case ast.Constant(value):
                return _CONSTANTS[type(value)]
            case ast.Name(name):
                return self._name(name, node)
            case ast.UnaryOp(op, operand):
                return self._unary(op, self.type_of(operand), node)
            case ast.BinOp(left, op, right):
                return self._binary(op, self.type_of(left), self.type_of(right), node)
            case ast.BoolOp(_, values):
                for part in values:
                    _expect(self.type_of(part), ValueType.BOOLEAN, node)
                return ValueType.BOOLEAN
            case ast.Compare(left, ops, others):
                return self._compare([left, *others], ops, node)
            case ast.IfExp(test, body, orelse):
                _expect(self.type_of(test), ValueType.BOOLEAN, node)
                return meet([self.type_of(body), self.type_of(orelse)], node.col_offset)
            case ast.Call(ast.Name(name), arguments, []):
                return self._call(name, [self.type_of(argument) for argument in arguments], node)
        raise ExpressionInvalid("This does not belong into a formula.", position=node.col_offset)

    def _name(self, name: str, node: ast.expr) -> ValueType:
        if name not in self._known:
            raise ExpressionInvalid(f"There is no field named {name}.", position=node.col_offset)
        self.names.add(name)
        return self._known[name]

    def _call(self, name: str, kinds: list[ValueType], node: ast.expr) -> ValueType:
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionInvalid(f"There is no function named {name}.", position=node.col_offset)
        try:
            return function.result(kinds)
        except ExpressionInvalid as error:
            raise ExpressionInvalid(f"{function.signature}: {error.message}", position=node.col_offset) from error

    def _unary(self, op: ast.unaryop, kind: ValueType, node: ast.expr) -> ValueType:
        if isinstance(op, ast.Not):
            _expect(kind, ValueType.BOOLEAN, node)
            return ValueType.BOOLEAN
        if isinstance(op, ast.USub | ast.UAdd) and kind in NUMBERS | {ValueType.NOTHING}:
            return kind
        raise ExpressionInvalid("A sign belongs before a number.", position=node.col_offset)

    def _binary(self, op: ast.operator, left: ValueType, right: ValueType, node: ast.expr) -> ValueType:
        kind = meet([left, right], node.col_offset)
        if kind is ValueType.NOTHING or (kind is ValueType.TEXT and isinstance(op, ast.Add)):
            return kind
        if kind in NUMBERS and isinstance(op, ast.Div):
            return ValueType.DECIMAL
        if kind in NUMBERS and isinstance(op, (ast.Add, *_ARITHMETIC)):
            return kind
        raise ExpressionInvalid(f"This cannot be calculated with {kind}.", position=node.col_offset)

    def _compare(self, sides: list[ast.expr], ops: list[ast.cmpop], node: ast.expr) -> ValueType:
        kinds = [self.type_of(side) for side in sides]
        for op, left, right in zip(ops, kinds, kinds[1:], strict=False):
            kind = meet([left, right], node.col_offset)
            is_sortable = isinstance(op, _ORDER) and kind in SORTABLE | {ValueType.NOTHING}
            is_equal = isinstance(op, _EQUALITY) and kind in SORTABLE | {ValueType.NOTHING, ValueType.BOOLEAN}
            if not is_sortable and not is_equal:
                raise ExpressionInvalid(f"This cannot be compared: {kind}.", position=node.col_offset)
        return ValueType.BOOLEAN


def _expect(kind: ValueType, wanted: ValueType, node: ast.expr) -> None:
    if kind not in {wanted, ValueType.NOTHING}:
        raise ExpressionInvalid(f"This is of type {kind}; {wanted} is needed.", position=node.col_offset)
