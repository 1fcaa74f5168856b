"""Search tokens: what a record is found by, and how a typed search becomes look-ups.

Tokens live in a side table, are compared by equality, and the last word of a search by a prefix range; both reach an index under
row-level security. Words, Chinese bigrams, pinyin and digits share one set of tokens without marks, so `jst` finds 聚水潭 and 5678
finds a phone's tail without the searcher saying what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import islice

from core.kernel.text.clean import normalise, prefix_upper_bound
from core.kernel.text.pinyin import HAN, surname_syllables, syllables

MAX_TOKENS = 200
MAX_TOKEN_LENGTH = 64
MAX_PINYIN_RUN = 12
MAX_NUMBERS = 1_000
_MAX_VALUE_LENGTH = 2_000
_MAX_QUERY_LENGTH = 50_000
_TAIL = 4
_MIN_PHONE = 7
_MAX_PHONE = 15
_CHINA_MOBILE = 11
# Scripts written without spaces between words: Han, kana, Hangul; Thai and its neighbours are cut like Latin words.
_DENSE = HAN + "\u3005\u3040-\u30ff\u3131-\u318e\uac00-\ud7a3"
_WORD = re.compile(f"[{_DENSE}]+|[^\\W_{_DENSE}]+")
_ASCII_WORD = re.compile("[0-9a-z]+")
# `tea-100` and `3.5`: found by their parts, and as `tea100` and `35`.
_JOINED = re.compile("(?<![0-9a-z])(?=[-_.a-z]*[0-9])[0-9a-z]+(?:[-_.][0-9a-z]+)+")
_QUERY_WORD = re.compile(f"{_JOINED.pattern}|{_WORD.pattern}")
_IS_DENSE = re.compile(f"[{_DENSE}]")
_MARKS = re.compile("[-_.]")
_IS_HAN_RUN = re.compile(f"[{HAN}]+\\Z")
_NOT_ALNUM = re.compile("[^0-9a-z]+")
_NOT_DIGIT = re.compile("[^0-9]+")
_PHONE_QUERY = re.compile("\\+?[0-9][0-9() -]*\\Z")
_NUMBER = re.compile("[0-9a-z][-0-9a-z_./#:+]*\\Z")
_LIST_BREAK = re.compile("[\\s,;、，；]+")


class SearchKind(Enum):
    """How a value is cut: free TEXT, a person's or firm's NAME, a PHONE number, or a CODE (order, parcel, SKU, barcode)."""

    TEXT = "text"
    NAME = "name"
    PHONE = "phone"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class SearchValue:
    """One value of a record that people search by."""

    kind: SearchKind
    text: str


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a typed search looks up.

    A record matches when it has every token of `exact` and, unless `prefix` is None, one token that starts with `prefix`. When
    `numbers` is filled (a pasted list), the other two are empty, and a record matches when it has any of them as a token.
    """

    exact: tuple[str, ...] = ()
    prefix: str | None = None
    numbers: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look up."""
        return not (self.exact or self.numbers or self.prefix)

    @property
    def prefix_range(self) -> tuple[str, str | None] | None:
        """`(low, high)` with low <= token < high for the prefix; high None means open; None when there is no prefix."""
        return None if self.prefix is None else (self.prefix, prefix_upper_bound(self.prefix))

    @property
    def whole_tokens(self) -> tuple[str, ...]:
        """All words as whole tokens, for indexes that hold keyed hashes of tokens and cannot look up a prefix."""
        return self.exact if self.prefix is None else (*self.exact, self.prefix)


def search_tokens(values: Iterable[SearchValue]) -> set[str]:
    """The tokens that a record with these values is found by: at most 200 of at most 64 characters, earlier values first.

    TEXT gives words, and Han runs give bigrams, their last character and, up to 12 characters, full pinyin and its initials. NAME
    also gives the family name and its special readings. PHONE gives all digits, without +86, and the last four. CODE gives the
    whole without punctuation, and its parts. Tokens of personal data are as personal as the data: hash them with a key.
    """
    found: dict[str, None] = {}
    for value in values:
        text = normalise(value.text[:_MAX_VALUE_LENGTH])
        if value.kind is SearchKind.PHONE:
            _add_phone(text, found)
        else:
            if value.kind is SearchKind.CODE:
                found[_NOT_ALNUM.sub("", text)[:MAX_TOKEN_LENGTH]] = None
            _add_words(text, found, is_name=value.kind is SearchKind.NAME)
        if len(found) > MAX_TOKENS:
            break
    found.pop("", None)
    return set(islice(found, MAX_TOKENS))


def _add_words(text: str, found: dict[str, None], *, is_name: bool) -> None:
    if "-" in text or "." in text or "_" in text:
        for joined in _JOINED.findall(text):
            found[_MARKS.sub("", joined)[:MAX_TOKEN_LENGTH]] = None
    if text.isascii():
        for word in _ASCII_WORD.findall(text):
            found[word[:MAX_TOKEN_LENGTH]] = None
        return
    for word in _WORD.findall(text):
        if _IS_DENSE.match(word):
            _add_dense(word, found, is_name=is_name)
        else:
            found[word[:MAX_TOKEN_LENGTH]] = None


def _add_dense(run: str, found: dict[str, None], *, is_name: bool) -> None:
    found.update(dict.fromkeys(map(str.__add__, run, run[1:])))
    found[run[-1]] = None
    if is_name:
        found[run[0]] = None
    # A lone character (号, 室) is a unit or a counter; its sound would only add noise.
    shortest = 1 if is_name else 2
    if not shortest <= len(run) <= MAX_PINYIN_RUN or not _IS_HAN_RUN.match(run):
        return
    _add_pinyin(syllables(run), found)
    special = surname_syllables(run) if is_name else None
    if special:
        _add_pinyin(special, found)


def _add_pinyin(spoken: tuple[str, ...], found: dict[str, None]) -> None:
    found["".join(spoken)[:MAX_TOKEN_LENGTH]] = None
    if len(spoken) > 1:
        found["".join([syllable[0] for syllable in spoken])] = None


def _add_phone(text: str, found: dict[str, None]) -> None:
    """Marketplaces append an extension (`13800001234-5678`) or mask the middle (`138****1234`)."""
    main, _, extension = text.partition("-") if text.count("-") == 1 else (text, "", "")
    if len(_NOT_DIGIT.sub("", main)) < _CHINA_MOBILE:
        main, extension = text, ""
    digits = _national(_NOT_DIGIT.sub("", main))
    if "*" in main:
        digits = _NOT_DIGIT.sub("", main.rpartition("*")[2])
    if len(digits) < _TAIL:
        return
    if "*" not in main:
        found[digits[:MAX_TOKEN_LENGTH]] = None
    found[digits[-_TAIL:]] = None
    if extension.isdigit():
        found[extension[:MAX_TOKEN_LENGTH]] = None


def _national(digits: str) -> str:
    """Digits without China's country code, in front of a mobile number."""
    is_mobile = len(digits) == _CHINA_MOBILE + 2 and digits.startswith("861")
    return digits[2:] if is_mobile else digits.removeprefix("0086") if digits.startswith("00861") else digits


def query_tokens(text: str) -> SearchQuery:
    """What to look up for a typed or pasted search.

    Words become exact tokens, the last one a prefix, since it may not be finished; a Chinese run becomes bigrams, a single character
    a prefix. A phone number is recognised with its spaces, dashes and +86. A list of order numbers (lines, or divided by commas or
    spaces, all of at least 6 characters with a digit) becomes `numbers`, at most 1,000.
    """
    lines = [line for line in map(normalise, text[:_MAX_QUERY_LENGTH].splitlines()) if line]
    whole = " ".join(lines)
    numbers = _number_list(whole, is_multi_line=len(lines) > 1)
    if numbers:
        return SearchQuery(numbers=numbers)
    digits = _NOT_DIGIT.sub("", whole)
    if _PHONE_QUERY.match(whole) and _MIN_PHONE <= len(digits) <= _MAX_PHONE:
        return SearchQuery(prefix=_national(digits))
    exact: list[str] = []
    prefix = None
    for word in _QUERY_WORD.findall(whole):
        if prefix is not None:
            exact.append(prefix)
        prefix = _MARKS.sub("", word)[:MAX_TOKEN_LENGTH]
        if _IS_DENSE.match(word) and len(word) > 1:
            prefix = None
            exact.extend(map(str.__add__, word, word[1:]))
    return SearchQuery(tuple(dict.fromkeys(exact))[:MAX_TOKENS], prefix)


def _number_list(text: str, *, is_multi_line: bool) -> tuple[str, ...]:
    """The whole tokens of a pasted list of numbers; empty when it is a single one or anything else."""
    parts = [part for part in _LIST_BREAK.split(text) if part]
    shortest = 1 if is_multi_line else 6
    for part in parts:
        has_digit = any("0" <= char <= "9" for char in part)
        if len(part) < shortest or len(part) > MAX_TOKEN_LENGTH or not has_digit or not _NUMBER.match(part):
            return ()
    tokens = dict.fromkeys(_NOT_ALNUM.sub("", part) for part in parts)
    return tuple(tokens)[:MAX_NUMBERS] if len(parts) > 1 else ()
