"""Notices as people read them: a sentence in their language, and where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from flask import request, url_for
from flask_babel import format_date, get_timezone, gettext, ngettext

from core.sdk.web import action_label, choice_label, list_url, plugin_title, subject_url
from plugins.notify_inapp.kinds import BY_KEY
from plugins.notify_inapp.models import Notice


def sentence(notice: Notice) -> str:
    """What a notice says."""
    kind = BY_KEY.get(notice.kind)
    if kind is None:
        return notice.kind
    words = {name: _word(name, value) for name, value in notice.facts.items()}
    return str(ngettext(kind.one, kind.many, notice.subject_count, **words))


def target(notice: Notice) -> str:
    """Where a notice leads: the page that it names, the thing it is about, or the list of several; else the notifications."""
    kind = BY_KEY.get(notice.kind)
    page = notice.facts.get("page", "")
    if isinstance(page, str) and page.startswith("/") and not page.startswith("//"):
        return f"{request.script_root}{page}"
    subject_type, _, subject_id = (notice.subjects[0] if notice.subjects else "").partition(":")
    one = subject_url(subject_type, subject_id) if subject_id else ""
    if kind is not None and kind.list_of[0] and notice.subject_count > 1:
        return list_url(kind.list_of[0], queue=kind.list_of[1]) or one or url_for(".list")
    return one or url_for(".list")


def item(notice: Notice) -> dict[str, Any]:
    """A notice as the theme's list shows it; following it marks it as read."""
    kind = BY_KEY.get(notice.kind)
    return {
        "icon": kind.icon if kind is not None else "bell",
        "kind": kind.tone if kind is not None else "neutral",
        "text": sentence(notice),
        "at": notice.last_at,
        "url": url_for(".follow", notice_id=notice.id),
        "is_new": notice.read_at is None,
    }


def by_day(notices: Sequence[Notice], now: datetime) -> list[dict[str, Any]]:
    """Notices under the days on which they last happened, in the reader's time zone."""
    zone: Any = get_timezone()
    today = now.astimezone(zone).date()
    names = {today: gettext("Today"), today - timedelta(days=1): gettext("Yesterday")}
    days = groupby(notices, key=lambda notice: notice.last_at.astimezone(zone).date())
    return [{"title": names.get(day) or format_date(day, "long"), "items": [item(one) for one in found]} for day, found in days]


def _word(name: str, value: Any) -> str:
    """A fact in the reader's words."""
    if name == "hold":
        return choice_label("orders.order", "hold_code", str(value))
    if name == "plugin":
        return plugin_title(str(value))
    if name == "action":
        return action_label(str(value))
    return str(value)
