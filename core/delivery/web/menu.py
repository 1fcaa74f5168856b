"""The navigation: fixed sections, entries that views and plugins put into them, shown to those who may open them.

Plugins choose a section and never add one, so that a page looks alike with any set of plugins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_appbuilder.menu import Menu, MenuItem
from werkzeug.routing import BuildError

from core.delivery.web.identity import can
from core.kernel.errors import OrderloomError
from core.kernel.messages import N_
from core.runtime.security.permissions import MEMBER


class SectionUnknown(OrderloomError):
    """There is no such section of the menu."""

    code = "web.section_unknown"


@dataclass(frozen=True, slots=True)
class Section:
    """A place in the sidebar. The `lower` ones stand apart, below the daily work."""

    key: str
    label: str
    icon: str
    lower: bool = False


SECTIONS = (
    Section("home", N_("Home"), "home"),
    Section("orders", N_("Orders"), "shopping-cart"),
    Section("fulfilment", N_("Fulfilment"), "truck-delivery"),
    Section("stock", N_("Stock"), "building-warehouse"),
    Section("products", N_("Products"), "package"),
    Section("customers", N_("Customers"), "users"),
    Section("records", N_("Records"), "table"),
    Section("reports", N_("Reports"), "chart-bar"),
    Section("automation", N_("Automation"), "route", lower=True),
    Section("plugins", N_("Plugins"), "plug", lower=True),
    Section("settings", N_("Settings"), "settings", lower=True),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the navigation. `label` is an English message id; `endpoint` is Flask's, or an address that begins with a slash.

    Shown to who has `permission`, while `plugin` (if any) is on and `condition()` (if any) holds. Lower `order` comes first.
    """

    key: str
    label: str
    section: str
    endpoint: str
    permission: str = MEMBER
    icon: str = ""
    plugin: str | None = None
    order: int = 100
    condition: Callable[[], bool] | None = None
    arguments: tuple[tuple[str, str], ...] = ()

    def url(self) -> str:
        """The address within the present tenant; empty when the endpoint does not exist."""
        if self.endpoint.startswith("/"):
            return self.endpoint
        try:
            arguments: dict[str, Any] = dict(self.arguments)
            return url_for(self.endpoint, **arguments)
        except BuildError:
            return ""


class OmsMenu(Menu):
    """Flask-AppBuilder's menu, filtered anew for each request. `plugin_is_on(plugin)` asks for the request's tenant."""

    def __init__(self, plugin_is_on: Callable[[str], bool] | None = None) -> None:
        super().__init__(reverse=False)
        self._plugin_is_on = plugin_is_on or (lambda _plugin: False)
        self._entries: dict[str, Entry] = {}
        #: Entries that only the present tenant has.
        self.own: Callable[[], list[Entry]] = list

    def add(self, entry: Entry) -> None:
        """Add an entry; one with the same key replaces the earlier one. Raises SectionUnknown."""
        if entry.section not in {section.key for section in SECTIONS}:
            raise SectionUnknown(section=entry.section, entry=entry.key)
        self._entries[entry.key] = entry

    def add_link(  # noqa: PLR0917 - the signature is Flask-AppBuilder's
        self,
        name: str,
        href: str = "",
        icon: str = "",
        label: str = "",
        category: str = "",
        category_icon: str = "",  # noqa: ARG002 - sections are fixed
        category_label: str = "",  # noqa: ARG002 - sections are fixed
        baseview: Any = None,
        cond: Callable[[], bool] | None = None,
    ) -> None:
        """What `AppBuilder.add_view` and `add_link` call: `category` is the key of a section, the view says which permission is needed."""
        endpoint = href or (f"{baseview.endpoint}.{baseview.default_view}" if baseview is not None else "")
        keys = getattr(baseview, "permission_keys", {})
        entry = Entry(
            key=name,
            label=label or name,
            section=category or "settings",
            endpoint=endpoint,
            permission=keys.get(getattr(baseview, "default_view", ""), MEMBER),
            icon=icon,
            plugin=getattr(baseview, "plugin", None),
            condition=cond,
        )
        self.add(entry)

    def add_separator(self, category: str = "", cond: Callable[[], bool] | None = None) -> None:
        """Separators are not shown."""

    def shows(self, key: str) -> bool:
        """Whether the entry, or any entry of the section, is shown to whoever makes this request."""
        entry = self._entries.get(key)
        if entry is not None:
            return self._is_shown(entry)
        return any(one.section == key and self._is_shown(one) for one in self._entries.values())

    def entries(self) -> list[tuple[Section, list[Entry]]]:
        """The sections that have something to show now, with their entries in order."""
        shown: list[tuple[Section, list[Entry]]] = []
        known = [*self._entries.values(), *self.own()]
        for section in SECTIONS:
            found = [entry for entry in known if entry.section == section.key and self._is_shown(entry)]
            if found:
                shown.append((section, sorted(found, key=lambda entry: (entry.order, entry.key))))
        return shown

    def get_list(self) -> list[MenuItem]:
        """The same for Flask-AppBuilder: one item per section, with its entries as children."""
        return [
            MenuItem(
                name=section.key,
                label=section.label,
                icon=section.icon,
                childs=[MenuItem(name=one.key, href=one.url(), label=one.label, icon=one.icon) for one in found],
            )
            for section, found in self.entries()
        ]

    def get_data(self, menu: Any = None) -> list[Any]:  # noqa: ARG002 - the signature is Flask-AppBuilder's
        """The shown entries as plain data."""
        return [
            {
                "name": section.key,
                "label": section.label,
                "icon": section.icon,
                "childs": [{"name": one.key, "label": one.label, "icon": one.icon, "url": one.url()} for one in found],
            }
            for section, found in self.entries()
        ]

    def _is_shown(self, entry: Entry) -> bool:
        if entry.plugin is not None and not self._plugin_is_on(entry.plugin):
            return False
        return can(entry.permission) and (entry.condition is None or entry.condition())
