"""Errors of the Taobao Open Platform in Orderloom's five kinds.

    Invalid
    ├── UnreadablePayload    a payload that is no order or refund, or has a broken field
    │   └── UnknownState     a state that Orderloom does not know
    └── RequestRefused       the platform refused this very request (isv.*, 40, 41, ...)
    NotFound
    └── Unknown              no such trade, refund or item
    Denied > CredentialsRefused
    ├── SessionExpired       the seller has to authorise the shop again (26, 27)
    └── AppRefused           app key, secret or permission refused (11-13, 24, 25, 28, 29, 42)
    Unavailable
    ├── PlatformFault        isp.*, ism.*, 10, timestamps out of tolerance
    ├── RateLimited > CallsLimited        too many calls; `retry_after_s` when the platform said how long
    └── AnswerLost > UnreadableAnswer     HTML, cut JSON or an HTTP status of failure instead of an answer

Source: shared reference marketplaces §2.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.sdk import AnswerLost, CredentialsRefused, Invalid, NotFound, OrderloomError, RateLimited, Unavailable

_BAN = re.compile(r"(\d+)\s+more\s+second")
_LIMITED = re.compile(r"^accesscontrol\.|call-limited|limited-by")
_LIMITS = {4, 5, 6, 7, 8}
_SESSION = {26, 27}
_APP = {11, 12, 13, 24, 25, 28, 29, 42}
_CLOCK = {30, 31}
_BUSY = {10}
_REMOTE = 15
# "Something went wrong while shipping, wait and try again": the one isv code that asks for a repeat.
_RETRY_SUFFIX = ":B150"
_NOT_THERE = re.compile(r"not[-_]exist|not[-_]found|service-error:B01$", re.IGNORECASE)


class UnreadablePayload(Invalid):
    """This is not an order or refund document of Taobao.

    `field` names the place.
    """

    code = "taobao.unreadable_payload"


class UnknownState(UnreadablePayload):
    """Taobao used a state that Orderloom does not know.

    `field` names the place.
    """

    code = "taobao.unknown_state"


class RequestRefused(Invalid):
    """Taobao refused the request; a repeat will not help."""

    code = "taobao.request_refused"


class Unknown(NotFound):
    """Taobao does not know this number."""

    code = "taobao.not_found"


class SessionExpired(CredentialsRefused):
    """The shop's authorisation has ended; let the seller authorise the app again and enter the new session key."""

    code = "taobao.session_expired"


class AppRefused(CredentialsRefused):
    """Taobao does not accept the app key, the app secret or the app's permissions."""

    code = "taobao.app_refused"


class CallsLimited(RateLimited):
    """Taobao limits the calls for the moment."""

    code = "taobao.rate_limited"


class PlatformFault(Unavailable):
    """A service of Taobao failed."""

    code = "taobao.platform_fault"


class UnreadableAnswer(AnswerLost):
    """Taobao sent something that is no answer; the request may have taken effect."""

    code = "taobao.unreadable_answer"


def error_from(error: Mapping[str, Any]) -> OrderloomError:
    """The error, ready to raise, that the content of an `error_response` stands for.

    `code` may be a number or text, all else may be missing. The error's facts are `vendor_code`, `sub_code`, `detail` and
    `request_id`; none of them holds personal data.
    """
    code = _number(error.get("code"))
    sub_code, detail = _words(error.get("sub_code")), _words(error.get("sub_msg")) or _words(error.get("msg"))
    request_id = _words(error.get("request_id"))
    facts: dict[str, Any] = {"vendor_code": code, "sub_code": sub_code, "detail": detail, "request_id": request_id}
    if code in _LIMITS or _LIMITED.search(sub_code):
        return CallsLimited(retry_after_s=_ban_s(detail), **facts)
    return _kind(code, sub_code)(**facts)


def _kind(code: int, sub_code: str) -> type[OrderloomError]:
    if code in _SESSION or "session" in sub_code.split(":", 1)[0]:
        return SessionExpired
    if code in _APP:
        return AppRefused
    if sub_code.startswith(("isp.", "ism.")) or sub_code.endswith(_RETRY_SUFFIX) or code in _BUSY | _CLOCK:
        return PlatformFault
    if code == _REMOTE and not sub_code:
        return PlatformFault
    return Unknown if _NOT_THERE.search(sub_code) else RequestRefused


def _ban_s(detail: str) -> float | None:
    """Seconds until the ban is over: one more than announced, as the platform counts whole seconds."""
    found = _BAN.search(detail)
    return float(min(int(found[1][:9]) + 1, 86_400)) if found else None


def _number(value: Any) -> int:
    text = value.strip() if isinstance(value, str) else value if isinstance(value, int) and 0 <= value < 10**9 else ""
    return int(text) if isinstance(text, int) or (text.isascii() and text.isdigit() and len(text) < 10) else 0


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""
