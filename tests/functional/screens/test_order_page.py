"""The order's page tells its story: held with a reason, released, shipped, and revealed only with a reason on record."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.customers.models import Reveal
from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderHold
from core.domain.orders.normalised import ChannelState
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def goods(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        sku = make_sku(session, "TEA-100")
        stock_up(session, sku, make_warehouse(session), 5)
        return shop, make_carrier(session)


def _take(floor, shop, external_id, *lines, **values):
    with floor.world.database.unit(floor.world.tea) as session:
        outcome = accept(session, shop, [order(external_id, *lines, **values)], now=NOON)[0]
        advance(session, [outcome.order_id], now=NOON)
        return outcome.order_id


def test_order_page_says_what_is_missing_when_stock_is_short(floor, goods):
    order_id = _take(floor, goods[0], "P1", line(quantity=50))

    page = floor.visitor("staff@tea.example").get(f"/t/tea/orders/show/{order_id}")

    assert page.status_code == 200, page.text[:3000]
    assert "TEA-100: 50 needed, 5 free" in page.text
    assert "13800138000" not in page.text


def test_order_ships_from_its_page_when_carrier_and_number_are_given(floor, goods):
    order_id = _take(floor, goods[0], "P2", line(quantity=2))
    browser = floor.visitor("staff@tea.example")
    chosen = {"action": "ship", "pk": str(order_id)}

    asked = browser.post("/t/tea/orders/bulk", chosen, page="/t/tea/account/")
    wrong = browser.post("/t/tea/orders/bulk", {**chosen, "go": "1", "p.carrier_id": str(goods[1])}, page="/t/tea/account/")
    sent = {**chosen, "go": "1", "p.carrier_id": str(goods[1]), "p.tracking_numbers": "SF100200"}
    done = browser.post("/t/tea/orders/bulk", sent, page="/t/tea/account/")

    assert (asked.status_code, wrong.status_code, done.status_code) == (200, 422, 302), done.text[:2000]
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalar(select(Order.state).where(Order.id == order_id)) == "shipped"
    assert "SF100200" in browser.get(f"/t/tea/orders/show/{order_id}").text


def test_reveal_needs_a_reason_and_leaves_a_record(floor, goods):
    order_id = _take(floor, goods[0], "P3")
    browser = floor.visitor("owner@tea.example")

    without = browser.post(f"/t/tea/orders/reveal/{order_id}", {"reason": ""}, page="/t/tea/account/")
    clear = browser.post(f"/t/tea/orders/reveal/{order_id}", {"reason": "courier asks for the phone"}, page="/t/tea/account/")

    assert (without.status_code, clear.status_code) == (302, 200)
    assert "13800138000" in clear.text
    with floor.world.database.unit(floor.world.tea) as session:
        assert [row.reason for row in session.scalars(select(Reveal))] == ["courier asks for the phone"]


def test_other_tenant_finds_no_such_order(floor, goods):
    order_id = _take(floor, goods[0], "P4")

    page = floor.visitor("owner@gift.example").get(f"/t/gift/orders/show/{order_id}")

    assert page.status_code == 404


def test_reader_sees_the_order_but_cannot_act(floor, goods):
    order_id = _take(floor, goods[0], "P5")
    browser = floor.visitor("reader@tea.example")

    page = browser.get(f"/t/tea/orders/show/{order_id}")
    refused = browser.post("/t/tea/orders/bulk", {"action": "cancel", "pk": str(order_id)}, page="/t/tea/account/")

    assert (page.status_code, refused.status_code) == (200, 403)


def _open_holds(floor, order_id):
    with floor.world.database.unit(floor.world.tea) as session:
        return session.scalars(select(OrderHold.code).where(OrderHold.order_id == order_id, OrderHold.released_at.is_(None))).all()


def test_hold_is_placed_and_released_on_the_order_page_alone(floor, goods):
    order_id = _take(floor, goods[0], "P6")
    browser, page = floor.visitor("staff@tea.example"), f"/t/tea/orders/show/{order_id}"
    chosen = {"action": "hold", "pk": str(order_id), "back": "record", "go": "1", "p.reason": "gift wrap"}

    held = browser.post("/t/tea/orders/bulk", chosen, page="/t/tea/account/")
    shown = browser.get(page).text
    released = browser.post(f"/t/tea/orders/act/{order_id}", {"action": "release"}, page="/t/tea/account/")

    assert (held.headers["Location"], released.headers["Location"]) == (page, page)
    assert shown.count("Release hold</button>") == 1
    assert f'href="/t/tea/ship-order/{order_id}"' not in shown
    assert "manual" not in _open_holds(floor, order_id)
    assert "Release hold</button>" not in browser.get(page).text


def test_lock_of_the_channel_stays_when_people_release(floor, goods):
    order_id = _take(floor, goods[0], "P7", state=ChannelState.LOCKED)
    browser = floor.visitor("staff@tea.example")

    page = browser.get(f"/t/tea/orders/show/{order_id}").text
    browser.post(f"/t/tea/orders/act/{order_id}", {"action": "release"}, page="/t/tea/account/")
    after = browser.get(f"/t/tea/orders/show/{order_id}").text

    assert "Release hold</button>" not in page
    assert "This hold ends by itself as soon as its cause is gone." in after
    assert _open_holds(floor, order_id) == ["channel_locked"]


def test_badges_say_each_word_once_when_the_order_is_paid(floor, goods):
    order_id = _take(floor, goods[0], "P8", line(quantity=50))

    page = floor.visitor("staff@tea.example").get(f"/t/tea/orders/show/{order_id}").text

    assert page.count("</i>Paid</span>") == 1


def test_card_of_an_order_has_buyer_and_total_on_narrow_screens(floor, goods):
    _take(floor, goods[0], "P9")

    page = floor.visitor("staff@tea.example").get("/t/tea/orders/list/?queue=all").text

    assert 'data-label="Buyer"' in page
    assert 'class="num" data-label="Total' in page
    assert 'class="off-card"' in page
