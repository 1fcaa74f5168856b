"""What the simulated services do to orders: shipments, splits, remarks, refunds."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from plugins.jd.mapping import orders_from
from plugins.jd.simulator import Simulator, deeds
from plugins.jd.simulator.shop import NotNow
from tests.plugins.jd.jos import call, clock


def ship(simulator: Simulator, **business: Any) -> dict[str, Any]:
    return call(simulator, "jingdong.pop.order.shipment", business)["jingdong_pop_order_shipment_responce"]["sopjosshipment_result"]


def test_shipment_ships_once_when_it_comes_twice(simulate):
    simulator = simulate(orders=30)
    number = next(order.number for order in simulator.shop.in_state("WAIT_SELLER_STOCK_OUT"))
    business = {"orderId": int(number), "logiCoprId": "463|463", "logiNo": "YT1|YT2"}

    answers = [ship(simulator, **business) for _ in range(2)]
    other = ship(simulator, **{**business, "logiNo": "YT3|YT4"})

    assert [str(answer["success"]).lower() for answer in answers] == ["true", "true"]
    assert (other["success"], other["errorCode"]) == (False, "10400003")
    assert len(simulator.shop.shipments) == 1


@pytest.mark.parametrize(
    ("business", "code"),
    [
        ({"orderId": 1, "logiCoprId": "467", "logiNo": "SF1"}, "10100013"),
        ({"orderId": 1, "logiCoprId": "SF", "logiNo": "SF1"}, "10400006"),
        ({"orderId": 1, "logiCoprId": "467|463", "logiNo": "SF1"}, "10400007"),
        ({"orderId": 1, "logiCoprId": "467"}, "10400007"),
    ],
)
def test_shipment_is_refused_when_it_cannot_be(simulate, business, code):
    result = ship(simulate(), **business)

    assert (result["success"], result["errorCode"]) == (False, code)


def test_split_shares_the_money_when_an_order_has_coupons(simulate):
    simulator = simulate(orders=400, seed=9)
    shop = simulator.shop
    parents = [
        order for order in shop.in_state("WAIT_SELLER_STOCK_OUT") if len(order.info["itemInfoList"]) > 1 and order.info["couponDetailList"]
    ]

    for parent in parents:
        places = range(len(parent.info["itemInfoList"]))
        children = deeds.split(shop, parent.number, [[place] for place in places])
        orders = orders_from([child.info for child in children])
        assert sum(order.paid_total for order in orders) == Decimal(parent.info["orderPayment"])
        assert {order.replaces for order in orders} == {parent.number}
    assert len(parents) > 10


def test_split_is_refused_when_an_item_is_left_over(simulate):
    simulator = simulate(orders=40)
    order = next(simulator.shop.in_state("WAIT_SELLER_STOCK_OUT"))

    with pytest.raises(NotNow):
        deeds.split(simulator.shop, order.number, [[0], []])

    assert simulator.shop.get(order.number) is order


def test_remark_is_kept_when_the_seller_writes_one(simulate):
    simulator = simulate(orders=1)
    number = next(iter(simulator.shop.orders))

    call(simulator, "jingdong.pop.order.modifyVenderRemark", {"order_id": number, "remark": "改地址：示例路1号 & 加急"})

    assert simulator.shop.get(number).info["venderRemark"] == "改地址：示例路1号 & 加急"


def test_applications_and_services_keep_their_rules_when_windows_are_too_long(simulate):
    simulator = simulate(orders=60)
    list_method, view = "jingdong.pop.afs.soa.refundapply.queryPageList", "jingdong.asc.serviceAndRefund.view"

    big = call(simulator, list_method, {"pageIndex": 1, "pageSize": 51})[list_method.replace(".", "_") + "_responce"]
    long = call(simulator, view, {"applyTimeBegin": clock(timedelta(days=-8)), "applyTimeEnd": clock()})[
        view.replace(".", "_") + "_responce"
    ]
    bare = call(simulator, view, {"pageNumber": 1})[view.replace(".", "_") + "_responce"]

    assert big["queryResult"]["success"] is False
    assert (long["pageResult"]["success"], long["pageResult"]["code"]) == (False, "10002")
    assert bare["pageResult"]["code"] == "10001"


def test_reply_refund_frees_the_order_when_the_seller_refuses(simulate):
    simulator = simulate(orders=40)
    number, application = next(iter(simulator.shop.applications.items()))
    reply = "jingdong.pop.afs.soa.refundapply.replyRefund"

    first = call(simulator, reply, {"id": int(number), "status": 2, "checkUserName": "店员", "remark": "已发货"})
    again = call(simulator, reply, {"id": int(number), "status": 1})

    root = reply.replace(".", "_") + "_responce"
    assert str(first[root]["replyResult"]["success"]).lower() == "true"
    assert again[root]["replyResult"]["success"] is False
    assert application.info["status"] == 2
    assert simulator.shop.get(application.info["orderId"]).state == "WAIT_SELLER_STOCK_OUT"


def test_service_money_is_an_estimate_when_the_service_goes_on(simulate):
    simulator = simulate(orders=30)
    number = next(order.number for order in simulator.shop.in_state("FINISHED_L"))
    service = deeds.open_service(simulator.shop, number)
    method = "jingdong.b2c.shop.aftersales.refund.get"

    answer = call(simulator, method, {"afsServiceId": service.info["sameOrderServiceBill"]["serviceId"]})
    unknown = call(simulator, method, {"afsServiceId": 1})

    data = answer[method.replace(".", "_") + "_responce"]["result"]["data"]
    assert sorted(data) == ["afsEstimateRefundDetail", "orderId"]
    assert unknown[method.replace(".", "_") + "_responce"]["result"]["success"] is False
