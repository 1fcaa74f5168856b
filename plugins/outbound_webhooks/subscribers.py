"""The way of a message: an event becomes one message for each subscription that wants it, and each message is delivered by itself.

    event ──fan_out (local)──> message rows + message_due ──prepare, post, complete | failed (remote)──> receiver
                                        ▲
    replay_asked ──replay (local)───────┘

Retries, leases, the time limit and the order within a subject are those of the event path; here only the log is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update

from core.sdk import BreakerOpen, DeliveredEvent, DeliveryContext, EventDraft, Failure, RateLimited, emit, new_id
from core.sdk.models import insert_rows
from core.sdk.secrets import unseal
from plugins.outbound_webhooks import mapping, service
from plugins.outbound_webhooks.client import Letter
from plugins.outbound_webhooks.errors import Answered, ReceiverFailed, ReceiverGone, TooOld
from plugins.outbound_webhooks.events import wants
from plugins.outbound_webhooks.models import Attempt, Hook, Message
from plugins.outbound_webhooks.queries import all_hooks, messages_to_replay

KEEP_TRYING = timedelta(days=3)
REPLAYED_AT_ONCE = 200
_ONCE = "ON CONFLICT (tenant_id, hook_id, event_id) DO NOTHING"


def fan_out(ctx: DeliveryContext, events: Sequence[DeliveredEvent]) -> None:
    """Write one message for each subscription that wants an event; those of paused subscriptions are held."""
    hooks = all_hooks(ctx.session)
    rows = [_row(ctx, hook, event) for event in events for hook in hooks if wants(hook.events, event.kind)]
    if not rows:
        return
    made = {row.id for row in insert_rows(ctx.session, Message, rows, on_conflict=_ONCE, returning="id")}
    traces = {event.id: event.trace for event in events}
    emit(
        ctx.session,
        [
            EventDraft(
                service.DUE,
                mapping.SUBJECT,
                mapping.lane_of(row["hook_id"], row["subject"]),
                {"message": str(row["id"]), "turn": 1},
                trace=traces[row["event_id"]],
            )
            for row in rows
            if row["id"] in made and row["state"] == "waiting"
        ],
    )


def _row(ctx: DeliveryContext, hook: Hook, event: DeliveredEvent) -> dict[str, Any]:
    return {
        "id": new_id(),
        "hook_id": hook.id,
        "event_id": event.id,
        "kind": event.kind,
        "subject": f"{event.subject_type}:{event.subject_id}",
        "seq": event.seq,
        "body": mapping.body_of(event, tenant=ctx.tenant_slug),
        "state": "held" if hook.paused else "waiting",
    }


def replay(ctx: DeliveryContext, events: Sequence[DeliveredEvent]) -> None:
    """Let ended messages of a subscription be sent again, a piece at a time; what is left is asked for anew."""
    for event in events:
        asked = event.payload
        after, since = asked.get("after"), asked.get("since")
        found = messages_to_replay(
            ctx.session,
            UUID(event.subject_id),
            asked["states"],
            since=datetime.fromisoformat(since) if since else None,
            until=datetime.fromisoformat(asked["until"]),
            after=UUID(after) if after else None,
            limit=REPLAYED_AT_ONCE,
        )
        service.begin_turn(ctx, found)
        if len(found) == REPLAYED_AT_ONCE:
            emit(ctx.session, [EventDraft(event.kind, event.subject_type, event.subject_id, {**asked, "after": str(found[-1].id)})])


def prepare(ctx: DeliveryContext) -> Letter | None:
    """Load a message and note the attempt; None when it was delivered, sent anew, held or deleted in the meantime.

    Raises TooOld - it was announced three days ago.
    """
    wanted = ctx.event.payload
    statement = select(Message, Hook).join(Hook, Hook.id == Message.hook_id).where(Message.id == UUID(wanted["message"]))
    found = ctx.session.execute(statement.with_for_update(of=Message)).one_or_none()
    if found is None:
        return None
    message, hook = found
    if message.turn != wanted["turn"] or message.state not in ("waiting", "retrying"):
        return None
    if hook.paused and not message.is_test:
        message.state, message.next_at = "held", None
        return None
    now = ctx.clock.now()
    if now - ctx.event.occurred_at > KEEP_TRYING:
        raise TooOld
    message.attempts += 1
    message.next_at = None
    ctx.session.add(Attempt(id=new_id(), message_id=message.id, number=message.attempts, started_at=now))
    return Letter(
        message_id=message.id,
        hook_id=hook.id,
        event_id=message.event_id,
        kind=message.kind,
        number=message.attempts,
        url=hook.url,
        body=message.body.encode(),
        keys=_keys(ctx, hook, now),
    )


def _keys(ctx: DeliveryContext, hook: Hook, now: datetime) -> tuple[str, ...]:
    current = unseal(ctx, service.SECRET, hook.secret)
    if hook.former_secret is None or hook.former_until is None or hook.former_until <= now:
        return (current,)
    return (current, unseal(ctx, service.SECRET, hook.former_secret))


def complete(ctx: DeliveryContext, answered: Answered | None) -> None:
    """Note that a message was delivered."""
    letter: Letter | None = ctx.request
    if letter is None or answered is None:
        return
    _note(ctx, letter, answered)
    now = ctx.clock.now()
    _set(ctx, Message, letter.message_id, state="delivered", ended_at=now, next_at=None)
    _set(ctx, Hook, letter.hook_id, failures=0, failing_since=None, last_at=now)


def failed(ctx: DeliveryContext, failure: Failure) -> None:
    """Note a failed attempt, and pause the subscription when its receiver has failed for long enough or says that it is gone."""
    letter: Letter | None = ctx.request
    message_id = letter.message_id if letter is not None else UUID(ctx.event.payload["message"])
    now = ctx.clock.now()
    is_over = failure.state == "dead"
    next_at = None if is_over else now + timedelta(seconds=failure.retry_in_s)
    state = "failed" if is_over else "retrying"
    _set(ctx, Message, message_id, state=state, next_at=next_at, ended_at=now if is_over else None)
    if letter is None:
        return
    if _was_held_back(failure):
        _forget(ctx, letter)
        return
    _note(ctx, letter, failure.error)
    counted = ctx.session.execute(
        update(Hook)
        .where(Hook.id == letter.hook_id)
        .values(failures=Hook.failures + 1, failing_since=func.coalesce(Hook.failing_since, now), last_at=now)
        .returning(Hook.failures, Hook.failing_since)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if counted is None:
        return
    if isinstance(failure.error, ReceiverGone):
        service.pause_for(ctx, letter.hook_id, "gone", failures=counted.failures)
    elif is_hopeless(counted.failures, now - counted.failing_since, ctx.config):
        service.pause_for(ctx, letter.hook_id, "failures", failures=counted.failures)


def is_hopeless(failures: int, lasting: timedelta, config: Any) -> bool:
    """Whether a receiver has failed often enough, for long enough, to be left alone until somebody looks at it."""
    return failures >= config["pause_after_failures"] and lasting >= timedelta(hours=config["pause_after_hours"])


def _was_held_back(failure: Failure) -> bool:
    """Whether our own breaker or quota kept the request from being sent, so that there was no attempt at all."""
    error = failure.error
    return not failure.is_counted and isinstance(error, BreakerOpen | RateLimited)


def _forget(ctx: DeliveryContext, letter: Letter) -> None:
    ctx.session.execute(
        delete(Attempt)
        .where(Attempt.message_id == letter.message_id, Attempt.number == letter.number)
        .execution_options(synchronize_session=False)
    )
    _set(ctx, Message, letter.message_id, attempts=Message.attempts - 1)


def _note(ctx: DeliveryContext, letter: Letter, ended: Answered | BaseException | None) -> None:
    """Write how an attempt ended beside its beginning."""
    answered = ended if isinstance(ended, Answered) else ended.answered if isinstance(ended, ReceiverFailed | ReceiverGone) else None
    code = "" if isinstance(ended, Answered) else str(getattr(ended, "code", "outbound_webhooks.interrupted"))
    reason = getattr(ended, "reason", "")
    took = func.greatest(0, func.extract("epoch", ctx.clock.now() - Attempt.started_at) * 1000)
    ctx.session.execute(
        update(Attempt)
        .where(Attempt.message_id == letter.message_id, Attempt.number == letter.number)
        .values(
            took_ms=answered.took_ms if answered is not None else took,
            status=answered.status if answered is not None else None,
            code=f"{code}: {reason}" if reason else code,
            answer=answered.text if answered is not None else "",
        )
        .execution_options(synchronize_session=False)
    )


def _set(ctx: DeliveryContext, model: Any, row_id: UUID, **values: Any) -> None:
    ctx.session.execute(update(model).where(model.id == row_id).values(**values).execution_options(synchronize_session=False))
