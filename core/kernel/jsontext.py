"""JSON text: exact numbers, one spelling, and nothing that the database cannot keep."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, NoReturn
from uuid import UUID

from core.kernel.errors import Invalid

MAX_DEPTH = 64
_MAX_DIGITS = 4_300
_MAX_EXPONENT = 400
_MARKED = re.compile(r'"\\u0000(-?[0-9][0-9.eE+-]*)\\u0000"')
# What psycopg or jsonb would refuse can only come from these escapes; raw bytes are checked by the UTF-8 decoder and the parser.
_RISKY_ESCAPE = re.compile(r"\\u(?:0000|[dD][89abAB])")


class JsonInvalid(Invalid):
    """This is not JSON that can be kept."""

    code = "json.invalid"


def decode_json(data: bytes | str, *, max_bytes: int, max_depth: int = MAX_DEPTH, unique_keys: bool = False) -> Any:
    """The value of `data`, UTF-8 JSON from outside; numbers with a point or an exponent become Decimals.

    `unique_keys` refuses an object that names a key twice; otherwise the last one wins. A byte order mark is skipped.
    Raises: JsonInvalid - longer than `max_bytes`, deeper than `max_depth`, not UTF-8, not JSON, NaN or Infinity, a number of more
    than 4,300 digits or with an exponent over 400, NUL or half of a surrogate pair in a text.
    """
    text = _decoded(data, max_bytes)
    hook = _unique if unique_keys else None
    try:
        value = json.loads(text, parse_float=_decimal, parse_constant=_refuse_constant, object_pairs_hook=hook)
    except json.JSONDecodeError as error:
        raise JsonInvalid(f"This is not JSON: line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise JsonInvalid(f"This document is nested deeper than {max_depth} levels.", limit=max_depth) from error
    except (ValueError, InvalidOperation) as error:
        raise JsonInvalid("A number in this document is too large.") from error
    # Depth cannot exceed the number of opening brackets, so most documents need no walk.
    if text.count("[") + text.count("{") > max_depth and _is_deeper(value, max_depth):
        raise JsonInvalid(f"This document is nested deeper than {max_depth} levels.", limit=max_depth)
    if _RISKY_ESCAPE.search(text):
        _check_texts(value)
    return value


def _decoded(data: bytes | str, max_bytes: int) -> str:
    try:
        raw = data if isinstance(data, bytes) else data.encode("utf-8")
        if len(raw) > max_bytes:
            raise JsonInvalid(f"This document is longer than {max_bytes} bytes.", limit=max_bytes)
        return raw.decode("utf-8-sig")
    except UnicodeError as error:
        raise JsonInvalid("This document is not UTF-8 text.") from error


def _decimal(text: str) -> Decimal:
    number = Decimal(text) if len(text) <= _MAX_DIGITS else None
    # A huge exponent is a small text, but would fill the memory as soon as somebody writes the number out.
    if number is None or abs(number.adjusted()) > _MAX_EXPONENT or not number.is_finite():
        raise JsonInvalid("A number in this document is too large or too precise.")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise JsonInvalid(f"{name} is not a number.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise JsonInvalid("An object names a key twice.", key=key[:100])
        found[key] = value
    return found


def _is_deeper(value: Any, max_depth: int) -> bool:
    """Whether containers are nested in more than `max_depth` levels; a whole level is looked at in one pass, which is quick."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(max_depth):
        inner = [part.values() if type(part) is dict else part for part in level]
        level = [member for members in inner for member in members if type(member) is dict or type(member) is list]
        if not level:
            return False
    return bool(level)


def _check_texts(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and ("\x00" in item or any("\ud800" <= char <= "\udfff" for char in item)):
            raise JsonInvalid("A text in this document holds NUL or half of a surrogate pair.")


def _plain(value: Any) -> Any:
    form = _FORMS.get(type(value))
    if form is not None:
        return form(value)
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


# The usual types at once; their subclasses take the longer way through `_plain`.
_FORMS: dict[type, Callable[[Any], Any]] = {
    UUID: UUID.__str__,
    Decimal: Decimal.__str__,
    datetime: datetime.isoformat,
    date: date.isoformat,
}
_encode = json.JSONEncoder(default=_plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode_json(value: Any) -> str:
    """Compact JSON text; Decimal and UUID as text, moments in ISO 8601, bytes as PostgreSQL hex text."""
    return _encode(value)


def canonical_json(value: Any) -> str:
    """Like `encode_json`, with sorted keys: equal values give equal text, for fingerprints and comparisons.

    Decimals that are equal but written differently (`1.0`, `1.00`) stay different.
    Raises: JsonInvalid - NaN or infinity, a text with half of a surrogate pair, or a value without a JSON form.
    """
    try:
        text = json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True)
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise JsonInvalid("This value has no JSON form.") from error
    return text


def encode_verbatim(value: Any) -> str:
    """Compact JSON text of a document that came from outside: numbers stay numbers, with all the digits that they came with.

    `decode_json` gives back an equal value. `encode_json`, for our own documents, writes Decimals as text instead, because most readers of
    JSON would make floats of them.
    """
    return _MARKED.sub(r"\1", _encode_marked(value))


def _marked(value: Any) -> Any:
    return f"\0{value}\0" if isinstance(value, Decimal) else _plain(value)


_encode_marked = json.JSONEncoder(default=_marked, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
