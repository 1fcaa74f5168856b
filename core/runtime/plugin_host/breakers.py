"""Breakers shared by all processes: rows hold the state, each process keeps a short memory of what is not closed.

A success costs no database work, a failure one short transaction, and a call while all is well a look into memory that is renewed every
two seconds. Counts live in rows because worker processes come and go with every job. All times are the database's.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.runtime.plugin_host.breaker_rules import HTTP_RULE, BreakerRule, BreakerState, after_call, as_probe, wait_left_s
from core.runtime.plugin_host.errors import BreakerOpen
from core.runtime.plugin_host.journal import Journal, Who
from core.runtime.plugin_host.models import PluginBreaker
from core.runtime.plugin_host.problems import Problem
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Scope, no_scope

MEMORY_S = 2.0
PROBLEM = "breaker:"


@dataclass(frozen=True, slots=True)
class Target:
    """What a breaker protects: one host that a plugin calls for a tenant, or one kind of call into the plugin (`hook:…`)."""

    who: Who
    name: str

    @property
    def key(self) -> tuple[int, str, str]:
        return (self.who.tenant_id, self.who.plugin, self.name)


@dataclass(slots=True)
class _Memory:
    """The breakers of one tenant that are not closed, as read at `read_at`."""

    read_at: float
    troubled: frozenset[tuple[str, str]]


class Breakers:
    """All breakers of this process's tenants. Safe for threads."""

    def __init__(
        self, database: Database, journal: Journal, *, memory_s: float = MEMORY_S, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._journal = journal
        self._memory_s = memory_s
        self._tick = tick
        self._memories: dict[int, _Memory] = {}
        self._unreported: dict[tuple[int, str, str], int] = defaultdict(int)
        self._lock = Lock()

    def admit(self, target: Target) -> bool:
        """Let a call through; true when it is the probe of a breaker that is not closed.

        Raises: BreakerOpen - with `retry_after_s`; the call is not to be made and counts as no attempt.
        """
        if (target.who.plugin, target.name) not in self._troubled(target.who):
            return False
        with no_scope(), self._database.unit(Scope(target.who.tenant_id, target.who.tenant_slug)) as session:
            row, now = _locked(session, target)
            state = _state_of(row)
            wait_s = wait_left_s(state, now)
            if wait_s > 0:
                raise BreakerOpen(plugin=target.who.plugin, target=target.name, retry_after_s=round(wait_s, 3))
            if state.state == "closed":
                return False
            _store(row, as_probe(state, now))
            return True

    def succeeded(self, target: Target, rule: BreakerRule = HTTP_RULE, *, was_probe: bool = False) -> None:
        """Tell that an admitted call went well."""
        if was_probe:
            self._record(target, rule, is_ok=True)
            return
        with self._lock:
            self._unreported[target.key] += 1

    def failed(self, target: Target, rule: BreakerRule = HTTP_RULE) -> None:
        """Tell that an admitted call failed in a way that speaks against the target."""
        self._record(target, rule, is_ok=False)

    def flush(self) -> None:
        """Add the successes not told yet to those breakers that count failures at present; for processes about to end."""
        with self._lock:
            waiting, self._unreported = self._unreported, defaultdict(int)
        by_tenant: dict[int, list[tuple[str, str, int]]] = defaultdict(list)
        for (tenant_id, plugin, name), count in sorted(waiting.items()):
            by_tenant[tenant_id].append((plugin, name, count))
        for tenant_id, rows in by_tenant.items():
            with no_scope(), self._database.unit(Scope(tenant_id, "")) as session:
                for plugin, name, count in rows:
                    session.execute(
                        update(PluginBreaker)
                        .where(PluginBreaker.plugin == plugin, PluginBreaker.target == name, PluginBreaker.state == "closed")
                        .values(calls=PluginBreaker.calls + count)
                        .execution_options(synchronize_session=False)
                    )

    def forget(self, tenant_id: int | None = None) -> None:
        """Read again before the next call."""
        with self._lock:
            if tenant_id is None:
                self._memories.clear()
            else:
                self._memories.pop(tenant_id, None)

    def _troubled(self, who: Who) -> frozenset[tuple[str, str]]:
        memory, now = self._memories.get(who.tenant_id), self._tick()
        if memory is not None and now - memory.read_at < self._memory_s:
            return memory.troubled
        with no_scope(), self._database.unit(Scope(who.tenant_id, who.tenant_slug)) as session:
            rows = session.execute(select(PluginBreaker.plugin, PluginBreaker.target).where(PluginBreaker.state != "closed")).all()
        memory = _Memory(now, frozenset((row.plugin, row.target) for row in rows))
        with self._lock:
            self._memories[who.tenant_id] = memory
        return memory.troubled

    def _record(self, target: Target, rule: BreakerRule, *, is_ok: bool) -> None:
        with self._lock:
            unreported = self._unreported.pop(target.key, 0)
        with no_scope(), self._database.unit(Scope(target.who.tenant_id, target.who.tenant_slug)) as session:
            row, now = _locked(session, target)
            before = _state_of(row)
            after = after_call(before, is_ok=is_ok, now=now, rule=rule, unreported=unreported)
            _store(row, after)
        if before.state == after.state:
            return
        self.forget(target.who.tenant_id)
        if after.state == "open":
            facts = {"target": target.name, "failures": after.failures, "calls": after.calls, "cool_down_s": rule.cool_down_s}
            self._journal.report(target.who, Problem(f"{PROBLEM}{target.name}", "plugin.breaker_open", facts=facts))
        elif after.state == "closed":
            self._journal.resolve(target.who, f"{PROBLEM}{target.name}")


def _locked(session: Session, target: Target) -> tuple[PluginBreaker, datetime]:
    """The breaker's row, made if needed and locked, and the database's time."""
    session.execute(
        insert(PluginBreaker)
        .values(plugin=target.who.plugin, target=target.name)
        .on_conflict_do_nothing(index_elements=["tenant_id", "plugin", "target"])
    )
    found = session.execute(
        select(PluginBreaker, func.clock_timestamp())
        .where(PluginBreaker.plugin == target.who.plugin, PluginBreaker.target == target.name)
        .with_for_update()
    ).one()
    row: PluginBreaker = found[0]
    now: datetime = found[1]
    return row, now


def _state_of(row: PluginBreaker) -> BreakerState:
    return BreakerState(row.state, row.window_at, row.until, row.calls, row.failures, row.successes, row.openings)  # type: ignore[arg-type]


def _store(row: PluginBreaker, state: BreakerState) -> None:
    for name in ("state", "window_at", "until", "calls", "failures", "successes", "openings"):
        setattr(row, name, getattr(state, name))


def open_targets(session: Session, plugin: str) -> list[PluginBreaker]:
    """The breakers of a plugin that are not closed, for its page."""
    return list(
        session.scalars(
            select(PluginBreaker).where(PluginBreaker.plugin == plugin, PluginBreaker.state != "closed").order_by(PluginBreaker.target)
        )
    )


def reset(session: Session, plugin: str, target: str) -> bool:
    """Close a breaker by hand; true when it was not closed."""
    closed = session.execute(
        update(PluginBreaker)
        .where(PluginBreaker.plugin == plugin, PluginBreaker.target == target, PluginBreaker.state != "closed")
        .values(state="closed", until=None, calls=0, failures=0, successes=0, window_at=func.clock_timestamp())
        .returning(PluginBreaker.id)
        .execution_options(synchronize_session=False)
    )
    return len(closed.all()) == 1
