"""Plugins whose work kills workers: after a few deaths at a tenant, all deliveries of the plugin there wait, and its page says why.

The breaker is the same machine that calls to remote hosts have. When its time is over one message is let through as a probe: if the worker
lives, the plugin is back.
"""

from __future__ import annotations

from core.runtime.events.deaths import Watch
from core.runtime.events.subscribers import Subscriber
from core.runtime.plugin_host.breaker_rules import BreakerRule
from core.runtime.plugin_host.breakers import Target
from core.runtime.plugin_host.errors import BreakerOpen
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.problems import Problem
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.tenancy.scope import Scope

TARGET = "worker"
PROBLEM = "worker_died:"
COOL_DOWN_S = 300.0
_WINDOW_S = 3600.0


class WorkerWatch(Watch):
    """Rests a plugin at one tenant after `deaths` workers have died over its deliveries within an hour; the core's own never rest."""

    def __init__(self, runtime: PluginRuntime, *, deaths: int) -> None:
        self._runtime = runtime
        self._rule = BreakerRule(least_failures=deaths, ratio=0.0, window_s=_WINDOW_S, cool_down_s=COOL_DOWN_S, close_after=1)
        self._probed: set[tuple[int, str]] = set()

    def rest_s(self, scope: Scope, subscriber: Subscriber) -> float:
        """Seconds until the plugin may be tried again; asked from memory while all is well."""
        if subscriber.plugin is None:
            return 0.0
        target = _target(scope, subscriber.plugin)
        try:
            if self._runtime.breakers.admit(target):
                self._probed.add((scope.tenant_id, subscriber.plugin))
        except BreakerOpen as resting:
            return max(resting.retry_after_s or 0.0, 1.0)
        return 0.0

    def died(self, scope: Scope, subscriber: Subscriber, *, subject: str, deaths: int) -> None:
        """Count a death against the plugin, and leave a problem on its page."""
        if subscriber.plugin is None:
            return
        target = _target(scope, subscriber.plugin)
        facts = {"site": f"subscribers:{subscriber.key}", "deaths": deaths}
        self._runtime.journal.report(target.who, Problem(f"{PROBLEM}{subscriber.key}", "plugin.worker_died", facts=facts, subject=subject))
        self._runtime.breakers.failed(target, self._rule)
        self._runtime.flush()

    def healed(self, scope: Scope, subscriber: Subscriber) -> None:
        """The problem with this subscriber is over."""
        if subscriber.plugin is not None:
            self._runtime.journal.resolve(_target(scope, subscriber.plugin).who, f"{PROBLEM}{subscriber.key}")

    def survived(self, scope: Scope, subscriber: Subscriber) -> None:
        """A probe that the worker survives lets the plugin work again."""
        if subscriber.plugin is None or (scope.tenant_id, subscriber.plugin) not in self._probed:
            return
        self._probed.discard((scope.tenant_id, subscriber.plugin))
        target = _target(scope, subscriber.plugin)
        self._runtime.breakers.succeeded(target, self._rule, was_probe=True)
        self._runtime.journal.resolve(target.who, f"{PROBLEM}*")


def _target(scope: Scope, plugin: str) -> Target:
    return Target(Who(scope.tenant_id, scope.slug, plugin), TARGET)
