"""Calling plugins: every call is isolated, timed, noted, and refused while the plugin keeps failing.

Two ways, because a thread can be waited for but not stopped:
  `Calls.inside`   in the caller's transaction, under a savepoint; the time is measured, a hang is the worker's watchdog's business.
  `Calls.aside`    for pages: each call in a thread of its own, reading in a session of its own; who is late is left behind.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.kernel.clock import Clock
from core.runtime.plugin_host.breakers import Breakers, Target
from core.runtime.plugin_host.containment import LET_THROUGH, Attempt, attempt
from core.runtime.plugin_host.context import PluginContext
from core.runtime.plugin_host.errors import BreakerOpen, PluginSlow, PluginTripped, TransactionGuarded
from core.runtime.plugin_host.guarded import guarding, real_session, unguarded
from core.runtime.plugin_host.journal import CallRecord, Journal, Who
from core.runtime.plugin_host.verdicts import Outcome, Site, Verdicts
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import require_scope

PAGE_BUDGET_S = 0.3
INSIDE_BUDGET_S = 2.0
MAX_LEFT_BEHIND = 2

ContextMaker = Callable[[Session, Who], PluginContext]


@dataclass(frozen=True, slots=True)
class AsideCall:
    """One call to make aside: `function(ctx, *args)` for the set-up `who`."""

    who: Who
    site: Site
    function: Callable[..., Any]
    args: tuple[Any, ...] = ()


@dataclass(slots=True)
class _Running:
    """A call in its thread; `tried` is there once it has ended."""

    call: AsideCall
    was_probe: bool
    started_at: datetime
    began: float
    thread: threading.Thread | None = None
    tried: Attempt[Any] | None = None
    elapsed_s: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)


class Calls:
    """The door through which all plugin code is called at run time. Safe for threads.

    `let_through` are exceptions by which the process stops a call from outside (a worker's watchdog); they pass through.
    """

    def __init__(
        self,
        database: Database,
        journal: Journal,
        breakers: Breakers,
        clock: Clock,
        *,
        let_through: tuple[type[BaseException], ...] = LET_THROUGH,
    ) -> None:
        self._database = database
        self._breakers = breakers
        self._clock = clock
        self.verdicts = Verdicts(journal, breakers)
        self._let_through = let_through
        self._left_behind: dict[str, list[threading.Thread]] = {}
        self._lock = threading.Lock()

    def inside(
        self, ctx: PluginContext, site: Site, function: Callable[..., Any], *args: Any, budget_s: float = INSIDE_BUDGET_S
    ) -> Outcome:
        """Call `function(ctx, *args)` in the transaction of `ctx.session`, or without one when there is none.

        What it wrote stays only when it returns normally and its rows can be flushed; otherwise it is undone and the transaction goes on as
        before. Nothing the plugin raises comes out. Taking longer than `budget_s` counts as a failure, but the value is returned.
        Raises: TransactionGuarded - the plugin ended the transaction by force, so this unit of work must be given up; DBAPIError - the
        connection to the database is gone.

        A page of one plugin may show pieces of another: the call inside a call is the host's work, not the outer plugin's.
        """
        with unguarded():
            return self._inside(ctx, site, function, args, budget_s)

    def _inside(self, ctx: PluginContext, site: Site, function: Callable[..., Any], args: tuple[Any, ...], budget_s: float) -> Outcome:
        who = Who(ctx.tenant_id, ctx.tenant_slug, ctx.plugin, ctx.instance)
        try:
            was_probe = site.trips and self._breakers.admit(Target(who, str(site)))
        except BreakerOpen as resting:
            return _rests(who, site, resting)
        started_at, began = self._clock.now(), time.monotonic()
        session = real_session(ctx.session)
        if session is None:
            tried = self._guarded(who.plugin, function, ctx, args)
        else:
            tried = self._under_savepoint(session, who.plugin, function, ctx, args)
        elapsed_s = time.monotonic() - began
        record = CallRecord(site.kind, site.name, "", started_at, elapsed_s, trace=require_scope().trace)
        return self.verdicts.judge(who, site, record, tried, is_late=elapsed_s > budget_s, was_probe=was_probe)

    def bare(self, ctx: PluginContext, site: Site, function: Callable[..., Any], *args: Any, budget_s: float, subject: str = "") -> Outcome:
        """Call `function(ctx, *args)` guarded, timed and noted, without a savepoint and without resting the plugin.

        For callers that bring a transaction of their own for this one call, and their own way with failures, as events do.
        """
        who = Who(ctx.tenant_id, ctx.tenant_slug, ctx.plugin, ctx.instance)
        started_at, began = self._clock.now(), time.monotonic()
        tried = self._guarded(who.plugin, function, ctx, args)
        elapsed_s = time.monotonic() - began
        record = CallRecord(site.kind, site.name, "", started_at, elapsed_s, subject=subject, trace=require_scope().trace)
        quiet = replace(site, trips=False)
        return self.verdicts.judge(who, quiet, record, tried, is_late=elapsed_s > budget_s, was_probe=False)

    def aside(self, calls: Sequence[AsideCall], make_context: ContextMaker, *, budget_s: float = PAGE_BUDGET_S) -> list[Outcome]:
        """Make the calls side by side and wait at most `budget_s` for all of them; one outcome each, in the same order.

        Each works in a thread with a session of its own for the open scope's tenant, which is rolled back: what it writes is lost. A call
        that is late ends as `PluginSlow` and its thread is left to itself; a plugin with too many of those is not called until they end.
        """
        with unguarded():
            runs = [self._started(call, make_context) for call in calls]
            deadline = time.monotonic() + budget_s
            return [run if isinstance(run, Outcome) else self._awaited(run, deadline) for run in runs]

    def _started(self, call: AsideCall, make_context: ContextMaker) -> _Running | Outcome:
        with self._lock:
            stuck = [thread for thread in self._left_behind.get(call.who.plugin, ()) if thread.is_alive()]
            self._left_behind[call.who.plugin] = stuck
        if len(stuck) >= MAX_LEFT_BEHIND:
            return Outcome(error=PluginTripped(plugin=call.who.plugin, site=str(call.site)))
        try:
            was_probe = call.site.trips and self._breakers.admit(Target(call.who, str(call.site)))
        except BreakerOpen as resting:
            return _rests(call.who, call.site, resting)
        run = _Running(call, was_probe, self._clock.now(), time.monotonic())
        run.thread = threading.Thread(
            target=copy_context().run, args=(self._run_aside, run, make_context), name=f"plugin-{call.who.plugin}", daemon=True
        )
        run.thread.start()
        return run

    def _run_aside(self, run: _Running, make_context: ContextMaker) -> None:
        def work() -> Any:
            with self._database.make_session() as session:
                ctx = make_context(session, run.call.who)
                with guarding(run.call.who.plugin):
                    return run.call.function(ctx, *run.call.args)

        run.tried = attempt(work, let_through=())
        run.elapsed_s = time.monotonic() - run.began
        run.ended.set()

    def _awaited(self, run: _Running, deadline: float) -> Outcome:
        call = run.call
        has_ended = run.ended.wait(max(0.0, deadline - time.monotonic()))
        tried, elapsed_s = run.tried, run.elapsed_s
        if not has_ended or tried is None:
            tried, elapsed_s = Attempt(None, PluginSlow(plugin=call.who.plugin, site=str(call.site))), time.monotonic() - run.began
            with self._lock:
                self._left_behind.setdefault(call.who.plugin, []).extend([run.thread] if run.thread is not None else [])
        record = CallRecord(call.site.kind, call.site.name, "", run.started_at, elapsed_s, trace=require_scope().trace)
        return self.verdicts.judge(call.who, call.site, record, tried, is_late=not has_ended, was_probe=run.was_probe)

    def _guarded(self, plugin: str, function: Callable[..., Any], ctx: PluginContext, args: tuple[Any, ...]) -> Attempt[Any]:
        def work() -> Any:
            with guarding(plugin):
                return function(ctx, *args)

        # A copy of the context, so that what the plugin sets in it (a tenant scope, for one) ends with the call.
        return attempt(copy_context().run, work, let_through=self._let_through)

    def _under_savepoint(
        self, session: Session, plugin: str, function: Callable[..., Any], ctx: PluginContext, args: tuple[Any, ...]
    ) -> Attempt[Any]:
        nested = session.begin_nested()
        connection = session.connection()  # sets the savepoint now; by itself it comes with the first statement: the plugin's
        root = connection.get_transaction()
        try:
            tried = self._guarded(plugin, function, ctx, args)
        except BaseException:  # containment: the savepoint must not outlive the call
            nested.rollback()
            raise
        is_open = session.get_nested_transaction() is nested and root is not None and root.is_active
        if not is_open or connection.get_transaction() is not root:
            raise TransactionGuarded(plugin=plugin, action="end the transaction") from tried.error
        if tried.error is None:
            finished = attempt(nested.commit)
            if finished.error is None:
                return tried
            tried = Attempt(None, finished.error)
        error = tried.error
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise error
        if session.get_nested_transaction() is nested:
            nested.rollback()
        return tried


def _rests(who: Who, site: Site, resting: BreakerOpen) -> Outcome:
    return Outcome(error=PluginTripped(plugin=who.plugin, site=str(site), retry_after_s=resting.retry_after_s))
