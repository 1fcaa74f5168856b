"""Patterns that people write: useful ones pass, those that could run for ever do not."""

from __future__ import annotations

import time

import pytest

from core.kernel.errors import Invalid
from core.kernel.text import check_pattern, fits


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"SF\d{12,15}", "SF123456789012", "SF12345"),
        (r"(SF|YT)\d{10}", "YT1234567890", "JD1234567890"),
        (r"[A-Z]{2}\d{9}[A-Z]{2}", "RR123456789CN", "RR12345678CN"),
        (r"\(?\d+\)?-[)(+]*", "(12)-)+", "12"),
        (r"[]a]+", "]a]", "b"),
        ("", "", "x"),
    ],
)
def test_pattern_fits_whole_texts_when_it_is_safe(pattern, good, bad):
    assert check_pattern(pattern) == pattern
    assert (fits(pattern, good), fits(pattern, bad), fits(pattern, good + "\n")) == (True, False, False)


@pytest.mark.parametrize(
    "pattern",
    [
        "[", "(", "a**", "a{2,1}", "(a+)+$", "(a|a)*", "(ab){3}", "(a)?", r"(a)\1", "(?=a)", "(?i)a", "(?P<x>a)", "a*b*c*d*", "a?" * 23,
        "(ab|ab)" * 23, "x" * 201, "a{99999999999}",
    ],
)  # fmt: skip
def test_pattern_is_refused_when_it_is_wrong_or_could_run_for_ever(pattern):
    with pytest.raises(Invalid) as caught:
        check_pattern(pattern, field="tracking_pattern")

    assert caught.value.field == "tracking_pattern"
    assert fits(pattern, "a") is False


@pytest.mark.parametrize("pattern", ["a*a*a*b?c?d?e?f", r"\d+\d+\d+x", "a?" * 22 + "a" * 22, "[ab]*[ab]*[ab]*(c|d)(c|d)(c|d)(c|d)e"])
def test_worst_allowed_patterns_end_soon(pattern):
    began = time.monotonic()

    fits(pattern, "a" * 64)
    fits(pattern, "1" * 64)

    assert time.monotonic() - began < 5
