"""The joints of the web application, apart from those of every process: relay and workers need not load any page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.delivery.plugin_pages import register_plugin_pages, template_folders, translation_folders
from core.delivery.screens import register_all
from core.delivery.web.app_builder import OmsAppBuilder
from core.delivery.web.factory import WebParts, build_app
from core.domain.all_entities import TRANSLATIONS
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.tenancy.scope import current_scope


def plugin_is_on(plugins: PluginRuntime) -> Callable[[str], bool]:
    """A function that tells whether pages of a plugin answer for the request's tenant."""

    def is_on(plugin: str) -> bool:
        scope = current_scope()
        return scope is not None and plugins.enablement.view(scope.tenant_id).shows(plugin)

    return is_on


def register_screens(system: Any) -> Callable[[OmsAppBuilder], None]:
    """A function that adds every screen and REST resource to the application, the core's and the plugins'."""

    def register(builder: OmsAppBuilder) -> None:
        register_all(builder, system)
        register_plugin_pages(builder, system.plugins, threads=system.settings.web_threads)

    return register


def web_parts(system: Any) -> WebParts:
    """What the web application is built from; `system` is the process's `System`."""
    host = system.plugins.host
    return WebParts(
        rights=system.rights,
        plugin_is_on=plugin_is_on(system.plugins),
        register=[register_screens(system)],
        template_folders=template_folders(host),
        translations=[*translation_folders(host), TRANSLATIONS],
    )


__all__ = ["build_app", "web_parts"]
