"""The condition language's SQL back end: the same rows as `evaluate` finds, by operators that reach an index.

Under row-level security PostgreSQL uses an index only for leakproof operators. Equality and ranges on text, integers, dates, moments,
booleans and ids are; so a prefix becomes a range and relative times become fixed bounds. CONTAINS, decimals and arrays are not: they
filter rows that something else has found. Ranges on text need a database that sorts by code point (built-in C.UTF-8, or C).

A comparison with NULL is NULL here and false in the evaluator. Groups keep the two apart without harm (AND and OR never make true
of NULL and false), and `not` asks `IS NOT TRUE`, so a row is found exactly when the evaluator says true.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Numeric,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    collate,
    false,
    func,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from core.kernel.conditions import Comparison, Condition, FieldType, Group, Match, Not, Op
from core.kernel.conditions.errors import ConditionInvalid
from core.kernel.conditions.nodes import Quantified, field_name
from core.kernel.conditions.windows import window_of
from core.kernel.text import prefix_upper_bound

Criterion = ColumnElement[bool]
Wrap = Callable[[Criterion], Criterion]
# One bind type for a field type, wide enough for every valid value: a number too large for the column finds nothing, it does not fail.
_BINDS: dict[FieldType, TypeEngine[Any]] = {
    FieldType.TEXT: Text(),
    FieldType.INTEGER: BigInteger(),
    FieldType.DECIMAL: Numeric(),
    FieldType.DATE: Date(),
    FieldType.DATETIME: DateTime(timezone=True),
    FieldType.BOOLEAN: Boolean(),
    FieldType.CHOICE: Text(),
    FieldType.CHOICES: Text(),
    FieldType.REFERENCE: Uuid(),
}
_ORDER_OPS: dict[Op, Callable[[Any, Any], Any]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Where a field lives.

    `expression` is a mapped attribute, a column or an expression of the field's type; CHOICES may be a text array, JSONB, or the
    value column of a side table with one row per member. `within` is for a column of another table: it wraps a criterion on the
    column into an EXISTS on the row that is asked about. A joined column needs no `within` when the join keeps rows without partner.
    `encode` is for a text column that holds values of another type: it turns a value into the text that sorts as the value does.
    """

    expression: ColumnElement[Any] | InstrumentedAttribute[Any]
    type: FieldType
    within: Wrap | None = None
    encode: Callable[[Any], str] | None = None

    def bind(self, value: Any) -> Any:
        """One value to compare the column with."""
        if self.encode is not None:
            return bindparam(None, self.encode(value), type_=Text())
        return bindparam(None, value, type_=_BINDS[self.type])

    def bind_many(self, values: Iterable[Any]) -> Any:
        """Values to look the column up in."""
        if self.encode is not None:
            return bindparam(None, [self.encode(value) for value in values], type_=ARRAY(Text()))
        return bindparam(None, list(values), type_=ARRAY(_BINDS[self.type]))


@dataclass(frozen=True, slots=True)
class CollectionMapping:
    """Where a collection lives: `exists` wraps a criterion on its columns into an EXISTS on the row that is asked about."""

    exists: Wrap
    columns: Columns


Columns = Mapping[str, ColumnMapping | CollectionMapping]


def to_sql(condition: Condition, columns: Columns, now: datetime) -> Criterion:
    """`condition` as a criterion for `where`; fields are looked up by name (`total`, `customer.city`). NULL means "no".

    Every value is bound, none becomes SQL text. `now` is aware and in the tenant's zone, as for `evaluate`; a query that is kept must
    be built anew when time has passed.
    Raises: ConditionInvalid - a field has no column here; TypeError - a mapping's type differs from the condition's.
    """
    match condition:
        case Group(is_all, children):
            criteria = [to_sql(child, columns, now) for child in children]
            return and_(true(), *criteria) if is_all else or_(false(), *criteria)
        case Not(child):
            return to_sql(child, columns, now).is_not(true())
        case Quantified():
            return _quantified(condition, columns, now)
    mapping = _mapping(condition, columns, ColumnMapping)
    if mapping.type is not condition.type:
        raise TypeError(f"{field_name(condition)} is mapped as {mapping.type} but used as {condition.type}")
    return _comparison(condition, mapping, now)


def _mapping(node: Comparison | Quantified, columns: Columns, kind: type[Any]) -> Any:
    mapping = columns.get(field_name(node))
    if not isinstance(mapping, kind):
        raise ConditionInvalid("Lists cannot be filtered by this field.", field=field_name(node))
    return mapping


def _quantified(node: Quantified, columns: Columns, now: datetime) -> Criterion:
    mapping = _mapping(node, columns, CollectionMapping)
    inner = to_sql(node.where, mapping.columns, now)
    if node.match is Match.ANY:
        return mapping.exists(inner)
    if node.match is Match.NONE:
        return ~mapping.exists(inner)
    return ~mapping.exists(inner.is_not(true()))


def _comparison(node: Comparison, mapping: ColumnMapping, now: datetime) -> Criterion:
    column, within = mapping.expression, mapping.within or _itself
    if node.type is FieldType.CHOICES:
        return _choices(node, mapping)
    if node.op in {Op.IS_EMPTY, Op.IS_NOT_EMPTY}:
        has_empty_text = node.type in {FieldType.TEXT, FieldType.CHOICE}
        if node.op is Op.IS_EMPTY and mapping.within is None:
            return or_(column.is_(None), column == mapping.bind("")) if has_empty_text else column.is_(None)
        filled = within(and_(column.is_not(None), column != mapping.bind("")) if has_empty_text else column.is_not(None))
        # Without a row in the other table the field is empty too, so "empty" is the opposite of finding a filled one.
        return filled if node.op is Op.IS_NOT_EMPTY else ~filled
    return within(_value_criterion(node, mapping, now))


def _itself(criterion: Criterion) -> Criterion:
    return criterion


def _value_criterion(node: Comparison, mapping: ColumnMapping, now: datetime) -> Criterion:
    column: Any = mapping.expression
    if node.op in _ORDER_OPS:
        return _ORDER_OPS[node.op](column, mapping.bind(node.value))
    match node.op:
        case Op.BETWEEN:
            low, high = node.value
            return and_(column >= mapping.bind(low), column <= mapping.bind(high))
        case Op.IN:
            return column == any_(mapping.bind_many(node.value))
        case Op.NOT_IN:
            return column != all_(mapping.bind_many(node.value))
        case Op.STARTS_WITH:
            bound = prefix_upper_bound(node.value)
            above = column >= mapping.bind(node.value)
            return above if bound is None else and_(above, column < mapping.bind(bound))
        case Op.CONTAINS:
            # PostgreSQL's own Unicode rules, whatever the database's locale: they are what `fold_case` reproduces.
            return func.strpos(func.lower(collate(column, "pg_c_utf8")), mapping.bind(node.prepared)) > 0
    window = window_of(node, now)
    high = mapping.bind(window.high)
    return and_(column >= mapping.bind(window.low), column <= high if window.is_closed else column < high)


def _choices(node: Comparison, mapping: ColumnMapping) -> Criterion:
    column: Any = mapping.expression
    if mapping.within is not None:
        return _side_table(node, mapping, mapping.within)
    is_json = isinstance(column.type, JSONB)
    if node.op in {Op.IS_EMPTY, Op.IS_NOT_EMPTY}:
        if is_json:
            is_filled = and_(func.jsonb_typeof(column) == "array", column != bindparam(None, [], type_=JSONB()))
        else:
            is_filled = func.cardinality(column) > 0
        return is_filled if node.op is Op.IS_NOT_EMPTY else is_filled.is_not(true())
    if is_json:
        test = func.jsonb_exists_any if node.op is Op.HAS_ANY else func.jsonb_exists_all
        return test(column, mapping.bind_many(node.value), type_=Boolean())
    # The array's own type, since an array of varchar does not compare with one of text.
    members = bindparam(None, list(node.value), type_=column.type)
    return column.op("&&" if node.op is Op.HAS_ANY else "@>", is_comparison=True)(members)


def _side_table(node: Comparison, mapping: ColumnMapping, within: Wrap) -> Criterion:
    column: Any = mapping.expression
    if node.op is Op.HAS_ANY:
        return within(column == any_(mapping.bind_many(node.value)))
    if node.op is Op.HAS_ALL:
        return and_(*(within(column == mapping.bind(member)) for member in node.value))
    has_members = within(true())
    return has_members if node.op is Op.IS_NOT_EMPTY else ~has_members
