"""Puts what plugins contribute into the web application: pages, REST resources, menu entries, templates, translations, the bell.

Every loaded plugin is wired once; the gate, the menu and the frame decide per request what the tenant has switched on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from flask import Response, current_app, request, url_for
from werkzeug.routing import BuildError

from core.delivery.api.plugin_api import ApiView
from core.delivery.bell import BellMemory
from core.delivery.web.app_builder import OmsAppBuilder
from core.delivery.web.descriptors import Bell, MenuEntry
from core.delivery.web.frame import extend_frame
from core.delivery.web.identity import current_identity, current_tenant
from core.delivery.web.menu import Entry
from core.delivery.web.plugin_calls import RUNTIME, TURNSTILE, plugin_runtime
from core.delivery.web.plugin_view import PageView
from core.delivery.web.theme.shell import Shell
from core.kernel.errors import OrderloomError
from core.runtime.plugin_host.calls import PAGE_BUDGET_S, AsideCall
from core.runtime.plugin_host.host import PluginHost
from core.runtime.plugin_host.instances import MAIN
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.registry import Contribution
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.turnstile import Turnstile
from core.runtime.plugin_host.verdicts import Site
from core.runtime.tenancy.scope import require_scope

BELL = "oms.bell"


class PageUnfit(OrderloomError):
    """A plugin registered something as a page or endpoint that is none."""

    code = "plugin.page_unfit"


def register_plugin_pages(builder: OmsAppBuilder, runtime: PluginRuntime, *, threads: int) -> None:
    """Add the pages and resources of all loaded plugins. `threads` answer requests at once.

    Raises PageUnfit, SectionUnknown - a defect of a plugin, found at start-up.
    """
    builder.app.extensions[RUNTIME] = runtime
    builder.app.extensions[TURNSTILE] = Turnstile(threads)
    registry = runtime.host.registry
    for found in registry.all_items("views"):
        view = _owned(found, PageView)
        builder.add_view_no_menu(view)
        for entry in found.item.menu:
            builder.menu.add(_entry(found.plugin, view, entry))
    for found in registry.all_items("api"):
        builder.add_api(_owned(found, ApiView))
    builder.app.extensions[BELL] = BellMemory()
    bells = registry.all_items("bell")
    builder.app.after_request(_forgetting(frozenset(found.item.page.partition(".")[0] for found in bells)))
    extend_frame(_with_bell)


def template_folders(host: PluginHost) -> list[Path]:
    """The folders with templates of the loaded plugins."""
    return list(_folders(host, "templates"))


def translation_folders(host: PluginHost) -> list[Path]:
    """The folders with translations of the loaded plugins."""
    return list(_folders(host, "translations"))


def _folders(host: PluginHost, name: str) -> Iterator[Path]:
    for plugin in host.loaded:
        source = host.package(plugin).source
        if source is not None and (source / name).is_dir():
            yield source / name


def _owned(found: Contribution, base: type) -> type:
    """The class that a descriptor loads, with its owner's name on it, so that the gate knows whose it is."""
    view = found.item.load()
    if not isinstance(view, type) or not issubclass(view, base):
        raise PageUnfit(f"{found.item.key} of {found.plugin} must load a {base.__name__}.", plugin=found.plugin)
    view.plugin = found.plugin  # type: ignore[attr-defined]
    return view


def _entry(plugin: str, view: type, entry: MenuEntry) -> Entry:
    permission = view.permission_keys.get(entry.page, "")  # type: ignore[attr-defined]
    if not permission:
        raise PageUnfit(f"{entry.key} leads to {view.__name__}.{entry.page}, which is no page.", plugin=plugin)
    endpoint = f"{view.__name__}.{entry.page}"
    return Entry(entry.key, entry.label, entry.section, endpoint, permission, entry.icon, plugin=plugin, order=entry.order)


def _with_bell(shell: Shell) -> Shell:
    """The frame with the bell of the first plugin that has one; without it when that plugin fails, or takes too long."""
    identity, found = current_identity(), _bell()
    if found is None or identity is None:
        return shell
    bell: Bell = found.item
    scope, user_id = require_scope(), identity.person.user_id

    def count() -> int | None:
        call = AsideCall(Who(scope.tenant_id, scope.slug, found.plugin, MAIN), Site("bell", bell.key), bell.unread, (user_id,))
        [counted] = plugin_runtime().call_aside([call], budget_s=PAGE_BUDGET_S)
        return counted.value if isinstance(counted.value, int) else None

    unread = bell_memory().unread((scope.tenant_id, user_id), count)
    if unread is None:
        return shell
    try:
        urls = replace(shell.urls, bell=url_for(bell.menu), notifications=url_for(bell.page))
    except BuildError:
        return shell
    return replace(shell, urls=urls, unread=unread)


def _bell() -> Contribution | None:
    return next(iter(plugin_runtime().host.registry.items("bell", require_scope().tenant_id)), None)


def bell_memory() -> BellMemory:
    """What the bell said lately, in this process."""
    memory: BellMemory = current_app.extensions[BELL]
    return memory


def _forgetting(views: frozenset[str]) -> Callable[[Response], Response]:
    """Who changes something, or looks at the bell's own pages (those of `views`), sees the new number on the next page."""

    def forget(response: Response) -> Response:
        identity, tenant = current_identity(), current_tenant()
        is_deed = request.method not in ("GET", "HEAD", "OPTIONS") or (request.endpoint or "").partition(".")[0] in views
        if is_deed and identity is not None and tenant is not None:
            bell_memory().forget((tenant.id, identity.person.user_id))
        return response

    return forget
