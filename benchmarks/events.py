"""Deliveries a second through queue, relay and worker, against a bare loop on the same rows.

Both sides handle the same number of deliveries of one tenant under row-level security, with one effect row each: a subscriber that takes
batches of 100, and one that gets each event in a transaction of its own. The limit is one psycopg connection that picks due rows with SKIP
LOCKED, writes the effects, marks the rows done and commits; ours is one relay and one working process, with order, attempts and guards.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import create_engine, make_url, text

from benchmarks.measure import Figure, Options, compared, report, timed
from core.runtime.db.base import metadata
from core.runtime.db.embedded import EmbeddedPostgres, Endpoints
from core.runtime.db.rls import tenant_policy, wall_statements
from core.runtime.events import EventDraft, Subscriber, SubscriberRegistry, emit
from core.runtime.events.handling import DeliveredEvent, LocalContext
from core.runtime.events.models import Delivery, Event, Inbox, ScheduleTick
from core.runtime.events.processes import EventRuntime, serve_relay, serve_worker
from core.runtime.jobs.embedded import EmbeddedValkey
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import Scope

SCOPE = Scope(1, "bench")
TABLES = tuple(model.__tablename__ for model in (Tenant, Event, Delivery, Inbox, ScheduleTick))
ROUNDS, WARM = 7, 1

_ADD = "INSERT INTO effect (tenant_id, event_id) SELECT 1, unnest(CAST({} AS uuid[]))"
_PICK = """
SELECT d.id, e.id, e.kind, e.subject_id, e.payload FROM delivery d JOIN event e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
WHERE d.tenant_id = 1 AND d.subscriber = %s AND d.state = 'pending' AND d.next_at <= now()
ORDER BY d.next_at, d.id LIMIT %s FOR UPDATE OF d SKIP LOCKED
"""
_DONE = "UPDATE delivery SET state = 'done', finished_at = now() WHERE tenant_id = 1 AND id = ANY(%s)"


def _leave_effects(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
    ctx.session.connection().execute(text(_ADD.format(":ids")), {"ids": [event.id for event in events]})


@dataclass(frozen=True, slots=True)
class Work:
    """One way of handling: so many deliveries a transaction, so many deliveries a round."""

    name: str
    key: str
    batch: int
    count: int
    target: float

    def subscriber(self) -> Subscriber:
        return Subscriber(key=self.key, events=(f"{self.key}.",), handle=_leave_effects, batch=self.batch)


WORKS = (Work("batches of 100", "bench.batch", 100, 8_000, 4.0), Work("one transaction each", "bench.one", 1, 600, 3.0))
REGISTRY = SubscriberRegistry(tuple(work.subscriber() for work in WORKS))


def run(options: Options) -> None:
    """Measure both ways of handling and print them."""
    with _servers() as (cluster, queue_url):
        endpoints = cluster.endpoints()
        _make_schema(endpoints)
        workers = _Processes(endpoints, queue_url)
        try:
            figures = [_measure(_scaled(work, options), cluster, endpoints, workers, options.rounds(ROUNDS)) for work in WORKS]
        finally:
            workers.end()
    report("events", figures, json=options.json)


def _scaled(work: Work, options: Options) -> Work:
    return replace(work, count=work.batch * 2) if options.is_brief else work


def _measure(work: Work, cluster: EmbeddedPostgres, endpoints: Endpoints, workers: _Processes, rounds: int) -> Figure:
    database = Database(endpoints.app_url, pool_size=1)
    address = make_url(endpoints.app_url).set(drivername="postgresql").render_as_string(hide_password=False)
    ours: list[float] = []
    limit: list[float] = []
    with psycopg.connect(address) as connection, cluster.superuser() as keeper:
        for number in range(WARM + rounds):
            sides: list[tuple[list[float], Callable[[], float]]] = [
                (ours, lambda: workers.time(lambda: _wait_until_done(keeper))),
                (limit, lambda: timed(lambda: _drain(connection, work))),
            ]
            for taken, side in sides if number % 2 else sides[::-1]:
                _fill(database, keeper, work)
                seconds = side()
                if number >= WARM:
                    taken.append(seconds)
        _check(keeper)
    database.dispose()
    return compared(work.name, ours, limit, items=work.count, target=work.target, worst_ratio=_worst(ours, limit))


def _worst(ours: Sequence[float], limit: Sequence[float]) -> float:
    return round(max(mine / theirs for mine, theirs in zip(ours, limit, strict=True)), 2)


def _fill(database: Database, keeper: psycopg.Connection[Any], work: Work) -> None:
    """Write due deliveries; then leave nothing to tidy up for either side."""
    for start in range(0, work.count, 1000):
        with database.unit(SCOPE) as session:
            numbers = range(start, min(start + 1000, work.count))
            drafts = [EventDraft(f"{work.key}.told", "thing", f"{time.time_ns()}-{number}", {"number": number}) for number in numbers]
            emit(session, drafts, registry=REGISTRY)
    keeper.execute("VACUUM (ANALYZE) delivery, event, effect")
    keeper.execute("CHECKPOINT")


def _drain(connection: psycopg.Connection[Any], work: Work) -> None:
    """The limit: pick, write, mark, commit, until nothing is due."""
    while True:
        with connection.transaction():
            connection.execute("SELECT set_config('app.tenant', '1', true)")
            rows = connection.execute(_PICK, (work.key, work.batch)).fetchall()
            if not rows:
                return
            connection.execute(_ADD.format("%s"), ([row[1] for row in rows],))
            connection.execute(_DONE, ([row[0] for row in rows],))


def _wait_until_done(keeper: psycopg.Connection[Any]) -> None:
    while keeper.execute("SELECT 1 FROM delivery WHERE state IN ('pending', 'unknown') LIMIT 1").fetchone():
        time.sleep(0.01)


def _check(keeper: psycopg.Connection[Any]) -> None:
    row = keeper.execute(
        "SELECT count(*), count(DISTINCT event_id), (SELECT count(*) FROM delivery WHERE state = 'done' AND attempts <= 1) FROM effect"
    ).fetchone()
    if row is None or len(set(row)) != 1:
        raise RuntimeError(f"effects and deliveries do not match: {row}")


class _Processes:
    """One relay and one worker, stopped while they are not measured."""

    def __init__(self, endpoints: Endpoints, queue_url: str) -> None:
        self._pids = [self._fork(serve, endpoints, queue_url) for serve in (serve_relay, serve_worker)]
        time.sleep(3.0)
        self._pause()

    def _fork(self, serve: Callable[[EventRuntime], None], endpoints: Endpoints, queue_url: str) -> int:
        pid = os.fork()
        if pid:
            return pid
        os.setpgid(0, 0)
        database = Database(endpoints.app_url, pool_size=2, name="oms-worker")
        try:
            serve(EventRuntime(database=database, relay_url=endpoints.relay_url, queue_url=queue_url, registry=REGISTRY))
        finally:
            sys.stdout.flush()
            os._exit(0)

    def time(self, wait: Callable[[], None]) -> float:
        """Seconds from when they go on until `wait` returns."""
        self._signal(signal.SIGCONT)
        try:
            return timed(wait)
        finally:
            self._pause()

    def end(self) -> None:
        """Stop both for good."""
        self._signal(signal.SIGKILL)
        for pid in self._pids:
            os.waitpid(pid, 0)

    def _pause(self) -> None:
        time.sleep(0.1)
        self._signal(signal.SIGSTOP)

    def _signal(self, number: int) -> None:
        for pid in self._pids:
            os.killpg(pid, number)


def _make_schema(endpoints: Endpoints) -> None:
    engine = create_engine(endpoints.owner_url)
    with engine.begin() as connection:
        metadata.create_all(connection, tables=[metadata.tables[name] for name in TABLES])
        connection.execute(text("CREATE TABLE effect (tenant_id int, event_id uuid, PRIMARY KEY (tenant_id, event_id))"))
        for statement in [*wall_statements(list(TABLES)), *tenant_policy("effect")]:
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO tenant (id, slug, name) VALUES (1, 'bench', 'Bench')"))
    engine.dispose()


@contextmanager
def _servers() -> Iterator[tuple[EmbeddedPostgres, str]]:
    folder = Path(tempfile.mkdtemp(prefix="oms-bench-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "pg") as cluster, EmbeddedValkey(folder / "vk") as queue:
            yield cluster, queue.url
    finally:
        shutil.rmtree(folder, ignore_errors=True)
