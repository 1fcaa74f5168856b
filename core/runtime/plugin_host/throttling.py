"""Reading from an answer that the other side asks to slow down; plugins call these on what `ctx.http` returned."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

from core.runtime.plugin_host.context import HttpResponse
from core.runtime.plugin_host.errors import RateLimited

LONGEST_S = 86_400


def retry_after_s(response: HttpResponse, now: datetime) -> float | None:
    """The wait that a Retry-After header asks for, in seconds; None without a readable one. Source: RFC 9110, section 10.2.3."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text), LONGEST_S))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment - now).total_seconds()) if moment.tzinfo is not None else None


def refuse_if_limited(response: HttpResponse, now: datetime) -> None:
    """Raise RateLimited when the other side answered 429, or 503 with a wait; plugins call it on each answer."""
    wait_s = retry_after_s(response, now)
    if response.status == 429 or (response.status == 503 and wait_s is not None):
        raise RateLimited(status=response.status, retry_after_s=wait_s)
