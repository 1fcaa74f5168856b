"""The life of a plugin at a tenant. Every arrow is one function, audited, and seen by every process within five seconds.

    draft ──enable──> enabled ──pause──> paused ──resume──> enabled
                         └───────────────┴──disable──> disabling (drain | park) ──settle──> disabled ──purge──> purged
                         ▲                                 │                         │                  │
                         └─────────────────────────────────┴────────enable───────────┴──────────────────┘

Nothing here commits. Functions lock the set-up's row; a step that is already done is done again without effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.runtime.plugin_host.calls import AsideCall
from core.runtime.plugin_host.configs import SUBJECT, set_up, subject_of
from core.runtime.plugin_host.descriptors import Finding
from core.runtime.plugin_host.discovery import Package
from core.runtime.plugin_host.enablement import bump_epoch
from core.runtime.plugin_host.errors import (
    PluginMandatory,
    PluginUnknown,
    PreflightBlocked,
    RequirementMissing,
    StateForbids,
    StillRequired,
)
from core.runtime.plugin_host.instances import MAIN, get_instance
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.loading import LoadedPlugin
from core.runtime.plugin_host.manifest import Manifest
from core.runtime.plugin_host.models import PluginInstance
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.verdicts import Site
from core.runtime.security.audit import record
from core.runtime.tenancy.scope import require_scope

ON = ("enabled", "paused")
PREFLIGHT_BUDGET_S = 2.0


@dataclass(frozen=True, slots=True)
class Disabled:
    """How a switch-off went: the set-up, and the work of it that is still in flight, by kind."""

    row: PluginInstance
    in_flight: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Impact:
    """What enabling a plugin brings, shown before anything is changed."""

    contributions: Mapping[str, Sequence[str]]
    permissions: Sequence[str]
    hosts: Sequence[str]
    personal_data: Sequence[str]
    tables: Sequence[str]
    missing: Sequence[str]
    findings: Sequence[Finding]

    @property
    def is_blocked(self) -> bool:
        """Whether enabling would be refused."""
        return bool(self.missing) or any(finding.level == "block" for finding in self.findings)


def preview_impact(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN) -> Impact:
    """What `enable` would bring for this tenant. Changes nothing."""
    loaded = runtime.host.plugin(plugin)
    manifest = loaded.manifest
    return Impact(
        contributions={kind: [_label(item) for item in items] for kind, items in sorted(loaded.given.items()) if kind != "lifecycle"},
        permissions=manifest.permissions,
        hosts=_hosts(manifest),
        personal_data=tuple(manifest.data_classes),
        tables=loaded.tables,
        missing=_missing_requirements(session, loaded),
        findings=_findings(runtime, plugin, instance, "enable"),
    )


def enable(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN) -> PluginInstance:
    """Switch a set-up on; its seeds run the first time, in the same transaction.

    Raises: PluginUnknown, PluginNotUsable; RequirementMissing - plugins to enable first; StateForbids - settings are needed, or it is
    paused (use `resume`); PreflightBlocked; what a failing seed raised. Emits: `plugin.enabled`.
    """
    loaded = runtime.host.plugin(plugin)
    row = set_up(session, runtime, plugin, instance=instance)
    if row.state == "enabled":
        return row
    if row.state == "paused":
        raise StateForbids("paused", plugin=plugin)
    missing = _missing_requirements(session, loaded)
    if missing:
        raise RequirementMissing(f"Enable {', '.join(missing)} first.", plugin=plugin, requires=missing)
    if loaded.needs_settings and row.active_version is None:
        raise StateForbids("not_configured", plugin=plugin)
    _refuse_if_blocked(plugin, _findings(runtime, plugin, instance, "enable"))
    is_first = row.first_enabled_at is None
    _move(session, runtime, row, "enabled", "plugin.enabled", first_time=is_first)
    row.first_enabled_at = row.first_enabled_at or runtime.clock.now()
    session.flush()
    if is_first:
        for seed in loaded.given.get("seeds", ()):
            runtime.call(session, plugin, Site("seeds", seed.key), seed.apply, instance=instance).unwrap()
    return row


def pause(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN) -> PluginInstance:
    """Stop a set-up for a while: pages stay, hooks and new work rest. Raises StateForbids - not enabled. Emits: `plugin.paused`."""
    row = get_instance(session, plugin, instance, is_locked=True)
    _refuse_if_mandatory(runtime, plugin)
    if row.state != "paused":
        _expect(row, "enabled")
        _move(session, runtime, row, "paused", "plugin.paused")
    return row


def resume(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN) -> PluginInstance:
    """Go on after `pause`. Raises StateForbids - not paused. Emits: `plugin.resumed`."""
    row = get_instance(session, plugin, instance, is_locked=True)
    if row.state != "enabled":
        _expect(row, "paused")
        _move(session, runtime, row, "enabled", "plugin.resumed")
    return row


def disable(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN, mode: str | None = None) -> Disabled:
    """Switch a set-up off; its data stays. Works for a plugin whose package is gone, too.

    `mode` decides about work in flight: `drain` finishes it, `park` leaves it lying until the plugin is enabled again or `settle` is
    forced; left out, the manifest decides. Without such work the set-up is `disabled` at once, else `disabling`.
    Raises: PluginMandatory; StillRequired - enabled plugins that need it; PreflightBlocked; StateForbids. Emits: `plugin.disabling`.
    """
    row = get_instance(session, plugin, instance, is_locked=True)
    if row.state == "disabled":
        return Disabled(row)
    _expect(row, *ON, "disabling")
    _refuse_if_mandatory(runtime, plugin)
    dependents = _dependents(session, runtime, row)
    if dependents:
        raise StillRequired(f"Disable {', '.join(dependents)} first.", plugin=plugin, required_by=dependents)
    package = _package(runtime, plugin)
    chosen = mode or (package.manifest.in_flight if package is not None and package.manifest is not None else "park")
    if plugin in runtime.host.loaded:
        _refuse_if_blocked(plugin, _findings(runtime, plugin, instance, "disable"))
    elif chosen == "drain":
        chosen = "park"  # no code is there that could finish anything
    counts = runtime.in_flight(session, plugin)
    if not counts:
        _move(session, runtime, row, "disabled", "plugin.disabling", mode=chosen)
    elif (row.state, row.mode) != ("disabling", chosen):
        _move(session, runtime, row, "disabling", "plugin.disabling", mode=chosen)
    return Disabled(row, counts)


def settle(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN, is_forced: bool = False) -> Disabled:
    """Bring a disabling set-up to `disabled` once nothing of it is in flight; forced, whatever still is (it stays where it lies)."""
    row = get_instance(session, plugin, instance, is_locked=True)
    counts = runtime.in_flight(session, plugin)
    if row.state == "disabling" and (is_forced or not counts):
        _move(session, runtime, row, "disabled", "plugin.disabled")
    return Disabled(row, counts)


def set_priority(session: Session, plugin: str, priority: int, *, instance: str = MAIN) -> PluginInstance:
    """Rank a set-up among those that nothing else orders; lower comes first."""
    row = get_instance(session, plugin, instance, is_locked=True)
    if row.priority != priority:
        record(session, "plugin.ranked", SUBJECT, subject_of(row), {"priority": [row.priority, priority]})
        row.priority = priority
        session.flush()
        bump_epoch(session)
    return row


def enable_defaults(session: Session, runtime: PluginRuntime) -> list[str]:
    """Switch on what plugins.toml has on by default for a new tenant, as far as it needs no settings; returns the ids."""
    chosen = [
        name
        for name in runtime.host.registry.order(dict.fromkeys(runtime.host.loaded, 0))
        if runtime.host.package(name).default_on and not runtime.host.plugin(name).needs_settings
    ]
    for name in chosen:
        enable(session, runtime, name)
    return chosen


def _move(session: Session, runtime: PluginRuntime, row: PluginInstance, state: str, event: str, *, mode: str = "", **facts: Any) -> None:
    before = row.state
    row.state, row.mode = state, mode if state == "disabling" else ""
    session.flush()
    record(session, event, SUBJECT, subject_of(row), {"state": [before, state], **({"mode": [None, mode]} if mode else {})})
    bump_epoch(session)
    payload = {"plugin": row.plugin, "instance": row.instance, **facts, **({"mode": mode} if mode else {})}
    runtime.options.announce(session, event, payload)


def _expect(row: PluginInstance, *states: str) -> None:
    if row.state not in states:
        raise StateForbids("state", plugin=row.plugin, state=row.state)


def _findings(runtime: PluginRuntime, plugin: str, instance: str, action: str) -> list[Finding]:
    preflight = runtime.host.plugin(plugin).lifecycle.preflight
    if preflight is None:
        return []
    scope = require_scope()
    who = Who(scope.tenant_id, scope.slug, plugin, instance)
    call = AsideCall(who, Site("lifecycle", "preflight", trips=False), preflight, (action,))
    [found] = runtime.call_aside([call], budget_s=PREFLIGHT_BUDGET_S)
    if found.error is not None:
        return [Finding("block" if action == "enable" else "warn", found.error.message)]
    return [finding for finding in found.value or () if isinstance(finding, Finding)]


def _refuse_if_blocked(plugin: str, findings: Sequence[Finding]) -> None:
    reasons = [finding.message for finding in findings if finding.level == "block"]
    if reasons:
        raise PreflightBlocked("; ".join(reasons), plugin=plugin, reasons=reasons)


def _refuse_if_mandatory(runtime: PluginRuntime, plugin: str) -> None:
    loaded = runtime.host.loaded.get(plugin)
    if loaded is not None and loaded.manifest.mandatory:
        raise PluginMandatory(plugin=plugin)


def _enabled_ids(session: Session) -> set[str]:
    return set(session.scalars(select(PluginInstance.plugin).where(PluginInstance.state.in_(ON))))


def _missing_requirements(session: Session, loaded: LoadedPlugin) -> list[str]:
    return sorted(set(loaded.manifest.requires) - _enabled_ids(session)) if loaded.manifest.requires else []


def _dependents(session: Session, runtime: PluginRuntime, row: PluginInstance) -> list[str]:
    """Enabled plugins that need this one, when this is its last set-up that is on."""
    others = select(PluginInstance.id).where(PluginInstance.plugin == row.plugin, PluginInstance.state.in_(ON), PluginInstance.id != row.id)
    if session.scalars(others.limit(1)).first() is not None:
        return []
    loaded = runtime.host.loaded
    return sorted(name for name in _enabled_ids(session) if name in loaded and row.plugin in loaded[name].manifest.requires)


def _package(runtime: PluginRuntime, plugin: str) -> Package | None:
    try:
        return runtime.host.package(plugin)
    except PluginUnknown:
        return None


def _hosts(manifest: Manifest) -> tuple[str, ...]:
    """Where a plugin may send things: listed hosts, addresses in its settings, and `members:*` when people may add more."""
    by_settings = (f"settings:{name}" for name in manifest.egress_from_settings)
    return (*manifest.egress, *by_settings, *(("members:*",) if manifest.egress_by_tenant else ()))


def _label(item: Any) -> str:
    return str(getattr(item, "title", "") or getattr(item, "key", "") or type(item).__name__)
