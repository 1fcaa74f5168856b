"""Sixteen clients who all want the same SKU at the same moment: units set aside a second, and none sold twice.

Each client is a process with a connection of its own; each attempt is a transaction that reserves one unit. Ours is
`inventory.reserve`; the limit is one raw statement that changes the counter if enough is free and writes the same reservation row.
There is stock for four attempts of five, so both sides also meet the end of it. Afterwards every counter is compared with its
reservations, and the server is asked for deadlocks.
"""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from benchmarks import sample
from benchmarks.measure import Figure, Options, report, timed
from benchmarks.stage import Stage, bare, server, stage
from core.domain.catalog.models import Sku
from core.domain.inventory.rules import Demand
from core.domain.inventory.service import Movement, post, reserve
from core.kernel.collector import settle_collector
from core.kernel.ids import new_id
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Scope

CLIENTS, ATTEMPTS, ROUNDS, WARM = 16, 40, 9, 1
TARGET = 0.8
OURS, LIMIT = "ours", "limit"
_DEADLOCK = "40P01"
_ONE = Decimal(1)
_TAKE = b"""
WITH taken AS (
    UPDATE stock SET reserved = reserved + 1, updated_at = now()
    WHERE tenant_id = %(tenant)s AND sku_id = %(sku)s AND warehouse_id = %(house)s AND on_hand - reserved >= 1 RETURNING 1)
INSERT INTO reservation (tenant_id, id, owner, sku_id, warehouse_id, quantity)
SELECT %(tenant)s, %(id)s, %(owner)s, %(sku)s, %(house)s, 1 FROM taken
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What the attempts of one round came to."""

    granted: int = 0
    refused: int = 0
    deadlocks: int = 0

    def __add__(self, other: Result) -> Result:
        return Result(self.granted + other.granted, self.refused + other.refused, self.deadlocks + other.deadlocks)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the clients work."""

    url: str
    scope: Scope
    warehouse: UUID


def run(options: Options) -> None:
    """Measure both sides by turns."""
    clients, attempts = (4, 3) if options.is_brief else (CLIENTS, ATTEMPTS)
    rounds, warm = options.rounds(ROUNDS), WARM
    units = clients * attempts * 4 // 5
    with server() as cluster, stage(cluster, "hot") as at:
        house, skus = _furnish(at, 2 * (rounds + warm), units)
        before = _deadlocks(at)
        with _clients(Place(at.endpoints.app_url, at.scope, house), clients) as crowd:
            figure = _measure(crowd, skus, attempts, units, rounds=rounds, warm=warm)
        oversold = _oversold(at)
        deadlocks = _deadlocks(at) - before
    figures = [
        figure,
        Figure("units sold twice", "units", oversold, None, None, 0.0),
        Figure("deadlocks", "transactions", deadlocks, None, None, 0.0),
    ]
    report("hot_sku", figures, json=options.json)


def _measure(crowd: Crowd, skus: Sequence[UUID], attempts: int, units: int, *, rounds: int, warm: int) -> Figure:
    rates: dict[str, list[float]] = {OURS: [], LIMIT: []}
    fresh = iter(skus)
    for number in range(rounds + warm):
        for side in (OURS, LIMIT) if number % 2 else (LIMIT, OURS):
            sku = next(fresh)
            found: list[Result] = []
            seconds = timed(lambda side=side, sku=sku, found=found: found.append(crowd.go(side, sku, attempts)))  # type: ignore[misc]
            if found[0].deadlocks == 0 and found[0].granted != units:
                raise RuntimeError(f"{side}: {found[0].granted} of {units} units were taken")
            if number >= warm:
                rates[side].append(units / seconds)
    ours, limit = statistics.median(rates[OURS]), statistics.median(rates[LIMIT])
    spread = (min(rates[OURS]), max(rates[OURS]), min(rates[LIMIT]), max(rates[LIMIT]))
    notes = {"clients": len(crowd.pipes), "units_a_round": units, "attempts_a_round": len(crowd.pipes) * attempts, "rounds": rounds}
    return Figure("one SKU, many clients", "units/s", ours, limit, ours / limit, TARGET, is_rate=True, spread=spread, notes=notes)


def _furnish(at: Stage, count: int, units: int) -> tuple[UUID, list[UUID]]:
    with at.database.unit(at.scope) as session:
        house = sample.furnish(session, stocked=1).warehouse
        skus = [Sku(id=new_id(), code=f"HOT-{number:03d}", title=f"Hot {number}") for number in range(count)]
        session.add_all(skus)
        session.flush()
        post(session, [Movement(sku.id, house, Decimal(units), "receipt", "hot") for sku in skus])
        return house, [sku.id for sku in skus]


def _oversold(at: Stage) -> int:
    """Units reserved beyond what lies there, and units by which a counter differs from its reservations."""
    with at.keeper() as keeper:
        row = keeper.execute(
            "SELECT coalesce(sum(greatest(r.held - s.on_hand, 0) + abs(r.held - s.reserved)), 0) FROM stock s JOIN"
            " (SELECT sku_id, sum(quantity) AS held FROM reservation WHERE state = 'active' GROUP BY 1) r ON r.sku_id = s.sku_id"
        ).fetchone()
    return int(row[0])


def _deadlocks(at: Stage) -> int:
    with at.keeper() as keeper:
        keeper.execute("SELECT pg_stat_force_next_flush()")
        row = keeper.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
    return int(row[0])


@dataclass
class Crowd:
    """The clients, each at the other end of a pipe."""

    pipes: list[Connection]

    def go(self, side: str, sku: UUID, attempts: int) -> Result:
        """Let all of them try at once; returns what they came to when the last one is done."""
        for pipe in self.pipes:
            pipe.send((side, sku, attempts))
        return sum((pipe.recv() for pipe in self.pipes), Result())


@contextmanager
def _clients(place: Place, count: int) -> Iterator[Crowd]:
    settle_collector()
    pipes, pids = [], []
    try:
        for _ in range(count):
            mine, theirs = Pipe()
            pid = os.fork()
            if pid == 0:
                _serve(place, theirs)
            theirs.close()
            pipes.append(mine)
            pids.append(pid)
        yield Crowd(pipes)
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _serve(place: Place, pipe: Connection) -> None:
    """A client's life, which its parent ends."""
    try:
        database, connection = Database(place.url, pool_size=1, name="oms-bench"), bare(place.url)
        sides: dict[str, Callable[[UUID], bool]] = {
            OURS: lambda sku: _reserve(database, place, sku),
            LIMIT: lambda sku: _take(connection, place, sku),
        }
        while True:
            side, sku, attempts = pipe.recv()
            pipe.send(sum((_attempt(sides[side], sku) for _ in range(attempts)), Result()))
    except Exception:  # noqa: BLE001 - containment: a forked process must not go on with its parent's work
        traceback.print_exc()
    finally:
        os._exit(1)


def _attempt(take: Callable[[UUID], bool], sku: UUID) -> Result:
    try:
        return Result(granted=1) if take(sku) else Result(refused=1)
    except (DBAPIError, psycopg.Error) as error:
        if getattr(getattr(error, "orig", error), "sqlstate", None) != _DEADLOCK:
            raise
        return Result(deadlocks=1)


def _reserve(database: Database, place: Place, sku: UUID) -> bool:
    owner = str(new_id())
    with database.unit(place.scope) as session:
        return bool(reserve(session, [Demand(owner, owner, sku, _ONE)]).grants)


def _take(connection: psycopg.Connection[Any], place: Place, sku: UUID) -> bool:
    tenant = place.scope.tenant_id
    values = {"tenant": tenant, "sku": sku, "house": place.warehouse, "id": new_id(), "owner": str(new_id())}
    with connection.transaction():
        connection.execute("SELECT set_config('app.tenant', %s, true)", (str(tenant),))
        return connection.execute(_TAKE, values).rowcount == 1
