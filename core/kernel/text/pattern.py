"""Patterns that people write: the part of regular expressions whose matching stays quick on any short text.

Python's engine goes back and tries again, so a nested or much repeated quantifier can take longer than the age of the universe, and it
holds the whole process meanwhile. Allowed is what never gets there: groups without a quantifier behind them, and few quantifiers. Meant for
texts of at most 64 characters, such as tracking numbers.
"""

from __future__ import annotations

import re
from functools import lru_cache

from core.kernel.errors import Invalid

MAX_PATTERN = 200
# Ways to read a text of 64 characters, as a power of two: each `*`, `+` or `{m,n}` multiplies them by 64, each `?` or `|` by 2.
MAX_WAYS = 22
_WAYS_OF_WIDE = 6
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_CLASS = re.compile(r"\[\^?\]?[^\]]*\]")
_WIDE = re.compile(r"[*+]|\{\d*,\d*\}")
_REPEATED_GROUP = re.compile(r"\)(?:[*+?]|\{)")


def check_pattern(text: str, *, field: str | None = None) -> str:
    """`text` itself, when it is a pattern that is safe to match.

    Raises: Invalid - no regular expression, longer than 200 characters, a repeated group, a look-around, a back reference, or more than
    three of `*`, `+`, `{m,n}` with four of `?`, `|` (fewer of the one allow more of the other).
    """
    if len(text) > MAX_PATTERN:
        raise Invalid(f"A pattern has at most {MAX_PATTERN} characters.", field=field)
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise Invalid("This is not a regular expression.", field=field) from error
    plain = _CLASS.sub("c", _ESCAPED.sub("e", text))
    if "(?" in plain or any(mark[1].isdigit() for mark in _ESCAPED.findall(text)):
        raise Invalid("A pattern cannot look around or refer back.", field=field)
    if _REPEATED_GROUP.search(plain):
        raise Invalid("A group in a pattern cannot be repeated.", field=field)
    if len(_WIDE.findall(plain)) * _WAYS_OF_WIDE + plain.count("?") + plain.count("|") > MAX_WAYS:
        raise Invalid("This pattern leaves too much open; repeat fewer of its parts.", field=field)
    return text


def fits(pattern: str, text: str) -> bool:
    """Whether the whole of `text` fits the pattern; a pattern that is not safe fits nothing."""
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=500)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(check_pattern(pattern))
    except Invalid:
        return re.compile(r"(?!)")
