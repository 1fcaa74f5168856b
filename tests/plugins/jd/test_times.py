"""Moments as JD writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from plugins.jd.times import moment_from, wire_time

SINGLES_DAY = datetime(2026, 11, 10, 16, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-11 00:00:01",
        " 2026-11-11 00:00:01 ",
        "2026-11-11 00:00:01.000+0800",
        "2026-11-10 16:00:01.000+0000",
        "2026-11-11T00:00:01+08:00",
        "2026-11-10T16:00:01Z",
        "1794326401000",
        "1794326401",
    ],
)
def test_moment_from_reads_every_spelling_when_it_names_the_same_moment(text):
    assert moment_from(text) == SINGLES_DAY


@pytest.mark.parametrize("text", ["", "  ", "0", "0001-01-01 00:00:00", "1970-01-01 08:00:00"])
def test_moment_from_is_none_when_jd_has_not_set_it(text):
    assert moment_from(text) is None


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01 00:00:00", "2026-11-11 25:00:00", "2026/11/11", "20261111"])
def test_moment_from_raises_when_there_is_no_such_moment(text):
    with pytest.raises(ValueError, match=r".+"):
        moment_from(text)


def test_wire_time_is_chinese_clock_time_when_the_moment_is_elsewhere():
    assert wire_time(datetime(2026, 11, 10, 11, 0, 1, 900_000, tzinfo=timezone(timedelta(hours=-5)))) == "2026-11-11 00:00:01"
