"""The tree of a condition: four kinds of node, immutable, typed, and their JSON form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from core.kernel.conditions.fields import FieldType
from core.kernel.text.clean import fold_case


class Op(StrEnum):
    """What a comparison asks of a field."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    BETWEEN = "between"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_EMPTY = "is_empty"
    IS_NOT_EMPTY = "is_not_empty"
    HAS_ANY = "has_any"
    HAS_ALL = "has_all"
    WITHIN_LAST = "within_last"
    WITHIN_NEXT = "within_next"
    IN_PERIOD = "in_period"


class Period(StrEnum):
    """A stretch of the calendar around today, in the time zone of the clock; weeks begin on Monday."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    TOMORROW = "tomorrow"
    THIS_WEEK = "this_week"
    LAST_WEEK = "last_week"
    NEXT_WEEK = "next_week"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    NEXT_MONTH = "next_month"
    THIS_YEAR = "this_year"
    LAST_YEAR = "last_year"


class Match(StrEnum):
    """How many rows of a collection must meet the condition; with no rows at all, `any` fails and the other two hold."""

    ANY = "any"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time: whole days or whole hours, never both. A day is 24 hours on a DATETIME field."""

    unit: str
    count: int


_EMPTY_OPS = frozenset({Op.IS_EMPTY, Op.IS_NOT_EMPTY})
_EQUALITY = frozenset({Op.EQ, Op.NE, Op.IN, Op.NOT_IN}) | _EMPTY_OPS
_ORDERED = _EQUALITY | {Op.LT, Op.LE, Op.GT, Op.GE, Op.BETWEEN}
_TIMED = _ORDERED | {Op.WITHIN_LAST, Op.WITHIN_NEXT, Op.IN_PERIOD}
NO_VALUE_OPS = _EMPTY_OPS
LIST_OPS = frozenset({Op.IN, Op.NOT_IN, Op.HAS_ANY, Op.HAS_ALL})
OPS_OF: dict[FieldType, frozenset[Op]] = {
    FieldType.TEXT: _ORDERED | {Op.CONTAINS, Op.STARTS_WITH},
    FieldType.INTEGER: _ORDERED,
    FieldType.DECIMAL: _ORDERED,
    FieldType.DATE: _TIMED,
    FieldType.DATETIME: _TIMED,
    FieldType.BOOLEAN: frozenset({Op.EQ, Op.NE}) | _EMPTY_OPS,
    FieldType.CHOICE: _EQUALITY,
    FieldType.CHOICES: frozenset({Op.HAS_ANY, Op.HAS_ALL}) | _EMPTY_OPS,
    FieldType.REFERENCE: _EQUALITY,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question about one field. `value` is typed (Decimal, aware UTC datetime, UUID, tuple for lists, Span, Period) or None.

    `prepared` is what the evaluator compares with: a set for list operations, folded text for CONTAINS.
    """

    path: tuple[str, ...]
    type: FieldType
    op: Op
    value: Any = None
    prepared: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        prepared = self.value
        if self.op in LIST_OPS:
            prepared = frozenset(self.value)
        elif self.op is Op.CONTAINS:
            prepared = fold_case(self.value)
        object.__setattr__(self, "prepared", prepared)


@dataclass(frozen=True, slots=True)
class Quantified:
    """A question about the rows of a collection."""

    path: tuple[str, ...]
    match: Match
    where: Condition


@dataclass(frozen=True, slots=True)
class Group:
    """All or any of some conditions; with no children, `all` holds and `any` fails."""

    is_all: bool
    children: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The plain opposite: it holds exactly when `child` does not, missing values included."""

    child: Condition


Condition = Group | Not | Comparison | Quantified
ALWAYS = Group(is_all=True, children=())


def field_name(node: Comparison | Quantified) -> str:
    """The field as written: `total` or `customer.city`."""
    return ".".join(node.path)


def leaves(condition: Condition) -> Iterator[Comparison | Quantified]:
    """Every comparison and quantifier, in the order of the tree; the inside of a quantifier is not entered."""
    if isinstance(condition, Group):
        for child in condition.children:
            yield from leaves(child)
    elif isinstance(condition, Not):
        yield from leaves(condition.child)
    else:
        yield condition


def fields_in(condition: Condition) -> set[str]:
    """The names of all fields that the condition reads, those inside quantifiers as `lines.sku`; for permissions on fields."""
    found = set()
    for leaf in leaves(condition):
        name = field_name(leaf)
        found.add(name)
        if isinstance(leaf, Quantified):
            found |= {f"{name}.{inner}" for inner in fields_in(leaf.where)}
    return found


def to_json(condition: Condition) -> dict[str, Any]:
    """The canonical JSON form; `parse_condition` of it gives an equal condition."""
    match condition:
        case Group(is_all, children):
            return {"all" if is_all else "any": [to_json(child) for child in children]}
        case Not(child):
            return {"not": to_json(child)}
        case Quantified():
            return {"field": field_name(condition), "match": str(condition.match), "where": to_json(condition.where)}
    found: dict[str, Any] = {"field": field_name(condition), "op": str(condition.op)}
    if condition.op not in NO_VALUE_OPS:
        found["value"] = value_json(condition.value)
    return found


def value_json(value: Any) -> Any:
    """A typed value as JSON: decimals and dates as text, moments in UTC, spans as `{"days": 3}`, sequences as lists."""
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case Span(unit, count):
            return {unit: count}
        case list() | tuple():
            return [value_json(member) for member in value]
        case set() | frozenset():
            return sorted(value_json(member) for member in value)
        case StrEnum():
            return str(value)
    return value
