"""From events to notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.sdk import DeliveredEvent, DeliveryContext, holders_of
from plugins.notify_inapp.kinds import Kind, kinds_for
from plugins.notify_inapp.service import Bundle, tell


def hear(ctx: DeliveryContext, events: Sequence[DeliveredEvent]) -> None:
    """Tell the people who can do something about these events, a batch at a time."""
    bundles: dict[tuple[str, str, frozenset[int]], Bundle] = {}
    holders: dict[str, frozenset[int]] = {}
    for event in events:
        for kind in kinds_for(event.kind):
            users = _addressees(ctx, kind, event, holders)
            for news in kind.news(event):
                key = (kind.key, news.group, users)
                bundles.setdefault(key, Bundle(kind, news.group, users)).add(news)
    tell(ctx, bundles.values())


def _addressees(ctx: DeliveryContext, kind: Kind, event: DeliveredEvent, known: dict[str, frozenset[int]]) -> frozenset[int]:
    """Whoever caused the event hears only of what is meant for them: nobody is told what they did themselves."""
    cause = _person(event.actor)
    if not kind.permission:
        return frozenset({cause} if cause is not None else ())
    if kind.permission not in known:
        known[kind.permission] = frozenset(holders_of(ctx.session, kind.permission))
    return known[kind.permission] - {cause}


def _person(actor: Mapping[str, Any] | None) -> int | None:
    """The account behind an event's actor, if a person acted."""
    if actor is None or actor.get("kind") != "user" or not str(actor.get("id", "")).isdecimal():
        return None
    return int(actor["id"])
