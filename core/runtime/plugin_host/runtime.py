"""The plugin host at work: its parts for one process, wired once by the composition root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from core.kernel.clock import Clock, SystemClock
from core.runtime.plugin_host.breakers import Breakers
from core.runtime.plugin_host.calls import AsideCall, Calls
from core.runtime.plugin_host.containment import LET_THROUGH
from core.runtime.plugin_host.context import HttpClient, PluginContext
from core.runtime.plugin_host.contexts import Contexts, HttpNeeds
from core.runtime.plugin_host.enablement import Enablement
from core.runtime.plugin_host.errors import ConfigInvalid, PluginNotUsable
from core.runtime.plugin_host.host import PluginHost
from core.runtime.plugin_host.http import Egress, PluginHttp
from core.runtime.plugin_host.in_flight import deliveries_of
from core.runtime.plugin_host.journal import Announce, Journal, Who, say_nothing
from core.runtime.plugin_host.problems import Problem
from core.runtime.plugin_host.quotas import Quotas
from core.runtime.plugin_host.transport import Transport
from core.runtime.plugin_host.verdicts import Outcome, Site
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import require_scope

Counter = Callable[[Session, str], int]


@dataclass(frozen=True)
class RuntimeOptions:
    """What the composition root decides about plugins at work.

    `egress_allow` are host:port pairs (`*` as wildcard port) that plugins may reach although they are private or unencrypted.
    `in_flight` counts unfinished work of a plugin, by kind of work, besides its deliveries. `announce(session, kind, payload)` emits an
    event in the session's transaction. `let_through` are the exceptions by which a watchdog stops a call.
    """

    egress_allow: tuple[str, ...] = ()
    in_flight: Mapping[str, Counter] = field(default_factory=dict)
    announce: Announce = say_nothing
    let_through: tuple[type[BaseException], ...] = LET_THROUGH
    journal_writes_by_itself: bool = True


class PluginRuntime:
    """Everything that works with plugins in this process. Safe for threads; `flush` before a process leaves by `os._exit`."""

    def __init__(self, host: PluginHost, database: Database, options: RuntimeOptions | None = None, *, clock: Clock | None = None) -> None:
        self.host = host
        self.database = database
        self.options = options or RuntimeOptions()
        self.clock: Clock = clock or SystemClock()
        self.is_recorded = False  # whether this process has written down what is installed
        self.enablement = Enablement(database, host)
        self.journal = Journal(database, self.clock, writes_by_itself=self.options.journal_writes_by_itself, announce=self._announce)
        self.breakers = Breakers(database, self.journal)
        self.egress = Egress(Transport(self.options.egress_allow), Quotas(database), self.breakers, self.journal, self.clock)
        self.contexts = Contexts(host, self.journal, self.clock, self._make_http, self.egress.transport.check)
        self.calls = Calls(database, self.journal, self.breakers, self.clock, let_through=self.options.let_through)
        host.follow(self.enablement)

    def context(self, session: Session, plugin: str, *, instance: str = "main", **options: Any) -> PluginContext:
        """The context for one call of the plugin; options as of `Contexts.make`."""
        return self.contexts.make(session, plugin, instance=instance, **options)

    def call(self, session: Session, plugin: str, site: Site, function: Callable[..., Any], *args: Any, instance: str = "main") -> Outcome:
        """Make a context and call `function(ctx, *args)` in the session's transaction, as `Calls.inside` does.

        Settings that no longer fit the plugin's schema, and a plugin that cannot be used, are the outcome's error, too.
        """
        try:
            context = self.context(session, plugin, instance=instance)
        except ConfigInvalid as error:
            facts = {"fields": sorted(error.facts["errors"])}
            self.journal.report(self._who(plugin, instance), Problem("settings", error.code, facts=facts, fix="configure"))
            return Outcome(error=error)
        except PluginNotUsable as error:
            return Outcome(error=error)
        return self.calls.inside(context, site, function, *args)

    def call_aside(self, calls: list[AsideCall], *, budget_s: float) -> list[Outcome]:
        """Make calls for a page, as `Calls.aside` does."""
        return self.calls.aside(calls, lambda session, who: self.context(session, who.plugin, instance=who.instance), budget_s=budget_s)

    def in_flight(self, session: Session, plugin: str) -> dict[str, int]:
        """Unfinished work of the plugin at the session's tenant, by kind of work; kinds without any are left out."""
        counters: dict[str, Counter] = {"deliveries": partial(deliveries_of, self.host), **self.options.in_flight}
        counts = {name: count(session, plugin) for name, count in counters.items()}
        return {name: count for name, count in counts.items() if count}

    def flush(self) -> None:
        """Write down what is only in memory."""
        self.breakers.flush()
        self.journal.flush()

    def _announce(self, session: Session, kind: str, payload: Mapping[str, Any]) -> None:
        self.options.announce(session, kind, payload)

    def _who(self, plugin: str, instance: str) -> Who:
        scope = require_scope()
        return Who(scope.tenant_id, scope.slug, plugin, instance)

    def _make_http(self, needs: HttpNeeds) -> HttpClient:
        return PluginHttp(self.egress, needs)
