"""Setting stock aside: in one statement where every SKU lies in one place, with locks and a decision otherwise; both decide alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from threading import Barrier

import pytest
from sqlalchemy import func, select

from core.domain.channels.pushing import free_units
from core.domain.inventory.models import Reservation, Stock, Warehouse
from core.domain.inventory.rules import Demand
from core.domain.inventory.service import Movement, Use, consume, post, release, reserve
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


def _crowd(world, number, work):
    """Run `work(place)` in so many threads at once, each round beginning together; returns what was raised."""
    start, database = Barrier(number), Database(world.app_url, pool_size=number)
    raised = []

    def go(place):
        for turn in range(10):
            start.wait()
            try:
                with database.unit(world.tea) as session:
                    work(session, place, turn)
            except Exception as error:
                raised.append(repr(error))

    try:
        with ThreadPoolExecutor(number) as crowd:
            list(crowd.map(go, range(number)))
    finally:
        database.dispose()
    return raised


def _kept(session, sku):
    """(reserved on the shelves, units of active reservations) of a SKU."""
    shelf = session.scalar(select(func.sum(Stock.reserved)).where(Stock.sku_id == sku))
    active = select(func.sum(Reservation.quantity)).where(Reservation.sku_id == sku, Reservation.state == "active")
    return shelf, session.scalar(active)


@pytest.mark.parametrize("houses", [1, 2])
def test_reserve_counts_once_when_many_ask_for_the_same_owner_at_once(world, houses):
    with world.database.unit(world.tea) as session:
        [sku] = _stocked(session, f"same-{houses}", [1000], houses=houses)
        for shelf in session.scalars(select(Stock).where(Stock.sku_id == sku)).all():
            post(session, [Movement(sku, shelf.warehouse_id, Decimal(100), "receipt", f"more-{houses}-{shelf.warehouse_id}")])

    raised = _crowd(world, 8, lambda session, _place, turn: reserve(session, [Demand("g", f"same-{houses}/{turn}", sku, Decimal(2))]))

    with world.database.unit(world.tea) as session:
        assert (raised, _kept(session, sku)) == ([], (20, 20))


def test_reserve_and_release_of_the_same_owner_agree_when_they_meet(world):
    with world.database.unit(world.tea) as session:
        [sku] = _stocked(session, "meet", [1000], houses=1)

    def work(session, place, turn):
        if place == 7 and turn % 2:
            release(session, [f"meet/{turn - 1}", f"meet/{turn}"])
        else:
            reserve(session, [Demand("g", f"meet/{turn}", sku, Decimal(2))])

    raised = _crowd(world, 8, work)

    with world.database.unit(world.tea) as session:
        shelf, active = _kept(session, sku)
    assert (raised, shelf) == ([], active)


def test_reserve_gives_no_second_time_what_was_used_up(world):
    with world.database.unit(world.tea) as session:
        [sku] = _stocked(session, "used", [10], houses=1)
        reserve(session, [Demand("g", "used/1", sku, Decimal(2))])
        consume(session, [Use("used/1", sku, Decimal(2))], reference="parcel")

        again = reserve(session, [Demand("g", "used/1", sku, Decimal(2))])

        assert (again.grants, again.short, _kept(session, sku)) == ([], {}, (0, None))


@pytest.mark.parametrize("houses", [1, 2])
def test_inactive_warehouse_gives_nothing_and_keeps_what_is_reserved(world, houses):
    with world.database.unit(world.tea) as session:
        [sku] = _stocked(session, f"shut-{houses}", [10], houses=houses)
        reserve(session, [Demand("before", f"shut-{houses}/before", sku, Decimal(3))])
        [home] = session.scalars(select(Warehouse).where(Warehouse.code == f"shut-{houses}-0"))
        home.is_active = False
        session.flush()

        decision = reserve(session, [Demand("after", f"shut-{houses}/after", sku, Decimal(1))])

        assert (decision.grants, [(one.asked, one.free) for one in decision.short["after"]]) == ([], [(1, 0)])
        assert (free_units(session, [sku])[sku], _kept(session, sku)) == (0, (3, 3))
        assert consume(session, [Use(f"shut-{houses}/before", sku, Decimal(3))], reference=f"shut-{houses}") == {sku: 3}


def test_active_warehouse_serves_when_one_before_it_is_inactive(world):
    with world.database.unit(world.tea) as session:
        sku = make_sku(session, "DETOUR")
        shut, open_ = (make_warehouse(session, f"detour-{number}", priority=number) for number in range(2))
        for house in (shut, open_):
            stock_up(session, sku, house, 5, reference=f"detour-{house}")
        session.get_one(Warehouse, shut).is_active = False
        session.flush()

        decision = reserve(session, [Demand("g", "detour/1", sku, Decimal(4))])

        assert [(one.warehouse_id, one.quantity) for one in decision.grants] == [(open_, 4)]
        assert free_units(session, [sku])[sku] == 1
