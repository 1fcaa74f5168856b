"""Documents that no vendor should send."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sdk import OrderloomError
from plugins.jd.errors import PayloadInvalid
from plugins.jd.mapping import orders_from, refunds_from
from tests.plugins.jd.conftest import load
from tests.plugins.jd.test_mapping import bare, item, one


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"orderId": None}, "orderId"),
        ({"orderId": ["x"]}, "orderId"),
        ({"orderId": 3.0e11}, "orderId"),
        ({"orderState": None}, "orderState"),
        ({"orderState": {"a": 1}}, "orderState"),
        ({"itemInfoList": None}, "itemInfoList"),
        ({"itemInfoList": []}, "itemInfoList"),
        ({"itemInfoList": "none"}, "itemInfoList"),
        ({"itemInfoList": ["x"]}, "itemInfoList[0]"),
        ({"itemInfoList": [{}]}, "itemInfoList[0].skuId"),
        ({"itemInfoList": [item("1", None)]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", "1.00"), item("2", "NaN")]}, "itemInfoList[1].jdPrice"),
        ({"itemInfoList": [item("1", "Infinity")]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", float("nan"))]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", 0.1 + 0.2)]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", 1e300)]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", price=True)]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", "-1.00")]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", "9" * 30)]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", "9999999999.00", "9999999999")]}, "itemInfoList[0].jdPrice"),
        ({"itemInfoList": [item("1", "6000000000"), item("2", "6000000000")]}, "itemInfoList"),
        ({"itemInfoList": [item("1", "1.00", "0")]}, "itemInfoList[0].itemTotal"),
        ({"itemInfoList": [item("1", "1.00", "1.5")]}, "itemInfoList[0].itemTotal"),
        ({"itemInfoList": [item("1", "1.00", None)]}, "itemInfoList[0].itemTotal"),
        ({"itemInfoList": [item("1", "1.00", float("inf"))]}, "itemInfoList[0].itemTotal"),
        ({"couponDetailList": 7}, "couponDetailList"),
        ({"couponDetailList": [{"couponPrice": "x"}]}, "couponDetailList[0].couponPrice"),
        ({"orderPayment": "eighty"}, "orderPayment"),
        ({"orderPayment": []}, "orderPayment"),
        ({"orderPayment": "-1"}, "orderPayment"),
        ({"freightPrice": "1e99"}, "freightPrice"),
        ({"modified": "soon"}, "modified"),
        ({"modified": "9" * 13}, "modified"),
        ({"modified": None, "orderStartTime": "", "paymentConfirmTime": ""}, "modified"),
        ({"consigneeInfo": "x"}, "consigneeInfo"),
        ({"consigneeInfo": {"fullname": {"a": 1}}}, "consigneeInfo.fullname"),
        ({"parentOrderId": 1.5}, "parentOrderId"),
    ],
)
def test_orders_from_names_the_field_when_a_payload_is_hostile(changes, field):
    with pytest.raises(PayloadInvalid) as caught:
        orders_from(bare(**changes))

    assert caught.value.field == field


def test_orders_from_names_the_whole_path_when_the_field_lies_deep():
    page = {"jingdong_pop_order_search_responce": {"searchorderinfo_result": {"orderInfoList": [bare(), bare(orderPayment="x")]}}}

    with pytest.raises(PayloadInvalid) as caught:
        orders_from(page)

    assert caught.value.field == "jingdong_pop_order_search_responce.searchorderinfo_result.orderInfoList[1].orderPayment"


@pytest.mark.parametrize(
    "nonsense",
    [None, 7, 1.5, True, "", "not json", b"\xff\xfe", "{", "NaN", '{"orderId": NaN}', {}, {"orders": []}, [None], [[["x"]]], "[" * 5000],
)
def test_orders_from_raises_invalid_when_there_is_no_order_at_all(nonsense):
    with pytest.raises(PayloadInvalid) as caught:
        orders_from(nonsense)

    assert caught.value.field


scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("NaN"), st.just("1e9999"))
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["orderId", "orderInfo", "apiResult", "success", "code", "itemInfoList", "error_response"]), inner),
    ),
    max_leaves=12,
)
SAMPLES = [
    load("pop_order_get.json"),
    load("pop_order_search.page.json"),
    load("refundapply_queryPageList.json"),
    load("asc_serviceAndRefund_view.json"),
]


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(place for name, part in inner for place in _places(part, (*path, name)))]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_mapping_raises_its_own_errors_only_when_any_part_of_an_answer_is_replaced(data):
    answer = copy.deepcopy(data.draw(st.sampled_from(SAMPLES)))
    *way, last = data.draw(st.sampled_from(_places(answer)[1:]))
    node = answer
    for name in way:
        node = node[name]
    node[last] = data.draw(anything)

    for mapped in (orders_from, refunds_from):
        with contextlib.suppress(OrderloomError):
            assert isinstance(mapped(answer), list)


@given(anything)
@settings(max_examples=200, deadline=None)
def test_mapping_raises_its_own_errors_only_when_the_payload_is_anything(payload):
    for mapped in (orders_from, refunds_from):
        with contextlib.suppress(OrderloomError):
            assert isinstance(mapped(payload), list)


def test_orders_from_drops_what_the_database_cannot_store_when_texts_hold_it():
    order = one(orderRemark="快\x00点\ud800")

    assert order.buyer_note == "快点?"
