"""The hook by which plugins add marketplaces."""

from __future__ import annotations

from core.domain.channels.marketplace import Marketplace
from core.runtime.plugin_host.markers import hookspec


@hookspec
def register_marketplaces() -> list[Marketplace]:  # type: ignore[empty-body]
    """Kinds of sales channels that the plugin talks to; the key is the plugin's id."""
