"""What plugins contribute to the host itself; all frozen, made once at start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.runtime.plugin_host.context import PluginContext

Level = Literal["info", "warn", "block"]
HealthState = Literal["ok", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a plugin says before a step of its life: `block` stops the step, the others are shown."""

    level: Level
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """How a plugin instance feels. `quota_left` counts calls, `expires_in_s` is the remaining life of its credentials."""

    state: HealthState = "ok"
    message: str = ""
    quota_left: int | None = None
    expires_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Purged:
    """How many of a plugin's things are (or would be) deleted, by name, beyond the rows of its own tables."""

    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A plugin's say in its own life, one instance at a time; leave out what it has no opinion on.

    preflight(ctx, action): before enable and disable; findings of level block stop it. No effects.
    check_connection(ctx): prove that the drafted settings work; returns what to show, such as the account's name, or raises.
    health(ctx): cheap, every few minutes.
    enabled(ctx, first_time), configured(ctx, old, new), disabling(ctx, mode): after the commit of that step, possibly twice.
    purge(ctx, dry_run): delete (or with dry_run only count) what is not in the plugin's own tables.
    """

    preflight: Callable[[PluginContext, str], Sequence[Finding]] | None = None
    check_connection: Callable[[PluginContext], str | None] | None = None
    health: Callable[[PluginContext], Health] | None = None
    enabled: Callable[[PluginContext, bool], None] | None = None
    configured: Callable[[PluginContext, Mapping[str, Any], Mapping[str, Any]], None] | None = None
    disabling: Callable[[PluginContext, str], None] | None = None
    purge: Callable[[PluginContext, bool], Purged] | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A command under `oms <plugin> …`. `run` is a click command; it opens its own units of work."""

    key: str
    help: str
    run: Any


@dataclass(frozen=True, slots=True)
class Seed:
    """Rows that a tenant gets when the plugin is first enabled. `apply` finds its own earlier work and adds only what is missing."""

    key: str
    apply: Callable[[PluginContext], None]
