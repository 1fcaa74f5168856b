"""The hook by which plugins add REST resources."""

from __future__ import annotations

from core.delivery.api.descriptors import ApiSpec
from core.runtime.plugin_host.markers import hookspec


@hookspec
def register_api() -> list[ApiSpec]:  # type: ignore[empty-body]
    """Resources below `/api/v1/`. They answer 404 while the plugin is off for the tenant."""
