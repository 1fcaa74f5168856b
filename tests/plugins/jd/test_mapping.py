"""Orders out of JD's documents."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.sdk import ChannelState, Denied, Invalid, NotFound, Receiver, Unavailable
from plugins.jd.errors import SessionExpired, StateUnknown, Throttled
from plugins.jd.fields import snake
from plugins.jd.mapping import orders_from
from tests.plugins.jd.conftest import PAYLOADS, load

DETAIL = load("pop_order_get.json")
ROOT = "jingdong_pop_order_get_responce"


def bare(**changes: Any) -> dict[str, Any]:
    """The sample's orderInfo with some fields changed; None takes a field out."""
    info = copy.deepcopy(DETAIL[ROOT]["orderDetailInfo"]["orderInfo"])
    info.update(changes)
    return {name: value for name, value in info.items() if value is not None}


def item(sku: str, price: Any, total: Any = "1", **more: Any) -> dict[str, Any]:
    return {"skuId": sku, "outerSkuId": f"C-{sku}", "skuName": f"N {sku}", "jdPrice": price, "itemTotal": total, "wareId": "9", **more}


def one(**changes: Any) -> Any:
    (order,) = orders_from(bare(**changes))
    return order


def snaked(value: Any) -> Any:
    if isinstance(value, dict):
        return {snake(name): snaked(part) for name, part in value.items()}
    return [snaked(part) for part in value] if isinstance(value, list) else value


def test_pop_order_get_maps_every_part_when_it_is_the_sample():
    (order,) = orders_from(DETAIL)

    assert (order.external_id, order.state, order.currency) == ("300000000001", ChannelState.PAID, "CNY")
    assert (order.paid_total, order.postage, order.discount_total) == (Decimal("84.00"), Decimal("0.00"), Decimal("15.00"))
    assert order.modified_at == datetime(2026, 11, 10, 12, 6, 30, tzinfo=UTC)
    assert order.placed_at == datetime(2026, 11, 10, 12, 5, 11, tzinfo=UTC)
    assert order.paid_at == datetime(2026, 11, 10, 12, 6, 2, tzinfo=UTC)
    assert (order.completed_at, order.replaces, order.hold_codes, order.tags) == (None, None, (), ())
    assert (order.buyer_id, order.buyer_name, order.buyer_note) == ("FakeOpenIdBuyer0001", "jd_fake****", "尽快发货")
    assert order.receiver == Receiver(
        name="测**",
        phone="138****0002",
        country="CN",
        province="测试省",
        city="测试市",
        district="示例区",
        town="样例街道",
        street="示***号",
        is_masked=True,
    )
    shirt, sticker = order.lines
    assert (shirt.external_id, shirt.seller_code, shirt.quantity) == ("100000000001", "SKU-A-RED-L", Decimal(1))
    assert (shirt.paid_amount, shirt.unit_price, shirt.is_gift) == (Decimal("84.00"), Decimal("99.00"), False)
    assert (shirt.external_sku, shirt.external_product, shirt.title) == ("100000000001", "20000000001", "演示商品 连帽卫衣 红色 L")
    assert (sticker.seller_code, sticker.paid_amount, sticker.is_gift) == ("SKU-GIFT-1", Decimal("0.00"), True)


def test_pop_order_search_maps_each_order_when_it_is_the_sample_page():
    orders = orders_from(load("pop_order_search.page.json"))

    assert [(order.external_id, order.state, order.paid_total) for order in orders] == [
        ("300000000001", ChannelState.PAID, Decimal("84.00")),
        ("300000000002", ChannelState.LOCKED, Decimal("170.86")),
    ]
    assert orders[1].hold_codes == ("jd.locked",)


SHAPES = {
    "right spelling of the root": {"jingdong_pop_order_get_response": DETAIL[ROOT]},
    "no root": DETAIL[ROOT],
    "detail": DETAIL[ROOT]["orderDetailInfo"],
    "orderInfo": {"orderInfo": bare()},
    "bare": bare(),
    "list": [bare()],
    "list of answers": [DETAIL],
    "enGet": {"jingdong_pop_order_enGet_responce": DETAIL[ROOT]},
    "enSearch": {
        "jingdong_pop_order_enSearch_responce": {
            "code": "0",
            "searchorderinfo_result": {"apiResult": {"success": "true"}, "orderTotal": 1, "orderInfoList": [bare()]},
        }
    },
    "page": {"orderTotal": 1, "orderInfoList": [bare()]},
    "360buy search": {"order_search_response": {"code": "0", "order_search": {"order_total": 1, "order_info_list": [snaked(bare())]}}},
    "360buy get": {"order_get_response": {"code": "0", "order": {"orderInfo": snaked(bare())}}},
}


@pytest.mark.parametrize("name", SHAPES)
def test_orders_from_gives_the_same_order_when_it_comes_in_another_shape(name):
    assert orders_from(SHAPES[name]) == orders_from(DETAIL)


@pytest.mark.parametrize("form", [str, bytes, bytearray], ids=lambda form: form.__name__)
def test_orders_from_reads_json_text_when_it_is_not_decoded(form):
    text = (PAYLOADS / "pop_order_get.json").read_text(encoding="utf-8")

    assert orders_from(text if form is str else form(text.encode())) == orders_from(DETAIL)


def test_orders_from_takes_numbers_when_jd_sends_no_text():
    numbers = bare(
        orderId=300000000001,
        orderPayment=84.0,
        freightPrice=0,
        sellerDiscount=10,
        itemInfoList=[item(100000000001, 99.0, 1)],
        couponDetailList=[{"skuId": 100000000001, "couponPrice": 5}, {"skuId": "", "couponPrice": 10.0}],
    )

    (order,) = orders_from(numbers)

    assert (order.external_id, order.paid_total) == ("300000000001", Decimal("84.00"))
    assert [(line.external_id, line.paid_amount) for line in order.lines] == [("100000000001", Decimal("84.00"))]


@pytest.mark.parametrize(
    "empty",
    [
        {"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": {"apiResult": {"success": True}, "orderTotal": 0}}},
        {"jingdong_pop_order_get_responce": {"code": "0", "orderDetailInfo": {"apiResult": {"success": "true"}, "orderInfo": None}}},
        {"orderTotal": 0, "orderInfoList": []},
        [],
    ],
)
def test_orders_from_is_empty_when_the_answer_holds_no_order(empty):
    assert orders_from(empty) == []


@pytest.mark.parametrize(
    ("jd_state", "state", "holds"),
    [
        ("NOT_PAY", ChannelState.AWAITING_PAYMENT, ()),
        ("WAIT_SELLER_STOCK_OUT", ChannelState.PAID, ()),
        ("WAIT_SELLER_DELIVERY", ChannelState.PAID, ()),
        ("LOCKED", ChannelState.LOCKED, ("jd.locked",)),
        ("PAUSE", ChannelState.LOCKED, ("jd.paused",)),
        ("POP_ORDER_PAUSE", ChannelState.LOCKED, ("jd.paused",)),
        ("WAIT_GOODS_RECEIVE_CONFIRM", ChannelState.SHIPPED, ()),
        ("DELIVERY_RETURN", ChannelState.SHIPPED, ("jd.delivery_return",)),
        ("FINISHED_L", ChannelState.COMPLETED, ()),
        ("TRADE_CANCELED", ChannelState.CANCELLED, ()),
        ("ZanTing", ChannelState.LOCKED, ("jd.paused",)),
        ("DengDaiChuKu", ChannelState.PAID, ()),
    ],
)
def test_orders_from_maps_the_state_when_jd_knows_it(jd_state, state, holds):
    order = one(orderState=jd_state)

    assert (order.state, order.hold_codes) == (state, holds)
    assert {line.state for line in order.lines} == {state}


def test_orders_from_raises_when_the_state_is_new():
    with pytest.raises(StateUnknown) as caught:
        one(orderState="TELEPORTED")

    assert (caught.value.field, caught.value.facts) == ("orderState", {"value": "TELEPORTED"})


@pytest.mark.parametrize(
    ("root", "direct", "replaced"),
    [
        ("0", "0", None),
        ("", "", None),
        (None, None, None),
        (0, 0, None),
        ("300000000099", "0", "300000000099"),
        ("300000000099", "300000000098", "300000000098"),
        (300000000099, 300000000099, "300000000099"),
        ("300000000001", "300000000001", None),
    ],
)
def test_orders_from_names_the_replaced_order_when_jd_split_it(root, direct, replaced):
    assert one(parentOrderId=root, directParentOrderId=direct).replaces == replaced


@pytest.mark.parametrize(("pay_type", "is_cod"), [("1-货到付款", True), ("1", True), (1, True), ("4-在线支付", False), ("", False)])
def test_orders_from_marks_cash_on_delivery_when_the_pay_type_says_so(pay_type, is_cod):
    assert one(payType=pay_type).is_cash_on_delivery is is_cod


def test_orders_from_keeps_line_ids_apart_when_a_sku_stands_twice():
    items = [item("7", "0.00"), item("7", "30.00", "2"), item("8", "1.00")]

    listed, turned = (one(itemInfoList=order, couponDetailList=[], orderPayment="61.00") for order in (items, items[::-1]))

    assert [(line.external_id, line.paid_amount) for line in listed.lines] == [
        ("7#2", Decimal("0.00")),
        ("7", Decimal("60.00")),
        ("8", Decimal("1.00")),
    ]
    assert sorted(listed.lines, key=lambda line: line.external_id) == sorted(turned.lines, key=lambda line: line.external_id)


def test_orders_from_hides_ciphertext_when_the_order_is_encrypted():
    cipher = "AAF3k2b8Qm1sT0xY5vWq9uJ7dLcE4nRzPhGg6oKiMw=="
    consignee = {**DETAIL[ROOT]["orderDetailInfo"]["orderInfo"]["consigneeInfo"]}
    consignee.update(fullname=cipher, mobile=cipher, telephone=cipher, fullAddress=cipher, oaid="token-1", desen_mobile="138****0002")

    receiver = one(consigneeInfo=consignee).receiver

    assert receiver == Receiver(
        phone="138****0002",
        country="CN",
        province="测试省",
        city="测试市",
        district="示例区",
        town="样例街道",
        token="token-1",
        is_masked=True,
    )


def test_orders_from_leaves_the_receiver_open_when_nothing_is_masked():
    consignee = {"fullname": "Christopher Featherstonehaugh", "fullAddress": "上海市 长宁区 茶马路 8 号", "mobile": "13800000000"}

    receiver = one(consigneeInfo={**consignee, "province": "上海市", "city": "长宁区", "county": "", "town": None}).receiver

    assert (receiver.name, receiver.street, receiver.is_masked) == ("Christopher Featherstonehaugh", "茶马路 8 号", False)


def test_orders_from_uses_the_latest_known_moment_when_modified_was_not_asked_for():
    assert one(modified=None).modified_at == datetime(2026, 11, 10, 12, 6, 2, tzinfo=UTC)


def test_orders_from_tags_orders_that_are_not_ordinary_when_jd_marks_them():
    assert one(orderType="75", returnOrder="1", orderState="WAIT_SELLER_DELIVERY").tags == (
        "jd.overseas",
        "jd.order_type_75",
        "jd.exchange_order",
    )


ERRORS = load("errors.json")


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (ERRORS[0], Denied, "jd.session_expired"),
        (ERRORS[1], Denied, "jd.credentials_refused"),
        (ERRORS[2], Invalid, "jd.request_refused"),
        (ERRORS[3], Unavailable, "jd.throttled"),
        (ERRORS[4], Invalid, "jd.request_refused"),
        ({"error_response": {"code": 19}}, Denied, "jd.session_expired"),
        ({"error_response": "down"}, Invalid, "jd.request_refused"),
        ({"jingdong_pop_order_get_responce": {"code": "67", "zh_desc": "平台连接后端服务…"}}, Unavailable, "jd.busy"),
        (
            {"orderDetailInfo": {"apiResult": {"success": "false", "numberCode": 1, "chineseErrCode": "订单不存在"}}},
            NotFound,
            "jd.order_unknown",
        ),
        ({"orderDetailInfo": {"apiResult": {"success": False}}}, Invalid, "jd.request_refused"),
    ],
)
def test_orders_from_raises_the_proper_kind_when_the_answer_is_a_refusal(answer, kind, code):
    with pytest.raises(kind) as caught:
        orders_from(json.dumps(answer))

    assert caught.value.code == code


def test_orders_from_raises_the_named_errors_when_session_or_quota_are_over():
    with pytest.raises(SessionExpired):
        orders_from(ERRORS[0])
    with pytest.raises(Throttled):
        orders_from(ERRORS[3])
