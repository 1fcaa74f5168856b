"""Where time windows begin and end; both back ends ask here, so they cannot disagree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from core.kernel.conditions.fields import FieldType
from core.kernel.conditions.nodes import Comparison, Op, Period, Span


@dataclass(frozen=True, slots=True)
class Window:
    """From `low`, included, to `high`, which belongs to it only if `is_closed`. Dates, or aware UTC datetimes."""

    low: Any
    high: Any
    is_closed: bool

    def holds(self, value: Any) -> bool:
        """Whether `value` lies inside."""
        return self.low <= value and (value <= self.high if self.is_closed else value < self.high)


def window_of(node: Comparison, now: datetime) -> Window:
    """The window that WITHIN_LAST, WITHIN_NEXT or IN_PERIOD means at `now`.

    `now` is aware; its time zone decides where a day begins, so callers pass the tenant's local time. On DATE fields a span
    counts from today and includes it and the last day; on DATETIME fields it is elapsed time, both ends included. Periods
    exclude their end.
    """
    is_date = node.type is FieldType.DATE
    if node.op is Op.IN_PERIOD:
        first, after = _period(node.value, now.date())
        if is_date:
            return Window(first, after, is_closed=False)
        return Window(_midnight(first, now), _midnight(after, now), is_closed=False)
    span: Span = node.value
    anchor = now.date() if is_date else now.astimezone(UTC)
    step = timedelta(**{span.unit: span.count})
    if node.op is Op.WITHIN_LAST:
        return Window(anchor - step, anchor, is_closed=True)
    return Window(anchor, anchor + step, is_closed=True)


def _midnight(day: date, now: datetime) -> datetime:
    return datetime.combine(day, time(), now.tzinfo).astimezone(UTC)


def _month(day: date, step: int) -> date:
    months = day.year * 12 + day.month - 1 + step
    return date(months // 12, months % 12 + 1, 1)


def _period(period: Period, today: date) -> tuple[date, date]:
    """The first day of the period, and the first day after it."""
    monday = today - timedelta(days=today.weekday())
    match period:
        case Period.TODAY | Period.YESTERDAY | Period.TOMORROW:
            shift = {Period.TODAY: 0, Period.YESTERDAY: -1, Period.TOMORROW: 1}[period]
            first = today + timedelta(days=shift)
            return first, first + timedelta(days=1)
        case Period.THIS_WEEK | Period.LAST_WEEK | Period.NEXT_WEEK:
            shift = {Period.THIS_WEEK: 0, Period.LAST_WEEK: -7, Period.NEXT_WEEK: 7}[period]
            first = monday + timedelta(days=shift)
            return first, first + timedelta(days=7)
        case Period.THIS_MONTH | Period.LAST_MONTH | Period.NEXT_MONTH:
            shift = {Period.THIS_MONTH: 0, Period.LAST_MONTH: -1, Period.NEXT_MONTH: 1}[period]
            return _month(today, shift), _month(today, shift + 1)
    year = today.year - (period is Period.LAST_YEAR)
    return date(year, 1, 1), date(year + 1, 1, 1)
