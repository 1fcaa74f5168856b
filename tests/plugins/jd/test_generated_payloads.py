"""Orders as JD could send them, generated: whatever they hold, and in whatever shape, their money adds up."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.jd.errors import SessionExpired
from plugins.jd.fields import snake
from plugins.jd.mapping import ORDER_STATES, orders_from

ZERO = Decimal(0)
FEN = st.integers(0, 200_000).map(lambda fen: Decimal(fen) / 100)


@st.composite
def infos(draw: st.DrawFn, number: int = 300000000001) -> dict[str, Any]:
    """An orderInfo with coupons on SKUs and on the whole, balance and freight; `orderPayment` is less balance, as JD defines it."""
    items = [
        {"skuId": str(100 + draw(st.integers(0, 3))), "outerSkuId": f"C-{place}", "jdPrice": f"{draw(FEN):.2f}", "itemTotal": str(draw(st.integers(1, 5)))}
        for place in range(draw(st.integers(1, 5)))
    ]
    gross = sum((Decimal(item["jdPrice"]) * int(item["itemTotal"]) for item in items), ZERO)
    coupons, off = [], ZERO
    for _ in range(draw(st.integers(0, 3))):
        sku = draw(st.sampled_from(["", "0", items[0]["skuId"]]))
        price = min(draw(FEN), gross - off)
        off += price
        coupons.append({"skuId": sku, "couponType": "100-优惠券", "couponPrice": f"{price:.2f}"})
    freight = draw(FEN)
    due = gross - off + freight
    balance = min(draw(FEN), due)
    return {
        "orderId": str(number),
        "orderState": draw(st.sampled_from(ORDER_STATES)),
        "modified": "2026-11-10 20:06:30",
        "orderPayment": f"{due - balance:.2f}",
        "balanceUsed": f"{balance:.2f}",
        "freightPrice": f"{freight:.2f}",
        "itemInfoList": items,
        "couponDetailList": coupons,
    }


def snaked(value: Any) -> Any:
    if isinstance(value, dict):
        return {snake(name): snaked(part) for name, part in value.items()}
    return [snaked(part) for part in value] if isinstance(value, list) else value


def shapes(info: dict[str, Any]) -> list[Any]:
    """The same order as every API and library could hand it over."""
    numbers = info | {name: float(info[name]) for name in ("orderPayment", "balanceUsed", "freightPrice")} | {"orderId": int(info["orderId"])}
    result = {"apiResult": {"success": "true", "numberCode": 0}, "orderTotal": 1, "orderInfoList": [info]}
    detail = {"apiResult": {"success": True}, "orderInfo": info}
    found = [
        info,
        [info],
        snaked(info),
        numbers,
        info | {"itemInfoList": json.dumps(info["itemInfoList"])},
        {"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": result}},
        {"jingdong_pop_order_search_response": {"code": 0, "searchorderinfo_result": result}},
        json.dumps({"jingdong_pop_order_get_responce": {"code": "0", "orderDetailInfo": detail}}, ensure_ascii=False).encode(),
        {"searchorderinfo_result": result | {"orderInfoList": info}},
        {"jingdong_pop_order_notPayOrderInfo_responce": {"code": "0", "searchNotPayOrderInfo_result": {"notPayOrderInfoList": [info]}}},
        {"jingdong_pop_order_fbp_search_responce": {"code": "0", "searchfbporderinfo_result": {"fbpOrderInfoList": [info]}}},
        {"jingdong_pop_order_get_responce": {"code": "0", "orderDetailInfo": {"orderInfo": json.dumps(info)}}},
        {"order_search_response": {"code": "0", "order_search": {"order_info_list": [snaked(info)], "order_total": 1}}},
    ]
    items = info["itemInfoList"]
    return found + ([info | {"itemInfoList": items[0]}] if len(items) == 1 else [])


@settings(max_examples=200, deadline=None)
@given(infos())
def test_money_adds_up_with_coupons_balance_and_freight(info):
    (order,) = orders_from(info)

    assert min(line.paid_amount for line in order.lines) >= ZERO
    assert sum((line.paid_amount for line in order.lines), order.postage) == order.paid_total
    assert order.paid_total in (Decimal(info["orderPayment"]), Decimal(info["orderPayment"]) + Decimal(info["balanceUsed"]))
    assert len({line.external_id for line in order.lines}) == len(order.lines)


@settings(max_examples=60, deadline=None)
@given(infos())
def test_orders_are_the_same_in_every_shape_of_the_answer(info):
    expected = orders_from(info)

    assert [orders_from(shape) for shape in shapes(info)] == [expected] * len(shapes(info))


@pytest.mark.parametrize(
    "empty",
    [
        {"jingdong_pop_order_search_responce": {"code": "0", "searchorderinfo_result": {"apiResult": {"success": True}, "orderTotal": 0}}},
        {"jingdong_pop_order_search_responce": {"searchorderinfo_result": {"orderTotal": 0, "orderInfoList": []}}},
        {"jingdong_pop_order_search_responce": {"searchorderinfo_result": {"orderTotal": 0, "orderInfoList": None}}},
        {"jingdong_pop_order_get_responce": {"orderDetailInfo": {"apiResult": {"success": True}, "orderInfo": None}}},
        {"jingdong_pop_order_notPayOrderInfo_responce": {"code": "0", "notPayOrderInfoList": []}},
        [],
    ],
)
def test_orders_are_none_when_the_answer_holds_none(empty):
    assert orders_from(empty) == []


@pytest.mark.parametrize("code", ["19", 19])
def test_orders_raise_what_a_refusal_stands_for(code):
    with pytest.raises(SessionExpired):
        orders_from({"error_response": {"code": code, "zh_desc": "token已过期或者不存在，请重新授权访问", "en_desc": "Invalid access_token"}})


@pytest.mark.parametrize(("root", "direct", "replaces", "ancestors"), [("9", "8", "8", ("9",)), ("9", "9", "9", ()), ("9", "0", "9", ()), ("0", "0", None, ())])
def test_order_names_all_orders_whose_place_it_took_when_a_part_was_split_again(root, direct, replaces, ancestors):
    info = {"orderId": "7", "orderState": "NOT_PAY", "modified": "2026-11-10 20:06:30", "orderPayment": "1.00"}
    info |= {"itemInfoList": [{"skuId": "1", "jdPrice": "1.00", "itemTotal": "1"}], "parentOrderId": root, "directParentOrderId": direct}

    (order,) = orders_from(info)

    assert (order.replaces, order.ancestors, order.stands_for) == (replaces, ancestors, ((replaces,) if replaces else ()) + ancestors)
