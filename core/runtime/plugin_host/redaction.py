"""What may be remembered of a request and its answer: shape and facts, no secrets, no personal data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus

HIDDEN = "***"
MAX_TEXT = 200
MAX_ITEMS = 30
MAX_DEPTH = 6
MAX_PARSED = 64 * 1024
LEAST_SECRET = 4
_SECRET_NAMES = re.compile(
    r"(secret|passw|token|session|cookie|authori[sz]ation|signature|api_?key|app_?key|access_?key|credential|private|bearer)|^(sign|sig|key|pin|otp)$",
    re.IGNORECASE,
)
_PERSONAL_NAMES = re.compile(
    r"(phone|mobile|telephone|(^|_)tel($|_)|e_?mail|receiver|consignee|(buyer|contact|customer|recipient|full)_?(name|nick)|address|id_?card|passport)",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d{9}(?!\d)")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Redactor:
    """Redacts for one set-up of a plugin: its own secrets wherever they turn up, and the wire names its manifest calls personal."""

    def __init__(self, secrets: Iterable[str] = (), personal_names: Iterable[str] = ()) -> None:
        self._personal = frozenset(name.lower() for name in personal_names)
        spelled = {
            form for secret in secrets if len(secret) >= LEAST_SECRET for form in (secret, quote(secret, safe=""), quote_plus(secret))
        }
        self._spelled = sorted(spelled, key=len, reverse=True)

    def value(self, value: Any, name: str = "", depth: int = 0) -> Any:
        """A JSON value without what must not be kept; long texts and lists are cut."""
        if name and self._hides(name):
            return HIDDEN
        if isinstance(value, Mapping):
            if depth >= MAX_DEPTH:
                return f"{{{len(value)} entries}}"
            return {self.text(str(key)): self.value(inner, str(key), depth + 1) for key, inner in list(value.items())[:MAX_ITEMS]}
        if isinstance(value, list | tuple):
            if depth >= MAX_DEPTH:
                return f"[{len(value)} entries]"
            return [self.value(inner, "", depth + 1) for inner in value[:MAX_ITEMS]]
        if isinstance(value, str):
            nested = _nested(value)
            return self.text(value) if nested is None else self.value(nested, "", depth + 1)
        return value if value is None or isinstance(value, bool | int | float) else self.text(str(value))

    def text(self, text: str) -> str:
        """A text with secrets, phone numbers and e-mail addresses struck out, cut to a line."""
        for secret in self._spelled:
            text = text.replace(secret, HIDDEN)
        text = _EMAIL.sub(HIDDEN, _PHONE.sub(HIDDEN, text))
        text = _UNSTORABLE.sub("�", text)
        return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "…"

    def body(self, content: bytes, content_type: str) -> Any:
        """A request's or answer's body as far as it can be understood; else only its size."""
        if not content:
            return None
        if len(content) <= MAX_PARSED:
            kind = content_type.split(";", 1)[0].strip().lower()
            if kind == "application/x-www-form-urlencoded":
                return self.value(dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)))
            parsed = _parsed(content)
            if parsed is not None:
                return self.value(parsed)
        return f"{len(content)} bytes"

    def _hides(self, name: str) -> bool:
        return name.lower() in self._personal or bool(_SECRET_NAMES.search(name) or _PERSONAL_NAMES.search(name))


def _nested(text: str) -> Any:
    """The value of a JSON document that stands inside a text, as some vendors send parameters."""
    start = text.lstrip()[:1]
    return _parsed(text) if start in ("{", "[") and len(text) <= MAX_PARSED else None


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
