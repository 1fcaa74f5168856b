"""Ready-made HTML for the small things that fill tables: icons, badges, amounts, moments, links, copy buttons.

A list calls these once per cell, before the template runs, so the template only joins strings. All text is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask_babel import gettext
from markupsafe import Markup, escape

from core.delivery.web.theme.formats import Formats, formats

#: The only meanings that have a colour, as reference tokens name them.
KINDS = ("neutral", "info", "progress", "warn", "ok", "bad")
DASH = Markup('<span class="nil">–</span>')

#: Font Awesome names that Flask-AppBuilder and its add-ons use, and ours for the same thing.
_ALIASES = {
    "table": "table", "user": "user", "users": "users", "group": "users-group", "cogs": "settings", "cog": "settings",
    "key": "key", "lock": "lock", "list": "list", "edit": "edit", "trash": "trash", "plus": "plus", "search": "search",
    "envelope": "mail", "bar-chart": "report-analytics", "bar-chart-o": "report-analytics", "dashboard": "home",
    "sign-out": "logout", "check": "check", "rocket": "bolt", "shield": "shield-lock", "chain": "link",
    "folder-open-o": "list-details", "globe": "world", "refresh": "refresh",
}  # fmt: skip


@lru_cache(maxsize=512)
def icon(name: str) -> Markup:
    """One icon that screen readers skip. Takes our names and Font Awesome's (`fa-user`); an empty name gives nothing."""
    plain = (name or "").strip().split(" ")[-1]
    if not plain:
        return Markup("")
    plain = _ALIASES.get(plain[3:], "point") if plain.startswith("fa-") else plain
    return Markup('<i class="i i-{}" aria-hidden="true"></i>').format(plain)


@lru_cache(maxsize=4096)
def badge(kind: str, icon_name: str, word: str) -> Markup:
    """A state as colour, icon and word together. Raises: ValueError - a kind that has no colour."""
    if kind not in KINDS:
        raise ValueError(kind)
    return Markup('<span class="st st-{}">{}{}</span>').format(kind, icon(icon_name), word)


def badges(states: list[tuple[str, str, str]]) -> Markup:
    """Several badges in one cell; each is (kind, icon, word)."""
    return Markup(" ").join(badge(*state) for state in states)


def _number(text: str) -> Markup:
    return Markup(f'<span class="n">{escape(text)}</span>')  # noqa: S704 - escaped


def _time(value: datetime, text: str, *, habits: Formats, mark: str = "") -> Markup:
    exact = habits.local(value).isoformat(timespec="seconds")
    return Markup(f'<time datetime="{exact}"{mark}>{escape(text)}</time>')  # noqa: S704 - escaped


def money(amount: Any, currency: str = "", *, bare: bool = False, by: Formats | None = None) -> Markup:
    """An amount of money; `bare` where the head of the column shows the currency.

    `by` is the reader's `formats()`, looked up once by a caller that makes many cells.
    """
    return DASH if amount is None else _number((by or formats()).money(amount, currency, bare=bare))


def number(value: Any, digits: int | None = None, *, by: Formats | None = None) -> Markup:
    """A number, aligned with the ones above and below it."""
    return DASH if value is None else _number((by or formats()).number(value, digits))


def moment(value: datetime | None, *, by: Formats | None = None) -> Markup:
    """A moment in the reader's zone; the script adds the full form as a tooltip."""
    if value is None:
        return DASH
    habits = by or formats()
    return _time(value, habits.moment(value), habits=habits)


def ago(value: datetime | None, *, by: Formats | None = None) -> Markup:
    """How long ago, kept fresh by the script while the page stays open."""
    if value is None:
        return DASH
    habits = by or formats()
    return _time(value, habits.ago(value), habits=habits, mark=" data-ago")


def link(url: str, text: str, *, is_outside: bool = False) -> Markup:
    """A link; an empty address leaves the text alone. One that leads outside tells the other side nothing of this page."""
    more = ' rel="noopener noreferrer nofollow" target="_blank"' if is_outside else ""
    return Markup(f'<a href="{escape(url)}"{more}>{escape(text)}</a>') if url else escape(text)  # noqa: S704 - escaped


def code(text: str | None) -> Markup:
    """An id, number or code in the fixed-width face."""
    return Markup('<span class="mono">{}</span>').format(text) if text else DASH


def copyable(text: str | None) -> Markup:
    """A code with a button that copies it."""
    if not text:
        return DASH
    copy = gettext("Copy %(text)s", text=text)
    button = Markup('<button type="button" class="copy" data-copy="{}" aria-label="{}" title="{}">{}</button>')
    return code(text) + button.format(text, copy, copy, icon("copy"))


def yes_no(value: object) -> Markup:
    """A truth as a check mark or a dash, with the word for screen readers."""
    if value is None:
        return DASH
    if value:
        return Markup('{}<span class="visually-hidden">{}</span>').format(icon("check"), gettext("Yes"))
    return Markup('<span class="nil" aria-hidden="true">–</span><span class="visually-hidden">{}</span>').format(gettext("No"))


def line(attrs: Sequence[Markup], values: Sequence[Any]) -> Markup:
    """The cells of one row side by side; `attrs` are the attributes that belong to the columns."""
    return Markup("".join([f"<td{attr}>{escape(value)}</td>" for attr, value in zip(attrs, values, strict=True)]))  # noqa: S704 - escaped


def options(choices: Iterable[tuple[str, str]], chosen: str) -> Markup:
    """The options of a choice, each (value, words) in plain text; the same choices cost nothing the second time."""
    # Plain text: a key of the cache that is Markup would equal the same text unescaped.
    return _options(tuple([(str(value), str(words)) for value, words in choices]), str(chosen))


@lru_cache(maxsize=1024)
def _options(choices: tuple[tuple[str, str], ...], chosen: str) -> Markup:
    return Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(value, Markup(" selected") if value == chosen else "", words)
        for value, words in choices
    )


def plain(value: object) -> Any:
    """Any value as a cell: None a dash, truths a mark, moments in the reader's zone, HTML as it is."""
    if value is None or value == "":
        return DASH
    if value is True or value is False:
        return yes_no(value)
    if isinstance(value, datetime):
        return moment(value)
    return value
