"""Keyset paging: every page of a sorted list costs the same, however deep, and no row is shown twice or lost between pages.

NULLs come last in both directions. A leading sort key that may be NULL is read in two parts, first the rows that have a value, then
the others; each part uses an ordinary index, forwards or backwards, which `NULLS LAST` alone would not.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Label,
    Numeric,
    Select,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from core.kernel.errors import Invalid
from core.kernel.paging import Cursor, CursorInvalid, Page

MAX_PAGE_SIZE = 1_000
COUNT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of an order. The last key of an order must be unique and never NULL; the row's id is.

    `column` is a mapped attribute or an expression; `is_nullable` must be told for expressions that can be NULL.
    """

    column: ColumnElement[Any] | InstrumentedAttribute[Any]
    is_descending: bool = False
    is_nullable: bool = False


# The Python type of a key's values by its SQL type, and the widest SQL type to send one back as: a cursor is input, and an integer
# too large for the column must find nothing instead of failing in a cast.
_TYPES: tuple[tuple[type[TypeEngine[Any]], type, TypeEngine[Any]], ...] = (
    (Uuid, UUID, Uuid()),
    (DateTime, datetime, DateTime(timezone=True)),
    (Date, date, Date()),
    (Boolean, bool, Boolean()),
    (Integer, int, BigInteger()),
    (Numeric, Decimal, Numeric()),
    (String, str, Text()),
)


def page(session: Session, statement: Select[Any], *, keys: Sequence[SortKey], cursor: str | None, size: int) -> Page[Any]:
    """One page of `statement`, sorted by `keys`; an order that the statement already has is replaced.

    `cursor` is None for the first page, or a cursor of an earlier page with the same keys. Rows are what the statement selects: the
    object itself if it selects one thing, else the `Row`, which then ends with the sort keys. At most two statements run, two only
    when the first key is nullable. The count of all rows is not known; see `capped_count`.
    Raises: CursorInvalid - another list's or a damaged cursor; Invalid - `size` is not within 1 and 1,000.
    """
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise Invalid(f"A page has 1 to {MAX_PAGE_SIZE} rows.", field="size")
    place = _place(cursor, keys)
    labelled = statement.order_by(None).add_columns(*(_expression(key).label(f"sort_{at}") for at, key in enumerate(keys)))
    found: list[Any] = []
    for part in _parts(keys, place):
        if len(found) <= size:
            found += session.execute(labelled.where(*part.bounds).order_by(*part.order).limit(size + 1 - len(found)))
    return _page_of(found, keys, place, size)


def capped_count(session: Session, statement: Select[Any], *, cap: int = COUNT_CAP) -> tuple[int, bool]:
    """How many rows `statement` finds, counted no further than `cap`: `(n, is_capped)`, where True means "more than n"."""
    counted = select(func.count()).select_from(statement.order_by(None).limit(cap + 1).subquery())
    found = session.scalar(counted) or 0
    return min(found, cap), found > cap


def plan_for_values(session: Session) -> None:
    """Let the server plan this transaction's next statements for their values, as it does the first five times.

    For words and numbers that are looked for. The plan that it would keep for all values collects every match and sorts, right for a
    number; for a word that most orders have, reading along the sorted index until a page is full is far quicker.
    """
    session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


@dataclass(frozen=True, slots=True)
class _Part:
    """One statement's share of the list: which rows, in which order of reading."""

    bounds: tuple[ColumnElement[bool], ...]
    order: tuple[ColumnElement[Any], ...]


def _expression(key: SortKey) -> ColumnElement[Any]:
    column = key.column
    return column.element if isinstance(column, Label) else column  # type: ignore[return-value]


def _sort_name(keys: Sequence[SortKey]) -> str:
    names = (f"{getattr(key.column, 'key', '')}{'-' if key.is_descending else '+'}" for key in keys)
    return f"{zlib.crc32(','.join(names).encode()):08x}"


def _place(cursor: str | None, keys: Sequence[SortKey]) -> Cursor:
    """The decoded cursor, fit for these keys; without one, the start of the list."""
    sort = _sort_name(keys)
    place = Cursor((), sort=sort) if cursor is None else Cursor.decode(cursor)
    if place.sort != sort or len(place.values) not in {0, len(keys)}:
        raise CursorInvalid
    for key, value in zip(keys, place.values, strict=False):
        if not key.is_nullable if value is None else type(value) is not _types_of(key)[0]:
            raise CursorInvalid
    return place


def _types_of(key: SortKey) -> tuple[type, TypeEngine[Any]]:
    kind = _expression(key).type
    for sql_type, python_type, bind_type in _TYPES:
        if isinstance(kind, sql_type):
            return python_type, bind_type
    raise TypeError(f"a list cannot be paged by a column of type {kind!r}")


def _parts(keys: Sequence[SortKey], place: Cursor) -> list[_Part]:
    lead, values = keys[0], place.values
    if not lead.is_nullable:
        return [_Part(_bounds(keys, values, place), _order(keys, place))]
    column = _expression(lead)
    filled_keys = [SortKey(lead.column, is_descending=lead.is_descending), *keys[1:]]
    order = _order(filled_keys, place)
    is_in_filled = bool(values) and values[0] is not None
    is_in_empty = bool(values) and values[0] is None
    filled = _Part((column.is_not(None), *(_bounds(filled_keys, values, place) if is_in_filled else ())), order)
    empty = _Part((column.is_(None), *(_bounds(keys[1:], values[1:], place) if is_in_empty else ())), order)
    if place.is_backward:
        return [filled] if is_in_filled else [empty, filled]
    return [empty] if is_in_empty else [filled, empty]


def _order(keys: Sequence[SortKey], place: Cursor) -> tuple[ColumnElement[Any], ...]:
    order = []
    for key in keys:
        column = _expression(key)
        term = column.desc() if key.is_descending is not place.is_backward else column.asc()
        if key.is_nullable:
            term = term.nulls_first() if place.is_backward else term.nulls_last()
        order.append(term)
    return tuple(order)


def _bounds(keys: Sequence[SortKey], values: Sequence[Any], place: Cursor) -> tuple[ColumnElement[bool], ...]:
    """The rows strictly beyond `values`, in the direction of reading; no bounds without values."""
    if not values:
        return ()
    columns = [_expression(key) for key in keys]
    binds = [bindparam(None, value, type_=_types_of(key)[1]) for key, value in zip(keys, values, strict=True)]
    downward = {key.is_descending is not place.is_backward for key in keys}
    if len(downward) == 1 and not any(key.is_nullable for key in keys):
        # A row comparison is one index condition; the general form below is not.
        left, right = tuple_(*columns), tuple_(*binds)
        is_downward = downward.pop()
        row = left < right if is_downward else left > right
        if len({getattr(column, "table", None) for column in columns}) == 1:
            return (row,)
        # Of keys from two tables no index knows the row comparison, but the first one's index can skip to the place.
        return (row, columns[0] <= binds[0] if is_downward else columns[0] >= binds[0])
    options = []
    for at, key in enumerate(keys):
        same = [columns[i].is_(None) if values[i] is None else columns[i] == binds[i] for i in range(at)]
        beyond = _beyond(key, values[at], binds[at], place)
        if beyond is not None:
            options.append(and_(*same, beyond))
    bounds = [or_(*options)]
    if not keys[0].is_nullable:
        # Says nothing new, but lets the index skip to the place.
        is_downward = keys[0].is_descending is not place.is_backward
        bounds.append(columns[0] <= binds[0] if is_downward else columns[0] >= binds[0])
    return tuple(bounds)


def _beyond(key: SortKey, value: Any, bind: Any, place: Cursor) -> ColumnElement[bool] | None:
    """Strictly beyond `value` in this key alone, NULLs being last in the list; None when nothing can be."""
    column = _expression(key)
    if value is None:
        return column.is_not(None) if place.is_backward else None
    strict = column < bind if key.is_descending is not place.is_backward else column > bind
    return or_(strict, column.is_(None)) if key.is_nullable and not place.is_backward else strict


def _page_of(found: list[Any], keys: Sequence[SortKey], place: Cursor, size: int) -> Page[Any]:
    has_more = len(found) > size
    rows = found[:size]
    if place.is_backward:
        rows.reverse()
    has_next, has_previous = (bool(place.values), has_more) if place.is_backward else (has_more, bool(place.values))
    sort = place.sort

    def beside(at: int, *, is_backward: bool) -> str:
        # Of a page that has become empty, one can only go back to the end or forth from the start.
        values = tuple(rows[at][-len(keys) :]) if rows else ()
        return Cursor(values, is_backward, sort).encode()

    return Page(
        rows=[row[0] if len(row) == len(keys) + 1 else row for row in rows],
        next_cursor=beside(-1, is_backward=False) if has_next else None,
        previous_cursor=beside(0, is_backward=True) if has_previous else None,
    )
