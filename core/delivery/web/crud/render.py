"""Values as cells: by the field's type, in the reader's language, escaped, with links to what the reader may open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from markupsafe import Markup

from core.delivery.web.theme import cells
from core.delivery.web.theme.formats import Formats, formats
from core.delivery.web.theme.words import speaker
from core.engines.metadata.entity import Field, FieldType
from core.engines.metadata.queries import NAMED

Render = Callable[[Any, Formats], Any]
_NUMERIC = (FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.QUANTITY)


def css_of(item: Field) -> str:
    """The column's class: numbers stand right, states need no label on cards, long text may wrap."""
    if item.type in _NUMERIC:
        return "num"
    if item.type is FieldType.CHOICE:
        return "pill"
    return "wide" if item.type in (FieldType.LONG_TEXT, FieldType.ADDRESS, FieldType.JSON) else ""


def renderer(
    item: Field, *, labels: Mapping[UUID, str], link: Callable[[str, UUID], str], is_first: bool = False, is_bare: bool = False
) -> Callable[[Any], Any]:
    """A function from a row to the cell of this field; chosen once per column, called once per row.

    `is_first` is the cell that becomes the record's link; `is_bare` leaves the currency to the column's head.
    """
    key, habits = item.key, formats()
    if item.is_sealed:
        return lambda row: getattr(row, key) or cells.DASH
    if item.type is FieldType.MONEY:
        currency = item.currency_key
        if item.currency:
            return lambda row: cells.money(getattr(row, key), item.currency, by=habits)
        if is_bare or not currency:
            return lambda row: cells.money(getattr(row, key), bare=True, by=habits)
        return lambda row: cells.money(getattr(row, key), getattr(row, currency), by=habits)
    if item.type in NAMED:
        return _reference(item, labels, link)
    if item.digits is not None and item.type in _NUMERIC:
        return lambda row: cells.number(getattr(row, key), item.digits, by=habits)
    if item.type is FieldType.CHOICES:
        return _choices(item)
    render = _RENDERERS.get(item.type)
    if render is not None:
        return lambda row: render(getattr(row, key), habits)
    if item.type is FieldType.CHOICE:
        say = speaker()
        words = {choice.value: (choice.kind, choice.icon, say(choice.label)) for choice in item.choices}
        return lambda row: _choice(words, getattr(row, key))
    if is_first:
        return lambda row: getattr(row, key) or "–"
    return lambda row: getattr(row, key) or cells.DASH


def _reference(item: Field, labels: Mapping[UUID, str], link: Callable[[str, UUID], str]) -> Callable[[Any], Any]:
    made: dict[UUID | None, Any] = {None: cells.DASH}  # many rows refer to the same few records

    def cell(row: Any) -> Any:
        value = getattr(row, item.key)
        if value not in made:
            url = link(item.target, value) if item.type is FieldType.REFERENCE else ""
            made[value] = cells.link(url, labels.get(value, "…"))
        return made[value]

    return cell


def _choices(item: Field) -> Callable[[Any], Any]:
    say = speaker()
    words = {choice.value: (choice.kind, choice.icon, say(choice.label)) for choice in item.choices}

    def cell(row: Any) -> Any:
        return Markup(" ").join(_choice(words, value) for value in getattr(row, item.key) or ()) or cells.DASH

    return cell


def _choice(words: Mapping[str, tuple[str, str, str]], value: Any) -> Any:
    if value in (None, ""):
        return cells.DASH
    known = words.get(value)
    return cells.badge(*known) if known else value


@lru_cache(maxsize=1024)
def _tag(text: str) -> Markup:
    return Markup('<span class="tag">{}</span>').format(text)


def _number(value: Any, habits: Formats) -> Any:
    return cells.number(value, by=habits)


def _moment(value: Any, habits: Formats) -> Any:
    return cells.moment(value, by=habits)


def _yes_no(value: Any, _habits: Formats) -> Any:
    return cells.yes_no(value)


def _tags(value: Any, _habits: Formats) -> Any:
    return Markup(" ").join(_tag(text) for text in value) if value else cells.DASH


def _day(value: Any, habits: Formats) -> Any:
    return habits.day(value) if value is not None else cells.DASH


def _web(value: Any, _habits: Formats) -> Any:
    return cells.link(value, value, is_outside=True) if value else cells.DASH


def _mail(value: Any, _habits: Formats) -> Any:
    return cells.link(f"mailto:{value}", value) if value else cells.DASH


def _phone(value: Any, _habits: Formats) -> Any:
    return cells.link("tel:" + "".join(mark for mark in value if mark in "+0123456789"), value) if value else cells.DASH


def _address(value: Any, _habits: Formats) -> Any:
    return Markup("<br>").join(value.splitlines()) if value else cells.DASH


def _json(value: Any, _habits: Formats) -> Any:
    if not value:
        return cells.DASH
    return Markup(", ").join(Markup("{}: {}").format(name, inner) for name, inner in value.items() if inner not in (None, 0, "", []))


_RENDERERS: dict[FieldType, Render] = {
    FieldType.INTEGER: _number,
    FieldType.DECIMAL: _number,
    FieldType.QUANTITY: _number,
    FieldType.DATETIME: _moment,
    FieldType.DATE: _day,
    FieldType.URL: _web,
    FieldType.EMAIL: _mail,
    FieldType.PHONE: _phone,
    FieldType.BOOLEAN: _yes_no,
    FieldType.TAGS: _tags,
    FieldType.JSON: _json,
    FieldType.ADDRESS: _address,
}
