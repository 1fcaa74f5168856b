"""Bringing one plugin's code in: checks on its source, import, hook calls, and a way back when any of it fails."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
from marshmallow import Schema

from core.kernel.errors import Conflict, OrderloomError
from core.runtime.db.base import Base, TenantOwned, metadata
from core.runtime.plugin_host.containment import attempt, told
from core.runtime.plugin_host.descriptors import Lifecycle
from core.runtime.plugin_host.discovery import FOLDER_PACKAGE, Package
from core.runtime.plugin_host.forms import FormField, form_of
from core.runtime.plugin_host.kinds import ContributionWrong, HookKind, checked_items
from core.runtime.plugin_host.manifest import Manifest
from core.runtime.plugin_host.sources import boundary_breaches, shown, table_breaches


class LoadRefused(Conflict):
    """The plugin breaks a rule of the host, so its code is not used."""

    code = "plugin.load_refused"


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A plugin whose code runs in this process. `given` are its descriptors, by kind; `tables` are those it brought."""

    manifest: Manifest
    given: Mapping[str, Sequence[Any]]
    schema: Schema | None = None
    form: tuple[FormField, ...] = ()
    tables: tuple[str, ...] = ()
    lifecycle: Lifecycle = field(default_factory=Lifecycle)

    @property
    def secret_names(self) -> frozenset[str]:
        """The write-only settings."""
        return frozenset(entry["name"] for entry in self.form if entry["secret"])

    @property
    def needs_settings(self) -> bool:
        """Whether it cannot run until somebody has filled in its form."""
        return any(entry["required"] for entry in self.form)


def load(package: Package, manager: pluggy.PluginManager, kinds: Mapping[str, HookKind]) -> tuple[Package, LoadedPlugin | None]:
    """Load a package that is `ready`.

    Returns it as installed together with what it brought, or as unavailable with the reason, and then with nothing of it left behind.
    """
    before = set(metadata.tables)
    loaded, error = attempt(_load, package, manager, kinds, before)
    if error is None:
        return replace(package, state="installed"), loaded
    if manager.has_plugin(package.id):
        manager.unregister(name=package.id)
    forget_tables(set(metadata.tables) - before)
    if isinstance(error, OrderloomError):
        return package.failing(error.code, error.message), None
    return package.failing("plugin.load_failed", f"Its code does not load: {told(error)}"), None


def _load(package: Package, manager: pluggy.PluginManager, kinds: Mapping[str, HookKind], before: set[str]) -> LoadedPlugin:
    manifest, source = package.manifest, package.source
    if manifest is None or source is None:
        raise LoadRefused("It has no manifest.")
    breaches = boundary_breaches(source, package.top_module) + table_breaches(source, package.id)
    if breaches:
        raise LoadRefused(shown(breaches))
    if package.top_module.startswith(f"{FOLDER_PACKAGE}."):
        make_importable(source.parent)
    module = importlib.import_module(package.module)
    if not Path(module.__file__ or "").resolve().is_relative_to(source.resolve()):
        raise LoadRefused(f"{package.module} is imported from {module.__file__}, not from the plugin's own place.")
    if (source / "models.py").is_file():
        importlib.import_module(f"{package.top_module}.models")
    tables = tuple(sorted((set(metadata.tables) - before) | _mapped_in(package.top_module)))
    _check_tables(manifest, tables)
    given = _call_hooks(package, module, manager, kinds)
    schema = _schema_of(package, module)
    form = tuple(form_of(schema)) if schema is not None else ()
    return LoadedPlugin(manifest, given, schema, form, tables, next(iter(given.get("lifecycle", ())), Lifecycle()))


def forget_tables(names: Iterable[str]) -> None:
    """Take tables, and the classes mapped to them, out of the metadata, as if they had never been declared."""
    gone, registry = set(names), Base.registry
    for mapper in [mapper for mapper in registry.mappers if getattr(mapper.local_table, "name", "") in gone]:
        # SQLAlchemy has no public way to let go of one class: `dispose` would take all of them.
        registry._dispose_manager_and_mapper(mapper.class_manager)  # noqa: SLF001
        registry._managers.pop(mapper.class_manager, None)  # noqa: SLF001
    for name in gone:
        metadata.remove(metadata.tables[name])


def _mapped_in(top_module: str) -> set[str]:
    """Tables of classes that stand in the plugin's modules; those may have been imported before, by migrations for example."""
    return {
        str(getattr(mapper.local_table, "name", ""))
        for mapper in Base.registry.mappers
        if mapper.class_.__module__ == top_module or mapper.class_.__module__.startswith(f"{top_module}.")
    }


def make_importable(folder: Path) -> None:
    """Let plugins of an operator's own folder be imported as `plugins.<id>`, like those that come with Orderloom."""
    places = importlib.import_module(FOLDER_PACKAGE).__path__
    if str(folder) not in places:
        places.append(str(folder))


def _check_tables(manifest: Manifest, tables: tuple[str, ...]) -> None:
    prefix = f"plg_{manifest.id}_"
    wrong = [name for name in tables if not name.startswith(prefix)]
    if wrong:
        raise LoadRefused(f'It brings the tables {", ".join(wrong)}; its tables start with "{prefix}".')
    undeclared = sorted(set(tables) - set(manifest.tables))
    if undeclared:
        raise LoadRefused(f'The manifest\'s "tables" does not name {", ".join(undeclared)}.')
    owned = {mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantOwned)}  # type: ignore[attr-defined]
    shared = [] if manifest.scope == "platform" else [name for name in tables if name not in owned]
    if shared:
        raise LoadRefused(f"The tables {', '.join(shared)} belong to no tenant; only plugins of the platform may have such.")


def _call_hooks(package: Package, module: ModuleType, manager: pluggy.PluginManager, kinds: Mapping[str, HookKind]) -> dict[str, list[Any]]:
    """Register with pluggy, which checks names and arguments, then call each hook of this one plugin by itself."""
    manager.register(module, package.id)
    manager.check_pending()
    by_hook = {kind.hook: kind for kind in kinds.values()}
    given: dict[str, list[Any]] = {}
    for caller in manager.get_hookcallers(module) or ():
        for implementation in caller.get_hookimpls():
            if implementation.plugin is not module:
                continue
            if implementation.wrapper or implementation.hookwrapper:
                raise ContributionWrong(f"{caller.name} is a wrapper; wrappers would reach across plugins and tenants.")
            kind = by_hook[caller.name]
            given[kind.kind] = checked_items(kind, package.id, implementation.function())
    return given


def _schema_of(package: Package, module: ModuleType) -> Schema | None:
    named = package.manifest.settings if package.manifest is not None else ""
    if not named:
        return None
    place, attribute = schema_place(named, package.top_module)
    home = importlib.import_module(place) if place else module
    found = getattr(home, attribute, None)
    if not isinstance(found, type) or not issubclass(found, Schema):
        raise LoadRefused(f'"settings" names {named}, which is no marshmallow schema.')
    return found()


def schema_place(named: str, top_module: str) -> tuple[str, str]:
    """The module and the name of a settings schema; the module is empty when it is the one with the hooks.

    `settings:Settings` is meant within the plugin; the full name of a module of the plugin does, too.
    """
    place, _, attribute = named.rpartition(":")
    if place and place != top_module and not place.startswith(f"{top_module}."):
        place = f"{top_module}.{place}"
    return place, attribute
