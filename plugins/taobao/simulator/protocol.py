"""The platform's protocol around each method: what a request must bear, error answers, and the forms of an answer.

Source: shared reference marketplaces §2.1 to §2.4; official error tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from plugins.taobao.signing import SIGN_METHODS, is_signed
from plugins.taobao.wire import CHINA

TOLERANCE = timedelta(minutes=10)
_TEXT_TIME = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", re.ASCII)
_EPOCH_MS = re.compile(r"\d{13}", re.ASCII)
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
# XML 1.0 has no place for these, not even escaped.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class TopError(Exception):
    """An error answer of the platform; HTTP stays 200."""

    def __init__(self, code: int, msg: str, sub_code: str = "", sub_msg: str = "") -> None:
        super().__init__(msg)
        self.content: dict[str, Any] = {"code": code, "msg": msg}
        if sub_code:
            self.content["sub_code"] = sub_code
        if sub_msg:
            self.content["sub_msg"] = sub_msg


def business_error(sub_code: str, sub_msg: str) -> TopError:
    """The error of a method, as opposed to the gateway's own checks."""
    return TopError(15, "Remote service error", sub_code, sub_msg)


def missing(name: str) -> TopError:
    """A required parameter is not there."""
    return TopError(40, f"Missing required arguments:{name}", f"isv.missing-parameter:{name}")


def invalid(name: str, why: str = "") -> TopError:
    """A parameter has a value that the method does not take."""
    return TopError(41, f"Invalid arguments:{name}", f"isv.invalid-parameter:{name}", why)


@dataclass(frozen=True)
class Credentials:
    """Who may call: one app, and the sessions of its seller."""

    app_key: str
    secret: str
    session: str
    expired_sessions: frozenset[str] = frozenset()


def check_envelope(params: Mapping[str, str], credentials: Credentials, now: datetime) -> None:
    """The gateway's own checks but method and session, in its order. Raises TopError."""
    if not params.get("app_key"):
        raise TopError(28, "Missing app key")
    if params["app_key"] != credentials.app_key:
        raise TopError(29, "Invalid app Key", "isv.appkey-not-exists")
    if not params.get("v"):
        raise TopError(32, "Missing version")
    if params["v"] not in ("2.0", "2"):
        raise TopError(33, "Invalid version")
    if (params.get("format") or "xml").lower() not in ("json", "xml"):
        raise TopError(23, "Invalid format")
    if not params.get("timestamp"):
        raise TopError(30, "Missing timestamp")
    moment = _moment(params["timestamp"])
    if moment is None or abs(moment - now) > TOLERANCE:
        raise TopError(31, "Invalid timestamp", sub_msg="timestamp is not within 10 minutes of the server's time, GMT+8")
    if not params.get("sign"):
        raise TopError(24, "Missing signature")
    if (params.get("sign_method") or "md5").lower() not in SIGN_METHODS or not is_signed(params, credentials.secret):
        raise TopError(25, "Invalid signature")


def check_session(params: Mapping[str, str], credentials: Credentials) -> None:
    """Whether the request bears a session of the seller that is still good. Raises TopError."""
    session = params.get("session") or params.get("access_token") or params.get("top_session") or ""
    if not session:
        raise TopError(26, "Missing session")
    if session in credentials.expired_sessions:
        raise TopError(27, "Invalid session", "session-expired", "session-expired")
    if session != credentials.session:
        raise TopError(27, "Invalid session", "invalid-sessionkey", "SessionKey非法")


def _moment(text: str) -> datetime | None:
    """A timestamp in either of the two forms that client libraries send."""
    try:
        if _TEXT_TIME.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=CHINA)
        if _EPOCH_MS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
    except (ValueError, OverflowError):
        return None
    return None


def rendered(root: str, content: Mapping[str, Any], params: Mapping[str, str]) -> tuple[str, str]:
    """The answer's media type and text: XML if that, or nothing, was asked for, else JSON; with its root unless simplified.

    JSON is compact and has no line end: one public library cuts the error root off by counting characters.
    """
    if (params.get("format") or "xml").lower() == "xml":
        return "text/xml;charset=UTF-8", f'<?xml version="1.0" encoding="utf-8" ?>\n{_xml(root, content)}'
    is_simplified = params.get("simplify", "").lower() == "true"
    document = {root: content}
    if is_simplified and root != "error_response":
        document = _simplified(content)
    return "application/json;charset=UTF-8", json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _simplified(value: Any) -> Any:
    """Lists as plain arrays instead of objects with one list inside."""
    if isinstance(value, Mapping):
        if len(value) == 1:
            only = next(iter(value.values()))
            if isinstance(only, list):
                return [_simplified(one) for one in only]
        return {name: _simplified(one) for name, one in value.items()}
    return [_simplified(one) for one in value] if isinstance(value, list) else value


def _xml(name: str, value: Any) -> str:
    name = name if _XML_NAME.fullmatch(name) else "field"
    if isinstance(value, list):
        return "".join(_xml(name, one) for one in value)
    if isinstance(value, Mapping):
        is_list = any(isinstance(one, list) for one in value.values()) and len(value) == 1
        inner = "".join(_xml(key, one) for key, one in value.items())
        return f'<{name} list="true">{inner}</{name}>' if is_list else f"<{name}>{inner}</{name}>"
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(_NOT_XML.sub('', text))}</{name}>"
