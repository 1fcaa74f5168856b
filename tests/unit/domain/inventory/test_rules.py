"""Which warehouse serves which demand, and what a shop may show."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.inventory.rules import Demand, Shelf, Shortage, allocate, shown_level

TEA, CUP, POT = UUID(int=1), UUID(int=2), UUID(int=3)
NORTH, SOUTH, EAST = UUID(int=11), UUID(int=12), UUID(int=13)
amounts = st.integers(1, 8_000_000).map(lambda millionths: Decimal(millionths) / 1_000_000)


def _demand(group, sku, quantity, owner=None):
    return Demand(group, owner or f"{group}/{sku.int}", sku, Decimal(quantity))


def _given(decision):
    return [(grant.demand.owner, grant.warehouse_id, grant.quantity) for grant in decision.grants]


def test_one_warehouse_serves_all_when_a_later_one_has_everything():
    shelves = [Shelf(TEA, NORTH, Decimal(5)), Shelf(CUP, NORTH, Decimal(1)), Shelf(TEA, SOUTH, Decimal(2)), Shelf(CUP, SOUTH, Decimal(2))]

    decision = allocate([_demand("o1", TEA, 2), _demand("o1", CUP, 2)], shelves)

    assert _given(decision) == [("o1/1", SOUTH, 2), ("o1/2", SOUTH, 2)]


def test_warehouses_share_in_their_order_when_none_has_everything():
    shelves = [Shelf(TEA, NORTH, Decimal(2)), Shelf(TEA, SOUTH, Decimal(2)), Shelf(TEA, EAST, Decimal(2))]

    decision = allocate([_demand("o1", TEA, 3)], shelves)

    assert _given(decision) == [("o1/1", NORTH, 2), ("o1/1", SOUTH, 1)]


def test_group_takes_nothing_when_one_of_its_demands_is_short():
    shelves = [Shelf(TEA, NORTH, Decimal(5)), Shelf(CUP, NORTH, Decimal(1))]

    decision = allocate([_demand("o1", TEA, 5), _demand("o1", CUP, 2), _demand("o1", POT, 1), _demand("o2", TEA, 5)], shelves)

    assert decision.short == {"o1": [Shortage(CUP, Decimal(2), Decimal(1)), Shortage(POT, Decimal(1), Decimal(0))]}
    assert _given(decision) == [("o2/1", NORTH, 5)]


def test_group_is_short_when_its_lines_together_ask_for_more_than_each_alone():
    decision = allocate([_demand("o1", TEA, 3, "a"), _demand("o1", TEA, 3, "b")], [Shelf(TEA, NORTH, Decimal(5))])

    assert (decision.grants, decision.short) == ([], {"o1": [Shortage(TEA, Decimal(6), Decimal(5))]})


@given(
    st.lists(st.tuples(st.sampled_from("PQRS"), st.sampled_from([TEA, CUP]), amounts), max_size=8),
    st.dictionaries(st.tuples(st.sampled_from([TEA, CUP]), st.sampled_from([NORTH, SOUTH, EAST])), amounts, max_size=6),
)
def test_allocation_gives_whole_groups_and_no_unit_twice_when_demands_are_any(asked, free):
    demands = [Demand(group, f"{group}{index}", sku, quantity) for index, (group, sku, quantity) in enumerate(asked)]

    decision = allocate(demands, [Shelf(sku, house, units) for (sku, house), units in free.items()])

    taken, served = Counter(), Counter()
    for grant in decision.grants:
        assert grant.quantity > 0
        taken[grant.demand.sku_id, grant.warehouse_id] += grant.quantity
        served[grant.demand.owner] += grant.quantity
    assert all(quantity <= free[shelf] for shelf, quantity in taken.items())
    assert served == {demand.owner: demand.quantity for demand in demands if demand.group not in decision.short}
    left = Counter()
    for (sku, _house), units in free.items():
        left[sku] += units
    for sku_and_house, quantity in taken.items():
        left[sku_and_house[0]] -= quantity
    for group in decision.short:
        wanted = Counter()
        for demand in demands:
            if demand.group == group:
                wanted[demand.sku_id] += demand.quantity
        assert any(left[sku] < quantity for sku, quantity in wanted.items())


@pytest.mark.parametrize(
    ("free", "share", "fixed", "safety", "level"),
    [
        ("10", 100, None, 0, 10),
        ("10", 50, None, 0, 5),
        ("9", 50, None, 0, 4),
        ("10", 50, None, 2, 3),
        ("10", 50, None, 9, 0),
        ("10", 0, None, 0, 0),
        ("10", 100, 3, 0, 3),
        ("2", 100, 3, 0, 2),
        ("0", 100, 3, 0, 0),
        ("-4", 100, None, 0, 0),
        ("-4", 100, 3, 0, 0),
        ("10", 100, 0, 0, 0),
        ("0.999999", 100, None, 0, 0),
        ("1.999999", 100, 2, 0, 1),
        ("7.5", 100, None, 3, 4),
    ],
)
def test_shop_shows_whole_units_by_its_rule(free, share, fixed, safety, level):
    assert shown_level(Decimal(free), share=share, fixed=fixed, safety=safety) == level


@given(amounts, st.integers(0, 100), st.none() | st.integers(0, 20), st.integers(0, 20))
def test_shop_never_shows_more_than_is_free_when_the_rule_is_any(free, share, fixed, safety):
    level = shown_level(free, share=share, fixed=fixed, safety=safety)

    assert 0 <= level <= free
    assert shown_level(free + 1, share=share, fixed=fixed, safety=safety) >= level
