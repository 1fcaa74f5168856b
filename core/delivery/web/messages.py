"""What is wrong with an input, in the reader's language: our own sentences, those with figures in them, and marshmallow's.

Errors carry English sentences. Plain ones are message ids; of the others this page knows the form and puts their figures into the
translated one. Marshmallow's wording is replaced by ours here, and nowhere else.
"""

from __future__ import annotations

import re
from functools import lru_cache

from flask_babel import gettext

from core.kernel.messages import N_

_NEEDED, _CHOICE = N_("This is needed."), N_("Choose one of: %(choices)s.")
_AT_LEAST, _AT_MOST, _BETWEEN = N_("At least %(min)s."), N_("At most %(max)s."), N_("From %(min)s to %(max)s.")
_CHARACTERS = N_("At most %(max)s characters.")
#: Sentences as they are raised, blanks in braces, with what is said for them.
SENTENCES: tuple[tuple[str, str], ...] = (
    # marshmallow
    ("Missing data for required field.", _NEEDED),
    ("Field may not be null.", _NEEDED),
    ("Invalid value.", N_("This value is not allowed.")),
    ("Invalid input.", N_("This value is not allowed.")),
    ("Invalid type.", N_("This is of the wrong kind.")),
    ("Invalid input type.", N_("This is of the wrong kind.")),
    ("Unknown field.", N_("This field is not known.")),
    ("Not a valid string.", N_("This is text.")),
    ("Not a valid utf-8 string.", N_("This is text.")),
    ("Not a valid integer.", N_("This is a whole number.")),
    ("Not a valid number.", N_("This is a number.")),
    ("Number too large.", N_("This number is too large.")),
    ("Special numeric values (nan or infinity) are not permitted.", N_("This is a number.")),
    ("Not a valid boolean.", N_("This is yes or no.")),
    ("Not a valid date.", N_("This is not a date.")),
    ("Not a valid time.", N_("This is not a time.")),
    ("Not a valid datetime.", N_("This is not a date and time.")),
    ("Not a valid aware datetime.", N_("A moment needs its time zone.")),
    ("Not a valid UUID.", N_("There is no such record.")),
    ("Not a valid list.", N_("This is a list.")),
    ("Not a valid mapping type.", N_("This is a table of names and values.")),
    ("Not a valid URL.", N_("This is not a web address.")),
    ("Not a valid email address.", N_("This is not an email address.")),
    ("String does not match expected pattern.", N_("This does not have the right form.")),
    ("Must be one of: {choices}.", _CHOICE),
    ("One or more of the choices you made was not in: {choices}.", _CHOICE),
    ("Must be equal to {other}.", N_("This has to be %(other)s.")),
    ("Shorter than minimum length 1.", _NEEDED),
    ("Shorter than minimum length {min}.", N_("At least %(min)s characters.")),
    ("Longer than maximum length {max}.", _CHARACTERS),
    ("Length must be between {min} and {max}.", N_("From %(min)s to %(max)s characters.")),
    ("Length must be {equal}.", N_("Exactly %(equal)s characters.")),
    ("Must be greater than or equal to {min} and less than or equal to {max}.", _BETWEEN),
    ("Must be greater than or equal to {min}.", _AT_LEAST),
    ("Must be less than or equal to {max}.", _AT_MOST),
    ("Must be greater than {min}.", N_("More than %(min)s.")),
    ("Must be less than {max}.", N_("Less than %(max)s.")),
    # our own with figures
    ("At most {max} characters.", _CHARACTERS),
    ("At most {max} tags.", N_("At most %(max)s tags.")),
    ("At most {max} order numbers at a time.", N_("At most %(max)s order numbers at a time.")),
    ("At least {min}.", _AT_LEAST),
    ("At most {max}.", _AT_MOST),
    ("This has at most {max} characters.", _CHARACTERS),
    ("This text is longer than {max} characters.", _CHARACTERS),
    ("A pattern has at most {max} characters.", _CHARACTERS),
    ("A moment lies between the years {first} and {last}.", N_("A moment lies between the years %(first)s and %(last)s.")),
    ("An order bears at most {max} tags.", N_("At most %(max)s tags.")),
    ("An order has at most {max} lines.", N_("An order has at most %(max)s lines.")),
    ("An amount in {currency} has at most {digits} decimals.", N_("An amount in %(currency)s has at most %(digits)s decimals.")),
    # configuration
    (
        "At most {max} fields of your own on one kind of record.",
        N_("At most %(max)s fields of your own on one kind of record."),
    ),
    ("At most {max} of these in one business.", N_("At most %(max)s of these in one business.")),
    ("At most {max} changes at once.", N_("At most %(max)s changes at once.")),
    ("A configuration file has at most {max} bytes.", N_("A configuration file has at most %(max)s bytes.")),
    ("This file is not of format {format}.", N_("This file is not of format %(format)s.")),
    ("This is not TOML: {reason}", N_("This is not TOML: %(reason)s")),
    ("This is not JSON: line {line}, column {column}.", N_("This is not JSON: line %(line)s, column %(column)s.")),
    ("A shelf holds at most {max} units.", N_("A shelf holds at most %(max)s units.")),
    ("At most {max} decimals.", N_("At most %(max)s decimals.")),
    # formulas and sums
    ("This leads back to itself: {path}.", N_("This leads back to itself: %(path)s.")),
    ("The formula gives a value of type {kind}.", N_("The formula gives a value of type %(kind)s.")),
    ("These amounts are in {currency}.", N_("These amounts are in %(currency)s.")),
    ("There is no field named {name}.", N_("There is no field named %(name)s.")),
    ("There is no function named {name}.", N_("There is no function named %(name)s.")),
    ("These do not go together: {kinds}.", N_("These do not go together: %(kinds)s.")),
    ("This cannot be calculated with {kind}.", N_("This cannot be calculated with %(kind)s.")),
    ("This cannot be compared: {kind}.", N_("This cannot be compared: %(kind)s.")),
    ("This is of type {kind}; {wanted} is needed.", N_("This is of type %(kind)s; %(wanted)s is needed.")),
)
_BLANK = re.compile(r"\\\{(\w+)\\\}")
# marshmallow puts the place in front of what is wrong with a member of a list.
_PLACE = re.compile(r"(\d+): (.+)", re.DOTALL)
# A fault in a formula tells where it is.
_CHARACTER = re.compile(r"(.+) \(character (\d+)\)", re.DOTALL)


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(_BLANK.sub(r"(?P<\1>.+?)", re.escape(sentence)), re.DOTALL)


_PLAIN = {sentence: said for sentence, said in SENTENCES if "{" not in sentence}
_FORMS = tuple((_pattern(sentence), said) for sentence, said in SENTENCES if "{" in sentence)


def in_words(message: str) -> str:
    """The sentence for this error message in the language of the request; an unknown one stays as it is."""
    placed = _PLACE.fullmatch(message)
    if placed is not None:
        return f"{int(placed[1]) + 1}: {in_words(placed[2])}"
    at = _CHARACTER.fullmatch(message)
    if at is not None:
        return gettext("%(message)s (character %(number)s)", message=in_words(at[1]), number=at[2])
    said, blanks = _understood(message)
    return gettext(said, **blanks) if blanks else gettext(said)


@lru_cache(maxsize=1024)
def _understood(message: str) -> tuple[str, dict[str, str]]:
    """The message id behind a message, and what stands in its blanks."""
    if message in _PLAIN:
        return _PLAIN[message], {}
    for pattern, said in _FORMS:
        found = pattern.fullmatch(message)
        if found is not None:
            return said, found.groupdict()
    return message, {}
