"""Subscriptions and messages as the pages show them: plain values for the theme's templates."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from flask import url_for
from flask_babel import get_timezone, gettext

from core.sdk import N_, Invalid
from core.sdk.web import Action, Tab
from plugins.outbound_webhooks.models import Attempt, Hook, Message
from plugins.outbound_webhooks.queries import CAP

_STATES = {
    "waiting": ("neutral", "clock", N_("Waiting")),
    "retrying": ("warn", "rotate", N_("Retrying")),
    "delivered": ("ok", "check", N_("Delivered")),
    "failed": ("bad", "x", N_("Failed")),
    "held": ("neutral", "player-pause", N_("Held")),
}
_PAUSES = {
    "by_hand": ("neutral", "player-pause", N_("Paused")),
    "failures": ("bad", "alert-triangle", N_("Paused after failures")),
    "gone": ("bad", "alert-triangle", N_("Paused: the receiver is gone")),
}
_TABS = {
    "all": N_("All"),
    "failed": N_("Failed"),
    "retrying": N_("Retrying"),
    "waiting": N_("Waiting"),
    "delivered": N_("Delivered"),
}
_WORDS = {
    "plugin.cannot_connect": N_("No connection"),
    "events.answer_lost": N_("The answer was lost"),
    "events.time_limit": N_("It took too long"),
    "plugin.host_not_allowed": N_("The address is not allowed"),
    "outbound_webhooks.receiver_gone": N_("The receiver wants no more"),
}


def state_of(hook: Hook) -> tuple[str, str, str]:
    """The badge of a subscription."""
    if hook.paused:
        kind, sign, word = _PAUSES[hook.paused]
        return kind, sign, gettext(word)
    if hook.failures:
        return "warn", "rotate", gettext("Retrying")
    return "ok", "check", gettext("Fine")


def shown_target(url: str) -> str:
    """The address without its query, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def hook_row(hook: Hook, failing: int) -> dict[str, Any]:
    """A line of the list."""
    return {
        "name": hook.name,
        "target": shown_target(hook.url),
        "events": hook.events,
        "state": state_of(hook),
        "url": url_for(".show", hook_id=hook.id),
        "failing": failing,
        "last_at": hook.last_at,
    }


def hook_head(hook: Hook, *, may_manage: bool) -> dict[str, Any]:
    """A subscription's own page: what stands above and beside its log."""
    shown: dict[str, Any] = {
        "name": hook.name,
        "target": hook.url if may_manage else shown_target(hook.url),
        "events": hook.events,
        "state": state_of(hook),
        "secret_tail": hook.secret_hint,
        "rotated_at": hook.rotated_at,
        "list_url": url_for(".list"),
    }
    if not may_manage:
        return shown
    switch = gettext("Go on") if hook.paused else gettext("Pause")
    sign = "player-play" if hook.paused else "player-pause"
    question = gettext("Replace the secret? The former one stays valid for a while.")
    sure = gettext("Delete this webhook and its log for good?")
    return shown | {
        "test": Action(gettext("Send test event"), url_for(".trial", hook_id=hook.id), "send", method="post"),
        "edit_url": url_for(".edit", hook_id=hook.id),
        "toggle": Action(switch, url_for(".switch", hook_id=hook.id), sign, method="post"),
        "rotate": Action(gettext("Replace secret"), url_for(".rotate", hook_id=hook.id), "rotate", method="post", confirm=question),
        "remove": Action(gettext("Delete"), url_for(".delete", hook_id=hook.id), "trash", method="post", confirm=sure, kind="bad"),
    }


def tabs(hook_id: UUID, chosen: str, counts: dict[str, int]) -> list[Tab]:
    """The log by state."""
    numbers = {"failed": counts["failed"], "retrying": counts["retrying"], "waiting": counts["waiting"] + counts["held"]}
    kinds = {"failed": "bad", "retrying": "warn"}
    return [
        Tab(
            key,
            gettext(label),
            url_for(".show", hook_id=hook_id, tab=key),
            key == chosen,
            kinds.get(key, "") if numbers.get(key) else "",
            _capped(numbers[key]) if key in numbers else None,
        )
        for key, label in _TABS.items()
    ]


def delivery(message: Message, attempts: list[Attempt], *, may_manage: bool) -> dict[str, Any]:
    """A message with its attempts, newest first; what was sent stands beside the newest."""
    kind, sign, word = _STATES[message.state]
    again = None
    if may_manage and message.state in ("delivered", "failed", "held"):
        fields = {"message": str(message.id)}
        again = Action(gettext("Send again"), url_for(".replay", hook_id=message.hook_id), "refresh", method="post", fields=fields)
    body = json.dumps(json.loads(message.body), ensure_ascii=False, indent=2)
    return {
        "id": str(message.id),
        "event": message.kind,
        "at": message.made_at,
        "state": (kind, sign, gettext(word)),
        "attempts": [_attempt(one, body if number == 0 else "") for number, one in enumerate(attempts)],
        "replay": again,
    }


def _attempt(attempt: Attempt, body: str) -> dict[str, Any]:
    code = attempt.code.split(":")[0]
    word = _WORDS.get(code, "")
    text = gettext(word) if word else "" if attempt.status is not None else attempt.code
    return {
        "at": attempt.started_at,
        "status": attempt.status,
        "took_ms": attempt.took_ms,
        "text": text,
        "request": body,
        "response": attempt.answer,
    }


def moment_from(text: str) -> datetime | None:
    """A moment as browsers send it, in the reader's time zone; None when it is empty. Raises Invalid."""
    if not text.strip():
        return None
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid("This is no moment.", field="since") from None
    zone: Any = get_timezone() or UTC
    return local.replace(tzinfo=zone).astimezone(UTC) if local.tzinfo is None else local.astimezone(UTC)


def _capped(number: int) -> str:
    return f"{number}+" if number >= CAP else str(number)
