"""How numbers, money and moments are written for a person, by locale and time zone; quick enough for every cell of a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import get_currency_symbol
from flask import g, has_app_context
from flask_babel import get_locale, get_timezone

from core.kernel.money import minor_digits, rounded

NOTHING = "–"


@lru_cache(maxsize=64)
def _signs(language: str) -> tuple[str, str, str]:
    """The decimal sign, the group sign and the minus sign of a language."""
    symbols = Locale.parse(language).number_symbols
    symbols = symbols.get("latn", symbols)
    return symbols["decimal"], symbols["group"], "\u2212"


@lru_cache(maxsize=256)
def _currency_sign(currency: str, language: str) -> str:
    sign = get_currency_symbol(currency, locale=language)
    return sign if len(sign) < len(currency) else f"{sign} "


@lru_cache(maxsize=64)
def _months(language: str) -> dict[int, str]:
    return dict(Locale.parse(language).months["format"]["abbreviated"])


def _bucket(seconds: float) -> int:
    """Whole seconds, minutes, hours or days in seconds, so that a few thousand distances cover all that is ever said."""
    size = next((unit for unit in (86400, 3600, 60) if abs(seconds) >= unit), 1)
    return round(seconds / size) * size


@lru_cache(maxsize=8192)
def _distance(seconds: int, language: str) -> str:
    return format_timedelta(timedelta(seconds=seconds), add_direction=True, threshold=1.0, locale=language)


@dataclass(frozen=True, slots=True)
class Formats:
    """The writing habits of one reader: `language` as `en` or `zh_Hans_CN`, their time zone, the moment that counts as now."""

    language: str
    zone: tzinfo
    now: datetime

    @property
    def is_chinese(self) -> bool:
        """Whether the reader reads Chinese."""
        return self.language.startswith("zh")

    def number(self, value: Any, digits: int | None = None) -> str:
        """A number with group signs; `digits` fixes the decimals, else trailing zeros go. None is a dash."""
        if value is None or value == "":
            return NOTHING
        amount = value if isinstance(value, Decimal | int) else Decimal(str(value))
        text = f"{amount:,.{digits}f}" if digits is not None else f"{amount:,f}"
        if digits is None and "." in text:
            text = text.rstrip("0").rstrip(".")
        decimal, group, minus = _signs(self.language)
        if (decimal, group) != (".", ","):
            text = text.replace(",", "\0").replace(".", decimal).replace("\0", group)
        return minus + text[1:] if text.startswith("-") else text

    def money(self, amount: Any, currency: str = "", *, bare: bool = False) -> str:
        """An amount rounded to its coin, with the currency's sign before it unless `bare`. None is a dash."""
        if amount is None or amount == "":
            return NOTHING
        text = self.number(rounded(Decimal(str(amount)), currency), minor_digits(currency))
        if bare or not currency:
            return text
        sign = _currency_sign(currency, self.language)
        return f"\u2212{sign}{text[1:]}" if text.startswith("\u2212") else f"{sign}{text}"

    def currency_sign(self, currency: str) -> str:
        """The sign that heads a column of amounts."""
        return _currency_sign(currency, self.language).strip()

    def local(self, moment: datetime) -> datetime:
        """`moment` in the reader's zone; a naive one counts as UTC."""
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(self.zone)

    def day(self, value: date | datetime | None) -> str:
        """A date, with its year only when that is not this year."""
        if value is None:
            return NOTHING
        here = self.local(value) if isinstance(value, datetime) else value
        same_year = here.year == self.local(self.now).year
        if self.is_chinese:
            return f"{here.month:02}-{here.day:02}" if same_year else f"{here.year}-{here.month:02}-{here.day:02}"
        return f"{here.day} {_months(self.language)[here.month]}" + ("" if same_year else f" {here.year}")

    def moment(self, value: datetime | None, *, seconds: bool = False) -> str:
        """A date and time of day to the minute (or second)."""
        if value is None:
            return NOTHING
        here = self.local(value)
        clock = f"{here.hour:02}:{here.minute:02}" + (f":{here.second:02}" if seconds else "")
        return f"{self.day(value)} {clock}"

    def ago(self, value: datetime | None) -> str:
        """How long ago, or how long until, in words."""
        if value is None:
            return NOTHING
        distance = (value if value.tzinfo else value.replace(tzinfo=UTC)) - self.now
        seconds = _bucket(distance.total_seconds())
        if seconds == 0:
            return "刚刚" if self.is_chinese else "just now"
        return _distance(seconds, self.language)

    def span(self, value: timedelta | float | None) -> str:
        """A length of time in words; a number counts seconds."""
        if value is None:
            return NOTHING
        length = value if isinstance(value, timedelta) else timedelta(seconds=value)
        return format_timedelta(length, threshold=1.0, locale=self.language)


def formats() -> Formats:
    """The reader's formats for this request, made once per request; English and UTC outside one."""
    if not has_app_context():
        return Formats("en", UTC, datetime.now(UTC))
    held = g.get("theme_formats")
    locale = str(get_locale() or "en")
    if held is None or held.language != locale:
        held = g.theme_formats = Formats(locale, get_timezone() or UTC, datetime.now(UTC))
    return held
