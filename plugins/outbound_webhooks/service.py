"""Writing subscriptions and messages. Nothing here commits; callers have checked the permission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from core.sdk import N_, EventDraft, Finding, Health, HostNotAllowed, PluginContext, emit, new_id
from core.sdk.secrets import hint_of, seal
from plugins.outbound_webhooks import events, mapping
from plugins.outbound_webhooks.errors import HookRefused, NameTaken, NotReplayable, TooManyHooks
from plugins.outbound_webhooks.models import Hook, Message
from plugins.outbound_webhooks.queries import all_hooks, get_message
from plugins.outbound_webhooks.signing import new_secret

DUE = "outbound_webhooks.message_due"
REPLAY_ASKED = "outbound_webhooks.replay_asked"
PAUSED = "outbound_webhooks.paused"
SECRET = "secret"  # noqa: S105 - what a sealed value is for, not a value
MAX_HOOKS = 50
MAX_EVENTS = 50
ENDED = ("delivered", "failed", "held")
_WHY_NOT = {
    "unencrypted": N_("The address must start with https://."),
    "private_address": N_("This address lies in a private network."),
    "port": N_("Only the ports 443 and 8443 can be used."),
    "user": N_("The address must not hold a user name."),
}


@dataclass(frozen=True, slots=True)
class HookDraft:
    """What people say about a subscription."""

    name: str
    url: str
    events: tuple[str, ...]


def checked(values: Mapping[str, Any]) -> HookDraft:
    """The draft that plain values describe. Raises HookRefused - with the field's name."""
    name = str(values.get("name") or "").strip()
    url = str(values.get("url") or "").strip()
    wanted = values.get("events")
    if not name or len(name) > 80 or not name.isprintable():
        raise HookRefused(N_("Give a name of at most 80 letters."), field="name")
    if not url or len(url) > 2000:
        raise HookRefused(N_("Give the address of the receiver."), field="url")
    if not isinstance(wanted, list | tuple) or not wanted or len(wanted) > MAX_EVENTS:
        raise HookRefused(N_("Choose between 1 and 50 kinds of events."), field="events")
    unknown = [one for one in wanted if not isinstance(one, str) or not events.is_offered(one)]
    if unknown:
        raise HookRefused(N_("There are no such events."), field="events", unknown=str(unknown[0])[:100])
    return HookDraft(name, url, tuple(sorted(set(wanted))))


def make_hook(ctx: PluginContext, draft: HookDraft) -> tuple[Hook, str]:
    """Add a subscription; returns it with its secret, which nothing gives back later.

    Raises: NameTaken, TooManyHooks; HookRefused - the address cannot be called.
    """
    if (ctx.session.scalar(select(func.count()).select_from(Hook)) or 0) >= MAX_HOOKS:
        raise TooManyHooks(most=MAX_HOOKS)
    _refuse_taken(ctx, draft.name, None)
    secret, hook_id = new_secret(), new_id()
    _allow(ctx, hook_id, draft.url)
    hook = Hook(
        id=hook_id,
        name=draft.name,
        url=draft.url,
        events=list(draft.events),
        secret=seal(ctx, SECRET, secret),
        secret_hint=hint_of(secret),
        rotated_at=ctx.clock.now(),
    )
    ctx.session.add(hook)
    ctx.session.flush()
    return hook, secret


def change_hook(ctx: PluginContext, hook: Hook, draft: HookDraft) -> None:
    """Change a subscription. Messages on their way go to the new address. Raises as `make_hook`."""
    _refuse_taken(ctx, draft.name, hook.id)
    if draft.url != hook.url:
        _allow(ctx, hook.id, draft.url)
        _forget_failures(hook)
    hook.name, hook.url, hook.events = draft.name, draft.url, list(draft.events)
    ctx.session.flush()


def remove_hook(ctx: PluginContext, hook: Hook) -> None:
    """Delete a subscription with its log. What is on its way is not sent any more."""
    if ctx.addresses is not None:
        ctx.addresses.withdraw(str(hook.id))
    ctx.session.delete(hook)
    ctx.session.flush()


def rotate_secret(ctx: PluginContext, hook: Hook) -> str:
    """Give a subscription a new secret and return it; the former one signs, too, for the hours that the settings say."""
    secret, now = new_secret(), ctx.clock.now()
    hook.former_secret, hook.former_until = hook.secret, now + timedelta(hours=ctx.config["overlap_hours"])
    hook.secret, hook.secret_hint, hook.rotated_at = seal(ctx, SECRET, secret), hint_of(secret), now
    ctx.session.flush()
    return secret


def pause_hook(ctx: PluginContext, hook: Hook) -> None:
    """Send nothing more for the time being; events from now on wait."""
    if not hook.paused:
        hook.paused, hook.paused_at = "by_hand", ctx.clock.now()
        ctx.session.flush()


def resume_hook(ctx: PluginContext, hook: Hook) -> None:
    """Send again, first what has waited, in its order. Emits: `outbound_webhooks.replay_asked`."""
    if not hook.paused:
        return
    hook.paused, hook.paused_at = "", None
    _forget_failures(hook)
    ctx.session.flush()
    ask_for_replay(ctx, hook, states=("held",))


def pause_for(ctx: PluginContext, hook_id: UUID, reason: str, *, failures: int) -> None:
    """Pause a subscription because of its receiver, if it is not paused already. Emits: `outbound_webhooks.paused`."""
    paused = ctx.session.execute(
        update(Hook)
        .where(Hook.id == hook_id, Hook.paused == "")
        .values(paused=reason, paused_at=ctx.clock.now(), row_version=Hook.row_version + 1)
        .returning(Hook.name)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if paused is not None:
        facts = {"name": paused.name, "reason": reason, "failures": failures, "page": f"/webhooks/{hook_id}/"}
        emit(ctx.session, [EventDraft(PAUSED, mapping.SUBJECT, hook_id, facts)])


def send_trial(ctx: PluginContext, hook: Hook) -> Message:
    """Send a test event, also while the subscription is paused. Emits: `outbound_webhooks.message_due`."""
    event_id = new_id()
    body = mapping.trial_body(event_id, hook.id, tenant=ctx.tenant_slug, at=ctx.clock.now())
    message = Message(
        id=new_id(),
        hook_id=hook.id,
        event_id=event_id,
        kind=events.TEST_KIND,
        subject=f"{mapping.SUBJECT}:{event_id}",
        body=body,
        is_test=True,
    )
    ctx.session.add(message)
    ctx.session.flush()
    announce(ctx, [message])
    return message


def replay_message(ctx: PluginContext, hook: Hook, message_id: UUID) -> Message:
    """Send a message once more, whatever became of it. Raises MessageUnknown; NotReplayable - it is still on its way.

    Emits: `outbound_webhooks.message_due`.
    """
    message = get_message(ctx.session, hook.id, message_id)
    if message.state not in ENDED:
        raise NotReplayable(state=message.state)
    begin_turn(ctx, [message])
    return message


def ask_for_replay(
    ctx: PluginContext, hook: Hook, *, states: tuple[str, ...] = ("failed",), since: datetime | None = None, until: datetime | None = None
) -> None:
    """Send all messages in these states again, oldest first, made between the two moments; a worker does it, in pieces.

    Emits: `outbound_webhooks.replay_asked`.
    """
    bounds = {"since": since.isoformat() if since else None, "until": (until or ctx.clock.now()).isoformat()}
    emit(ctx.session, [EventDraft(REPLAY_ASKED, mapping.SUBJECT, hook.id, {"states": list(states), "after": None, **bounds})])


def begin_turn(ctx: PluginContext, messages: Iterable[Message]) -> None:
    """Make ended messages wait again and announce them, in the given order."""
    again = list(messages)
    for message in again:
        message.state, message.turn = "waiting", message.turn + 1
        message.next_at = message.ended_at = None
    ctx.session.flush()
    announce(ctx, again)


def announce(ctx: PluginContext, messages: Iterable[Message]) -> None:
    """Let messages be delivered; those of one subject one after the other."""
    emit(
        ctx.session,
        [
            EventDraft(DUE, mapping.SUBJECT, mapping.lane_of(one.hook_id, one.subject), {"message": str(one.id), "turn": one.turn})
            for one in messages
        ],
    )


def preflight(ctx: PluginContext, action: str) -> list[Finding]:
    """What to know before webhooks are switched off."""
    active = sum(not hook.paused for hook in all_hooks(ctx.session)) if action == "disable" else 0
    return [Finding("warn", N_("Receivers hear nothing while webhooks are off."), {"active": active})] if active else []


def health(ctx: PluginContext) -> Health:
    """Degraded while a receiver is given up."""
    given_up = [hook.name for hook in all_hooks(ctx.session) if hook.paused in ("failures", "gone")]
    return Health("degraded", f"Paused because of its receiver: {', '.join(given_up)}") if given_up else Health()


def _refuse_taken(ctx: PluginContext, name: str, own: UUID | None) -> None:
    taken = ctx.session.scalar(select(Hook.id).where(Hook.name == name))
    if taken is not None and taken != own:
        raise NameTaken(name=name)


def _allow(ctx: PluginContext, hook_id: UUID, url: str) -> None:
    try:
        if ctx.addresses is not None:
            ctx.addresses.allow(str(hook_id), url)
    except HostNotAllowed as error:
        reason = str(error.facts.get("reason", ""))
        raise HookRefused(_WHY_NOT.get(reason, error.message), field="url", reason=reason) from error


def _forget_failures(hook: Hook) -> None:
    hook.failures, hook.failing_since = 0, None
