"""What plugins contribute to the web pages; frozen, light, and without Flask, since processes that serve no pages read them, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.runtime.plugin_host.context import PluginContext


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """One link in the navigation, to the method `page` of the view that it comes with.

    `label` is an English message id, `section` one of the fixed sections (`plugins`, `settings`, …). Shown to who has the page's
    permission, while the plugin is on for the tenant.
    """

    key: str
    label: str
    section: str
    page: str
    icon: str = ""
    order: int = 100


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """Pages of a plugin. `load` returns the class, a `core.sdk.web.PageView`; it is called when the web application is built, once.

    Which permission each page needs stands with the page.
    """

    key: str
    load: Callable[[], type]
    menu: tuple[MenuEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Bell:
    """What the bell in the frame of every page shows.

    `unread(ctx, user_id)` counts; a page waits for it, so it must be quick, and its answer is kept for ten seconds. `menu` (a fragment) and
    `page` are `View.method` of pages of the plugin. Of several plugins that are on for a tenant, the first one rings.
    """

    key: str
    unread: Callable[[PluginContext, int], int]
    menu: str
    page: str
