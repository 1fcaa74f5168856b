"""Setting stock aside: in one statement where every SKU lies in one place, with locks and a decision otherwise; both decide alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random

import pytest
from sqlalchemy import select

from core.domain.inventory.models import Reservation, Stock
from core.domain.inventory.rules import Demand
from core.domain.inventory.service import Movement, post, reserve
from core.kernel.ids import new_id
from core.runtime.tenancy.database import Database
from tests.factories.orders import make_sku, make_warehouse, stock_up

pytestmark = pytest.mark.database
CASES = 40


def _stocked(session, mark, levels, *, houses):
    """One SKU per level, all of it in the first house; with a second house there is an empty shelf for each, so that a choice has to be made."""
    places = [make_warehouse(session, f"{mark}-{number}", priority=number) for number in range(houses)]
    skus = [make_sku(session, f"{mark}-SKU-{number}") for number in range(len(levels))]
    for sku, level in zip(skus, levels, strict=True):
        stock_up(session, sku, places[0], level, reference=f"{mark}-in")
        for place in places[1:]:
            post(session, [Movement(sku, place, Decimal(1), "receipt", f"{mark}-in"), Movement(sku, place, Decimal(-1), "loss", f"{mark}-out")])
        session.query(Stock).filter(Stock.sku_id == sku).update({"alert_at": Decimal(2)})
    return skus


def _outcome(session, skus, batches):
    """What was granted and refused, and what the tables say afterwards; SKUs by their place in `skus`."""
    at = {sku: number for number, sku in enumerate(skus)}
    decided = []
    for batch in batches:
        demands = [Demand(group, owner, skus[number], Decimal(quantity)) for group, owner, number, quantity in batch]
        decision = reserve(session, demands)
        grants = [(one.demand.owner, at[one.demand.sku_id], one.quantity) for one in decision.grants]
        short = {group: [(at[one.sku_id], one.asked, one.free) for one in missing] for group, missing in decision.short.items()}
        decided.append((grants, short))
    kept = select(Reservation.owner, Reservation.sku_id, Reservation.quantity, Reservation.state).where(Reservation.sku_id.in_(skus))
    shelves = select(Stock.sku_id, Stock.on_hand, Stock.reserved, Stock.is_low).where(Stock.sku_id.in_(skus), Stock.on_hand > 0)
    rows = sorted((owner, at[sku], quantity, state) for owner, sku, quantity, state in session.execute(kept))
    return decided, rows, sorted((at[sku], *rest) for sku, *rest in session.execute(shelves))


@pytest.mark.parametrize("seed", range(CASES))
def test_reserve_decides_alike_when_one_statement_does_it_and_when_locks_do(world, seed):
    random, mark = Random(seed), f"case-{seed}"
    levels = [random.randint(1, 12) for _ in range(3)]
    batches = [
        [(f"o{order}", f"{mark}-o{order}-l{line}", random.randrange(3), random.randint(1, 4)) for order in orders for line in range(2)]
        for orders in (random.sample(range(8), random.randint(1, 3)) for _ in range(6))
    ]

    with world.database.unit(world.tea) as session:
        at_once = _outcome(session, _stocked(session, mark, levels, houses=1), batches)
    with world.database.unit(world.gift) as session:
        with_locks = _outcome(session, _stocked(session, mark, levels, houses=2), batches)

    assert at_once == with_locks


def test_reserve_never_oversells_when_many_want_the_same_skus(world):
    with world.database.unit(world.tea) as session:
        skus = _stocked(session, "crowd", [15, 15], houses=1)

    def want(number):
        owner = str(new_id())
        wanted = skus if number % 2 else skus[::-1]
        with database.unit(world.tea) as session:
            return len(reserve(session, [Demand(owner, owner, sku, Decimal(1)) for sku in wanted]).grants)

    database = Database(world.app_url, pool_size=8)
    try:
        with ThreadPoolExecutor(8) as crowd:
            granted = list(crowd.map(want, range(40)))
    finally:
        database.dispose()

    with world.database.unit(world.tea) as session:
        reserved = session.scalars(select(Stock.reserved).where(Stock.sku_id.in_(skus))).all()
    assert (sorted(set(granted)), granted.count(2), reserved) == ([0, 2], 15, [15, 15])
