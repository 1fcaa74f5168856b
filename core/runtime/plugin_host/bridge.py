"""Between events and plugins: a plugin's subscribers and timers are called with the plugin's own context, guarded, timed and noted.

Events give every call a transaction of its own, an attempt and a time limit, and judge what it raises; so nothing is contained here but
what must not pass, and no savepoint is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from core.runtime.events.schedules import Schedule
from core.runtime.events.subscribers import Subscriber
from core.runtime.plugin_host.context import DeliveryContext, PluginContext
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.verdicts import Site
from core.runtime.tenancy.scope import Scope, tenant_scope

_PARTS = ("handle", "send", "prepare", "complete", "failed", "ask")


def plugin_subscribers(runtime: PluginRuntime) -> list[Subscriber]:
    """All subscribers that plugins registered, ready for the subscriber registry of this process."""
    return [wrapped(runtime, found.item) for found in runtime.host.registry.all_items("subscribers")]


def plugin_schedules(runtime: PluginRuntime) -> list[Schedule]:
    """All timers that plugins registered, ready for the relay and the workers."""
    return [wrapped(runtime, found.item) for found in runtime.host.registry.all_items("schedules")]


def wrapped(runtime: PluginRuntime, item: Any) -> Any:
    """The subscriber or schedule with each of its functions called through the host; the core's own stay as they are."""
    if item.plugin is None:
        return item
    parts = [part for part in _PARTS if getattr(item, part, None) is not None]
    return replace(item, **{part: _called(runtime, item, part) for part in parts})


def _called(runtime: PluginRuntime, item: Any, part: str) -> Callable[..., Any]:
    function, plugin = getattr(item, part), item.plugin
    site = Site("schedules" if isinstance(item, Schedule) else "subscribers", f"{item.key}.{part}", trips=False)

    def call(given: Any, *args: Any) -> Any:
        with tenant_scope(given.scope):
            context = delivery_context(runtime, plugin, given, instance=_instance(runtime, given.scope, plugin))
            outcome = runtime.calls.bare(context, site, function, *args, budget_s=item.timeout_s, subject=_subject(given, args))
        return outcome.unwrap_raw()  # events tell a defect from a refusal by the error itself

    return call


def delivery_context(runtime: PluginRuntime, plugin: str, given: Any, *, instance: str) -> DeliveryContext:
    """The plugin's context for a call for which events gave `given`; with a session where they lent one, else without."""
    own = getattr(given, "session", None)
    key = getattr(given, "idempotency_key", "")
    if own is not None:
        made = runtime.context(own, plugin, instance=instance, idempotency_key=key)
    else:
        with runtime.database.unit(given.scope) as session:
            made = replace(runtime.context(session, plugin, instance=instance, idempotency_key=key), session=None)
    values = {item.name: getattr(made, item.name) for item in fields(PluginContext)}
    return DeliveryContext(**values, event=getattr(given, "event", None), request=getattr(given, "request", None))


def _instance(runtime: PluginRuntime, scope: Scope, plugin: str) -> str:
    """The set-up that a call for the plugin as a whole uses: `main`, or the first one that is on."""
    return next(iter(runtime.enablement.view(scope.tenant_id).instances_at_work(plugin)), "main")


def _subject(given: Any, args: Sequence[Any]) -> str:
    """What the call is about: the one event of a remote effect, or the first of a batch."""
    event: Any = getattr(given, "event", None)
    if event is None and args and isinstance(args[0], Sequence):
        event = next(iter(args[0]), None)
    return f"{event.subject_type}:{event.subject_id}" if event is not None else ""
