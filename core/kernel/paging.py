"""Keyset cursors: where a page of a sorted list begins, as text that can stand in an address."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from core.kernel.errors import Invalid
from core.kernel.jsontext import JsonInvalid, canonical_json, decode_json

Row = TypeVar("Row")
MAX_CURSOR_LENGTH = 8_192
MAX_KEYS = 8
_MAX_INTEGER = 2**63
_MAX_SORT_LENGTH = 64
_ALPHABET = re.compile("[A-Za-z0-9_-]+\\Z")


def _read_integer(text: str) -> int:
    number = int(text)
    if not -_MAX_INTEGER <= number < _MAX_INTEGER:
        raise ValueError(text)
    return number


def _read_decimal(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > 100:
        raise ValueError(text)
    return number


def _read_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


def _write_moment(moment: datetime) -> str:
    if moment.utcoffset() is None:
        raise ValueError(moment)
    return moment.astimezone(UTC).isoformat()


def _read_boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


# One letter for each type a key may have, how it is written, and how it is read back.
_WRITERS: dict[type, tuple[str, Callable[[Any], str]]] = {
    UUID: ("u", lambda value: value.hex),
    datetime: ("m", _write_moment),
    date: ("d", date.isoformat),
    str: ("s", str),
    Decimal: ("n", str),
    bool: ("b", lambda value: "true" if value else "false"),
    int: ("i", str),
}
_READERS: dict[str, Callable[[str], Any]] = {
    "u": UUID,
    "m": _read_moment,
    "d": date.fromisoformat,
    "s": str,
    "n": _read_decimal,
    "b": _read_boolean,
    "i": _read_integer,
}


class CursorInvalid(Invalid):
    """This cursor does not belong to this list, or is damaged; start again without it."""

    code = "paging.cursor"

    def __init__(self) -> None:
        super().__init__(field="cursor")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows of a sorted list.

    `values` are the sort keys of the row next to the place, in order, None standing for NULL. Forwards, the page begins after that
    row; backwards, it ends before it. Without values a backward cursor means the end of the list. `sort` names the order, so that a
    cursor is not used with another one.
    """

    values: tuple[Any, ...]
    is_backward: bool = False
    sort: str = ""

    def encode(self) -> str:
        """The cursor as text of letters, digits, `-` and `_`. It hides nothing and is not signed: it only chooses a place.

        Raises: CursorInvalid - a value that is no UUID, aware datetime, date, str, finite Decimal, bool, 64-bit int or None.
        """
        parts = [None if value is None else _write(value) for value in self.values]
        try:
            text = canonical_json([self.sort, self.is_backward, parts])
        except JsonInvalid as error:
            raise CursorInvalid from error
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @staticmethod
    def decode(text: object) -> Cursor:
        """The cursor that `encode` wrote. Raises: CursorInvalid - anything else."""
        if not isinstance(text, str) or len(text) > MAX_CURSOR_LENGTH or not _ALPHABET.match(text):
            raise CursorInvalid
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            data = decode_json(raw, max_bytes=MAX_CURSOR_LENGTH, max_depth=3)
            [sort, is_backward, parts] = data
            is_shaped = isinstance(sort, str) and isinstance(is_backward, bool) and isinstance(parts, list)
            if not is_shaped or len(parts) > MAX_KEYS or len(sort) > _MAX_SORT_LENGTH:
                raise CursorInvalid
            values = tuple(None if part is None else _READERS[part[0]](part[1:]) for part in parts)
        # What a damaged cursor can run into is exactly: base64, JSON, shapes, unknown letters, and unreadable values.
        except (binascii.Error, JsonInvalid, TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise CursorInvalid from error
        return Cursor(values, is_backward, sort)


def _write(value: Any) -> str:
    letter, write = _WRITERS.get(type(value), ("", str))
    if not letter:
        raise CursorInvalid
    try:
        text = write(value)
        # Reading it back checks what `decode` will ask: finite, within 64 bits, within the calendar.
        _READERS[letter](text)
    except (ValueError, ArithmeticError) as error:
        raise CursorInvalid from error
    return letter + text


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a sorted list, rows in the list's order whichever way it was reached.

    The cursors are text for the neighbouring pages; None means that there is none.
    """

    rows: list[Row]
    next_cursor: str | None
    previous_cursor: str | None
