"""The simulated order services: windows, pages, fields, states and shipments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plugins.jd.mapping import ORDER_STATES, orders_from
from plugins.jd.simulator import Options, Simulator
from tests.plugins.jd.jos import call, clock

SEARCH = "jingdong.pop.order.search"


def wish(**changes: Any) -> dict[str, Any]:
    """A search for everything of the last day; a change to None takes a field out."""
    fields = {
        "source_id": "JOS",
        "start_date": clock(timedelta(days=-1)),
        "end_date": clock(timedelta(seconds=2)),
        "order_state": "ALL",
        "optional_fields": "orderId,modified,orderStartTime,orderState",
        "page": "1",
        "page_size": "100",
        "sortType": 0,
        "dateType": 0,
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def search(simulator: Simulator, **changes: Any) -> dict[str, Any]:
    return call(simulator, SEARCH, wish(**changes))["jingdong_pop_order_search_responce"]["searchorderinfo_result"]


def everything(simulator: Simulator, **changes: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    page = 1
    while found := search(simulator, page=str(page), **changes)["orderInfoList"]:
        rows += found
        page += 1
    return rows


def refused(result: dict[str, Any]) -> int:
    assert result["apiResult"]["success"] is False
    assert result["apiResult"]["chineseErrCode"]
    assert "orderInfoList" not in result
    return result["apiResult"]["numberCode"]


def test_the_shop_holds_what_was_promised_when_it_is_filled(simulate):
    simulator = simulate(orders=150, seed=8)
    now = datetime.now(UTC)

    rows = everything(simulator, optional_fields=",".join(next(iter(simulator.shop.orders.values())).info))

    assert len({row["orderId"] for row in rows}) == 150
    assert {row["orderState"] for row in rows} == set(ORDER_STATES)
    for order in orders_from(rows):
        assert now - timedelta(hours=23) < order.placed_at <= order.modified_at <= now
    assert any(order.replaces for order in orders_from(rows))


@pytest.mark.parametrize("orders", [0, 1, 9, 10, 11])
def test_the_shop_holds_the_wished_number_when_it_is_small(simulate, orders):
    simulator = simulate(orders=orders)

    assert search(simulator)["orderTotal"] == orders
    assert len(everything(simulator)) == orders


def test_the_orders_are_the_same_when_the_seed_is():
    def contents(seed: int) -> list[Any]:
        simulator = Simulator(Options(orders=80, seed=seed))
        simulator._server.server_close()
        moments = {"orderStartTime", "modified", "paymentConfirmTime", "orderEndTime"}
        return [{name: value for name, value in order.info.items() if name not in moments} for order in simulator.shop.orders.values()]

    assert contents(5) == contents(5)
    assert contents(5) != contents(6)


def test_ten_thousand_orders_are_there_in_a_moment_when_asked_for():
    simulator = Simulator(Options(orders=10_000))
    simulator._server.server_close()

    assert len(simulator.shop.orders) == 10_000


@pytest.mark.parametrize(("sort_type", "newest_first"), [(1, True), ("1", True), (0, False), (None, False)])
@pytest.mark.parametrize(("date_type", "field"), [(1, "orderStartTime"), (0, "modified"), (None, "modified")])
def test_search_sorts_by_the_wished_moment_when_types_are_given(simulate, sort_type, newest_first, date_type, field):
    rows = search(simulate(orders=60), sortType=sort_type, dateType=date_type)["orderInfoList"]

    assert [row[field] for row in rows] == sorted((row[field] for row in rows), reverse=newest_first)


@pytest.mark.parametrize("states", ["LOCKED,FINISHED_L", ["LOCKED", "FINISHED_L"]])
def test_search_filters_by_state_when_several_are_named(simulate, states):
    simulator = simulate(orders=60)

    rows = search(simulator, order_state=states)["orderInfoList"]

    assert sorted(row["orderId"] for row in rows) == sorted(
        order.number for order in simulator.shop.orders.values() if order.state in {"LOCKED", "FINISHED_L"}
    )


def test_search_shows_only_the_wished_fields_when_they_are_named(simulate):
    rows = search(simulate(orders=3), optional_fields="orderPayment, itemInfoList,orderInfoList")["orderInfoList"]

    assert [sorted(row) for row in rows] == [["itemInfoList", "orderId", "orderPayment"]] * 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"optional_fields": None}, 10100007),
        ({"optional_fields": " "}, 10100007),
        ({"page_size": "101"}, 10100003),
        ({"page_size": "many"}, 10100003),
        ({"page": "0"}, 10100003),
        ({"order_state": "SHIPPED"}, 10100001),
        ({"start_date": "2026-11-10"[:4]}, 10100002),
        ({"start_date": None}, 10100004),
        ({"end_date": ""}, 10100004),
        ({"start_date": None, "end_date": None}, 10100006),
        ({"start_date": "2026-11-02 00:00:00", "end_date": "2026-11-01 00:00:00"}, 10100005),
        ({"start_date": "2026-10-01 00:00:00", "end_date": "2026-11-01 00:00:01"}, 10100026),
        ({"start_date": "2026-01-31 00:00:00", "end_date": "2026-03-01 00:00:00"}, 10100026),
    ],
)
def test_search_is_refused_when_a_rule_is_broken(simulate, changes, code):
    assert refused(search(simulate(orders=3), **changes)) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"start_date": "2026-10-01 00:00:00", "end_date": "2026-11-01 00:00:00"},
        {"start_date": "2026-01-31 00:00:00", "end_date": "2026-02-28 00:00:00"},
        {"page": 1, "page_size": 100},
        {"order_state": None},
    ],
)
def test_search_answers_when_it_is_just_allowed(simulate, changes):
    assert str(search(simulate(orders=3), **changes)["apiResult"]["success"]).lower() == "true"


def test_search_means_the_last_month_when_only_waiting_orders_are_wished(simulate):
    simulator = simulate(orders=60)

    rows = search(simulator, start_date="", end_date="", order_state="WAIT_SELLER_STOCK_OUT")["orderInfoList"]

    assert len(rows) == len(list(simulator.shop.in_state("WAIT_SELLER_STOCK_OUT")))


def test_search_takes_the_container_when_the_fields_are_wrapped_in_it(simulate):
    simulator = simulate(orders=4)

    answer = call(simulator, SEARCH, {"paramOrderJSFQuery": wish()})

    assert len(answer["jingdong_pop_order_search_responce"]["searchorderinfo_result"]["orderInfoList"]) == 4


def test_search_shows_nothing_when_the_page_lies_beyond_the_cap(simulate):
    simulator = simulate(orders=102)

    shown = search(simulator, page="100", page_size="1")
    hidden = search(simulator, page="101", page_size="1")

    assert len(shown["orderInfoList"]) == 1
    assert (hidden["orderTotal"], hidden["orderInfoList"]) == (102, [])


def test_rows_move_while_paging_when_an_order_changes(simulate):
    simulator = simulate(orders=20)
    first = search(simulator, page_size="10")["orderInfoList"]
    with simulator.shop.lock:
        simulator.shop.touch(simulator.shop.get(first[0]["orderId"]))

    second = search(simulator, page="2", page_size="10")["orderInfoList"]

    seen = [row["orderId"] for row in first] + [row["orderId"] for row in second]
    assert len(set(seen)) == 19
    assert second[-1]["orderId"] == first[0]["orderId"]


def test_en_search_hides_the_receiver_when_it_is_the_encrypted_service(simulate):
    simulator = simulate(orders=5)

    answer = call(simulator, "jingdong.pop.order.enSearch", wish(optional_fields=",".join(["consigneeInfo", *_MAPPED])))

    orders = orders_from(answer)
    assert len(orders) == 5
    assert {(order.receiver.name, order.receiver.phone, order.receiver.is_masked) for order in orders} == {("", "", True)}


_MAPPED = ("orderState", "orderPayment", "freightPrice", "itemInfoList", "couponDetailList", "modified")


@pytest.mark.parametrize("method", ["jingdong.pop.order.get", "jingdong.pop.order.enGet"])
@pytest.mark.parametrize("as_number", [True, False])
def test_get_answers_when_the_number_is_text_or_not(simulate, method, as_number):
    simulator = simulate(orders=1)
    number = next(iter(simulator.shop.orders))

    answer = call(simulator, method, {"order_id": int(number) if as_number else number})

    (order,) = orders_from(answer)
    assert order.external_id == number


def test_get_is_refused_when_the_order_is_unknown(simulate):
    answer = call(simulate(), "jingdong.pop.order.get", {"order_id": 1, "optional_fields": "orderId"})

    assert refused(answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]) == 10100013


def test_the_360buy_services_answer_when_an_old_client_calls(simulate):
    simulator = simulate(orders=30)
    fields = ",".join(next(iter(simulator.shop.orders.values())).info)

    listed = call(simulator, "360buy.order.search", wish(optional_fields=fields))
    number = next(order.number for order in simulator.shop.in_state("WAIT_SELLER_STOCK_OUT"))
    detail = call(simulator, "360buy.order.get", {"order_id": number})
    shipped = call(simulator, "360buy.order.sop.outstorage", {"order_id": number, "logistics_id": "467", "waybill": "SF1"})

    assert listed["order_search_response"]["order_search"]["order_total"] == 30
    assert len(orders_from(listed)) == 30
    assert orders_from(detail)[0].external_id == number
    assert shipped["order_sop_outstorage_response"]["order_id"] == number
    assert simulator.shop.get(number).state == "WAIT_GOODS_RECEIVE_CONFIRM"
