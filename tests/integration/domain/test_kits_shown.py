"""How many units of goods and kits may be sold, from what lies on the shelves."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import update

from core.domain.catalog.kits import recipes
from core.domain.catalog.models import KIT, KitItem
from core.domain.channels.pushing import free_units
from core.domain.inventory.models import Stock, Warehouse
from core.domain.inventory.rules import Demand
from core.domain.inventory.service import reserve
from core.kernel.ids import new_id
from tests.factories.orders import make_sku, make_warehouse, stock_up

pytestmark = pytest.mark.database


@pytest.fixture
def unit(world):
    """A transaction for the tea shop that is rolled back at the end."""
    with world.database.unit(world.tea) as session:
        yield session
        session.rollback()


@pytest.fixture
def gift_box(unit):
    """A kit of two tins of tea and half a metre of ribbon: (kit, tea, ribbon)."""
    tea, ribbon, kit = make_sku(unit, "TEA"), make_sku(unit, "RIBBON"), make_sku(unit, "BOX", kind=KIT)
    for component, quantity in ((tea, "2"), (ribbon, "0.5")):
        unit.add(KitItem(id=new_id(), kit_id=kit, component_id=component, quantity=Decimal(quantity)))
    unit.flush()
    return kit, tea, ribbon


def test_recipe_is_the_components_when_the_sku_is_a_kit(unit, gift_box):
    kit, tea, ribbon = gift_box
    service = make_sku(unit, "WRAPPING", is_stocked=False)

    found = recipes(unit, [kit, tea, service])

    assert {sku: dict(recipe.parts) for sku, recipe in found.items()} == {kit: {tea: 2, ribbon: Decimal("0.5")}, tea: {tea: 1}, service: {}}


@pytest.mark.parametrize(("tea_units", "ribbon_m", "kits"), [(9, "10", 4), (9, "1.4", 2), (1, "10", 0), (2, "0.499999", 0)])
def test_kit_is_sold_as_often_as_its_scarcest_component_allows(unit, gift_box, tea_units, ribbon_m, kits):
    kit, tea, ribbon = gift_box
    house = make_warehouse(unit)
    stock_up(unit, tea, house, tea_units)
    stock_up(unit, ribbon, house, ribbon_m)

    assert free_units(unit, [kit]) == {kit: kits}


def test_kit_is_not_sold_when_a_component_lies_nowhere(unit, gift_box):
    kit, tea, _ribbon = gift_box
    stock_up(unit, tea, make_warehouse(unit), 50)

    assert free_units(unit, [kit]) == {kit: 0}


def test_reserved_safety_and_closed_houses_are_not_for_sale(unit):
    sku, main, closed = make_sku(unit, "TEA"), make_warehouse(unit, "MAIN"), make_warehouse(unit, "CLOSED", priority=200)
    stock_up(unit, sku, main, 10)
    stock_up(unit, sku, closed, 100)
    unit.execute(update(Stock).where(Stock.warehouse_id == main).values(safety=Decimal(2)).execution_options(synchronize_session=False))
    reserve(unit, [Demand("o1", "line:1", sku, Decimal(3))])
    unit.execute(update(Warehouse).where(Warehouse.id == closed).values(is_active=False).execution_options(synchronize_session=False))

    assert free_units(unit, [sku]) == {sku: 5}
