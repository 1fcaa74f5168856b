"""Reading business parameters as JD does: text or numbers, lists or commas, clock time of GMT+8."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from plugins.jd.simulator.answering import ServiceError
from plugins.jd.times import GMT8, moment_from

# No number of JD's is longer; Python refuses to read numbers of thousands of digits.
_DIGITS = 18


def text_of(business: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that is given, as text; empty when none is."""
    for name in names:
        value = business.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def words_of(business: Mapping[str, Any], name: str) -> list[str]:
    """A list, or words separated by commas."""
    value = business.get(name)
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def number_of(business: Mapping[str, Any], name: str, *, default: int, most: int | None = None, what: int = 10100003) -> int:
    """A positive whole number. Raises: ServiceError - not one, or more than `most`."""
    text = text_of(business, name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS) or int(text) < 1:
        raise ServiceError(what, f"{name}必须为正整数", f"{name} must be a positive integer")
    if most is not None and int(text) > most:
        raise ServiceError(what, f"{name}不能超过{most}", f"{name} must not exceed {most}")
    return int(text)


@dataclass(frozen=True, slots=True)
class Span:
    """A window of time, both ends included."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime | None) -> bool:
        """Whether the moment lies inside; its parts of a second do not count."""
        return moment is not None and self.start <= moment < self.end + timedelta(seconds=1)


def moment_of(business: Mapping[str, Any], name: str) -> datetime | None:
    """A moment, None when it is not given. Raises: ServiceError - it is none."""
    try:
        return moment_from(text_of(business, name))
    except (ValueError, OverflowError, OSError) as error:
        raise ServiceError(10100002, f"{name}格式不正确", f"{name} must be yyyy-MM-dd HH:mm:ss") from error


def span_of(business: Mapping[str, Any], start: str, end: str) -> Span | None:
    """A window, None when neither end is given. Raises: ServiceError - one end only, a wrong format, or the end before the start."""
    first, last = moment_of(business, start), moment_of(business, end)
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise ServiceError(10100004, f"{start}和{end}必须同时传入", f"{start} and {end} must be given together")
    if last < first:
        raise ServiceError(10100005, f"{end}不能早于{start}", f"{end} must not be before {start}")
    return Span(first, last)


def a_month_after(moment: datetime) -> datetime:
    """The same day and time of the next month in China, or its last day."""
    moment = moment.astimezone(GMT8)
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
