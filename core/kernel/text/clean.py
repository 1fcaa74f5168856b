"""Text as it comes from outside: what is refused, how it is normalised, and the range that a prefix spans."""

from __future__ import annotations

import re
import unicodedata

from core.kernel.errors import Invalid

_LAST_CODE_POINT = 0x10FFFF
_FIRST_SURROGATE = 0xD800
_LAST_SURROGATE = 0xDFFF
_INVISIBLE = re.compile("[\\s\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+")


def check_text(value: object, *, max_length: int, field: str | None = None) -> str:
    """`value` unchanged, when PostgreSQL can store it and it has at most `max_length` code points.

    Raises: Invalid - not text, too long, or it holds NUL or half of a surrogate pair (neither fits into a UTF-8 column).
    """
    if not isinstance(value, str):
        raise Invalid("This must be text.", field=field)
    if len(value) > max_length:
        raise Invalid(f"This text is longer than {max_length} characters.", field=field, limit=max_length)
    if "\x00" in value:
        raise Invalid("This text holds a NUL character.", field=field)
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Invalid("This text holds half of a surrogate pair.", field=field) from error
    return value


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold `text`: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any(_FIRST_SURROGATE <= ord(char) <= _LAST_SURROGATE for char in text)


def clean_text(value: object, *, max_length: int, field: str | None = None) -> str:
    """`value` without white space around it, checked as by `check_text`; the length counts after the cut.

    Raises: Invalid - see `check_text`.
    """
    if isinstance(value, str):
        value = value.strip()
    return check_text(value, max_length=max_length, field=field)


def normalise(text: str) -> str:
    """The form that search compares: NFKC, without letter case, white space runs as one space, none around.

    Full-width and half-width letters, ligatures and circled digits become plain ones. Idempotent.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    # Folding can leave text that composes again (U+0345 and friends), hence the second normalisation.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(unicodedata.normalize("NFKC", folded.casefold()).split())


def normalise_scan(text: str) -> str:
    """What a barcode scanner or a paste meant: NFKC, with white space and invisible marks removed; letter case is kept."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def fold_case(text: str) -> str:
    """Lower case, one code point for one code point, exactly as PostgreSQL's `lower(... COLLATE pg_c_utf8)` does it.

    `str.lower` differs in two letters: the dotted capital I becomes two code points, and a final sigma looks at its neighbours.
    """
    if text.isascii():
        return text.lower()
    return text.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


def prefix_upper_bound(prefix: str) -> str | None:
    """The smallest text above every text that starts with `prefix`, in code point order; None when there is none.

    `prefix <= x and x < bound` then means "x starts with prefix", in Python as in a column with the C collation. The code point
    after the last character is taken, jumping over the surrogates; a last U+10FFFF is dropped and its neighbour counts up.
    """
    points = [ord(char) for char in prefix]
    while points:
        following = points.pop() + 1
        if _FIRST_SURROGATE <= following <= _LAST_SURROGATE:
            following = _LAST_SURROGATE + 1
        if following <= _LAST_CODE_POINT:
            return "".join(map(chr, points)) + chr(following)
    return None
