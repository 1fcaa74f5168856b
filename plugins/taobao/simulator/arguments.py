"""Reading a method's parameters as the platform does, and picking the fields that a request asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from plugins.taobao.simulator.protocol import invalid, missing

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_TWINS = {"tid": "tid_str", "oid": "oid_str"}


class Arguments:
    """The parameters of one request; every reader raises TopError 40 or 41 with the parameter's name."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self._params = params

    def text(self, name: str, default: str = "") -> str:
        """An optional text."""
        return self._params.get(name) or default

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = self._params.get(name, "")
        if not value.strip():
            raise missing(name)
        return value

    def number(self, name: str, default: int | None = None, *, low: int = 0, high: int = 2**63) -> int:
        """A whole number within bounds; required when there is no default."""
        value = (self.required(name) if default is None else self._params.get(name, "")).strip()
        if not value and default is not None:
            return default
        if not _WHOLE.fullmatch(value) or not low <= int(value) <= high:
            raise invalid(name)
        return int(value)

    def numbers(self, name: str, *, most: int) -> list[int]:
        """A list of numbers between commas, empty when missing."""
        parts = [part.strip() for part in self.text(name).split(",") if part.strip()]
        if len(parts) > most or not all(_WHOLE.fullmatch(part) for part in parts):
            raise invalid(name, f"at most {most} numbers between commas")
        return [int(part) for part in parts]

    def flag(self, name: str) -> bool:
        """true or false, in any case; missing means false."""
        value = self.text(name, "false").lower()
        if value not in ("true", "false", "1", "0"):
            raise invalid(name)
        return value in ("true", "1")

    def moment(self, name: str, default: str | None = None) -> str:
        """A moment in the platform's form, checked; a day alone means its begin. Required when there is no default."""
        value = (self.required(name) if default is None else self.text(name, default)).strip()
        try:
            if not _MOMENT.fullmatch(value):
                raise invalid(name, "yyyy-MM-dd HH:mm:ss")
            datetime.fromisoformat(value)
        except ValueError as error:
            raise invalid(name, "yyyy-MM-dd HH:mm:ss") from error
        return value if len(value) > 10 else f"{value} 00:00:00"

    def page(self, *, default: int = 40, most: int = 100) -> tuple[int, int]:
        """The page's number from 1 and its size."""
        return self.number("page_no", 1, low=1), self.number("page_size", default, low=1, high=most)

    def fields(self) -> Fields:
        """The fields that the request asks for; required."""
        return Fields(self.required("fields"))


class Fields:
    """A selection like `tid,status,orders.oid`: names of the object, and of the objects in its lists."""

    def __init__(self, text: str) -> None:
        self._top, self._inner = _parsed_fields(text)

    def __contains__(self, name: str) -> bool:
        return name in self._top or name in self._inner

    def of(self, whole: Mapping[str, Any], lists: Mapping[str, str | None] | None = None) -> dict[str, Any]:
        """The chosen fields of `whole`. `lists` names its wrapped lists and what their objects are called; None hides one."""
        lists = lists or {}
        picked = {name: whole[name] for name in self._top if name in whole and name not in lists}
        for name, item in lists.items():
            rows = whole.get(name, {}).get(item) if item else None
            if rows and (name in self._top or name in self._inner):
                picked[name] = {str(item): [self._inner_of(name, row) for row in rows]}
        return picked

    def _inner_of(self, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
        if name in self._top:
            return dict(row)
        return {one: row[one] for one in self._inner[name] if one in row}


@lru_cache(maxsize=512)
def _parsed_fields(text: str) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    top: dict[str, None] = {}
    inner: dict[str, dict[str, None]] = {}
    for part in (part.strip() for part in text.split(",")):
        outer, dot, name = part.partition(".")
        if dot:
            inner.setdefault(outer, {}).update(_with_twin(name.rpartition(".")[2]))
        elif part:
            top.update(_with_twin(part))
    return tuple(top), {name: tuple(names) for name, names in inner.items()}


def _with_twin(name: str) -> dict[str, None]:
    return dict.fromkeys((name, _TWINS[name]) if name in _TWINS else (name,))


def page_of(rows: list[Any], page_no: int, page_size: int) -> tuple[list[Any], bool]:
    """One page of `rows`, and whether another follows."""
    start = (page_no - 1) * page_size
    return rows[start : start + page_size], start + page_size < len(rows)


def wrapped(name: str, item: str, rows: Iterable[Any]) -> dict[str, Any]:
    """A list in the platform's form; an empty one is left out of the answer."""
    found = list(rows)
    return {name: {item: found}} if found else {}
