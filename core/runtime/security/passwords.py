"""Passwords: which are good enough, how they are stored, and checking one without telling whether the account exists.

The policy follows NIST SP 800-63B, section 5.1.1.2, and OWASP ASVS 5.0, section 6.2: length instead of composition rules, a list of common
passwords, and words that belong to the person or the product. Hashes are scrypt in the form that Flask-AppBuilder reads.
"""

from __future__ import annotations

import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from werkzeug.security import check_password_hash, generate_password_hash

from core.kernel.errors import Invalid

MIN_LENGTH = 12
MAX_LENGTH = 128
HASH_METHOD = "scrypt:65536:8:1"
_DIGEST_BYTES = 64  # of scrypt in werkzeug
SALT_LENGTH = 16
# One hash needs 64 MiB; more at a time would let a burst of sign-ins take the machine's memory.
_hashing = threading.BoundedSemaphore(2)

_LEET = str.maketrans("@4301!$57", "aaeoiisst")
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgb",
)
_MIN_PIECES = 8
_PRODUCT_WORDS = ("orderloom", "order", "admin", "password")


class PasswordWeak(Invalid):
    """The password is too easy to guess."""

    code = "security.password_weak"


class PasswordShort(PasswordWeak):
    """The password is too short."""

    code = "security.password_short"


class PasswordLong(PasswordWeak):
    """The password is too long."""

    code = "security.password_long"


class PasswordCommon(PasswordWeak):
    """The password is one of the first that an attacker tries."""

    code = "security.password_common"


class PasswordPersonal(PasswordWeak):
    """The password contains your name, your e-mail address or the name of this program."""

    code = "security.password_personal"


@lru_cache(maxsize=1)
def common_passwords() -> frozenset[str]:
    """The common passwords and the words that they are made of, lower case."""
    lines = (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=1)
def _common_words() -> tuple[str, ...]:
    words = {re.sub(r"[^a-z]", "", entry.translate(_LEET)) for entry in common_passwords()}
    return tuple(sorted((word for word in words if len(word) >= 4), key=len, reverse=True))


def check_password(password: str, *, context: Iterable[str] = ()) -> str:
    """The password as it is to be hashed (Unicode NFKC), if it is good enough.

    Args:
        context: name, user name, e-mail address, tenant: words that must not carry the password.
    Raises: PasswordShort, PasswordLong, PasswordCommon, PasswordPersonal; all of the kind Invalid with field `password`.
    """
    password = unicodedata.normalize("NFKC", password)
    if len(password) < MIN_LENGTH:
        raise PasswordShort(field="password", minimum=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise PasswordLong(field="password", maximum=MAX_LENGTH)
    lowered = password.lower()
    if lowered in common_passwords() or lowered.translate(_LEET) in common_passwords():
        raise PasswordCommon(field="password")
    rest = lowered
    for word in _personal_words(context):
        rest = rest.replace(word, "\0")
    if rest != lowered and _pieces(rest) < _MIN_PIECES:
        raise PasswordPersonal(field="password")
    if _pieces(lowered) < _MIN_PIECES:
        raise PasswordCommon(field="password")
    return password


def _personal_words(context: Iterable[str]) -> list[str]:
    words = {part for text in (*context, *_PRODUCT_WORDS) for part in re.split(r"[\W_]+", text.lower()) if len(part) >= 3}
    return sorted(words, key=len, reverse=True)


def _pieces(text: str) -> int:
    """How many independent choices `text` holds, letters written as digits and signs or not, whichever is fewer."""
    return min(_count_pieces(text), _count_pieces(text.translate(_LEET)))


def _count_pieces(text: str) -> int:
    """A common word, a year, a run on the keyboard, a repetition and a separator used again count as one piece or none."""
    count = 0
    for word in _common_words():
        if word in text:
            text = text.replace(word, "\0")
            count += 1
    text = re.sub(r"(?:19|20)\d\d", "\0y", text)
    text = re.sub(r"(.+?)\1{2,}", r"\1\0", text)
    run, separators = "", set()
    for letter in text:
        if letter == "\0" or letter in separators:
            run = ""
            continue
        if not letter.isalnum():
            separators.add(letter)
        if run and (letter == run[-1] or _is_run((run + letter)[-3:])):
            run += letter
        else:
            count += 1
            run = letter
    return count


def _is_run(text: str) -> bool:
    return any(text in row or text in row[::-1] for row in _ROWS)


def hash_password(password: str) -> str:
    """The salted scrypt hash that is stored. Takes a good part of a second on purpose."""
    with _hashing:
        return generate_password_hash(unicodedata.normalize("NFKC", password), method=HASH_METHOD, salt_length=SALT_LENGTH)


@lru_cache(maxsize=1)
def fake_hash() -> str:
    """A hash with today's parameters that no password opens; checked when there is no account, so that the answer takes as long.

    Salt and digest are random: making one from a password would cost each start a quarter of a second.
    """
    return f"{HASH_METHOD}${secrets.token_hex(SALT_LENGTH // 2)}${secrets.token_hex(_DIGEST_BYTES)}"


def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` opens `stored`; None stands for an account that does not exist and costs the same time."""
    known = stored or fake_hash()
    with _hashing:
        opened = check_password_hash(known, unicodedata.normalize("NFKC", password[: MAX_LENGTH * 4]))
    return opened and stored is not None


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return not stored.startswith(HASH_METHOD + "$")


def one_time_password() -> str:
    """A password to print once: 20 characters in groups, without ones that look alike."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
