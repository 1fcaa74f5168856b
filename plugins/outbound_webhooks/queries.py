"""Reading subscriptions, their log, and figures about both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from plugins.outbound_webhooks.errors import HookUnknown, MessageUnknown
from plugins.outbound_webhooks.models import Attempt, Hook, Message

PAGE = 25
CAP = 1000
OPEN = ("waiting", "retrying")
TABS: dict[str, tuple[str, ...]] = {
    "all": (),
    "failed": ("failed",),
    "retrying": ("retrying",),
    "waiting": ("waiting", "held"),
    "delivered": ("delivered",),
}


def all_hooks(session: Any) -> list[Hook]:
    """The subscriptions by name."""
    return list(session.scalars(select(Hook).order_by(Hook.name)))


def get_hook(session: Any, hook_id: UUID) -> Hook:
    """One subscription. Raises HookUnknown."""
    found: Hook | None = session.scalars(select(Hook).where(Hook.id == hook_id)).one_or_none()
    if found is None:
        raise HookUnknown(hook=str(hook_id))
    return found


def get_message(session: Any, hook_id: UUID, message_id: UUID) -> Message:
    """One message of a subscription. Raises MessageUnknown."""
    statement = select(Message).where(Message.id == message_id, Message.hook_id == hook_id)
    found: Message | None = session.scalars(statement).one_or_none()
    if found is None:
        raise MessageUnknown(message=str(message_id))
    return found


def messages_of(session: Any, hook_id: UUID, *, states: Sequence[str] = (), before: UUID | None = None, limit: int = PAGE) -> list[Message]:
    """Messages of a subscription, newest first; `before` is the last id of the page shown so far."""
    statement = select(Message).where(Message.hook_id == hook_id)
    if states:
        statement = statement.where(Message.state.in_(states))
    if before is not None:
        statement = statement.where(Message.id < before)
    return list(session.scalars(statement.order_by(Message.id.desc()).limit(limit)))


def messages_to_replay(
    session: Any, hook_id: UUID, states: Sequence[str], *, since: datetime | None, until: datetime, after: UUID | None, limit: int
) -> list[Message]:
    """Messages in these states made between the two moments, oldest first, those behind `after`; their rows are locked."""
    statement = select(Message).where(Message.hook_id == hook_id, Message.state.in_(states), Message.made_at <= until)
    if since is not None:
        statement = statement.where(Message.made_at >= since)
    if after is not None:
        statement = statement.where(Message.id > after)
    return list(session.scalars(statement.order_by(Message.id).limit(limit).with_for_update()))


def attempts_of(session: Any, messages: Sequence[Message]) -> Mapping[UUID, list[Attempt]]:
    """The attempts of some messages, by message, newest first."""
    found: dict[UUID, list[Attempt]] = {message.id: [] for message in messages}
    statement = select(Attempt).where(Attempt.message_id.in_(list(found))).order_by(Attempt.number.desc())
    for attempt in session.scalars(statement) if found else ():
        found[attempt.message_id].append(attempt)
    return found


def counts_of(session: Any, hook_id: UUID) -> dict[str, int]:
    """How many messages of a subscription are in each state, none counted beyond CAP."""
    counts = {}
    for state in ("waiting", "retrying", "failed", "held"):
        some = select(Message.id).where(Message.hook_id == hook_id, Message.state == state).limit(CAP).subquery()
        counts[state] = int(session.scalar(select(func.count()).select_from(some)) or 0)
    return counts


def open_counts(session: Any) -> dict[UUID, int]:
    """How many messages of each subscription have failed or are being repeated."""
    statement = select(Message.hook_id, func.count()).where(Message.state.in_(("retrying", "failed"))).group_by(Message.hook_id)
    return {row[0]: row[1] for row in session.execute(statement)}
