"""What the frame around every page shows: tenant, navigation, shops, user, languages, counters.

The web layer hands a function that makes a `Shell` to `init_theme`; without one the frame comes from Flask-AppBuilder's menu.
Labels are already translated, addresses already permission-checked: the templates only print.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import current_app, g, request, url_for
from flask_appbuilder.menu import MenuItem
from flask_babel import get_locale, gettext


@dataclass(frozen=True, slots=True)
class Link:
    """A labelled address. `icon` is a name of our sprite; `is_active` marks the present page."""

    label: str
    url: str
    icon: str = ""
    is_active: bool = False


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the sidebar. `count` is shown beside it; `views` are saved views of that list; `children` fold out below."""

    label: str
    url: str
    icon: str = "point"
    is_active: bool = False
    count: int | None = None
    children: tuple[NavItem, ...] = ()
    views: tuple[Link, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class NavSection:
    """A group of entries; an empty title puts them on top."""

    title: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True, slots=True)
class TenantLink:
    """A tenant that the user belongs to. `colour` is 1 to 8; `kind` is "", "demo" or "test" and gives the coloured strip."""

    name: str
    slug: str
    url: str
    colour: int = 1
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in user; `links` is their menu, signing out apart because it is a form."""

    name: str
    email: str = ""
    role: str = ""
    links: tuple[Link, ...] = ()
    logout_url: str = ""

    @property
    def initials(self) -> str:
        """One Chinese character or two Latin letters."""
        if not self.name.isascii():
            return self.name[:1]
        return "".join(word[0] for word in self.name.split()[:2]).upper()


@dataclass(frozen=True, slots=True)
class Language:
    """A language by its own name."""

    code: str
    name: str
    url: str
    is_active: bool = False


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Somebody acts as another user; the strip cannot be closed."""

    name: str
    reason: str
    until: str
    stop_url: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the frame's own controls lead; an empty one hides its control."""

    home: str = "/"
    search: str = ""
    bell: str = ""
    notifications: str = ""
    counters: str = ""
    jobs: str = ""
    help: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """Everything the frame shows. `jumps` are the `g …` shortcuts: letter and address. `version` is for administrators only."""

    app_name: str = "Orderloom"
    tenant: TenantLink | None = None
    tenants: tuple[TenantLink, ...] = ()
    nav: tuple[NavSection, ...] = ()
    shops: tuple[Link, ...] = ()
    person: Person | None = None
    languages: tuple[Language, ...] = ()
    urls: Addresses = field(default_factory=Addresses)
    unread: int = 0
    jobs_running: int = 0
    jumps: tuple[tuple[str, str, str], ...] = ()
    impersonation: Impersonation | None = None
    version: str = ""

    @property
    def shop(self) -> Link | None:
        """The shop scope in force, the first one when none is marked."""
        return next((shop for shop in self.shops if shop.is_active), self.shops[0] if self.shops else None)


def _menu_item(item: MenuItem) -> NavItem:
    children = tuple(_menu_item(child) for child in item.childs if child.name != "-" and _may_see(child))
    url = item.get_url() if not children else ""
    here = request.path == url.removeprefix(request.script_root)
    return NavItem(gettext(str(item.label or item.name)), url, icon=item.icon or "", is_active=here, children=children)


def _may_see(item: MenuItem) -> bool:
    return current_app.appbuilder.sm.has_access("menu_access", item.name) and item.should_render()  # type: ignore[attr-defined]


def languages() -> tuple[Language, ...]:
    """The languages that Flask-AppBuilder knows, by name."""
    builder = getattr(current_app, "appbuilder", None)
    if builder is None:
        return ()
    current = str(get_locale() or "en").partition("_")[0]
    return tuple(
        Language(code, about["name"], url_for("LocaleView.index", locale=code), code.partition("_")[0] == current)
        for code, about in builder.languages.items()
    )


def shell_from_menu() -> Shell:
    """A frame from what Flask-AppBuilder knows: its menu, its user, its languages."""
    builder = getattr(current_app, "appbuilder", None)
    user = g.get("user")
    if builder is None or user is None or user.is_anonymous:
        return Shell(app_name=current_app.config.get("APP_NAME", "Orderloom"), languages=languages())
    items = tuple(_menu_item(item) for item in builder.menu.get_list() if _may_see(item))
    links = (Link(gettext("Profile"), builder.get_url_for_userinfo, "user-circle"),)
    person = Person(user.get_full_name(), user.email or "", links=links, logout_url=builder.get_url_for_logout)
    shown = tuple(item for item in items if item.url or item.children)
    return Shell(
        app_name=builder.app_name,
        nav=(NavSection("", shown),),
        person=person,
        languages=languages(),
        urls=Addresses(home=builder.get_url_for_index),
    )
