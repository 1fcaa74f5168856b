"""Moments as JD writes them: clock time of GMT+8 in documents, sometimes with an offset or as epoch milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

GMT8 = timezone(timedelta(hours=8))

_CLOCK = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[ T](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_EPOCH = re.compile(r"\d{9,10}|\d{12,13}", re.ASCII)
# JD writes year 1 or 1970 where a moment is not set; a moment of the next century would outrank every later change.
_FIRST_YEAR, _LAST_YEAR = 1990, 2099


def _offset(text: str | None) -> timezone:
    if text is None:
        return GMT8
    if text == "Z":
        return UTC
    span = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-span if text[0] == "-" else span)


def _within(moment: datetime) -> datetime:
    if moment.year > _LAST_YEAR:
        raise ValueError(moment.year)
    return moment


def moment_from(text: str) -> datetime | None:
    """The aware UTC moment that `text` names; None for the empty text and for JD's "not set" years before 1990.

    Reads `2026-11-11 00:00:01`, the same with fraction and offset (`2026-11-11 00:00:01.000+0800`), ISO 8601, and epoch seconds or
    milliseconds. Clock time without an offset is GMT+8.
    Raises: ValueError - no moment, or one after the year 2099.
    """
    text = text.strip()
    if not text or text == "0":
        return None
    if _EPOCH.fullmatch(text):
        return _within(datetime.fromtimestamp(int(text) if len(text) <= 10 else int(text) / 1000, UTC))
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if year < _FIRST_YEAR:
        return None
    micros = int((match[7] or "").ljust(6, "0")[:6])
    return _within(datetime(year, month, day, hour, minute, second, micros, tzinfo=_offset(match[8])).astimezone(UTC))


def wire_time(moment: datetime) -> str:
    """`moment` as `yyyy-MM-dd HH:mm:ss` in GMT+8; parts of a second are cut off."""
    return moment.astimezone(GMT8).strftime("%Y-%m-%d %H:%M:%S")
