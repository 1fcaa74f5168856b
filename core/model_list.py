"""Every module of the core that maps tables; migrations and tests load them all, running processes load what they import."""

from __future__ import annotations

import importlib

MODULES = (
    "core.runtime.tenancy.models",
    "core.runtime.security.audit",
    "core.runtime.security.keyring",
    "core.runtime.security.models",
    "core.runtime.events.models",
    "core.runtime.jobs.models",
    "core.runtime.plugin_host.models",
    "core.engines.configuration.models",
    "core.engines.metadata.search",
    "core.engines.metadata.stored",
    "core.engines.metadata.files",
    "core.engines.metadata.layouts",
    "core.domain.catalog.models",
    "core.domain.customers.models",
    "core.domain.inventory.models",
    "core.domain.orders.models",
    "core.domain.channels.models",
    "core.domain.fulfilment.models",
    "core.delivery.api.idempotency",
)


def load_models() -> None:
    """Import every module that maps tables, so that the metadata is whole."""
    for name in MODULES:
        importlib.import_module(name)
