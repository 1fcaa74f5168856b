"""Making the context that a plugin is handed: its tenant, activated settings, opened secrets and guarded tools."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from core.kernel.clock import Clock
from core.runtime.plugin_host.addresses import Destination
from core.runtime.plugin_host.context import AddressBook, HttpClient, PluginContext
from core.runtime.plugin_host.forms import load_values
from core.runtime.plugin_host.grants import AddressGrants, NoAddresses, granted_hosts
from core.runtime.plugin_host.guarded import GuardedSession, real_session
from core.runtime.plugin_host.host import PluginHost
from core.runtime.plugin_host.instances import find_config, find_instance
from core.runtime.plugin_host.journal import Journal, Who
from core.runtime.plugin_host.loading import LoadedPlugin
from core.runtime.plugin_host.models import PluginConfig, PluginInstance
from core.runtime.plugin_host.problems import Problem, Severity
from core.runtime.plugin_host.redaction import Redactor
from core.runtime.plugin_host.secrets import read_secrets
from core.runtime.tenancy.scope import require_scope

KEPT = 512
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Settings:
    """One version of a set-up's settings, ready to use."""

    values: Mapping[str, Any]
    secrets: Mapping[str, str]


NO_SETTINGS = Settings(_NOTHING, _NOTHING)


@dataclass(frozen=True, slots=True)
class HttpNeeds:
    """What outgoing HTTP has to know about the caller. `granted` are hosts that the tenant's people allow."""

    who: Who
    plugin: LoadedPlugin
    settings: Settings
    redactor: Redactor
    trace: str
    dry_run: bool
    granted: tuple[str, ...] = ()


class _Log:
    """`ctx.log` of one call: carries tenant and plugin, and never a secret or a buyer."""

    __slots__ = ("_logger", "_redactor")

    def __init__(self, who: Who, redactor: Redactor) -> None:
        name = f"plugins.{who.plugin}"
        self._logger = structlog.get_logger(name).bind(tenant=who.tenant_slug, plugin=who.plugin, instance=who.instance)
        self._redactor = redactor

    def info(self, event: str, **values: Any) -> None:
        self._logger.info(self._redactor.text(event), **self._redactor.value(values))

    def warning(self, event: str, **values: Any) -> None:
        self._logger.warning(self._redactor.text(event), **self._redactor.value(values))

    def error(self, event: str, **values: Any) -> None:
        self._logger.error(self._redactor.text(event), **self._redactor.value(values))


class _Reporter:
    """`ctx.problems` of one call."""

    __slots__ = ("_journal", "_who")

    def __init__(self, journal: Journal, who: Who) -> None:
        self._journal = journal
        self._who = who

    def report(
        self, key: str, code: str, *, severity: str = "error", fix: str = "", subject: str = "", facts: Mapping[str, Any] | None = None
    ) -> None:
        problem = Problem(f"own:{key}", code, cast("Severity", severity), dict(facts or {}), fix, subject)
        self._journal.report(self._who, problem)

    def resolve(self, key: str) -> None:
        self._journal.resolve(self._who, f"own:{key}")


class Contexts:
    """Makes contexts. Opened settings are kept in memory by version, which never changes once saved. Safe for threads."""

    def __init__(
        self,
        host: PluginHost,
        journal: Journal,
        clock: Clock,
        make_http: Callable[[HttpNeeds], HttpClient],
        check_address: Callable[[Destination], None],
    ) -> None:
        self._host = host
        self._journal = journal
        self._clock = clock
        self._make_http = make_http
        self._check_address = check_address
        self._kept: OrderedDict[tuple[int, UUID], Settings] = OrderedDict()
        self._lock = Lock()

    def make(
        self,
        session: Session,
        plugin: str,
        *,
        instance: str = "main",
        version: int | None = None,
        idempotency_key: str = "",
        dry_run: bool = False,
    ) -> PluginContext:
        """The context for one call in the open scope's tenant, with the session's transaction (guarded).

        `version` asks for other settings than the active ones, to test a draft. A set-up that does not exist yet has no settings.
        Raises: PluginUnknown, PluginNotUsable; ConfigInvalid - the stored settings no longer fit the plugin's schema.
        """
        scope = require_scope()
        loaded = self._host.plugin(plugin)
        own = real_session(session)
        settings = NO_SETTINGS if own is None else self._settings(own, loaded, plugin, instance, version)
        who = Who(scope.tenant_id, scope.slug, plugin, instance)
        redactor = Redactor(settings.secrets.values(), loaded.manifest.personal_fields)
        granted, addresses = self._addresses(own, loaded, who)
        return PluginContext(
            tenant_id=scope.tenant_id,
            tenant_slug=scope.slug,
            plugin=plugin,
            config=settings.values,
            secrets=settings.secrets,
            http=self._make_http(HttpNeeds(who, loaded, settings, redactor, scope.trace, dry_run, granted)),
            log=_Log(who, redactor),
            clock=self._clock,
            session=None if own is None else GuardedSession(own),
            idempotency_key=idempotency_key,
            dry_run=dry_run,
            instance=instance,
            problems=_Reporter(self._journal, who),
            addresses=addresses,
        )

    def forget(self, tenant_id: int) -> None:
        """Drop the tenant's opened settings from memory."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == tenant_id]:
                del self._kept[key]

    def _addresses(self, session: Session | None, loaded: LoadedPlugin, who: Who) -> tuple[tuple[str, ...], AddressBook]:
        if session is None or not loaded.manifest.egress_by_tenant:
            return (), NoAddresses(who.plugin)
        return granted_hosts(session, who.plugin, who.instance), AddressGrants(session, who, self._check_address)

    def _settings(self, session: Session, loaded: LoadedPlugin, plugin: str, instance: str, version: int | None) -> Settings:
        row = find_instance(session, plugin, instance)
        config = None if row is None else find_config(session, row, row.active_version if version is None else version)
        if row is None or loaded.schema is None:
            return NO_SETTINGS
        if config is None:
            return _opened(loaded, {}, {}) if version is None and not loaded.needs_settings else NO_SETTINGS
        key = (row.tenant_id, config.id)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        settings = self.open_settings(session, loaded, row, config)
        with self._lock:
            self._kept[key] = settings
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return settings

    @staticmethod
    def open_settings(session: Session, loaded: LoadedPlugin, row: PluginInstance, config: PluginConfig) -> Settings:
        """The typed settings of one version. Raises ConfigInvalid."""
        return _opened(loaded, config.values, read_secrets(session, row, config))


def _opened(loaded: LoadedPlugin, values: Mapping[str, Any], secrets: Mapping[str, str]) -> Settings:
    if loaded.schema is None:
        return NO_SETTINGS
    typed = load_values(loaded.schema, {**values, **secrets})
    own = loaded.secret_names
    return Settings(
        MappingProxyType({name: value for name, value in typed.items() if name not in own}),
        MappingProxyType({name: typed[name] for name in own if typed.get(name) is not None}),
    )
