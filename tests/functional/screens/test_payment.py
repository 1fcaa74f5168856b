"""People record the payment of an order of their own shop; a marketplace speaks for its orders itself."""

from __future__ import annotations

import pytest

from core.domain.channels.errors import PaymentElsewhere
from core.domain.channels.payments import record_payment
from core.domain.orders.intake import accept
from core.domain.orders.models import Order
from core.domain.orders.normalised import ChannelState
from tests.factories.orders import NOON, line, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


@pytest.fixture(scope="module")
def shops(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        stock_up(session, make_sku(session, "TEA-100"), make_warehouse(session), 50)
        return make_shop(session, "counter"), make_shop(session, "market", marketplace="taobao")


def _placed(floor, shop, external_id):
    with floor.world.database.unit(floor.world.tea) as session:
        return accept(session, shop, [order(external_id, line(), state=ChannelState.AWAITING_PAYMENT)], now=NOON)[0].order_id


def _standing(floor, order_id):
    with floor.world.database.unit(floor.world.tea) as session:
        found = session.get(Order, order_id)
        return found.state, found.payment


def test_order_moves_on_when_its_payment_is_recorded(floor, shops):
    order_id = _placed(floor, shops[0], "OWN-1")
    browser = floor.visitor("staff@tea.example")
    page = browser.get(f"/t/tea/orders/show/{order_id}").text
    floor.settle(floor.world.tea)
    before = _standing(floor, order_id)

    answer = browser.post("/t/tea/orders/bulk", {"action": "pay", "pk": str(order_id), "back": "record"}, **HERE)
    floor.settle(floor.world.tea)

    assert 'value="pay"' in page
    assert answer.status_code == 302
    assert (before, _standing(floor, order_id)) == (("placed", "unpaid"), ("approved", "paid"))
    after = browser.get(f"/t/tea/orders/show/{order_id}").text
    assert ('value="pay"' in after, "recorded the payment" in after) == (False, True)


def test_payment_is_refused_when_a_marketplace_speaks_for_the_order(floor, shops):
    order_id = _placed(floor, shops[1], "TB-1")

    page = floor.visitor("staff@tea.example").get(f"/t/tea/orders/show/{order_id}").text
    with floor.world.database.unit(floor.world.tea) as session:
        refused = record_payment(session, [order_id])[order_id]

    assert isinstance(refused, PaymentElsewhere)
    assert 'value="pay"' not in page
    assert _standing(floor, order_id) == ("placed", "unpaid")
