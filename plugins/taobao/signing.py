"""Signatures of the Taobao Open Platform: how a request is signed and how a signed request is checked.

Source: shared reference marketplaces §2.2; the vectors in tests/plugins/taobao/payloads/signing.json come from six client
libraries.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from itertools import product
from typing import Any

from core.sdk import Invalid

SIGN_METHODS = ("md5", "hmac", "hmac-sha256")


class UnknownSignMethod(Invalid):
    """The platform knows the sign methods md5, hmac and hmac-sha256 only."""

    code = "taobao.unknown_sign_method"


class UnsignableText(Invalid):
    """A parameter holds text that has no UTF-8 form."""

    code = "taobao.unsignable_text"


def sign(params: Mapping[str, Any], secret: str, sign_method: str = "md5") -> str:
    """The signature of one request, upper-case hex (32 characters, 64 for hmac-sha256).

    Args:
        params: every parameter of the request, wherever it travels; names are case-sensitive. A `sign` among them is left out,
            and so are files (bytes, objects that can be read or that bear a file's name and content) and None. Objects and lists
            count as compact JSON. Nothing is added: `sign_method` is signed when it is there.
        secret: the app secret.
        sign_method: md5, hmac (HMAC-MD5) or hmac-sha256, in any case.
    An empty value counts as its name alone, as five of six public libraries do; `is_signed` accepts the other form as well.
    Raises: UnknownSignMethod; UnsignableText - a lone surrogate in a name or a value.
    """
    return _digest("".join(name + value for name, value in _signed_pairs(params)), secret, sign_method)


def is_signed(params: Mapping[str, Any], secret: str) -> bool:
    """Whether `params` carry a valid `sign`; `sign_method` is md5 unless they say otherwise.

    Accepts what client libraries do differently: empty values signed or skipped, and values that start with "@" signed or skipped
    (one library takes them for files). Never raises for an unknown method or broken text: such a request is not signed.
    """
    given = str(params.get("sign") or "").upper()
    method = str(params.get("sign_method") or "md5")
    try:
        pairs = _signed_pairs(params)
        wanted = {
            _digest("".join(name + value for name, value in _without(pairs, no_empty=no_empty, no_at=no_at)), secret, method)
            for no_empty, no_at in product((False, True), repeat=2)
        }
    except Invalid:
        return False
    return any(hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in wanted)


def _signed_pairs(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = ((str(name), _text(value)) for name, value in params.items() if str(name) != "sign" and not _is_file(value))
    return sorted(pair for pair in pairs)


def _without(pairs: list[tuple[str, str]], *, no_empty: bool, no_at: bool) -> list[tuple[str, str]]:
    return [(n, v) for n, v in pairs if not (no_empty and not v) and not (no_at and v.startswith("@"))]


def _is_file(value: Any) -> bool:
    if value is None or isinstance(value, bytes | bytearray | memoryview) or hasattr(value, "read"):
        return True
    # How the official Python and Java libraries hold a file.
    return hasattr(value, "filename") and hasattr(value, "content")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return str(value)


def _digest(text: str, secret: str, sign_method: str) -> str:
    try:
        body, key = text.encode(), secret.encode()
    except UnicodeEncodeError as error:
        raise UnsignableText from error
    sign_method = sign_method.lower()
    if sign_method == "md5":
        # MD5 is what the protocol asks for; nothing else rests on it.
        return hashlib.md5(key + body + key, usedforsecurity=False).hexdigest().upper()
    if sign_method == "hmac":
        return hmac.new(key, body, "md5").hexdigest().upper()
    if sign_method == "hmac-sha256":
        return hmac.new(key, body, "sha256").hexdigest().upper()
    raise UnknownSignMethod(sign_method=sign_method)
