"""The back end over plain documents: does the condition hold here?"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from core.kernel.conditions.nodes import Comparison, Condition, Group, Match, Not, Op, Quantified
from core.kernel.conditions.values import rows_of, seen_value
from core.kernel.conditions.windows import window_of
from core.kernel.text.clean import fold_case

Document = Mapping[str, Any]


def _contains(seen: str, folded: str) -> bool:
    return folded in fold_case(seen)


_TESTS: dict[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.BETWEEN: lambda seen, pair: pair[0] <= seen <= pair[1],
    Op.IN: lambda seen, members: seen in members,
    Op.NOT_IN: lambda seen, members: seen not in members,
    Op.CONTAINS: _contains,
    Op.STARTS_WITH: str.startswith,
    Op.HAS_ANY: lambda seen, members: not members.isdisjoint(seen),
    Op.HAS_ALL: lambda seen, members: members.issubset(seen),
}
_NOTHING: tuple[Any, ...] = ("", [], (), set(), frozenset())


def evaluate(condition: Condition, document: Document, now: datetime) -> bool:
    """Whether `condition` holds for `document`, a plain dict of field values, relations (dicts) and collections (lists of dicts).

    A value that is missing or None makes every comparison false, NE and NOT_IN too; only IS_EMPTY holds for it. Text that is
    `""` and a list without members are empty as well. `not` is the plain opposite, so `not (a eq 1)` holds where `a` is missing.
    CONTAINS ignores letter case; everything else is exact, and text is ordered by code point.
    `now` is aware; its zone decides where days begin. Pure: no clock is read.
    Raises: DocumentValueInvalid - the document holds a value that is not of the field's type.
    """
    kind = type(condition)
    if kind is Comparison:
        return comparison_holds(condition, seen_value(condition, document), now)  # type: ignore[arg-type]
    if kind is Group:
        # A plain loop: generators would double the cost of small groups, and guards run for every order.
        is_all = condition.is_all  # type: ignore[union-attr]
        for child in condition.children:  # type: ignore[union-attr]
            if evaluate(child, document, now) is not is_all:
                return not is_all
        return is_all
    if kind is Not:
        return not evaluate(condition.child, document, now)  # type: ignore[union-attr]
    return _quantified(condition, document, now)  # type: ignore[arg-type]


def comparison_holds(node: Comparison, seen: Any, now: datetime) -> bool:
    """Whether one comparison holds for the value `seen`, which is typed already (`values.seen_value`)."""
    op = node.op
    if op is Op.IS_EMPTY:
        return seen is None or seen in _NOTHING
    if op is Op.IS_NOT_EMPTY:
        return seen is not None and seen not in _NOTHING
    if seen is None:
        return False
    test = _TESTS.get(op)
    if test is None:
        return window_of(node, now).holds(seen)
    return test(seen, node.prepared)


def _quantified(node: Quantified, document: Document, now: datetime) -> bool:
    matches = (evaluate(node.where, row, now) for row in rows_of(node, document))
    if node.match is Match.ALL:
        return all(matches)
    return any(matches) is (node.match is Match.ANY)
