"""What outgoing webhooks contribute."""

from __future__ import annotations

from datetime import time

from core.sdk import (
    N_,
    ApiSpec,
    Lifecycle,
    MenuEntry,
    Permission,
    Schedule,
    Subscriber,
    ViewSpec,
    hookimpl,
)
from plugins.outbound_webhooks import client, jobs, service, subscribers
from plugins.outbound_webhooks.events import HEARD

_GROUP = N_("Webhooks")


@hookimpl
def register_permissions() -> list[Permission]:
    """Not called read and write on purpose: addresses of receivers are often secrets, and every role may read what ends in `.read`."""
    return [
        Permission("outbound_webhooks.see", N_("See webhooks and their deliveries"), _GROUP),
        Permission("outbound_webhooks.manage", N_("Change webhooks, send again, replace secrets"), _GROUP),
    ]


@hookimpl
def register_subscribers() -> list[Subscriber]:
    """The way of a message; see `subscribers`."""
    return [
        Subscriber(key="outbound_webhooks.fan_out", events=HEARD, handle=subscribers.fan_out, batch=100, on_dead="skip"),
        Subscriber(key="outbound_webhooks.replay", events=(service.REPLAY_ASKED,), handle=subscribers.replay),
        Subscriber(
            key="outbound_webhooks.post",
            events=(service.DUE,),
            prepare=subscribers.prepare,
            send=client.post,
            complete=subscribers.complete,
            failed=subscribers.failed,
            # Receivers tell repeats by the event's id, so a lost answer is followed by the same request.
            repeatable=True,
            on_dead="skip",
            # About three days with the waits of the event path; messages give up by age, too.
            max_attempts=80,
            timeout_s=client.TIMEOUT_S + 10.0,
        ),
    ]


@hookimpl
def register_schedules() -> list[Schedule]:
    """Tidying up at night."""
    return [Schedule(key="outbound_webhooks.tidy", at=time(3, 40), jitter_s=1800, handle=jobs.tidy)]


@hookimpl
def register_views() -> list[ViewSpec]:
    """The pages; under Plugins in the navigation."""

    def load() -> type:
        from plugins.outbound_webhooks.views import OutboundWebhooksView  # slow import

        return OutboundWebhooksView

    entry = MenuEntry("outbound_webhooks.list", N_("Webhooks"), "plugins", "list", "webhook", order=200)
    return [ViewSpec("outbound_webhooks.pages", load, (entry,))]


@hookimpl
def register_api() -> list[ApiSpec]:
    """`/api/v1/webhooks`."""

    def load() -> type:
        from plugins.outbound_webhooks.api import OutboundWebhooksApi  # slow import

        return OutboundWebhooksApi

    return [ApiSpec("outbound_webhooks.api", load)]


@hookimpl
def register_lifecycle() -> Lifecycle:
    """Says what stops when it is switched off, and whether a receiver was given up."""
    return Lifecycle(preflight=service.preflight, health=service.health)
