"""Stock under many hands: whatever threads do at once, balance, ledger and reservations agree."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from threading import Barrier
from time import monotonic

import pytest
from sqlalchemy import func, select, update

from core.domain.inventory.errors import StockShort
from core.domain.inventory.models import LedgerEntry, Reservation, Stock
from core.domain.inventory.rules import Demand
from core.domain.inventory.service import Movement, Use, consume, post, release, reserve
from tests.factories.orders import make_sku, make_warehouse, stock_up

pytestmark = pytest.mark.database
THREADS = 8
SECONDS = 4.0
SKUS = 4


class Goods:
    """One tenant's SKUs and warehouses; not every SKU lies in every warehouse at first, and some raise an alert."""

    def __init__(self, world, scope, prefix):
        self.scope = scope
        with world.database.unit(scope) as session:
            self.houses = [make_warehouse(session, f"{prefix}-{n}", priority=n) for n in range(2)]
            self.skus = [make_sku(session, f"{prefix}-SKU-{n}") for n in range(SKUS)]
            for sku in self.skus:
                stock_up(session, sku, self.houses[0], 20)
            session.execute(update(Stock).values(alert_at=Decimal(10)).execution_options(synchronize_session=False))


class Hand:
    """One thread's work: random steps on random goods, and an own account of what each step said it did."""

    def __init__(self, world, goods, number):
        self.world, self.goods, self.number = world, goods, number
        self.random = Random(number)
        self.held = {one.scope.tenant_id: {} for one in goods}
        self.booked, self.steps = Counter(), Counter()

    def work(self):
        until = monotonic() + SECONDS
        while monotonic() < until:
            self._step(self.random.choice(self.goods))

    def _step(self, goods):
        step = self.random.choice([self._reserve, self._reserve, self._release, self._ship, self._restock])
        self.steps["all"] += 1
        try:
            with self.world.database.unit(goods.scope) as session:
                done = step(session, goods, self.held[goods.scope.tenant_id], f"{self.number}/{self.steps['all']}")
        except StockShort:
            self.steps["short"] += 1
            return
        if done is not None:
            self.steps[step.__name__] += 1
            done()

    def _reserve(self, session, goods, held, key):
        skus = self.random.sample(goods.skus, self.random.randint(1, 3))
        demands = [Demand(key, f"{key}/{n}", sku, Decimal(self.random.randint(1, 6))) for n, sku in enumerate(skus)]
        decision = reserve(session, demands)
        return (lambda: held.update({d.owner: (d.sku_id, d.quantity) for d in demands})) if decision.grants else None

    def _release(self, session, _goods, held, _key):
        owners = self.random.sample(sorted(held), min(len(held), 3))
        if not owners:
            return None
        assert release(session, owners) == {owner: held[owner][1] for owner in owners}
        return lambda: [held.pop(owner) for owner in owners]

    def _ship(self, session, goods, held, key):
        if not held:
            return None
        owner = self.random.choice(sorted(held))
        sku, quantity = held[owner]
        part = Decimal(self.random.randint(1, int(quantity)))
        assert consume(session, [Use(owner, sku, part)], reference=key) == {sku: part}

        def done():
            self.booked[goods.scope.tenant_id, sku] -= part
            held.pop(owner)
            if part < quantity:
                held[owner] = (sku, quantity - part)

        return done

    def _restock(self, session, goods, _held, key):
        skus = self.random.sample(goods.skus, 2)
        moves = [Movement(sku, self.random.choice(goods.houses), Decimal(self.random.choice([-3, 2, 4])), "receipt", key) for sku in skus]
        assert post(session, moves) == 2
        return lambda: self.booked.update({(goods.scope.tenant_id, move.sku_id): move.delta for move in moves})


def _sums(session, column, model, *where):
    statement = select(model.sku_id, model.warehouse_id, func.sum(column)).where(*where).group_by(model.sku_id, model.warehouse_id)
    return {(sku, house): total for sku, house, total in session.execute(statement)}


def _without_zeros(sums):
    return {key: total for key, total in sums.items() if total}


def test_stock_agrees_with_ledger_and_reservations_when_threads_do_everything_at_once(world):
    goods = [Goods(world, world.tea, "TEA"), Goods(world, world.gift, "GIFT")]
    hands = [Hand(world, goods, number) for number in range(THREADS)]

    with ThreadPoolExecutor(THREADS) as pool:
        for running in [pool.submit(hand.work) for hand in hands]:
            running.result()

    steps = sum((hand.steps for hand in hands), Counter())
    assert {"_reserve", "_release", "_ship", "_restock"} <= set(steps)
    for one in goods:
        tenant = one.scope.tenant_id
        with world.database.unit(one.scope) as session:
            on_hand, reserved = _sums(session, Stock.on_hand, Stock), _sums(session, Stock.reserved, Stock)
            ledger = _sums(session, LedgerEntry.delta, LedgerEntry)
            active = _sums(session, Reservation.quantity, Reservation, Reservation.state == "active")
        assert _without_zeros(on_hand) == _without_zeros(ledger)
        assert _without_zeros(reserved) == active
        assert all(0 <= reserved[shelf] <= on_hand[shelf] for shelf in on_hand)
        assert {sku for sku, _house in [*on_hand, *ledger, *active]} == set(one.skus)
        for sku in one.skus:
            booked = sum(hand.booked[tenant, sku] for hand in hands)
            kept = sum(quantity for hand in hands for held, quantity in hand.held[tenant].values() if held == sku)
            assert sum(total for (found, _house), total in on_hand.items() if found == sku) == 20 + booked
            assert sum(total for (found, _house), total in active.items() if found == sku) == kept


def test_last_units_go_to_exactly_those_who_fit_when_all_ask_at_once(world):
    with world.database.unit(world.tea) as session:
        sku, house = make_sku(session, "LAST"), make_warehouse(session, "LAST")
        stock_up(session, sku, house, 7)
    start = Barrier(THREADS)

    def ask(number):
        start.wait()
        with world.database.unit(world.tea) as session:
            return len(reserve(session, [Demand(str(number), f"last/{number}", sku, Decimal(2))]).grants)

    with ThreadPoolExecutor(THREADS) as pool:
        served = sum(pool.map(ask, range(THREADS)))

    with world.database.unit(world.tea) as session:
        shelf = session.execute(select(Stock.on_hand, Stock.reserved).where(Stock.sku_id == sku)).one()
    assert (served, shelf) == (3, (7, 6))
