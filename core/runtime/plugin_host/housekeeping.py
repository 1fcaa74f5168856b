"""What the host does by itself for every tenant: tell plugins of their life, finish switching off, look after health, forget old calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.runtime.events.handling import DeliveredEvent, LocalContext, RemoteContext
from core.runtime.events.schedules import Schedule
from core.runtime.events.subscribers import Subscriber
from core.runtime.plugin_host.bridge import delivery_context
from core.runtime.plugin_host.health import refresh_health
from core.runtime.plugin_host.journal import prune
from core.runtime.plugin_host.lifecycle import settle
from core.runtime.plugin_host.models import PluginInstance
from core.runtime.plugin_host.packages import record_packages
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.verdicts import Site
from core.runtime.tenancy.scope import tenant_scope

_TIMEOUT_S = 60.0


def host_subscribers(runtime: PluginRuntime) -> list[Subscriber]:
    """The host's own hearer: it tells a plugin, after the commit and repeatedly if need be, what has become of it."""
    return [
        Subscriber(
            key="core.plugin_life",
            events=("plugin.enabled", "plugin.configured", "plugin.disabling"),
            send=lambda ctx: _tell_plugin(runtime, ctx),
            repeatable=True,
            on_dead="skip",
            max_attempts=5,
            timeout_s=_TIMEOUT_S,
        )
    ]


def host_schedules(runtime: PluginRuntime) -> list[Schedule]:
    """The host's own timers."""
    return [
        Schedule(key="core.plugin_settle", every_s=60, jitter_s=30, window_s=300, handle=lambda ctx, events: _settle(runtime, ctx, events)),
        Schedule(key="core.plugin_health", every_s=300, jitter_s=200, window_s=600, handle=lambda ctx, events: _look(runtime, ctx, events)),
        Schedule(key="core.plugin_prune", at=time(3, 20), jitter_s=3600, handle=_prune),
    ]


def _tell_plugin(runtime: PluginRuntime, ctx: RemoteContext) -> None:
    plugin, instance = str(ctx.event.payload["plugin"]), str(ctx.event.payload["instance"])
    part = ctx.event.kind.removeprefix("plugin.")
    loaded = runtime.host.loaded.get(plugin)
    function = getattr(loaded.lifecycle, part) if loaded is not None else None
    if function is None:
        return
    with tenant_scope(ctx.scope):
        context = delivery_context(runtime, plugin, ctx, instance=instance)
        args = _arguments(runtime, ctx, plugin, instance)
        outcome = runtime.calls.bare(context, Site("lifecycle", part), function, *args, budget_s=_TIMEOUT_S)
    outcome.unwrap_raw()


def _arguments(runtime: PluginRuntime, ctx: RemoteContext, plugin: str, instance: str) -> tuple[Any, ...]:
    payload = ctx.event.payload
    if ctx.event.kind == "plugin.enabled":
        return (bool(payload.get("first_time", False)),)
    if ctx.event.kind == "plugin.disabling":
        return (str(payload.get("mode", "")),)
    with runtime.database.unit(ctx.scope) as session:
        return tuple(_values(session, runtime, plugin, instance, payload[which]) for which in ("old", "new"))


def _values(session: Session, runtime: PluginRuntime, plugin: str, instance: str, version: int | None) -> Mapping[str, Any]:
    return {} if version is None else runtime.context(session, plugin, instance=instance, version=version).config


def _settle(runtime: PluginRuntime, ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
    for row in _rows(ctx.session, "disabling"):
        if row.mode == "drain":
            settle(ctx.session, runtime, row.plugin, instance=row.instance)


def _look(runtime: PluginRuntime, ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
    if not runtime.is_recorded:
        with runtime.database.platform() as session:
            record_packages(session, runtime.host)
        runtime.is_recorded = True
    for row in _rows(ctx.session, "enabled"):
        refresh_health(ctx.session, runtime, row.plugin, instance=row.instance)


def _prune(ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
    while prune(ctx.session, now=ctx.clock.now()):
        pass


def _rows(session: Session, state: str) -> Sequence[PluginInstance]:
    chosen = select(PluginInstance).where(PluginInstance.state == state)
    return session.scalars(chosen.order_by(PluginInstance.plugin, PluginInstance.instance)).all()
