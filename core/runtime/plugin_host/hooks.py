"""The hooks that the plugin host itself owns; each runs once at start-up and returns frozen descriptors.

Other packages declare theirs in their own `hooks.py` in the same way; `app.py` hands all of them to the host. The annotation of the
return value is the contract: `list[T]`, or `T` where a plugin contributes at most one. A descriptor with a `key` uses the plugin's id
as that key or as its first part (`taobao.orders`).
"""

from __future__ import annotations

from core.runtime.events.schedules import Schedule
from core.runtime.events.subscribers import Subscriber
from core.runtime.plugin_host.descriptors import Command, Lifecycle, Seed
from core.runtime.plugin_host.markers import hookspec
from core.runtime.security.permission import Permission


@hookspec
def register_lifecycle() -> Lifecycle:  # type: ignore[empty-body]
    """What the plugin does around being checked, enabled, configured, disabled and purged."""


@hookspec
def register_permissions() -> list[Permission]:  # type: ignore[empty-body]
    """Rights that the plugin's own pages and endpoints ask for."""


@hookspec
def register_subscribers() -> list[Subscriber]:  # type: ignore[empty-body]
    """Who hears of which events. The functions get the plugin's own context (`DeliveryContext`) instead of the events' one."""


@hookspec
def register_schedules() -> list[Schedule]:  # type: ignore[empty-body]
    """What to do again and again for each tenant. The functions get the plugin's own context, as those of subscribers do."""


@hookspec
def register_commands() -> list[Command]:  # type: ignore[empty-body]
    """Commands for the `oms` command line."""


@hookspec
def register_seeds() -> list[Seed]:  # type: ignore[empty-body]
    """Rows that a tenant gets when it first enables the plugin."""
