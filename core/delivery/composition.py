"""The joints between storeys that only meet at the top: used by `app.py`, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from core.delivery.api import hooks as api_hooks
from core.delivery.api import idempotency
from core.delivery.housekeeping import file_schedules, sign_in_schedules
from core.delivery.web import hooks as web_hooks
from core.domain.catalog import permissions as catalog_permissions
from core.domain.channels import hooks as channel_hooks
from core.domain.channels import permissions as channel_permissions
from core.domain.channels.desk import ChannelDesk, Link, ShopView
from core.domain.channels.errors import ShopSilent
from core.domain.channels.jobs import ChannelJobs
from core.domain.channels.marketplace import Marketplace
from core.domain.channels.refusals import refused_set_ups
from core.domain.channels.service import ensure_shop
from core.domain.customers import permissions as customer_permissions
from core.domain.fulfilment import permissions as fulfilment_permissions
from core.domain.fulfilment import subscribers as fulfilment
from core.domain.inventory import permissions as inventory_permissions
from core.domain.orders import permissions as order_permissions
from core.engines.configuration import KindRegistry
from core.engines.metadata import EntityRegistry
from core.engines.metadata.tailor import Schemas
from core.engines.metadata.tailor.kinds import metadata_kinds
from core.kernel.clock import SystemClock
from core.kernel.errors import Denied
from core.kernel.messages import N_
from core.runtime.events import EventDraft, Subscriber, emit
from core.runtime.events.schedules import Schedule
from core.runtime.plugin_host.bridge import plugin_schedules
from core.runtime.plugin_host.host import PluginHost
from core.runtime.plugin_host.housekeeping import host_schedules, host_subscribers
from core.runtime.plugin_host.journal import Announce, Who
from core.runtime.plugin_host.problems import Problem
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.verdicts import DEFECTS, NEEDS_REAUTH
from core.runtime.security.keyring import tenant_id_of
from core.runtime.security.permissions import CORE_PERMISSIONS, Permission, PermissionRegistry
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Scope

HOOK_MODULES = (channel_hooks, web_hooks, api_hooks)
_DOMAIN_PERMISSIONS = (
    order_permissions,
    fulfilment_permissions,
    inventory_permissions,
    catalog_permissions,
    customer_permissions,
    channel_permissions,
)


class Channels:
    """Marketplaces as the channel jobs need them: found by key, connected through the plugin that brought them."""

    plugins: PluginRuntime

    def __init__(self, database: Database, host: PluginHost) -> None:
        self._host = host
        self.desk = ChannelDesk(database, self._link, SystemClock())
        self.jobs = ChannelJobs(self.desk, self.marketplace, self.is_on)

    def marketplace(self, key: str) -> Marketplace | None:
        """The loaded marketplace with this key, or None."""
        return next(iter(self._host.registry.of_plugin(key, "marketplaces")), None) if key in self._host.loaded else None

    def is_on(self, tenant_id: int, plugin: str) -> bool:
        """Whether the tenant has the plugin switched on."""
        return self.plugins.enablement.is_enabled(tenant_id, plugin)

    @contextmanager
    def _link(self, scope: Scope, shop: ShopView) -> Iterator[Link]:
        marketplace = self.marketplace(shop.marketplace)
        if marketplace is None or not self._can_talk(scope.tenant_id, shop.marketplace):
            raise ShopSilent("The plugin of this shop is switched off.", shop=shop.code)
        with self.plugins.database.unit(scope) as session:
            context = self.plugins.context(session, shop.marketplace, instance=shop.instance)
            was_refused = (shop.marketplace, shop.instance) in refused_set_ups(session)
        who = Who(scope.tenant_id, scope.slug, shop.marketplace, shop.instance)
        try:
            yield Link(marketplace, marketplace.connect(context))
        except Denied as error:
            if not isinstance(error, DEFECTS):
                facts = {"site": f"marketplaces:{shop.marketplace}", "code": error.code}
                self.plugins.journal.report(who, Problem(NEEDS_REAUTH, "plugin.needs_reauth", facts=facts, fix="reconnect"))
            raise
        if was_refused:
            self.plugins.journal.resolve(who, NEEDS_REAUTH)

    def _can_talk(self, tenant_id: int, plugin: str) -> bool:
        """Whether the tenant's plugin may talk.

        A refusal ends the work for good, so it never rests on what this process knew before a flip.
        """
        enablement = self.plugins.enablement
        if enablement.view(tenant_id).can_finish(plugin):
            return True
        enablement.forget(tenant_id)
        return enablement.view(tenant_id).can_finish(plugin)


def core_subscribers(channels: Channels) -> list[Subscriber]:
    """The hearers of the core itself."""
    return [*fulfilment.subscribers(), *channels.jobs.subscribers(), *host_subscribers(channels.plugins)]


def all_schedules(channels: Channels, schemas: Schemas) -> list[Schedule]:
    """The timers of the core and of plugins."""
    plugins = channels.plugins
    own = (
        *fulfilment.schedules(),
        *channels.jobs.schedules(),
        *idempotency.schedules(),
        *sign_in_schedules(plugins.database),
        *file_schedules(schemas),
        *host_schedules(plugins),
    )
    return [*own, *plugin_schedules(plugins)]


def all_permissions(host: PluginHost) -> PermissionRegistry:
    """Every permission that a role can hold."""
    registry = PermissionRegistry(CORE_PERMISSIONS)
    for module in _DOMAIN_PERMISSIONS:
        for permission in module.PERMISSIONS:
            registry.add(permission)
    for permission in PLUGIN_PERMISSIONS:
        registry.add(permission)
    for found in host.registry.all_items("permissions"):
        registry.add(found.item)
    return registry


def all_kinds(entities: EntityRegistry) -> KindRegistry:
    """Every kind of configuration that a tenant can have."""
    return KindRegistry(metadata_kinds(entities))


PLUGIN_PERMISSIONS = (
    Permission("plugins.read", N_("See plugins and their problems"), N_("Plugins")),
    Permission("plugins.write", N_("Switch plugins on and off and set them up"), N_("Plugins")),
    Permission("jobs.read", N_("See jobs and failed deliveries"), N_("Jobs")),
    Permission("jobs.write", N_("Replay and park deliveries"), N_("Jobs")),
    Permission("config.read", N_("See how the business is set up"), N_("Business")),
    Permission("config.write", N_("Change fields, kinds of records, layouts and rules"), N_("Business")),
)


def enabled_plugins(plugins: PluginRuntime) -> Callable[[Session, int | None], frozenset[str]]:
    """A function that names the plugins that are on for a session's tenant; never older than a known epoch."""

    def names(session: Session, epoch: int | None) -> frozenset[str]:
        return plugins.enablement.view(tenant_id_of(session), epoch=epoch or 0).names

    return names


def tell_plugin_event(host: PluginHost) -> Announce:
    """What happens in the transaction of a plugin's flip: its event; and the shop that a marketplace stands for is made."""

    def announce(session: Session, kind: str, payload: Mapping[str, Any]) -> None:
        plugin = str(payload.get("plugin", ""))
        emit(session, [EventDraft(kind, "plugin", f"{plugin}/{payload.get('instance', 'main')}", dict(payload))])
        if kind == "plugin.enabled" and plugin in host.loaded:
            for marketplace in host.registry.of_plugin(plugin, "marketplaces"):
                instance = str(payload.get("instance", "main"))
                ensure_shop(session, marketplace=marketplace.key, instance=instance, title=marketplace.title, currency=marketplace.currency)

    return announce
