"""A list as CSV: everything that the list matches, streamed page by page, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask_babel import gettext
from sqlalchemy.orm import Session

from core.engines.metadata.entity import EntityRegistry, EntityType, FieldType
from core.engines.metadata.queries import ListQuery, fetch, labels
from core.engines.metadata.values import out

PAGE = 1_000
MAX_ROWS = 200_000
BOM = "\ufeff"
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_LONG_NUMBER = 12


def csv_lines(
    session: Session,
    registry: EntityRegistry,
    entity: EntityType,
    query: ListQuery,
    *,
    keys: Sequence[str],
    now: datetime,
    for_spreadsheet: bool,
) -> Iterator[str]:
    """The list as CSV text, a page at a time, at most 200,000 rows.

    For spreadsheets there is a byte order mark, and long numbers are protected from becoming floats. In both forms a cell that a
    spreadsheet would take for a formula begins with an apostrophe.
    """
    fields = [entity.by_key[key] for key in keys]
    yield (BOM if for_spreadsheet else "") + _line([gettext(item.label) for item in fields])
    cursor, written = None, 0
    while written < MAX_ROWS:
        page = fetch(session, entity, replace(query, cursor=cursor, size=PAGE), now=now, keys=keys)
        names = labels(session, registry, entity, page.rows, keys)
        for row in page.rows:
            yield _line([_cell(item.type, out_or_label(item, row, names), for_spreadsheet) for item in fields])
        written += len(page.rows)
        cursor = page.next_cursor
        if cursor is None:
            return


def out_or_label(item: Any, row: Any, names: dict[Any, str]) -> Any:
    """The value as exports show it: references by what people call them."""
    value = getattr(row, item.key)
    if item.type is FieldType.REFERENCE:
        return names.get(value, "") if value is not None else ""
    return out(value)


def _cell(kind: FieldType, value: Any, for_spreadsheet: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        value = ", ".join(value)
    text = str(value)
    is_number = kind in (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.QUANTITY)
    if for_spreadsheet and not is_number and text.isdigit() and len(text) >= _LONG_NUMBER:
        return f"'{text}"
    if text.startswith(_RISKY) and not is_number:
        return f"'{text}"
    return text


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
