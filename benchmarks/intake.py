"""Orders coming in: `orders.accept` and the way on to approved, in one transaction a batch, and the REST intake over HTTP.

Each order has three lines, a known buyer, SKUs found by the seller's code, a reservation, about thirty search words, two audit entries and
two events with the deliveries of all real subscribers, under row-level security. The limit writes the same rows (see `benchmarks.written`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from benchmarks import sample
from benchmarks.measure import Figure, Side, alternately, compared_sides, report
from benchmarks.stage import Stage, server, stage
from benchmarks.written import Limit, Written, capture
from core.domain.fulfilment import way
from core.domain.orders.intake import accept
from core.kernel.collector import settle_collector

TARGETS = {500: 2.0, 100: 2.0, 10: 2.5, 1: 3.0}
ROUNDS = {500: 9, 100: 25, 10: 60, 1: 200}


@dataclass
class Intake:
    """One batch size under way."""

    stage: Stage
    goods: sample.Goods
    seeds: Iterator[int]

    def take_in(self, session: Session, size: int) -> list[UUID]:
        """Accept a batch of new orders and move them on."""
        return advance(session, self.goods, sample.orders(size, seed=next(self.seeds)))

    def batch(self, size: int) -> Figure:
        """Measure one batch size."""
        rounds, warm = ROUNDS[size], 8
        theirs = [capture(self.stage, lambda session: self.take_in(session, size)) for _ in range(rounds + warm)]
        mine = [sample.orders(size, seed=next(self.seeds)) for _ in range(rounds + warm)]
        self.stage.tidy()
        settle_collector()  # as every process of ours does when it has been put together

        def ours(number: int) -> None:
            with self.stage.database.unit(self.stage.scope) as session:
                advance(session, self.goods, mine[number])

        with self.stage.raw() as connection:
            limit = Limit(self.stage, connection, theirs[0])
            pair = Side(ours, self.stage.backends), Side(lambda number: limit.write(theirs[number]), lambda: [limit.pid])
            alternately(rounds, *pair, warm=warm)
        return compared_sides(f"batch of {size}", *pair, items=size, target=TARGETS[size], **per_order(theirs[0]))


def advance(session: Session, goods: sample.Goods, orders: list) -> list[UUID]:
    """Accept orders and move them on; all have to arrive at approved."""
    outcomes = accept(session, goods.shop, orders, now=sample.NOON)
    ids = [outcome.order_id for outcome in outcomes if outcome.result == "created"]
    if len(way.advance(session, ids, now=sample.NOON).approved) != len(orders):
        raise RuntimeError("not every order was approved")
    return ids


def per_order(rows: Written) -> dict[str, float]:
    """Rows written for one order."""
    return {name: round(count / len(rows.orders), 1) for name, count in rows.counts.items() if name != "orders"}


def run(json: bool) -> None:
    """Measure the intake."""
    figures = []
    with server() as cluster, stage(cluster, "intake") as place:
        with place.database.unit(place.scope) as session:
            goods = sample.furnish(session)
        intake = Intake(place, goods, iter(range(1, 10_000)))
        figures += [intake.batch(size) for size in TARGETS]
    report("intake", figures, json=json)
