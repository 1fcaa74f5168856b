"""A tea shop with goods, seen by programs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.factories.orders import make_carrier, make_shop, make_sku, make_warehouse, stock_up
from tests.fixtures.programs import Program, token_program


@pytest.fixture(scope="module")
def goods(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        sku, house = make_sku(session, "TEA-100"), make_warehouse(session)
        stock_up(session, sku, house, 500)
        return SimpleNamespace(shop=shop.id, sku=sku, house=house, carrier=make_carrier(session))


@pytest.fixture(scope="module")
def owner(floor, goods) -> Program:
    return token_program(floor, floor.world.tea, "owner@tea.example")


@pytest.fixture(scope="module")
def reader(floor, goods) -> Program:
    return token_program(floor, floor.world.tea, "reader@tea.example")
