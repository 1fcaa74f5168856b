"""The journal: what plugins did and how it went, gathered in memory and written in transactions of its own.

It is written apart from the business transaction on purpose: a failure must be seen although its transaction rolled back, and a counter
that every call touches must not make calls wait for each other. What is in memory when a process is killed is lost; troubles come again.
Workers that leave by `os._exit` call `flush` first.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.kernel.clock import Clock
from core.kernel.errors import OrderloomError
from core.runtime.db.bulk import insert_rows
from core.runtime.plugin_host.models import PluginCall, PluginUse
from core.runtime.plugin_host.problems import Problem, report, resolve
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Scope, no_scope

FLUSH_EVERY_S = 0.5
MAX_WAITING = 5_000
PROBLEM_EVENT = "plugin.problem"
_log = structlog.get_logger(__name__)


Announce = Callable[[Session, str, Mapping[str, Any]], None]
"""Emits an event, kind and payload, in the session's transaction."""


def say_nothing(_session: Session, _kind: str, _payload: Mapping[str, Any]) -> None:
    """Where no event path is wired, as in offline commands."""


@dataclass(frozen=True, slots=True)
class Who:
    """One set-up of a plugin at one tenant."""

    tenant_id: int
    tenant_slug: str
    plugin: str
    instance: str = "main"


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call. `kind` is hook, lifecycle, http or a kind of contribution; `outcome` ok, failed, refused or slow."""

    kind: str
    name: str
    outcome: str
    started_at: datetime
    elapsed_s: float
    code: str = ""
    subject: str = ""
    trace: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def elapsed_ms(self) -> int:
        """Whole milliseconds."""
        return round(self.elapsed_s * 1000)


@dataclass(slots=True)
class _Use:
    calls: int = 0
    failures: int = 0
    total_ms: int = 0
    max_ms: int = 0


@dataclass(slots=True)
class _Pages:
    """What waits to be written for one tenant."""

    calls: list[tuple[Who, CallRecord]] = field(default_factory=list)
    uses: dict[tuple[Who, str, str, datetime], _Use] = field(default_factory=dict)
    problems: dict[tuple[Who, str], Problem] = field(default_factory=dict)
    resolved: dict[tuple[Who, str], None] = field(default_factory=dict)


class Journal:
    """Safe for threads and for forks. A problem that was not open before is announced as `plugin.problem`.

    Nothing here raises into the caller: a journal that cannot be written is logged and dropped.
    """

    def __init__(self, database: Database, clock: Clock, *, writes_by_itself: bool = True, announce: Announce = say_nothing) -> None:
        self._database = database
        self._announce = announce
        self._clock = clock
        self._writes_by_itself = writes_by_itself
        self._pages: dict[tuple[int, str], _Pages] = {}
        self._waiting = 0
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._pid = 0

    def note(self, who: Who, call: CallRecord, *, keep: bool = True) -> None:
        """Count a call, and with `keep` remember it in full."""
        with self._lock:
            pages = self._pages_of(who)
            use = pages.uses.setdefault((who, call.kind, call.name, _hour(call.started_at)), _Use())
            use.calls += 1
            use.failures += call.outcome != "ok"
            use.total_ms += call.elapsed_ms
            use.max_ms = max(use.max_ms, call.elapsed_ms)
            if keep:
                pages.calls.append((who, call))
                self._waiting += 1
        self._stir()

    def report(self, who: Who, problem: Problem) -> None:
        """Note a problem; repeats before the next writing are counted together."""
        with self._lock:
            waiting = self._pages_of(who).problems
            known = waiting.get((who, problem.key))
            waiting[(who, problem.key)] = problem if known is None else replace(problem, count=known.count + problem.count)
            self._pages_of(who).resolved.pop((who, problem.key), None)
            self._waiting += 1
        self._stir()

    def resolve(self, who: Who, key: str) -> None:
        """Close a problem, if it is open."""
        with self._lock:
            self._pages_of(who).problems.pop((who, key), None)
            self._pages_of(who).resolved[(who, key)] = None
        self._stir()

    def flush(self) -> None:
        """Write what waits, now. Never raises."""
        with self._writing:
            with self._lock:
                pages, self._pages, self._waiting = self._pages, {}, 0
            for (tenant_id, slug), content in pages.items():
                try:
                    with no_scope(), self._database.unit(Scope(tenant_id, slug)) as session:
                        _write(session, content, self._announce)
                except (SQLAlchemyError, OrderloomError) as error:
                    _log.warning("plugin_journal.lost", tenant=slug, calls=len(content.calls), error=type(error).__name__)

    def _pages_of(self, who: Who) -> _Pages:
        return self._pages.setdefault((who.tenant_id, who.tenant_slug), _Pages())

    def _stir(self) -> None:
        """See that the writer runs in this process, and wake it early when much is waiting."""
        if not self._writes_by_itself:
            return
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._pid = os.getpid()
                    self._wake = threading.Event()
                    atexit.register(self.flush)
                    threading.Thread(target=self._write_on, name="plugin-journal", daemon=True).start()
        if self._waiting >= MAX_WAITING:
            self._wake.set()

    def _write_on(self) -> None:
        while True:
            self._wake.wait(FLUSH_EVERY_S)
            self._wake.clear()
            with suppress(Exception):  # containment: the writer of the journal must outlive a database that is away
                self.flush()


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _write(session: Session, pages: _Pages, announce: Announce) -> None:
    if pages.calls:
        insert_rows(session, PluginCall, [_call_row(who, call) for who, call in pages.calls])
    if pages.uses:
        # Sorted, so that two processes never wait for each other crosswise.
        for (who, kind, name, hour), use in sorted(pages.uses.items(), key=lambda item: (item[0][0].plugin, *item[0][1:3])):
            _add_use(session, who, {"kind": kind, "name": name, "hour": hour}, use)
    for (who, _key), problem in sorted(pages.problems.items(), key=lambda item: (item[0][0].plugin, item[0][1])):
        if report(session, who.plugin, problem, instance=who.instance):
            facts = {"key": problem.key, "code": problem.code, "severity": problem.severity, "fix": problem.fix}
            announce(session, PROBLEM_EVENT, {"plugin": who.plugin, "instance": who.instance, **facts})
    for who, key in pages.resolved:
        resolve(session, who.plugin, key, instance=who.instance)


def _call_row(who: Who, call: CallRecord) -> dict[str, Any]:
    return {
        "plugin": who.plugin,
        "instance": who.instance,
        "kind": call.kind,
        "name": call.name,
        "outcome": call.outcome,
        "code": call.code,
        "elapsed_ms": call.elapsed_ms,
        "subject": call.subject,
        "trace": call.trace,
        "detail": call.detail,
        "started_at": call.started_at,
    }


def _add_use(session: Session, who: Who, what: Mapping[str, Any], use: _Use) -> None:
    row = insert(PluginUse).values(
        plugin=who.plugin,
        instance=who.instance,
        **what,
        calls=use.calls,
        failures=use.failures,
        total_ms=use.total_ms,
        max_ms=use.max_ms,
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "plugin", "instance", "kind", "name", "hour"],
            set_={
                "calls": PluginUse.calls + row.excluded.calls,
                "failures": PluginUse.failures + row.excluded.failures,
                "total_ms": PluginUse.total_ms + row.excluded.total_ms,
                "max_ms": func.greatest(PluginUse.max_ms, row.excluded.max_ms),
            },
        )
    )


def prune(session: Session, *, now: datetime, keep_days: int = 14, keep_counts_days: int = 90) -> int:
    """Delete calls of the session's tenant older than `keep_days`, at most 5,000 at a time, and old counts; returns how many calls went."""
    oldest = now - timedelta(days=keep_counts_days)
    session.execute(delete(PluginUse).where(PluginUse.hour < oldest).execution_options(synchronize_session=False))
    old = select(PluginCall.id).where(PluginCall.started_at < now - timedelta(days=keep_days)).limit(5_000)
    gone = session.execute(
        delete(PluginCall).where(PluginCall.id.in_(old)).returning(PluginCall.id).execution_options(synchronize_session=False)
    )
    return len(gone.all())
