"""Reading Taobao's JSON: exact numbers, checked types, and complaints that name the place.

Pure. What a client library, a file or the database hands over is taken as it comes: text or decoded, numbers as numbers or text,
lists wrapped (`{"order": [...]}`) or plain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NoReturn

from core.sdk import Invalid, amount_from
from plugins.taobao.errors import UnreadablePayload, error_from

CHINA = timezone(timedelta(hours=8))
CURRENCY = "CNY"
FEN = Decimal("0.01")

_ID = re.compile(r"[0-9]{1,24}", re.ASCII)
_AMOUNT = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,12})?", re.ASCII)
_SHORT_AMOUNT = re.compile(r"-?[0-9]{1,12}\.[0-9]{1,2}", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]{1,12}", re.ASCII)
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?", re.ASCII)
_EPOCH_MS = re.compile(r"[0-9]{12,14}", re.ASCII)
_TRUE, _FALSE = (1, "true", "True", "TRUE", "1"), (0, "false", "False", "FALSE", "0", "", "null")
_ROOT = "_response"
_HUGE = 10**30
_NOTHING = (None, "", "null")


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadablePayload(f"{name} is not a number.")


def parsed(payload: Any) -> Any:
    """`payload` decoded when it is JSON text or bytes, else as it is. Fractions become Decimal, never float.

    Raises: UnreadablePayload - no JSON, NaN or Infinity, or nested too deeply.
    """
    if not isinstance(payload, str | bytes | bytearray):
        return payload
    try:
        return json.loads(payload, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise UnreadablePayload("This is not JSON.") from error


def clean(text: str) -> str:
    """`text` without what no database stores: NUL is dropped, lone surrogates become U+FFFD."""
    if text.isascii():
        return text.replace("\x00", "")
    return text.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_whole(value: Any) -> bool:
    """A whole number of a sane size; Python refuses to write out integers of thousands of digits."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _HUGE


@dataclass(frozen=True, slots=True)
class Node:
    """One JSON object and the path that leads to it; every reader raises UnreadablePayload with the full path as `field`."""

    fields: Mapping[str, Any]
    path: str = ""

    def at(self, name: str) -> str:
        """The path of the field `name`."""
        return f"{self.path}.{name}" if self.path else name

    def broken(self, name: str, message: str) -> UnreadablePayload:
        """The error, ready to raise, that complains about the field `name`."""
        return UnreadablePayload(message, field=self.at(name))

    def has(self, name: str) -> bool:
        """Whether the field is there and not null or empty text."""
        value = self.fields.get(name)
        return not (value is None or (isinstance(value, str) and value in _NOTHING))

    def text(self, name: str) -> str:
        """Text, empty when the field is missing; whole numbers are taken as their digits."""
        value = self.fields.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return clean(value)
        if _is_whole(value):
            return str(value)
        raise self.broken(name, "Text is expected here.")

    def word(self, name: str) -> str:
        """A word of a fixed vocabulary; empty when missing or null."""
        text = self.text(name).strip()
        return "" if text == "null" else text

    def number(self, *names: str) -> str:
        """An id: the digits of the first of `names` that is there; a fraction is refused, as it cannot hold ids above 2^53."""
        for name in names:
            if not self.has(name):
                continue
            value = self.fields[name]
            text = str(value).strip() if isinstance(value, str) or _is_whole(value) else ""
            if not _ID.fullmatch(text) or not text.strip("0"):
                raise self.broken(name, "A number of digits is expected here.")
            return text.lstrip("0")
        raise self.broken(names[-1], "This number is missing.")

    def optional_number(self, name: str) -> str:
        """An id, or empty when the field is missing, null or 0."""
        return "" if self.fields.get(name) in (None, "", "null", 0, "0") else self.number(name)

    def amount(self, name: str) -> Decimal | None:
        """An amount in yuan with two decimals, None when missing; negative amounts pass."""
        if not self.has(name):
            return None
        value = self.fields[name]
        if isinstance(value, str):
            value = value.strip()
            if not _AMOUNT.fullmatch(value):
                raise self.broken(name, "An amount of money is expected here.")
        elif isinstance(value, float):
            # The ordinary decoder of JSON makes floats; their shortest text is what stood there. Longer ones come from arithmetic.
            value = repr(value)
            if not _SHORT_AMOUNT.fullmatch(value):
                raise self.broken(name, "A float that is no exact amount cannot be trusted.")
        elif not isinstance(value, Decimal) and not _is_whole(value):
            raise self.broken(name, "An amount of money is expected here.")
        try:
            amount = amount_from(value, field=self.at(name))
        except Invalid as error:
            raise UnreadablePayload(error.message, field=self.at(name)) from error
        if amount != amount.quantize(FEN):
            raise self.broken(name, "An amount of money has at most two decimals.")
        return amount.quantize(FEN)

    def charge(self, name: str) -> Decimal | None:
        """An amount that cannot be negative, None when missing."""
        amount = self.amount(name)
        if amount is not None and amount < 0:
            raise self.broken(name, "This amount cannot be negative.")
        return amount

    def whole(self, name: str) -> int | None:
        """A whole number, None when missing."""
        if not self.has(name):
            return None
        value = self.fields[name]
        if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
            value = f"{value:f}".split(".", 1)[0]
        if not (isinstance(value, str) or _is_whole(value)) or not _WHOLE.fullmatch(str(value).strip()):
            raise self.broken(name, "A whole number is expected here.")
        return int(value)

    def flag(self, name: str) -> bool:
        """Yes or no; missing means no."""
        value = self.fields.get(name)
        if value is None or (isinstance(value, int | str) and value in _FALSE):
            return False
        if isinstance(value, int | str) and value in _TRUE:
            return True
        raise self.broken(name, "true or false is expected here.")

    def moment(self, name: str) -> datetime | None:
        """A moment, aware UTC, None when missing. Text without a zone is China time; whole numbers are epoch milliseconds."""
        if not self.has(name):
            return None
        text = self.text(name).strip()
        found = _MOMENT.fullmatch(text)
        try:
            if found:
                local = datetime.fromisoformat(f"{found[1]} {found[2]}{(found[3] or '')[:7]}")
                return local.replace(tzinfo=CHINA).astimezone(UTC)
            if _EPOCH_MS.fullmatch(text):
                return datetime.fromtimestamp(int(text) // 1000, UTC) + timedelta(milliseconds=int(text) % 1000)
        except (ValueError, OverflowError) as error:
            raise UnreadablePayload("This moment does not exist.", field=self.at(name)) from error
        raise self.broken(name, "A moment like 2026-11-10 20:15:02 is expected here.")

    def child(self, name: str) -> Node:
        """The object in the field `name`."""
        value = self.fields.get(name)
        if not isinstance(value, Mapping):
            raise self.broken(name, "An object is expected here.")
        return Node(value, self.at(name))

    def children(self, name: str, item: str) -> list[Node]:
        """The objects of a list: plain, wrapped under `item`, a single object, or none at all."""
        value, path = self.fields.get(name), self.at(name)
        if isinstance(value, Mapping) and (item in value or not value):
            value, path = value.get(item), f"{path}.{item}"
        if value is None or (isinstance(value, str) and value in _NOTHING):
            return []
        if isinstance(value, Mapping):
            return [Node(value, path)]
        if not isinstance(value, list | tuple):
            raise UnreadablePayload("A list is expected here.", field=path)
        return nodes(value, path)


def nodes(values: list[Any] | tuple[Any, ...], path: str) -> list[Node]:
    """One Node per element; raises UnreadablePayload for an element that is no object."""
    for position, value in enumerate(values):
        if not isinstance(value, Mapping):
            raise UnreadablePayload("An object is expected here.", field=f"{path}[{position}]")
    return [Node(value, f"{path}[{position}]") for position, value in enumerate(values)]


def rows(payload: Any, item: str, key: str, path: str = "") -> list[Node]:
    """The objects named `item` in an answer: below its root or not, in a list of the plural name or alone.

    `key` is the field by which a bare object is recognised. An empty page gives an empty list.
    Raises: UnreadablePayload - the answer holds nothing of the kind; for an `error_response` the error it stands for.
    """
    if isinstance(payload, list | tuple):
        return [row for node in nodes(payload, path) for row in rows(node.fields, item, key, node.path)]
    if not isinstance(payload, Mapping):
        raise UnreadablePayload("An object is expected here.", field=path or None)
    node = Node(payload, path)
    if "error_response" in payload:
        raise error_from(node.child("error_response").fields)
    if f"{item}s" in payload:
        return node.children(f"{item}s", item)
    if isinstance(payload.get(item), Mapping | list | tuple):
        return node.children(item, item)
    if key in payload or f"{key}_str" in payload:
        return [node]
    return _rows_below(node, item, key)


def _rows_below(node: Node, item: str, key: str) -> list[Node]:
    named = [(name, value) for name, value in node.fields.items() if isinstance(name, str) and name.endswith(_ROOT)]
    roots = [name for name, value in named if isinstance(value, Mapping)]
    if len(roots) == 1 and item in roots[0] and not node.path.endswith(_ROOT):
        return rows(node.fields[roots[0]], item, key, node.at(roots[0]))
    # An empty page leaves the list out and keeps the count, or the word on further pages.
    if "total_results" in node.fields or "has_next" in node.fields or f"{item}s_" in node.path:
        return []
    if "code" in node.fields and "msg" in node.fields:
        raise error_from(node.fields)
    raise UnreadablePayload(f"This answer holds no {item}.", field=node.path or None)
