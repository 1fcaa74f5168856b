"""The composition root: puts the parts of one process together and decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask

from config.reading import load_settings
from config.schema import ROOT, Settings
from core.delivery.composition import (
    HOOK_MODULES,
    Channels,
    all_kinds,
    all_permissions,
    all_schedules,
    core_subscribers,
    enabled_plugins,
    tell_plugin_event,
)
from core.domain.all_entities import core_entities
from core.engines.configuration import KindRegistry
from core.engines.metadata import EntityRegistry
from core.engines.metadata.bulk import bulk_actions
from core.engines.metadata.tailor import Schemas, Sights, permissions_of
from core.runtime.events import Subscriber, SubscriberRegistry, install_registry
from core.runtime.events.bulk import bulk_subscribers
from core.runtime.events.processes import EventRuntime, schedule_subscribers
from core.runtime.events.schedules import Schedule
from core.runtime.jobs.actions import ActionRegistry
from core.runtime.plugin_host.bridge import plugin_subscribers
from core.runtime.plugin_host.host import HostOptions, PluginHost
from core.runtime.plugin_host.runtime import PluginRuntime, RuntimeOptions
from core.runtime.plugin_host.worker_watch import WorkerWatch
from core.runtime.security.permissions import Rights
from core.runtime.security.vault import Vault
from core.runtime.tenancy.database import Database


@dataclass(frozen=True)
class System:
    """Everything of one process, ready to serve pages or to handle events."""

    settings: Settings
    database: Database
    plugins: PluginRuntime
    entities: EntityRegistry
    channels: Channels
    registry: SubscriberRegistry
    schedules: tuple[Schedule, ...]
    rights: Rights
    bulk: ActionRegistry
    schemas: Schemas
    kinds: KindRegistry


def compose(settings: Settings, *, name: str = "oms") -> System:
    """Put a process together; opens no connection. The subscriber registry is installed for `emit`."""
    vault = Vault.from_text(settings.master_key)
    database = Database(settings.database_url, pool_size=settings.db_pool_size, name=name, vault=vault)
    host = plugin_host(settings).boot()
    channels = Channels(database, host)
    options = RuntimeOptions(egress_allow=settings.egress_allow, announce=tell_plugin_event(host))
    plugins = PluginRuntime(host, database, options)
    channels.plugins = plugins
    entities = core_entities()
    schemas = Schemas(entities)
    schedules = tuple(all_schedules(channels, schemas))
    rights = Rights(all_permissions(host), enabled_plugins(plugins), permissions_of(schemas))
    bulk = bulk_actions(entities, Sights(schemas, rights))
    subscribers: list[Subscriber] = [
        *core_subscribers(channels),
        *bulk_subscribers(bulk),
        *schedule_subscribers(schedules),
        *plugin_subscribers(plugins),
    ]
    registry = SubscriberRegistry(tuple(subscribers), plugins.enablement.mode)
    install_registry(registry)
    kinds = all_kinds(entities)
    return System(settings, database, plugins, entities, channels, registry, schedules, rights, bulk, schemas, kinds)


def plugin_host(settings: Settings) -> PluginHost:
    """The plugin host with every hook, before it looks for plugins; needs no database."""
    return PluginHost(HostOptions(ROOT / settings.plugins_file, (ROOT / "plugins",), settings.plugins_blocked, HOOK_MODULES))


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application."""
    from core.delivery.web_composition import build_app, web_parts  # slow import: relay and workers serve no page

    system = compose(settings or load_settings(), name="oms-web")
    return build_app(system.settings, system.database, web_parts(system))


def event_runtime(settings: Settings, *, name: str) -> EventRuntime:
    """What relay and workers need."""
    system = compose(settings, name=name)
    return EventRuntime(
        database=system.database,
        relay_url=settings.relay_url,
        queue_url=settings.queue_url,
        registry=system.registry,
        schedules=system.schedules,
        watch=WorkerWatch(system.plugins, deaths=settings.worker_deaths),
        worker_deaths=settings.worker_deaths,
    )
