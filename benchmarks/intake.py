"""Orders coming in: `orders.accept` and the way on to approved, in one transaction a batch; and the REST intake.

Each order has three lines, a known buyer, SKUs found by the seller's code, a reservation, about fifty search words, two audit entries and
two events with the deliveries of all real subscribers, under row-level security. The REST intake is asked as a program with an API token
asks it, through the complete application without a network between; it accepts, and workers move the orders on later, so fewer rows are
written. The limit writes the same rows (see `benchmarks.written`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session
from werkzeug.test import create_environ, run_wsgi_app

from benchmarks import sample
from benchmarks.measure import Figure, Options, Side, alternately, compared_sides, report
from benchmarks.stage import HOST, Stage, server, stage
from benchmarks.written import Limit, Written, capture
from core.domain.fulfilment import way
from core.domain.orders.intake import accept
from core.domain.orders.normalised import NormalisedOrder
from core.kernel.collector import settle_collector
from core.runtime.security.tokens import NewToken, create_token

TARGETS = {500: 2.0, 100: 2.0, 10: 2.5, 1: 3.0}
ROUNDS = {500: 9, 100: 25, 10: 60, 1: 200}
REST_TARGETS = {100: 3.0, 1: 4.0}
WARM = 8


@dataclass
class Intake:
    """One batch size under way."""

    stage: Stage
    goods: sample.Goods
    seeds: Iterator[int]
    options: Options

    def take_in(self, session: Session, size: int) -> list[UUID]:
        """Accept a batch of new orders and move them on."""
        return advance(session, self.goods, sample.orders(size, seed=next(self.seeds)))

    def batch(self, size: int) -> Figure:
        """Measure one batch size in this process."""
        mine = self._orders(size)

        def ours(number: int) -> None:
            with self.stage.database.unit(self.stage.scope) as session:
                advance(session, self.goods, mine[number])

        return self._compared(f"batch of {size}", size, TARGETS[size], ours, self.take_in)

    def rest(self, size: int, secret: str) -> Figure:
        """Measure one size of request to the REST intake, with the text of an API token."""
        application = self.stage.web().wsgi_app
        bodies = [json.dumps({"shop": "bench", "orders": [sample.as_json(order) for order in batch]}) for batch in self._orders(size)]
        headers = {"Authorization": f"Bearer {secret}"}
        asked = [
            create_environ("/t/bench/api/v1/orders/bulk", HOST, method="POST", data=body, headers=headers, content_type="application/json")
            for body in bodies
        ]

        def ours(number: int) -> None:
            answer, status, _headers = run_wsgi_app(application, asked[number], buffered=True)
            if not status.startswith("200") or json.loads(b"".join(answer))["counts"] != {"created": size}:
                raise RuntimeError(f"the intake answered {status}")

        return self._compared(f"REST, {size} a request", size, REST_TARGETS[size], ours, self._accept)

    def _accept(self, session: Session, size: int) -> list[UUID]:
        outcomes = accept(session, self.goods.shop, sample.orders(size, seed=next(self.seeds)), now=sample.NOON)
        return [outcome.order_id for outcome in outcomes if outcome.order_id is not None]

    def token(self) -> str:
        """Make an API token that may take orders in."""
        user = self.stage.member("program@bench.example", "admin")
        with self.stage.database.unit(self.stage.scope) as session:
            new = NewToken("bench", ("orders.import",))
            return create_token(session, self.stage.system.rights, new, user_id=user, now=datetime.now(UTC))[1]

    def _orders(self, size: int) -> list[list[NormalisedOrder]]:
        count = self.options.rounds(ROUNDS[size]) + self.options.rounds(WARM)
        return [sample.orders(size, seed=next(self.seeds)) for _ in range(count)]

    def _compared(
        self, name: str, size: int, target: float, ours: Callable[[int], None], work: Callable[[Session, int], list[UUID]]
    ) -> Figure:
        rounds, warm = self.options.rounds(ROUNDS[size]), self.options.rounds(WARM)
        theirs = [capture(self.stage, lambda session: work(session, size)) for _ in range(rounds + warm)]
        self.stage.tidy()
        settle_collector()  # as every process of ours does when it has been put together
        with self.stage.raw() as connection:
            limit = Limit(self.stage, connection, theirs[0])
            pair = Side(ours, self.stage.backends), Side(lambda number: limit.write(theirs[number]), lambda: [limit.pid])
            alternately(rounds, *pair, warm=warm)
        return compared_sides(name, *pair, items=size, target=target, **per_order(theirs[0]))


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


def run(options: Options) -> None:
    """Measure the intake."""
    with server() as cluster, stage(cluster, "intake") as place:
        with place.database.unit(place.scope) as session:
            goods = sample.furnish(session)
        intake = Intake(place, goods, iter(range(1, 10_000)), options)
        sizes = [size for size in TARGETS if size <= 10 or not options.is_brief]
        figures = [intake.batch(size) for size in sizes]
        secret = intake.token()
        figures += [intake.rest(size, secret) for size in REST_TARGETS if size <= 10 or not options.is_brief]
    report("intake", figures, json=options.json)
