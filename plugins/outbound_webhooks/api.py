"""Webhooks over REST: `/api/v1/webhooks`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request

from core.sdk import Invalid, PluginContext
from core.sdk.web import ApiView, endpoint, json_body, json_response, nothing, once
from plugins.outbound_webhooks import queries, service
from plugins.outbound_webhooks.errors import HookRefused
from plugins.outbound_webhooks.models import Attempt, Hook, Message

SEE, MANAGE = "outbound_webhooks.see", "outbound_webhooks.manage"
MAX_PAGE = 100
_SCHEMAS: dict[str, dict[str, Any]] = {
    "name": {"type": "string"},
    "url": {"type": "string", "format": "uri"},
    "events": {"type": "array", "items": {"type": "string"}},
    "is_active": {"type": "boolean"},
}
_CHANGE = {"type": "object", "additionalProperties": False, "properties": _SCHEMAS}
_NEW = {**_CHANGE, "required": ["name", "url", "events"]}
_SINCE = {"type": "object", "additionalProperties": False, "properties": {"since": {"type": ["string", "null"], "format": "date-time"}}}
_PAGE = {
    "properties": {
        "state": {"enum": sorted(queries.TABS)},
        "size": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
        "cursor": {"type": "string", "format": "uuid"},
    }
}
_FIELDS = frozenset(_SCHEMAS)


class OutboundWebhooksApi(ApiView):
    """Subscriptions and their deliveries. A secret is in the answer that makes it, and in no other."""

    resource_name = "webhooks"
    openapi_spec_tag = "Webhooks"

    @endpoint("/", permission=SEE)
    def get_list(self, ctx: PluginContext) -> Response:
        """All subscriptions, by name."""
        return json_response({"result": [_hook(hook) for hook in queries.all_hooks(ctx.session)]})

    @endpoint("/", permission=MANAGE, methods=("POST",), takes=_NEW, status=201)
    def post(self, ctx: PluginContext) -> Response:
        """Add a subscription: `name`, `url`, `events`, optionally `is_active`; the answer holds its `secret`.

        Takes no Idempotency-Key, since the stored answer would keep the secret; a name can be used once only, which stops doubles as well.
        """
        body = _body()
        hook, secret = service.make_hook(ctx, service.checked(body))
        if body.get("is_active") is False:
            service.pause_hook(ctx, hook)
        answer = json_response({**_hook(hook), "secret": secret}, status=201)
        answer.headers["Location"] = f"{request.script_root}{request.path}{hook.id}"
        return answer

    @endpoint("/<uuid:hook_id>", permission=SEE)
    def get(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """One subscription."""
        return json_response(_hook(queries.get_hook(ctx.session, hook_id)))

    @endpoint("/<uuid:hook_id>", permission=MANAGE, methods=("PATCH",), takes=_CHANGE)
    def patch(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Change what is given; `is_active` pauses it or lets it go on."""
        hook, body = queries.get_hook(ctx.session, hook_id), _body()
        before = {"name": hook.name, "url": hook.url, "events": hook.events}
        service.change_hook(ctx, hook, service.checked({**before, **body}))
        if body.get("is_active") is True:
            service.resume_hook(ctx, hook)
        elif body.get("is_active") is False:
            service.pause_hook(ctx, hook)
        return json_response(_hook(hook))

    @endpoint("/<uuid:hook_id>", permission=MANAGE, methods=("DELETE",), status=204)
    def delete(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Delete a subscription with its log."""
        service.remove_hook(ctx, queries.get_hook(ctx.session, hook_id))
        return nothing()

    @endpoint("/<uuid:hook_id>/rotate", permission=MANAGE, methods=("POST",))
    def rotate(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Replace the secret; the answer holds the new one, `former_until` says how long the former one signs, too."""
        hook = queries.get_hook(ctx.session, hook_id)
        secret = service.rotate_secret(ctx, hook)
        return json_response({**_hook(hook), "secret": secret})

    @endpoint("/<uuid:hook_id>/test", permission=MANAGE, methods=("POST",), status=202)
    def test(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Send a test event; the answer names its delivery."""
        hook = queries.get_hook(ctx.session, hook_id)
        return once(ctx.session, lambda: json_response(_message(service.send_trial(ctx, hook), []), status=202))

    @endpoint("/<uuid:hook_id>/replay", permission=MANAGE, methods=("POST",), takes=_SINCE, status=202)
    def replay(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Send all failed deliveries again, those made at or after `since` (ISO 8601 with offset) if it is given."""
        hook = queries.get_hook(ctx.session, hook_id)
        body = json_body()
        _refuse_unknown(body, frozenset({"since"}))
        service.ask_for_replay(ctx, hook, since=_moment(body.get("since")))
        return json_response({"asked": True}, status=202)

    @endpoint("/<uuid:hook_id>/deliveries", permission=SEE, takes=_PAGE)
    def deliveries(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Deliveries with their attempts, newest first; arguments: `state`, `size` (at most 100), `cursor`."""
        hook = queries.get_hook(ctx.session, hook_id)
        state, size, cursor = request.args.get("state", ""), request.args.get("size", "25"), request.args.get("cursor", "")
        if state and state not in queries.TABS:
            raise Invalid("There is no such state.", field="state")
        if not (size.isascii() and size.isdecimal()) or not 1 <= int(size[:4]) <= MAX_PAGE:
            raise Invalid(f"A page has 1 to {MAX_PAGE} rows.", field="size")
        before = _id(cursor) if cursor else None
        found = queries.messages_of(ctx.session, hook.id, states=queries.TABS.get(state, ()), before=before, limit=int(size) + 1)
        messages = found[: int(size)]
        attempts = queries.attempts_of(ctx.session, messages)
        following = str(messages[-1].id) if len(found) > len(messages) else None
        return json_response({"result": [_message(one, attempts[one.id]) for one in messages], "next_cursor": following})

    @endpoint("/<uuid:hook_id>/deliveries/<uuid:message_id>/replay", permission=MANAGE, methods=("POST",), status=202)
    def replay_one(self, ctx: PluginContext, hook_id: UUID, message_id: UUID) -> Response:
        """Send one delivery again."""
        hook = queries.get_hook(ctx.session, hook_id)
        return json_response(_message(service.replay_message(ctx, hook, message_id), []), status=202)


def _body() -> Mapping[str, Any]:
    body = json_body()
    _refuse_unknown(body, _FIELDS)
    if not isinstance(body.get("is_active", True), bool):
        raise HookRefused("This is true or false.", field="is_active")
    for name in ("name", "url"):
        if not isinstance(body.get(name, ""), str):
            raise HookRefused("This is a text.", field=name)
    return body


def _refuse_unknown(body: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise Invalid("This field is not known.", field=unknown[0][:60])


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("This is no cursor.", field="cursor") from None


def _moment(given: Any) -> datetime | None:
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid("This is no moment with its offset.", field="since")
    return moment


def _hook(hook: Hook) -> dict[str, Any]:
    return {
        "id": str(hook.id),
        "name": hook.name,
        "url": hook.url,
        "events": hook.events,
        "is_active": not hook.paused,
        "paused": hook.paused or None,
        "failures": hook.failures,
        "secret_hint": hook.secret_hint,
        "former_until": hook.former_until,
        "last_at": hook.last_at,
    }


def _message(message: Message, attempts: list[Attempt]) -> dict[str, Any]:
    return {
        "id": str(message.id),
        "event_id": str(message.event_id),
        "kind": message.kind,
        "subject": message.subject,
        "state": message.state,
        "made_at": message.made_at,
        "next_at": message.next_at,
        "attempts": [
            {
                "number": one.number,
                "at": one.started_at,
                "took_ms": one.took_ms,
                "status": one.status,
                "code": one.code,
                "answer": one.answer,
            }
            for one in attempts
        ],
    }
