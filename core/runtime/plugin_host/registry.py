"""The sealed collection of everything that plugins (and the core itself) contribute, each piece with its owner's name on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Generic, Protocol, TypeVar

from core.runtime.plugin_host.errors import RegistrySealed
from core.runtime.plugin_host.kinds import HookKind, HookSpecWrong
from core.runtime.plugin_host.ordering import in_order

CORE = "core"
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Contribution(Generic[T_co]):
    """One descriptor and the plugin that gave it (`core` for the core's own)."""

    plugin: str
    kind: str
    item: T_co


class TenantView(Protocol):
    """Which plugins work for one tenant, and how the tenant ranks them; a new object whenever that changes."""

    @property
    def plugins(self) -> Mapping[str, int]:
        """Enabled plugins with the tenant's priority, lower first."""
        ...


class TenantViews(Protocol):
    """Gives the present view of a tenant."""

    def view(self, tenant_id: int) -> TenantView: ...


class Registry:
    """What was contributed, by kind. Filled at start-up, then sealed; reads need no lock afterwards.

    `items` is what a tenant sees: the core's pieces, then those of its enabled plugins in the host's order. `all_items` is what the
    installation holds, for wiring that is done once (routes, permissions).
    """

    def __init__(self, kinds: Mapping[str, HookKind]) -> None:
        self.kinds = dict(kinds)
        self._given: dict[str, dict[str, list[Contribution[Any]]]] = {kind: {} for kind in kinds}
        self._needs: dict[str, set[str]] = {}
        self._views: TenantViews | None = None
        self._walks: dict[tuple[int, str], tuple[TenantView, tuple[Contribution[Any], ...]]] = {}
        self._lock = Lock()
        self._sealed = False

    def contribute(self, kind: str, items: Sequence[Any]) -> None:
        """Add the core's own descriptors of `kind`; they come first and are always on. Raises RegistrySealed, HookSpecWrong."""
        self._open()
        self._add(CORE, kind, items)

    def add_plugin(self, plugin: str, items: Mapping[str, Sequence[Any]], *, waits_for: set[str]) -> None:
        """Add a plugin's descriptors, by kind; they were checked when it was loaded. Raises RegistrySealed."""
        self._open()
        for kind, given in items.items():
            self._add(plugin, kind, given)
        self._needs[plugin] = waits_for

    def seal(self, views: TenantViews | None = None) -> None:
        """Take nothing more. Without `views` (offline commands) every loaded plugin counts as enabled."""
        self._sealed = True
        self._views = views
        self._walks.clear()

    def items(self, kind: str, tenant_id: int) -> tuple[Contribution[Any], ...]:
        """Descriptors of `kind` that work for the tenant now: core, then enabled plugins by `after`, priority, id."""
        if self._views is None:
            return self.all_items(kind)
        view = self._views.view(tenant_id)
        known = self._walks.get((tenant_id, kind))
        if known is not None and known[0] is view:
            return known[1]
        walked = self._walk(kind, view.plugins)
        with self._lock:
            self._walks[(tenant_id, kind)] = (view, walked)
        return walked

    def all_items(self, kind: str) -> tuple[Contribution[Any], ...]:
        """Descriptors of `kind` of the core and of every loaded plugin, whoever has it enabled."""
        return self._walk(kind, dict.fromkeys(self._needs, 0))

    def of_plugin(self, plugin: str, kind: str) -> list[Any]:
        """The descriptors of `kind` that one plugin gave."""
        return [contribution.item for contribution in self._of_kind(kind).get(plugin, ())]

    def find(self, kind: str, key: str, tenant_id: int) -> Contribution[Any] | None:
        """The descriptor with this key, if it works for the tenant now."""
        return next((found for found in self.items(kind, tenant_id) if found.item.key == key), None)

    def owner_of(self, kind: str, key: str) -> str | None:
        """The plugin that gave the descriptor with this key, enabled or not."""
        return next((found.plugin for found in self.all_items(kind) if found.item.key == key), None)

    def order(self, priorities: Mapping[str, int]) -> list[str]:
        """The given loaded plugins in the host's order."""
        return in_order({name: needs for name, needs in self._needs.items() if name in priorities}, priorities)

    def _walk(self, kind: str, priorities: Mapping[str, int]) -> tuple[Contribution[Any], ...]:
        given = self._of_kind(kind)
        return tuple(found for plugin in (CORE, *self.order(priorities)) for found in given.get(plugin, ()))

    def _of_kind(self, kind: str) -> dict[str, list[Contribution[Any]]]:
        try:
            return self._given[kind]
        except KeyError:
            raise HookSpecWrong(f"No package specifies register_{kind}.") from None

    def _add(self, plugin: str, kind: str, items: Sequence[Any]) -> None:
        self._of_kind(kind).setdefault(plugin, []).extend(Contribution(plugin, kind, item) for item in items)

    def _open(self) -> None:
        if self._sealed:
            raise RegistrySealed
