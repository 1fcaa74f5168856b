"""Numbers, money and moments as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from core.delivery.web.theme.formats import Formats

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
EN = Formats("en", ZoneInfo("Europe/London"), NOON)
ZH = Formats("zh_Hans_CN", ZoneInfo("Asia/Shanghai"), NOON)
DE = Formats("de", ZoneInfo("Europe/Berlin"), NOON)


@pytest.mark.parametrize(
    ("habits", "amount", "currency", "said"),
    [
        (EN, Decimal("1234.5"), "GBP", "£1,234.50"),
        (ZH, Decimal("1234.5"), "CNY", "¥1,234.50"),
        (EN, Decimal("-12.5"), "GBP", "\u2212£12.50"),
        (EN, Decimal("1999"), "JPY", "¥1,999"),
        (EN, Decimal("2.345"), "USD", "$2.35"),
        (EN, Decimal(7), "CHF", "CHF 7.00"),
        (DE, Decimal("1234.5"), "EUR", "€1.234,50"),
        (EN, None, "GBP", "–"),
    ],
)
def test_money_is_rounded_and_signed_when_it_is_written(habits: Formats, amount: Decimal | None, currency: str, said: str) -> None:
    assert habits.money(amount, currency) == said


def test_money_has_no_sign_when_the_column_shows_it() -> None:
    assert EN.money(Decimal("1234.5"), "GBP", bare=True) == "1,234.50"
    assert (EN.currency_sign("GBP"), EN.currency_sign("CHF")) == ("£", "CHF")


def test_number_drops_trailing_zeros_when_no_digits_are_asked() -> None:
    assert [EN.number(Decimal("12.500")), EN.number(10000), EN.number(Decimal("100")), EN.number("")] == ["12.5", "10,000", "100", "–"]


def test_moment_is_in_the_readers_zone_when_it_is_written() -> None:
    assert (EN.moment(NOON), ZH.moment(NOON)) == ("22 Nov 12:00", "11-22 20:00")


def test_moment_counts_as_utc_when_it_is_naive() -> None:
    assert ZH.moment(datetime(2026, 11, 22, 12, 0, 7), seconds=True) == "11-22 20:00:07"


def test_day_carries_its_year_when_it_is_another_year() -> None:
    assert (EN.day(date(2025, 1, 9)), ZH.day(date(2025, 1, 9)), EN.day(None)) == ("9 Jan 2025", "2025-01-09", "–")


@pytest.mark.parametrize(
    ("away", "english", "chinese"),
    [
        (timedelta(minutes=-5, seconds=-20), "5 minutes ago", "5分钟前"),
        (timedelta(hours=3), "in 3 hours", "3小时后"),
        (timedelta(days=-2), "2 days ago", "2天前"),
        (timedelta(milliseconds=400), "just now", "刚刚"),
    ],
)
def test_distance_is_said_in_the_readers_language_when_relative(away: timedelta, english: str, chinese: str) -> None:
    assert (EN.ago(NOON + away), ZH.ago(NOON + away)) == (english, chinese)


def test_span_counts_seconds_when_given_a_number() -> None:
    assert (EN.span(60), EN.span(timedelta(hours=2)), EN.span(None)) == ("1 minute", "2 hours", "–")
