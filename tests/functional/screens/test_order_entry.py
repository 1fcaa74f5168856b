"""An order is entered by hand: lines with the SKU's price, a discount shared to the cent, and errors beside their fields."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from core.domain.orders.models import Order, OrderLine
from tests.factories.orders import make_shop, make_sku

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}
PATH = "/t/tea/new-order/"


@pytest.fixture(scope="module")
def goods(floor):
    """An own shop and two SKUs."""
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session, code="own")
        skus = [make_sku(session, "TEA-1", title="Oolong", price=Decimal("10.00")), make_sku(session, "TEA-2", price=Decimal("3.33"))]
        return str(shop.id), [str(sku) for sku in skus]


def _filled(goods, **more):
    return {
        "shop": goods[0],
        "payment": "paid",
        "name": "Ada",
        "phone": "13900139000",
        "l0.sku_id": goods[1][0],
        "l0.quantity": "2",
        "l1.sku_id": goods[1][1],
        "l1.quantity": "3",
        "l1.unit_price": "3.00",
        "discount": "1.00",
        "postage": "5",
        **more,
    }


def _orders(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        return session.scalar(select(func.count()).select_from(Order))


def test_list_leads_to_the_form(floor, goods):
    staff, reader = (floor.visitor(f"{who}@tea.example").get("/t/tea/orders/list/") for who in ("staff", "reader"))

    assert 'href="/t/tea/new-order/"' in staff.text
    assert 'href="/t/tea/new-order/"' not in reader.text


def test_order_is_taken_in_with_prices_and_discount(floor, goods):
    browser = floor.visitor("staff@tea.example")

    answer = browser.post(PATH, _filled(goods, reference="CALL-1"), **HERE)

    assert answer.status_code == 302, answer.text[:3000]
    with floor.world.database.unit(floor.world.tea) as session:
        order = session.scalars(select(Order).where(Order.external_id == "CALL-1")).one()
        paid = session.scalars(select(OrderLine.paid_amount).where(OrderLine.order_id == order.id).order_by(OrderLine.position)).all()
        assert (order.paid_total, order.postage, order.discount_total) == (Decimal("33.00"), Decimal("5.00"), Decimal("1.00"))
        assert sum(paid) == Decimal("28.00")
    assert "CALL-1" in browser.get(answer.headers["Location"]).text


def test_same_form_sent_twice_is_one_order(floor, goods):
    browser, before = floor.visitor("staff@tea.example"), _orders(floor)

    first, second = (browser.post(PATH, _filled(goods, own_number="M-0123456789AB"), **HERE) for _ in range(2))

    assert first.headers["Location"] == second.headers["Location"]
    assert _orders(floor) == before + 1


def test_known_number_leads_to_its_order_and_changes_nothing(floor, goods):
    browser = floor.visitor("staff@tea.example")
    first = browser.post(PATH, _filled(goods, reference="PO-5"), **HERE)
    before = _orders(floor)

    second = browser.post(PATH, _filled(goods, reference="PO-5", postage="9", **{"l0.quantity": "20"}), **HERE)

    assert second.headers["Location"] == first.headers["Location"]
    assert "An order with this number was there already; nothing was changed." in browser.get(second.headers["Location"]).text
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalars(select(Order.postage).where(Order.external_id == "PO-5")).all() == [Decimal("5.0000")]
    assert _orders(floor) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"l0.sku_id": "", "l0.quantity": "", "l1.sku_id": "", "l1.quantity": "", "l1.unit_price": ""}, "An order needs at least one line."),
        ({"l0.quantity": "many"}, "1 field needs another look"),
        ({"name": ""}, "This is needed."),
        ({"discount": "999"}, "The discount lies between zero and the value of the goods."),
    ],
)
def test_wrong_entry_is_refused_beside_its_field(floor, goods, change, said):
    browser, before = floor.visitor("staff@tea.example"), _orders(floor)

    answer = browser.post(PATH, _filled(goods, **change), **HERE)

    assert answer.status_code == 422
    assert said in answer.text
    assert _orders(floor) == before


def test_more_lines_keep_what_was_typed(floor, goods):
    answer = floor.visitor("staff@tea.example").post(PATH, _filled(goods, count="4", more="1"), **HERE)

    assert answer.status_code == 200
    assert 'name="l7.quantity"' in answer.text
    assert ">TEA-1</option>" in answer.text


def test_pasted_address_fills_the_fields_and_keeps_the_rest(floor, goods):
    block = "张三 13800000000 浙江省杭州市西湖区文三路1号"
    before = _orders(floor)

    answer = floor.visitor("staff@tea.example").post(PATH, _filled(goods, parse="1", address_block=block, email="a@b.example"), **HERE)

    assert answer.status_code == 200
    typed = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', answer.text))
    wanted = ("name", "phone", "province", "city", "district", "street", "email", "discount")
    assert [typed[name] for name in wanted] == ["张三", "13800000000", "浙江省", "杭州市", "西湖区", "文三路1号", "a@b.example", "1.00"]
    assert _orders(floor) == before


def test_reader_is_told_when_the_pasted_text_is_no_address(floor, goods):
    answer = floor.visitor("staff@tea.example").post(PATH, _filled(goods, parse="1", address_block="hello"), **HERE)

    assert "No name, phone or region was found in this text." in answer.text
    assert 'value="Ada"' in answer.text


def test_tenant_without_a_shop_is_told_what_is_missing(floor, goods):
    page = floor.visitor("owner@gift.example").get("/t/gift/new-order/")

    assert "A shop of your own is needed first" in page.text


def test_reader_may_not_enter_orders(floor, goods):
    assert floor.visitor("reader@tea.example").get(PATH).status_code == 403
