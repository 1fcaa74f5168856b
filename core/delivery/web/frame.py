"""What the frame of every page shows, from identity, tenant and menu: the values that `theme.shell` describes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from flask import current_app, g, request, url_for
from flask_babel import get_locale, gettext

from core.delivery.web.i18n import LANGUAGES
from core.delivery.web.identity import Identity, can, current_identity, current_tenant
from core.delivery.web.menu import Entry, OmsMenu, Section
from core.delivery.web.theme.shell import Addresses, Language, Link, NavItem, NavSection, Person, Shell, TenantLink
from core.delivery.web.unit import db
from core.runtime.security.members import Place, places_of

Extend = Callable[[Shell], Shell]
EXTENSION = "oms.frame"
NAVIGATION = "oms.navigation"
#: What the navigation says depends on nothing but these: language, path of the tenant, sections, their entries.
Shown = tuple[tuple[Section, tuple[Entry, ...]], ...]
Drawn = Callable[[str, str, Shown], tuple[NavSection, ...]]
COLOURS = 8


def extend_frame(extend: Extend) -> None:
    """Let `extend` complete the frame of every page: search, bell, counters, shops. Call at boot, inside the application's context."""
    current_app.extensions.setdefault(EXTENSION, []).append(extend)


def present_shell() -> Shell:
    """The frame of this request; made once."""
    if "shell" not in g:
        g.shell = _make()
    shell: Shell = g.shell
    return shell


def _make() -> Shell:
    name: str = current_app.config["APP_NAME"]
    identity, tenant = current_identity(), current_tenant()
    shell = Shell(app_name=name, languages=_languages(), urls=Addresses(home=f"{request.script_root}/" if identity else "/"))
    if identity is None:
        return shell
    shell = replace(shell, person=_person(identity))
    if tenant is None or identity.standing is None:
        return shell
    places = places_of(db(), identity.person.user_id)
    here = next((place for place in places if place.tenant_id == tenant.id), Place(tenant.id, tenant.slug, tenant.name, tenant.is_demo))
    shell = replace(shell, tenant=tenant_link(here), tenants=tuple(tenant_link(place) for place in places), nav=_navigation())
    for extend in current_app.extensions.get(EXTENSION, []):
        shell = extend(shell)
    return shell


def tenant_link(place: Place) -> TenantLink:
    """A tenant as the switcher and the chooser show it; its colour stays the same everywhere."""
    return TenantLink(place.name, place.slug, f"/t/{place.slug}/", place.tenant_id % COLOURS + 1, "demo" if place.is_demo else "")


def _languages() -> tuple[Language, ...]:
    now = str(get_locale() or "en").split("_")[0]
    return tuple(Language(code, about["name"], url_for("LocaleView.index", locale=code), code == now) for code, about in LANGUAGES.items())


def _person(identity: Identity) -> Person:
    roles = ", ".join(gettext(title) for title in identity.standing.roles) if identity.standing is not None else ""
    links = [Link(gettext("Your account"), url_for("AccountView.show"), "user-circle")]
    if can("tokens.own"):
        links.append(Link(gettext("API tokens"), url_for("TokenView.list"), "key"))
    person = identity.person
    return Person(person.name, person.email, roles, tuple(links), current_app.extensions["appbuilder"].get_url_for_logout)


def _navigation() -> tuple[NavSection, ...]:
    """Who may see which entry is asked for each request; words and addresses of the same entries are kept."""
    menu: OmsMenu = current_app.extensions["appbuilder"].menu
    drawn: Drawn = current_app.extensions.setdefault(NAVIGATION, lru_cache(maxsize=256)(_draw))
    shown = tuple((section, tuple(found)) for section, found in menu.entries())
    here = f"{request.script_root}{request.path}"
    sections = drawn(str(get_locale() or "en"), request.script_root, shown)
    return tuple(replace(section, items=tuple(_marked(item, here) for item in section.items)) for section in sections)


def _draw(_language: str, _root: str, shown: Shown) -> tuple[NavSection, ...]:
    """The navigation in the language and under the path of this request, with no entry marked as the present one."""
    upper: list[NavItem] = []
    lower: list[NavItem] = []
    for section, found in shown:
        item = _nav_item(section, found)
        if item is not None:
            (lower if section.lower else upper).append(item)
    return tuple(NavSection("", tuple(items)) for items in (upper, lower) if items)


def _nav_item(section: Section, found: tuple[Entry, ...]) -> NavItem | None:
    """A section with one entry is that entry; with several it folds out."""
    items = [(entry, entry.url()) for entry in found]
    items = [(entry, url) for entry, url in items if url]
    if not items:
        return None
    if len(items) == 1:
        entry, url = items[0]
        label = section.label if section.key in ("home", entry.key) else entry.label
        return NavItem(gettext(label), url, entry.icon or section.icon, key=entry.key)
    children = tuple(NavItem(gettext(entry.label), url, entry.icon or "point", key=entry.key) for entry, url in items)
    return NavItem(gettext(section.label), "", section.icon, children=children, key=section.key)


def _marked(item: NavItem, here: str) -> NavItem:
    """The item as the present page shows it: itself, or with the mark that this page is it or lies below it."""
    children = tuple(_marked(child, here) for child in item.children)
    if not (any(child.is_active for child in children) if children else _is_here(item.url, here)):
        return item
    return replace(item, is_active=True, children=children)


def _is_here(url: str, here: str) -> bool:
    return here == url or (url.rstrip("/") != request.script_root and here.startswith(url.rstrip("/") + "/"))
