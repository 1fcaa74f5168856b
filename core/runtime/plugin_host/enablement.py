"""Which plugins are on for which tenant, known in every process within five seconds of a flip.

A flip counts up the tenant's epoch in its own transaction and sends a notification. A process keeps one view per tenant and compares
epochs: at each request (`observe`, free, because the request has read the tenant anyway), at a notification (`forget`), and at the latest
when the view is used and its last comparison is older than `MAX_AGE_S`. So no thread, no Valkey and no luck is needed to hold the bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.runtime.db.bulk import tenant_of
from core.runtime.events.subscribers import Mode
from core.runtime.plugin_host.guarded import unguarded
from core.runtime.plugin_host.host import PluginHost
from core.runtime.plugin_host.models import PluginInstance
from core.runtime.security.permissions import touch_rights
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import Scope, no_scope

CHANNEL = "oms_epoch"
MAX_AGE_S = 2.0
# While paused, pages stay and work waits; while draining, work in flight goes on and nothing new starts.
WORKING, SHOWN = ("enabled",), ("enabled", "paused")


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One set-up of a plugin as the host needs it at run time."""

    plugin: str
    instance: str
    title: str
    state: str
    mode: str
    priority: int
    active_version: int | None


@dataclass(frozen=True)
class EnabledView:
    """What one tenant has switched on, as of `epoch`. Immutable; a change makes a new one."""

    tenant_id: int
    slug: str
    epoch: int
    instances: tuple[InstanceView, ...]
    mandatory: frozenset[str]

    @cached_property
    def plugins(self) -> dict[str, int]:
        """Enabled plugins with the tenant's priority; of several set-ups the lowest number counts."""
        return self._ranked(WORKING)

    @cached_property
    def names(self) -> frozenset[str]:
        """Enabled plugins."""
        return frozenset(self.plugins)

    @cached_property
    def _shown(self) -> dict[str, int]:
        return self._ranked(SHOWN)

    @cached_property
    def _finishing(self) -> frozenset[str]:
        return self.mandatory | {
            row.plugin for row in self.instances if row.state == "enabled" or (row.state == "disabling" and row.mode == "drain")
        }

    def is_enabled(self, plugin: str) -> bool:
        """Hooks, schedules and new work of the plugin run."""
        return plugin in self.plugins

    def shows(self, plugin: str) -> bool:
        """Pages, menu entries and endpoints of the plugin answer; true while it is paused, too."""
        return plugin in self._shown

    def can_finish(self, plugin: str) -> bool:
        """Work that is already under way goes on; true while the plugin drains, too."""
        return plugin in self._finishing

    def instances_at_work(self, plugin: str) -> list[str]:
        """The set-ups of the plugin that are on or draining, by name; `main` first."""
        names = [row.instance for row in self.instances if row.plugin == plugin and row.state in ("enabled", "disabling")]
        return sorted(names, key=lambda name: (name != "main", name))

    def _ranked(self, states: tuple[str, ...]) -> dict[str, int]:
        ranks: dict[str, int] = dict.fromkeys(self.mandatory, 0)
        for row in self.instances:
            if row.state in states:
                ranks[row.plugin] = min(row.priority, ranks.get(row.plugin, row.priority))
        return ranks


@dataclass
class _Entry:
    view: EnabledView
    compared_at: float


class Enablement:
    """The views of all tenants in this process. Safe for threads; holds no connection between calls."""

    def __init__(
        self, database: Database, host: PluginHost, *, max_age_s: float = MAX_AGE_S, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._loaded = frozenset(host.loaded)
        self._mandatory = frozenset(name for name, plugin in host.loaded.items() if plugin.manifest.mandatory)
        self._max_age_s = max_age_s
        self._tick = tick
        self._known: dict[int, _Entry] = {}
        self._lock = Lock()

    def view(self, tenant_id: int, *, epoch: int = 0) -> EnabledView:
        """The tenant's view, at most `max_age_s` behind what is committed; the same object until something changes.

        Whoever has read the tenant's `epoch` gets no older view: what is kept together with an epoch must be of that epoch.
        May be asked while plugin code runs, by an event that it emits for example; what is read then has transactions of its own.
        """
        entry = self._known.get(tenant_id)
        now = self._tick()
        if entry is not None and now - entry.compared_at < self._max_age_s and entry.view.epoch >= epoch:
            return entry.view
        slug, present = self._epoch_of(tenant_id)
        if entry is not None and entry.view.epoch == present:
            entry.compared_at = now
            return entry.view
        view = self._read(tenant_id, slug, present)
        with self._lock:
            self._known[tenant_id] = _Entry(view, now)
        return view

    def is_enabled(self, tenant_id: int, plugin: str) -> bool:
        """Whether hooks, schedules and new work of the plugin run for the tenant."""
        return self.view(tenant_id).is_enabled(plugin)

    def mode(self, tenant_id: int, plugin: str) -> Mode:
        """How the plugin's subscribers stand for the tenant; the `gate` of the subscriber registry."""
        view = self.view(tenant_id)
        if view.is_enabled(plugin):
            return Mode.ON
        if view.shows(plugin):
            return Mode.PAUSED
        return Mode.DRAINING if view.can_finish(plugin) else Mode.OFF

    def forget(self, tenant_id: int | None = None) -> None:
        """Drop the view of a tenant, or all of them; the next use reads again."""
        with self._lock:
            if tenant_id is None:
                self._known.clear()
            else:
                self._known.pop(tenant_id, None)

    def _epoch_of(self, tenant_id: int) -> tuple[str, int]:
        with unguarded(), self._database.platform() as session:
            row = session.execute(select(Tenant.slug, Tenant.epoch).where(Tenant.id == tenant_id, Tenant.is_active)).one_or_none()
        return ("", 0) if row is None else (row.slug, row.epoch)

    def _read(self, tenant_id: int, slug: str, epoch: int) -> EnabledView:
        """Read in a transaction of its own, so that what nobody has committed yet never gets into the view.

        The epoch was read before: rows may be newer than it, never older, and then the next comparison reads them again.
        """
        if not slug:
            return EnabledView(tenant_id, slug, epoch, (), frozenset())
        with unguarded(), no_scope(), self._database.unit(Scope(tenant_id, slug)) as session:
            rows = session.scalars(select(PluginInstance).order_by(PluginInstance.plugin, PluginInstance.instance)).all()
            instances = tuple(
                InstanceView(row.plugin, row.instance, row.title, row.state, row.mode, row.priority, row.active_version)
                for row in rows
                if row.plugin in self._loaded
            )
        return EnabledView(tenant_id, slug, epoch, instances, self._mandatory)


def bump_epoch(session: Session) -> None:
    """Count up the epoch of the session's tenant; every process drops its view once this commits, at the latest when it compares."""
    touch_rights(session)
    session.execute(text("SELECT pg_notify(:channel, :tenant)"), {"channel": CHANNEL, "tenant": str(tenant_of(session))})
