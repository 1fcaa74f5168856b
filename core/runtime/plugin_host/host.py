"""The plugin host: finds, orders and loads plugins at start-up and answers for them afterwards.

PluginHost(HostOptions(...)).boot()      no database needed; never raises because of a plugin
  ├── packages   every plugin known here, with the reason when it cannot be used
  ├── loaded     those whose code runs
  └── registry   what they contribute
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
import structlog

from core.runtime.plugin_host import hooks
from core.runtime.plugin_host.discovery import Fault, Package, discover, read_listing
from core.runtime.plugin_host.errors import PluginNotUsable, PluginUnknown
from core.runtime.plugin_host.kinds import kinds_of
from core.runtime.plugin_host.loading import LoadedPlugin, load
from core.runtime.plugin_host.manifest import Manifest
from core.runtime.plugin_host.markers import PROJECT
from core.runtime.plugin_host.ordering import in_order, waits_for, without_missing_requirements
from core.runtime.plugin_host.registry import Registry, TenantViews

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class HostOptions:
    """What the composition root decides about plugins.

    `listing` is plugins.toml; `folders` are looked through in order; `blocked` ids do not load (`*`: none does). `spec_modules` are the
    `hooks` modules of the packages that own hooks; the host's own is always among them. `core_items` are descriptors of the core, by kind.
    """

    listing: Path | None = None
    folders: tuple[Path, ...] = ()
    blocked: tuple[str, ...] = ()
    spec_modules: tuple[ModuleType, ...] = ()
    core_items: Mapping[str, Sequence[Any]] = field(default_factory=dict)


class PluginHost:
    """All plugins of this process. `boot` once, then read."""

    def __init__(self, options: HostOptions) -> None:
        self.options = options
        self.kinds = kinds_of((hooks, *options.spec_modules))
        self.registry = Registry(self.kinds)
        self.packages: dict[str, Package] = {}
        self.loaded: dict[str, LoadedPlugin] = {}
        self.fault: Fault | None = None

    @property
    def hook_names(self) -> frozenset[str]:
        """Every hook that a plugin may fill in."""
        return frozenset(kind.hook for kind in self.kinds.values())

    def boot(self) -> PluginHost:
        """Find, check, order and load the plugins. Whatever is wrong with one of them ends up on its package."""
        began = time.monotonic()
        listing = read_listing(self.options.listing)
        self.fault = listing.fault
        if listing.fault is not None:
            _log.error("plugins.listing_invalid", reason=listing.fault.message)
        packages = discover(listing, self.options.folders, blocked=self.options.blocked)
        packages = without_missing_requirements(packages)
        for kind, items in self.options.core_items.items():
            self.registry.contribute(kind, items)
        self.packages = self._load_all(packages)
        self.registry.seal()
        for package in self.packages.values():
            if package.fault is not None and package.state == "unavailable":
                _log.warning("plugin.unavailable", plugin=package.id, code=package.fault.code, reason=package.fault.message)
        _log.info("plugins.loaded", count=len(self.loaded), elapsed_ms=round((time.monotonic() - began) * 1000))
        return self

    def _load_all(self, packages: dict[str, Package]) -> dict[str, Package]:
        manager = pluggy.PluginManager(PROJECT)
        for module in (hooks, *self.options.spec_modules):
            manager.add_hookspecs(module)
        ready = {name: waits_for(package) for name, package in packages.items() if package.state == "ready"}
        for name in in_order(ready):
            packages = without_missing_requirements(packages)
            if packages[name].state != "ready":
                continue
            packages[name], loaded = load(packages[name], manager, self.kinds)
            if loaded is None:
                continue
            self.loaded[name] = loaded
            self.registry.add_plugin(name, loaded.given, waits_for=waits_for(packages[name]))
        return without_missing_requirements(packages)

    def follow(self, views: TenantViews) -> None:
        """From now on let `registry.items` show each tenant only what it has enabled."""
        self.registry.seal(views)

    def package(self, plugin: str) -> Package:
        """The package of this id, usable or not. Raises PluginUnknown."""
        try:
            return self.packages[plugin]
        except KeyError:
            raise PluginUnknown(plugin=plugin) from None

    def plugin(self, plugin: str) -> LoadedPlugin:
        """The loaded plugin. Raises: PluginUnknown; PluginNotUsable - with the reason."""
        package = self.package(plugin)
        loaded = self.loaded.get(plugin)
        if loaded is None:
            reason = package.fault.message if package.fault is not None else "plugins.toml does not list this plugin."
            raise PluginNotUsable(reason, plugin=plugin, reason=reason)
        return loaded

    def manifest(self, plugin: str) -> Manifest | None:
        """The manifest, when it can be read at all. Raises PluginUnknown."""
        return self.package(plugin).manifest

    def migration_folders(self) -> list[Path]:
        """The `migrations` folders of the loaded plugins, for the migration runner."""
        sources = [package.source for name, package in self.packages.items() if name in self.loaded]
        return [source / "migrations" for source in sources if source is not None and (source / "migrations").is_dir()]
