"""Between events and plugins: a plugin's subscriber is called with the plugin's own context, guarded, timed and noted.

Events give every call a transaction of its own, an attempt and a time limit, and judge what it raises; so nothing is contained here but
what must not pass, and no savepoint is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import fields, replace
from typing import Any

from core.runtime.events.subscribers import Subscriber
from core.runtime.plugin_host.containment import attempt
from core.runtime.plugin_host.context import DeliveryContext, PluginContext
from core.runtime.plugin_host.guarded import guarding
from core.runtime.plugin_host.journal import CallRecord, Who
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.verdicts import Site
from core.runtime.tenancy.scope import Scope

_PARTS = ("handle", "send", "prepare", "complete", "ask")


def plugin_subscribers(runtime: PluginRuntime) -> list[Subscriber]:
    """All subscribers that plugins registered, ready for the subscriber registry of this process."""
    return [wrapped(runtime, found.item) for found in runtime.host.registry.all_items("subscribers")]


def wrapped(runtime: PluginRuntime, subscriber: Subscriber) -> Subscriber:
    """The subscriber with each of its functions called through the host; the core's own stay as they are."""
    if subscriber.plugin is None:
        return subscriber
    calls: dict[str, Any] = {part: _called(runtime, subscriber, part) for part in _PARTS if getattr(subscriber, part) is not None}
    return replace(subscriber, **calls)


def _called(runtime: PluginRuntime, subscriber: Subscriber, part: str) -> Callable[..., Any]:
    function, plugin = getattr(subscriber, part), subscriber.plugin or ""
    site = Site("subscribers", f"{subscriber.key}.{part}", trips=False)

    def call(given: Any, *args: Any) -> Any:
        context = _context(runtime, plugin, given)
        began, started_at = time.monotonic(), runtime.clock.now()

        def work() -> Any:
            with guarding(plugin):
                return function(context, *args)

        tried = attempt(copy_context().run, work, let_through=runtime.options.let_through)
        elapsed_s = time.monotonic() - began
        record = CallRecord(site.kind, site.name, "", started_at, elapsed_s, subject=_subject(given, args), trace=given.scope.trace)
        who = Who(context.tenant_id, context.tenant_slug, plugin, context.instance)
        is_late = elapsed_s > subscriber.timeout_s
        outcome = runtime.calls.verdicts.judge(who, site, record, tried, is_late=is_late, was_probe=False)
        if isinstance(tried.error, Exception):
            raise tried.error  # events tell a defect from a refusal by the error itself
        return outcome.unwrap()

    return call


def _context(runtime: PluginRuntime, plugin: str, given: Any) -> DeliveryContext:
    scope: Scope = given.scope
    instances = runtime.enablement.view(scope.tenant_id).instances_at_work(plugin)
    instance = instances[0] if instances else "main"
    own = getattr(given, "session", None)
    key = getattr(given, "idempotency_key", "")
    if own is not None:
        made = runtime.context(own, plugin, instance=instance, idempotency_key=key)
    else:
        with runtime.database.unit(scope) as session:
            made = replace(runtime.context(session, plugin, instance=instance, idempotency_key=key), session=None)
    values = {item.name: getattr(made, item.name) for item in fields(PluginContext)}
    return DeliveryContext(**values, event=getattr(given, "event", None), request=getattr(given, "request", None))


def _subject(given: Any, args: Sequence[Any]) -> str:
    """What the call is about: the one event of a remote effect, or the first of a batch."""
    event: Any = getattr(given, "event", None)
    if event is None and args and isinstance(args[0], Sequence):
        event = next(iter(args[0]), None)
    return f"{event.subject_type}:{event.subject_id}" if event is not None else ""
