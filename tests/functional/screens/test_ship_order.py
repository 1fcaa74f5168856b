"""One order ships from its own page, in one parcel or in several."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from core.domain.fulfilment.models import Shipment
from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderLine
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


@pytest.fixture(scope="module")
def goods(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        stock_up(session, make_sku(session, "TEA-100"), make_warehouse(session), 50)
        return shop, str(make_carrier(session))


@pytest.fixture
def ready(floor, goods, request):
    """An approved order of five units; its id and its line's."""
    with floor.world.database.unit(floor.world.tea) as session:
        order_id = accept(session, goods[0], [order(request.node.name[:60], line(quantity=5))], now=NOON)[0].order_id
        advance(session, [order_id], now=NOON)
        return order_id, session.scalar(select(OrderLine.id).where(OrderLine.order_id == order_id))


def _state(floor, order_id):
    with floor.world.database.unit(floor.world.tea) as session:
        row = session.execute(select(Order.state, Order.fulfilment).where(Order.id == order_id)).one()
        shipped = session.scalar(select(OrderLine.shipped).where(OrderLine.order_id == order_id))
        return row.state, row.fulfilment, shipped


def test_order_ships_in_two_parcels_when_a_number_is_lowered(floor, goods, ready):
    order_id, line_id = ready
    browser, path = floor.visitor("staff@tea.example"), f"/t/tea/ship-order/{order_id}"
    page = browser.get(f"/t/tea/orders/show/{order_id}").text
    form = {"carrier_id": goods[1], "tracking_number": "SF1", f"lines.{line_id}": "2"}

    first = browser.post(path, form, **HERE)
    between = _state(floor, order_id)
    rest = browser.get(path).text
    second = browser.post(path, {**form, "tracking_number": "SF2", f"lines.{line_id}": "3"}, **HERE)

    assert f'href="{path}"' in page
    assert (first.status_code, second.status_code) == (302, 302), first.text[:2000]
    assert between == ("approved", "shipped_partly", Decimal(2))
    assert 'value="3"' in rest
    assert _state(floor, order_id) == ("shipped", "shipped", Decimal(5))
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalars(select(Shipment.tracking_number).where(Shipment.order_id == order_id).order_by(Shipment.id)).all() == ["SF1", "SF2"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"carrier_id": ""}, "Choose a carrier."),
        ({"tracking_number": " "}, "A tracking number is needed."),
        ({"quantity": "6"}, "More is shipped than is reserved."),
        ({"quantity": "-1"}, "A shipped quantity is more than zero."),
        ({"quantity": "0"}, "Say what is in the parcel."),
        ({"quantity": "two"}, "This is not a quantity."),
    ],
)
def test_nothing_ships_when_the_form_is_wrong(floor, goods, ready, change, said):
    order_id, line_id = ready
    form = {"carrier_id": goods[1], "tracking_number": "SF3", f"lines.{line_id}": change.get("quantity", "5"), **change}

    answer = floor.visitor("staff@tea.example").post(f"/t/tea/ship-order/{order_id}", form, **HERE)

    assert answer.status_code == 422
    assert said in answer.text
    assert _state(floor, order_id) == ("approved", "reserved", Decimal(0))


def test_form_is_refused_to_readers_and_strangers(floor, goods, ready):
    path = f"ship-order/{ready[0]}"

    assert floor.visitor("reader@tea.example").get(f"/t/tea/{path}").status_code == 403
    assert floor.visitor("owner@gift.example").get(f"/t/gift/{path}").status_code == 404
