"""The hooks by which plugins add pages."""

from __future__ import annotations

from core.delivery.web.descriptors import Bell, ViewSpec
from core.runtime.plugin_host.markers import hookspec


@hookspec
def register_views() -> list[ViewSpec]:  # type: ignore[empty-body]
    """Pages, with their place in the navigation. They answer 404 while the plugin is off for the tenant."""


@hookspec
def register_bell() -> Bell:  # type: ignore[empty-body]
    """What the bell of every page counts and shows."""
