"""Values that would mislead people later are refused when they are entered."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.domain.catalog.models import KIT
from core.domain.fulfilment.models import Carrier
from core.domain.inventory.models import Stock
from tests.factories.orders import make_sku, make_warehouse

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


def _count(floor, model):
    with floor.world.database.unit(floor.world.tea) as session:
        return session.scalar(select(func.count()).select_from(model))


def test_stock_of_a_kit_is_refused(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        values = {"sku_id": str(make_sku(session, "SET-1", kind=KIT)), "warehouse_id": str(make_warehouse(session)), "on_hand": "3"}

    answer = floor.visitor("owner@tea.example").post("/t/tea/stock/add", values, **HERE)

    assert answer.status_code == 422
    assert "A kit has no stock of its own: add stock for its components." in answer.text
    assert _count(floor, Stock) == 0


@pytest.mark.parametrize("address", ["javascript:alert(1)", "example.com/{number}", 'https://x.example/"onclick=1'])
def test_tracking_page_is_refused_when_it_is_no_web_address(floor, address):
    before = _count(floor, Carrier)

    answer = floor.visitor("owner@tea.example").post("/t/tea/carriers/add", {"code": "c1", "name": "C", "tracking_url": address}, **HERE)

    assert answer.status_code == 422
    assert "This does not have the right form." in answer.text
    assert _count(floor, Carrier) == before
