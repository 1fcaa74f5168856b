"""A list as CSV: everything that the list matches, streamed page by page, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext
from sqlalchemy.orm import Session

from core.delivery.web.i18n import reader_zone
from core.engines.metadata.entity import EntityRegistry, EntityType, Field, FieldType
from core.engines.metadata.queries import NAMED, ListQuery, fetch, labels
from core.engines.metadata.values import money_text, out
from core.kernel.jsontext import encode_json

PAGE = 1_000
MAX_ROWS = 200_000
BOM = "\ufeff"
#: Ways to write a list: for people, for people with a spreadsheet, and for programs.
PLAIN, SPREADSHEET, RAW = "", "spreadsheet", "raw"
STYLES = (PLAIN, SPREADSHEET, RAW)
_RISKY = ("=", "+", "-", "@", "\t", "\r")
_LONG_NUMBER = 12
_NUMBERS = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.QUANTITY)


def csv_lines(
    session: Session,
    registry: EntityRegistry,
    entity: EntityType,
    query: ListQuery,
    *,
    keys: Sequence[str],
    now: datetime,
    style: str = PLAIN,
) -> Iterator[str]:
    """The list as CSV text, a page at a time, at most 200,000 rows.

    People get heads, states and yes or no in the reader's language, and moments in the reader's zone with its offset. In the style RAW
    there are the names of fields, codes, true or false, and moments in UTC, which are the same for every reader. For spreadsheets there is
    a byte order mark, and long numbers are protected from becoming floats. In every style a cell that a spreadsheet would take for a
    formula begins with an apostrophe. Amounts have the decimals of their currency.
    """
    fields = [entity.by_key[key] for key in keys]
    writers = [_writer(item, style) for item in fields]
    yield (BOM if style == SPREADSHEET else "") + _line([item.key if style == RAW else _safe(gettext(item.label)) for item in fields])
    wanted = [*keys, *(item.currency_key for item in fields if item.currency_key)]
    cursor, written = None, 0
    while written < MAX_ROWS:
        page = fetch(session, entity, replace(query, cursor=cursor, size=PAGE), now=now, keys=wanted)
        names = labels(session, registry, entity, page.rows, keys)
        for row in page.rows:
            yield _line([_guarded(item.type, writer(row, names), style) for item, writer in zip(fields, writers, strict=True)])
        written += len(page.rows)
        cursor = page.next_cursor
        if cursor is None:
            return


def _writer(item: Field, style: str) -> Callable[[Any, Mapping[UUID, str]], str]:
    """A function from a row to the text of this field's cell; references are what people call them, in every style."""
    key, kind = item.key, item.type
    if kind in NAMED:
        return lambda row, names: names.get(getattr(row, key), "")
    if kind is FieldType.MONEY and item.currency_key:
        return lambda row, _names: _amount(getattr(row, key), getattr(row, item.currency_key))
    if kind is FieldType.MONEY and item.currency:
        return lambda row, _names: _amount(getattr(row, key), item.currency)
    zone = UTC if style == RAW else reader_zone()
    yes, no = ("true", "false") if style == RAW else (gettext("Yes"), gettext("No"))
    words = {} if style == RAW else {choice.value: gettext(choice.label) for choice in item.choices if choice.value}

    def write(row: Any, _names: Mapping[UUID, str]) -> str:
        value = getattr(row, key)
        if isinstance(value, bool):
            return yes if value else no
        if isinstance(value, datetime):
            return value.astimezone(zone).isoformat("T" if style == RAW else " ", timespec="seconds")
        if isinstance(value, list):
            return ", ".join(words.get(part, str(part)) for part in value)
        return words.get(value) or _text(value) if isinstance(value, str) else _text(value)

    return write


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(value)
    return encode_json(value) if isinstance(value, dict) else str(out(value))


def _amount(value: Any, currency: str) -> str:
    return "" if value is None else money_text(value, currency)


def _guarded(kind: FieldType, text: str, style: str) -> str:
    is_number = kind in _NUMBERS
    if style == SPREADSHEET and not is_number and text.isdigit() and len(text) >= _LONG_NUMBER:
        return f"'{text}"
    if text.startswith(_RISKY) and not is_number:
        return f"'{text}"
    return text


def _safe(text: str) -> str:
    """A heading that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
