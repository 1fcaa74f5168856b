from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from core.sdk import ChannelState
from plugins.taobao.gateway import china_text, root_of
from plugins.taobao.mapping import orders_from
from plugins.taobao.simulator import Simulator
from plugins.taobao.simulator.catalog import FIRST_ITEM, FIRST_SKU
from plugins.taobao.simulator.profiles import PROFILES
from plugins.taobao.simulator.trades import KEPT
from tests.plugins.taobao.conftest import NOON
from tests.plugins.taobao.test_simulator_protocol import call, signed

DAY = {"start_modified": china_text(NOON - timedelta(hours=24)), "end_modified": china_text(NOON)}
INCREMENT = "taobao.trades.sold.increment.get"
B04 = "isv.logistics-offline-service-error:B04"
BOX = FIRST_ITEM + 14


def ask(simulator: Simulator, method: str, **params: Any) -> Mapping[str, Any]:
    """What stands below the root of the answer, or the error."""
    moment = china_text(simulator.shop.clock.now())
    answer = call(simulator, signed(method=method, timestamp=moment, **params))
    return answer.get("error_response") or answer[root_of(method)]


def sub_code(answer: Mapping[str, Any]) -> str:
    return answer.get("sub_code", "")


def paid(simulator: Simulator, codes: dict[str, int] | None = None) -> int:
    tid = simulator.shop.place(codes or {"TEA-LJ-50": 1, "TEA-JM-100": 2, "TEA-PE-357": 1})
    simulator.shop.pay(tid)
    return tid


def status_of(simulator: Simulator, tid: int) -> str:
    return ask(simulator, "taobao.trade.fullinfo.get", tid=tid, fields="status")["trade"]["status"]


def test_orders_stand_in_every_state_within_the_last_23_hours_when_the_shop_begins(simulate):
    simulator = simulate(orders=100, seed=11)

    trades = list(simulator.shop.trades.values())
    orders = [orders_from(trade)[0] for trade in trades]

    assert len({trade["tid"] for trade in trades}) == 100
    assert {order.state for order in orders} == set(ChannelState)
    assert all(NOON - timedelta(hours=23) <= order.placed_at <= order.modified_at <= NOON for order in orders)
    assert {trade["step_trade_status"] for trade in trades if trade["type"] == "step"} == {
        "FRONT_NOPAID_FINAL_NOPAID",
        "FRONT_PAID_FINAL_NOPAID",
        "FRONT_PAID_FINAL_PAID",
    }
    assert any(refund["status"] == "WAIT_SELLER_AGREE" for refund in simulator.shop.refunds.values())
    assert {line.seller_code for order in orders for line in order.lines} >= {"XP-2026-QM", "", "TEA-SAMPLE-10"}


def test_first_orders_cover_every_state_when_there_are_only_nine(simulate):
    orders = [orders_from(trade)[0] for trade in simulate(orders=9).shop.trades.values()]

    assert {order.state for order in orders} == set(ChannelState)


def test_orders_are_alike_when_the_seed_is_the_same(simulate):
    shops = [simulate(orders=60, seed=seed).shop for seed in (3, 3, 4)]

    assert shops[0].trades == shops[1].trades
    assert shops[0].trades.keys() != shops[2].trades.keys()


def test_each_profile_is_made_when_the_shop_is_large_enough(simulate):
    assert len(simulate(orders=len(PROFILES)).shop.trades) == len(PROFILES)


def test_page_is_newest_first_with_a_count_when_has_next_is_not_asked_for(simulate):
    simulator = simulate(orders=120)

    first = ask(simulator, INCREMENT, fields="tid,modified", page_size=50, **DAY)
    last = ask(simulator, INCREMENT, fields="tid,modified", page_size=50, page_no=3, use_has_next="true", **DAY)
    middle = ask(simulator, INCREMENT, fields="tid,modified", page_size=50, page_no=2, use_has_next="true", **DAY)
    beyond = ask(simulator, INCREMENT, fields="tid", page_size=50, page_no=9, **DAY)

    rows = [row["modified"] for page in (first, middle, last) for row in page["trades"]["trade"]]
    assert rows == sorted(rows, reverse=True)
    assert len(rows) == 120
    assert (first["total_results"], "has_next" in first) == (120, False)
    assert (middle["has_next"], last["has_next"], "total_results" in last) == (True, False, False)
    assert ("trades" in beyond, beyond["total_results"]) == (False, 120)


def test_row_jumps_to_the_front_when_the_order_changes(simulate):
    simulator = simulate(orders=80)
    longer = {"start_modified": china_text(NOON - timedelta(hours=23)), "end_modified": china_text(NOON + timedelta(hours=1))}
    before = [row["tid"] for row in ask(simulator, INCREMENT, fields="tid", page_size=100, **DAY)["trades"]["trade"]]

    simulator.shop.clock.advance(timedelta(seconds=1))
    simulator.shop.modify(before[-1])
    within = [row["tid"] for row in ask(simulator, INCREMENT, fields="tid", page_size=100, **longer)["trades"]["trade"]]
    without = [row["tid"] for row in ask(simulator, INCREMENT, fields="tid", page_size=100, **DAY)["trades"]["trade"]]

    assert within == [before[-1], *before[:-1]]
    assert without == before[:-1]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({**DAY, "start_modified": china_text(NOON - timedelta(hours=24, seconds=1))}, "isv.invalid-parameter:end_modified"),
        ({**DAY, "end_modified": DAY["start_modified"]}, "isv.invalid-parameter:end_modified"),
        ({"start_modified": DAY["start_modified"]}, "isv.missing-parameter:end_modified"),
        ({**DAY, "end_modified": "soon"}, "isv.invalid-parameter:end_modified"),
        ({**DAY, "page_size": 101}, "isv.invalid-parameter:page_size"),
        ({**DAY, "page_size": 0}, "isv.invalid-parameter:page_size"),
        ({**DAY, "page_no": 0}, "isv.invalid-parameter:page_no"),
        ({**DAY, "use_has_next": "maybe"}, "isv.invalid-parameter:use_has_next"),
        ({**DAY, "status": "PAID"}, "isv.invalid-parameter:status"),
        ({**DAY, "fields": ""}, "isv.missing-parameter:fields"),
    ],
)
def test_increment_is_refused_when_a_parameter_breaks_its_rule(simulate, params, code):
    assert sub_code(ask(simulate(orders=3), INCREMENT, **({"fields": "tid"} | params))) == code


def test_types_are_filtered_when_none_or_some_are_asked_for(simulate):
    simulator = simulate()
    tids = {kind: simulator.shop.place(kind=kind) for kind in ("fixed", "auction", "cod", "step", "nopaid", "fenxiao")}

    def listed(**params: Any) -> set[int]:
        page = ask(simulator, INCREMENT, fields="tid", **DAY, **params)
        return {row["tid"] for row in page.get("trades", {}).get("trade", [])}

    assert listed() == {tids[kind] for kind in ("fixed", "auction", "cod", "step")}
    assert listed(type="nopaid,fenxiao") == {tids["nopaid"], tids["fenxiao"]}
    assert listed(type="guarantee_trade") == {tids["fixed"], tids["auction"]}
    assert listed(status="WAIT_BUYER_PAY", type="cod") == {tids["cod"]}
    assert listed(status="ALL_CLOSED") == set()


def test_orders_older_than_three_months_are_not_listed_when_asked_for(simulate):
    simulator = simulate()
    old = simulator.shop.place(created=NOON - KEPT - timedelta(days=1))
    new = simulator.shop.place(created=NOON - KEPT + timedelta(days=1))

    page = ask(simulator, "taobao.trades.sold.get", fields="tid", start_created="2020-01-01 00:00:00")
    empty = ask(simulator, "taobao.trades.sold.get", fields="tid", start_created="2026-11-10", end_created="2026-11-09")

    assert [row["tid"] for row in page["trades"]["trade"]] == [new]
    assert old != new
    assert sub_code(empty) == "isv.invalid-parameter:end_created"


def test_increment_by_arrival_lists_the_same_rows_when_asked_with_its_own_names(simulate):
    simulator = simulate(orders=10)
    span = {"start_create": DAY["start_modified"], "end_create": DAY["end_modified"]}

    assert ask(simulator, "taobao.trades.sold.incrementv.get", fields="tid", **span)["total_results"] == 10


@pytest.mark.parametrize(
    ("fields", "names", "line_names"),
    [
        ("tid,payment", {"tid", "tid_str", "payment"}, None),
        ("tid,orders.oid,orders.num", {"tid", "tid_str", "orders"}, {"oid", "oid_str", "num"}),
        ("status, orders.order.price ,no_such_field", {"status", "orders"}, {"price"}),
    ],
)
def test_only_chosen_fields_come_when_fields_are_given(simulate, fields, names, line_names):
    simulator = simulate()
    tid = paid(simulator)

    trade = ask(simulator, "taobao.trade.fullinfo.get", tid=tid, fields=fields)["trade"]

    assert set(trade) == names
    assert line_names is None or {name for line in trade["orders"]["order"] for name in line} == line_names


def test_promotion_details_come_with_the_full_trade_only_when_asked_for(simulate):
    simulator = simulate(orders=60)
    tid = next(tid for tid, trade in simulator.shop.trades.items() if "promotion_details" in trade)

    whole = ask(simulator, "taobao.trade.fullinfo.get", tid=tid, fields="tid,promotion_details")["trade"]
    page = ask(simulator, INCREMENT, fields="tid,promotion_details", page_size=100, **DAY)

    assert whole["promotion_details"]["promotion_detail"][0]["promotion_name"] == "店铺满减"
    assert all("promotion_details" not in row for row in page["trades"]["trade"])


def test_receiver_is_masked_and_opened_by_its_oaid_when_the_oaid_matches(simulate):
    simulator = simulate()
    tid, other = paid(simulator), paid(simulator)

    shown = ask(simulator, "taobao.trade.fullinfo.get", tid=tid, fields="receiver_name,receiver_mobile", include_oaid="include_oaid")[
        "trade"
    ]
    queries = [{"oaid": shown["oaid"], "tid": str(tid), "scene": "1005"}, {"oaid": shown["oaid"], "tid": str(other)}]
    opened = ask(simulator, "taobao.top.oaid.decrypt", query_list=json.dumps(queries))["receiver_list"]["receiver"]

    receiver = simulator.shop.receivers[tid]
    assert (shown["receiver_name"], shown["receiver_mobile"][3:7]) == (receiver.name[0] + "**", "****")
    assert [one["matched"] for one in opened] == [True, False]
    assert (opened[0]["name"], opened[0]["mobile"], opened[0]["address_detail"]) == (receiver.name, receiver.mobile, receiver.address)
    assert "name" not in opened[1]


def test_orders_are_merged_when_they_go_to_one_receiver(simulate):
    simulator = simulate()
    one, two, three = (paid(simulator) for _ in range(3))
    simulator.shop.receivers[two] = simulator.shop.receivers[one]
    simulator.shop.trades[two]["oaid"] = simulator.shop.trades[one]["oaid"]
    queries = [{"tid": str(tid), "oaid": simulator.shop.trades[tid]["oaid"]} for tid in (one, two, three)]

    groups = ask(simulator, "taobao.top.oaid.merge", merge_list=json.dumps(queries))["tid_list"]["string"]

    assert groups == [f"{one},{two}", str(three)]


@pytest.mark.parametrize("text", ["", "x", "[]", "[1]", '[{"tid": "1"}]', "{}"])
def test_oaid_query_is_refused_when_it_is_no_list_of_pairs(simulate, text):
    assert ask(simulate(), "taobao.top.oaid.decrypt", query_list=text)["code"] in (40, 41)


def test_whole_order_ships_once_when_it_is_sent_offline(simulate):
    simulator = simulate()
    tid = paid(simulator)
    send = {"tid": tid, "company_code": "SF", "out_sid": "SF0000000000001"}

    first = ask(simulator, "taobao.logistics.offline.send", **send)
    again = ask(simulator, "taobao.logistics.offline.send", **send)
    trade = ask(simulator, "taobao.trade.fullinfo.get", tid=tid, fields="status,consign_time,is_part_consign,orders")["trade"]

    assert first["shipping"] == {"is_success": True}
    assert (again["code"], sub_code(again)) == (15, B04)
    assert (trade["status"], trade["is_part_consign"], trade["consign_time"]) == ("WAIT_BUYER_CONFIRM_GOODS", False, "2026-11-11 12:00:00")
    assert {(line["invoice_no"], line["logistics_company"]) for line in trade["orders"]["order"]} == {("SF0000000000001", "顺丰速运")}
    assert len(simulator.shop.shipments) == 1


def test_order_ships_line_by_line_when_it_is_split(simulate):
    simulator = simulate()
    tid = paid(simulator)

    def send(*oids: int) -> Mapping[str, Any]:
        split = {"sub_tid": ",".join(map(str, oids)), "is_split": 1}
        return ask(simulator, "taobao.logistics.offline.send", tid=tid, company_code="ZTO", out_sid=f"75{oids[0]}", **split)

    steps = [
        sub_code(send(tid + 1)),
        status_of(simulator, tid),
        sub_code(send(tid + 1)),
        sub_code(send(tid)),
        sub_code(send(tid + 2, tid + 3)),
    ]

    assert steps == ["", "SELLER_CONSIGNED_PART", B04, "isv.logistics-offline-service-error:P38", ""]
    assert status_of(simulator, tid) == "WAIT_BUYER_CONFIRM_GOODS"
    assert [one["oids"] for one in simulator.shop.shipments] == [[tid + 1], [tid + 2, tid + 3]]


@pytest.mark.parametrize(
    ("status", "changes", "code"),
    [
        ("WAIT_BUYER_PAY", {}, "isv.logistics-offline-service-error:B02"),
        ("PAID_FORBID_CONSIGN", {}, "isv.logistics-offline-service-error:B02"),
        ("TRADE_FINISHED", {}, B04),
        ("TRADE_CLOSED", {}, B04),
        ("WAIT_SELLER_SEND_GOODS", {"tid": 77}, "isv.logistics-offline-service-error:B01"),
        ("WAIT_SELLER_SEND_GOODS", {"out_sid": "!"}, "isv.logistics-offline-service-error:B60"),
        ("WAIT_SELLER_SEND_GOODS", {"out_sid": ""}, "isv.missing-parameter:out_sid"),
        ("WAIT_SELLER_SEND_GOODS", {"company_code": "sf express"}, "isv.invalid-parameter:company_code"),
        ("WAIT_SELLER_SEND_GOODS", {"company_code": None}, "isv.missing-parameter:company_code"),
        ("WAIT_SELLER_SEND_GOODS", {"is_split": 1}, "isv.invalid-parameter:sub_tid"),
    ],
)
def test_nothing_ships_when_the_order_or_the_request_does_not_allow_it(simulate, status, changes, code):
    simulator = simulate()
    tid = paid(simulator)
    simulator.shop.set_status(tid, status)
    before = simulator.shop.trades[tid]["modified"]

    answer = ask(simulator, "taobao.logistics.offline.send", **({"tid": tid, "company_code": "SF", "out_sid": "SF00001"} | changes))

    assert sub_code(answer) == code
    assert (simulator.shop.shipments, simulator.shop.trades[tid]["modified"]) == ([], before)


def test_waybill_changes_when_a_shipped_order_is_resent(simulate):
    simulator = simulate()
    tid = paid(simulator)
    resend = {"tid": tid, "company_code": "YTO", "out_sid": "YT12345678"}

    early = ask(simulator, "taobao.logistics.consign.resend", **resend)
    ask(simulator, "taobao.logistics.offline.send", tid=tid, company_code="SF", out_sid="SF00001")
    ask(simulator, "taobao.logistics.consign.resend", **resend)
    lines = ask(simulator, "taobao.trade.fullinfo.get", tid=tid, fields="orders.invoice_no")["trade"]["orders"]["order"]

    assert sub_code(early) == "isv.logistics-resend-service-error:B04"
    assert {line["invoice_no"] for line in lines} == {"YT12345678"}


def test_online_order_ships_when_its_waybill_is_confirmed(simulate):
    simulator = simulate()
    tid = paid(simulator)

    nothing = ask(simulator, "taobao.logistics.online.confirm", tid=tid, out_sid="SF00001")
    ask(simulator, "taobao.logistics.online.send", tid=tid, company_code="SF")
    between = status_of(simulator, tid)
    ask(simulator, "taobao.logistics.online.confirm", tid=tid, out_sid="SF00001")

    assert sub_code(nothing) == "isv.logistics-online-service-error:B02"
    assert (between, status_of(simulator, tid)) == ("WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS")


def test_order_counts_as_shipped_when_nothing_needs_to_travel(simulate):
    simulator = simulate()
    tid = paid(simulator)

    assert ask(simulator, "taobao.logistics.dummy.send", tid=tid)["shipping"]["is_success"] is True
    assert status_of(simulator, tid) == "WAIT_BUYER_CONFIRM_GOODS"


def test_carriers_are_listed_when_asked_for(simulate):
    answer = ask(simulate(), "taobao.logistics.companies.get", fields="id,code,name")

    assert answer["logistics_companies"]["logistics_company"][0] == {"id": 500, "code": "SF", "name": "顺丰速运"}


@pytest.mark.parametrize(
    ("params", "levels"),
    [
        ({"skuid_quantities": f"{FIRST_SKU}:7;{FIRST_SKU + 1}:0"}, [7, 0, 500]),
        ({"skuid_quantities": f"{FIRST_SKU}:-20;{FIRST_SKU + 1}:5", "type": 2}, [480, 505, 500]),
        ({"skuid_quantities": f"{FIRST_SKU}:-501", "type": 2}, [0, 500, 500]),
        ({"outerid_quantities": "TEA-LJ-250:9"}, [500, 500, 9]),
        ({"skuid_quantities": f"{FIRST_SKU}:1", "outerid_quantities": "TEA-LJ-250:9"}, [1, 500, 500]),
    ],
)
def test_stock_is_set_or_changed_when_skus_are_updated(simulate, params, levels):
    simulator = simulate()

    answer = ask(simulator, "taobao.skus.quantity.update", num_iid=FIRST_ITEM, **params)["item"]

    assert [sku.quantity for sku in simulator.shop.items[FIRST_ITEM].skus] == levels
    assert (answer["num_iid"], answer["num"]) == (FIRST_ITEM, sum(levels))
    assert {sku["sku_id"] for sku in answer["skus"]["sku"]} <= {FIRST_SKU, FIRST_SKU + 1, FIRST_SKU + 2}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"skuid_quantities": f"{FIRST_SKU}:5;{FIRST_SKU + 1}:-1"}, "isv.item-quantity-update-service-error:INVALID_QUANTITY"),
        ({"skuid_quantities": f"{FIRST_SKU}:5;77:1"}, "isv.item-quantity-update-service-error:SKU_NOT_FOUND"),
        ({"skuid_quantities": ";".join(f"{FIRST_SKU}:{n}" for n in range(21))}, "isv.invalid-parameter:skuid_quantities"),
        ({"skuid_quantities": f"{FIRST_SKU}=5"}, "isv.invalid-parameter:skuid_quantities"),
        ({}, "isv.missing-parameter:outerid_quantities"),
        ({"skuid_quantities": f"{FIRST_SKU}:5", "type": 3}, "isv.invalid-parameter:type"),
        ({"skuid_quantities": f"{FIRST_SKU}:5", "num_iid": 1}, "isv.item-not-exist"),
    ],
)
def test_no_stock_changes_when_one_part_of_an_update_is_wrong(simulate, params, code):
    simulator = simulate()

    answer = ask(simulator, "taobao.skus.quantity.update", **({"num_iid": FIRST_ITEM} | params))

    assert sub_code(answer) == code
    assert [sku.quantity for sku in simulator.shop.items[FIRST_ITEM].skus] == [500, 500, 500]
    assert simulator.shop.stock_updates == []


def test_stock_of_an_item_is_set_when_it_has_no_skus(simulate):
    simulator = simulate()

    ask(simulator, "taobao.item.quantity.update", num_iid=BOX, quantity=9)
    by_code = ask(simulator, "taobao.item.quantity.update", num_iid=FIRST_ITEM, outer_id="TEA-LJ-100", quantity=-5, type=2)
    refused = ask(simulator, "taobao.item.quantity.update", num_iid=FIRST_ITEM, quantity=9)

    assert simulator.shop.items[BOX].quantity == 9
    assert by_code["item"]["skus"]["sku"][0]["quantity"] == 495
    assert sub_code(refused) == "isv.item-quantity-update-service-error:SKU_NOT_FOUND"


def test_items_are_listed_by_state_when_asked_for(simulate):
    simulator = simulate()

    on_sale = ask(simulator, "taobao.items.onsale.get", fields="num_iid,title", page_size=5)
    stored = ask(simulator, "taobao.items.inventory.get", fields="num_iid,title,approve_status")
    found = ask(simulator, "taobao.items.onsale.get", fields="num_iid", q="龙井")
    refused = ask(simulator, "taobao.items.onsale.get", fields="num_iid", page_size=201)

    assert (on_sale["total_results"], len(on_sale["items"]["item"]), set(on_sale["items"]["item"][0])) == (14, 5, {"num_iid", "title"})
    assert [item["approve_status"] for item in stored["items"]["item"]] == ["instock"]
    assert [item["num_iid"] for item in found["items"]["item"]] == [FIRST_ITEM]
    assert sub_code(refused) == "isv.invalid-parameter:page_size"


@pytest.mark.parametrize("fields", ["num_iid,title,sku", "num_iid,title,skus", "num_iid,title,skus.sku_id,skus.outer_id"])
def test_items_bring_their_skus_when_asked_in_any_spelling(simulate, fields):
    simulator = simulate()

    items = ask(simulator, "taobao.items.seller.list.get", fields=fields, num_iids=f"{FIRST_ITEM},{BOX},1")["items"]["item"]
    item = ask(simulator, "taobao.item.seller.get", fields=fields, num_iid=FIRST_ITEM)["item"]
    skus = ask(simulator, "taobao.item.skus.get", fields="sku_id,outer_id,quantity", num_iids=FIRST_ITEM)["skus"]["sku"]

    assert [one["num_iid"] for one in items] == [FIRST_ITEM, BOX]
    assert [sku["outer_id"] for sku in item["skus"]["sku"]] == ["TEA-LJ-50", "TEA-LJ-100", "TEA-LJ-250"]
    assert "skus" not in items[1]
    assert skus[0] == {"sku_id": FIRST_SKU, "outer_id": "TEA-LJ-50", "quantity": 500}


def test_items_are_refused_when_there_are_none_or_too_many(simulate):
    simulator = simulate()
    many = ",".join(map(str, range(1, 22)))

    assert sub_code(ask(simulator, "taobao.items.seller.list.get", fields="num_iid")) == "isv.missing-parameter:num_iids"
    assert sub_code(ask(simulator, "taobao.items.seller.list.get", fields="num_iid", num_iids=many)) == "isv.invalid-parameter:num_iids"
    assert sub_code(ask(simulator, "taobao.item.skus.get", fields="num_iid")) == "isv.missing-parameter:num_iids"
    assert sub_code(ask(simulator, "taobao.item.seller.get", fields="num_iid", num_iid=1)) == "isv.item-not-exist"


def test_memo_is_added_once_and_then_updated(simulate):
    simulator = simulate()
    tid = paid(simulator)

    added = ask(simulator, "taobao.trade.memo.add", tid=tid, memo="加急 🚚", flag=5)
    again = ask(simulator, "taobao.trade.memo.add", tid=tid, memo="b")
    updated = ask(simulator, "taobao.trade.memo.update", tid=tid, flag=1)
    emptied = ask(simulator, "taobao.trade.memo.update", tid=tid, reset="true")
    trade = simulator.shop.trades[tid]

    assert set(added["trade"]) == {"tid", "created"}
    assert sub_code(again) == "isv.trade-memo-exist"
    assert (updated["trade"]["tid"], emptied["trade"]["modified"]) == (tid, "2026-11-11 12:00:00")
    assert (trade["seller_memo"], trade["seller_flag"]) == ("", 1)


@pytest.mark.parametrize("changes", [{"memo": "茶" * 334}, {"flag": 6}, {"memo": ""}])
def test_memo_is_refused_when_it_is_too_long_or_has_no_such_flag(simulate, changes):
    simulator = simulate()
    tid = paid(simulator)

    answer = ask(simulator, "taobao.trade.memo.add", **({"tid": tid, "memo": "a", "flag": 1} | changes))

    assert answer["code"] in (40, 41)
    assert "seller_memo" not in simulator.shop.trades[tid]


def test_refunds_are_listed_and_shown_when_buyers_ask_for_them(simulate):
    simulator = simulate()
    tid = paid(simulator)
    refund_id = simulator.shop.ask_refund(tid, tid + 2)

    page = ask(simulator, "taobao.refunds.receive.get", fields="refund_id,tid,oid,status", **DAY)
    one = ask(simulator, "taobao.refund.get", fields="refund_id,refund_fee,has_good_return", refund_id=refund_id)["refund"]
    none = ask(simulator, "taobao.refunds.receive.get", fields="refund_id", status="SUCCESS")
    unknown = ask(simulator, "taobao.refund.get", fields="refund_id", refund_id=1)
    line = simulator.shop.trades[tid]["orders"]["order"][1]

    assert page["refunds"]["refund"] == [{"refund_id": refund_id, "tid": tid, "oid": tid + 2, "status": "WAIT_SELLER_AGREE"}]
    assert one == {"refund_id": refund_id, "refund_fee": line["divide_order_fee"], "has_good_return": False}
    assert (none["total_results"], "refunds" in none) == (0, False)
    assert sub_code(unknown) == "isv.refund-not-exist"
    assert line["refund_status"] == "WAIT_SELLER_AGREE"


def test_trade_closes_when_all_its_lines_are_refunded(simulate):
    simulator = simulate()
    tid = paid(simulator, {"TEA-LJ-50": 1, "TEA-JM-100": 1})
    steps = []

    for oid in (tid + 1, tid + 2):
        simulator.shop.settle_refund(simulator.shop.ask_refund(tid, oid))
        steps.append(status_of(simulator, tid))
    invoice = ask(simulator, "taobao.trade.invoice.amount.get", tid=tid)
    trade = simulator.shop.trades[tid]

    assert steps == ["WAIT_SELLER_SEND_GOODS", "TRADE_CLOSED"]
    assert invoice["platform_invoice_amount"] == "0"
    assert invoice["consumer_invoice_amount"] == str(int(float(trade["post_fee"]) * 100))


def test_messages_are_snapshots_of_chosen_topics_when_switched_on(simulate):
    simulator = simulate()
    paid(simulator)
    ask(simulator, "taobao.tmc.user.permit", topics="taobao_trade_TradeBuyerPay")
    tid = paid(simulator)
    simulator.shop.finish(tid)

    messages = ask(simulator, "taobao.tmc.messages.consume", quantity=10)["messages"]["tmc_message"]
    confirmed = ask(simulator, "taobao.tmc.messages.confirm", s_message_ids=messages[0]["id"])
    user = ask(simulator, "taobao.tmc.user.get", fields="user_nick,topics", nick="云栖茶铺_演示")["tmc_user"]

    assert [message["topic"] for message in messages] == ["taobao_trade_TradeBuyerPay"]
    content = json.loads(messages[0]["content"])
    assert (content["tid"], content["status"]) == (tid, "WAIT_SELLER_SEND_GOODS")
    assert confirmed["is_success"] is True
    assert user["topics"] == {"string": ["taobao_trade_TradeBuyerPay"]}


def test_messages_come_in_no_order_when_there_are_many(simulate):
    simulator = simulate(seed=2)
    ask(simulator, "taobao.tmc.user.permit")
    tids = [simulator.shop.place() for _ in range(30)]

    messages = ask(simulator, "taobao.tmc.messages.consume", quantity=200)["messages"]["tmc_message"]
    got = [json.loads(message["content"])["tid"] for message in messages]

    assert Counter(got) == Counter(tids)
    assert got != tids


def test_messages_are_refused_when_too_many_are_asked_for_or_confirmed(simulate):
    simulator = simulate()
    many = ",".join(map(str, range(201)))

    assert ask(simulator, "taobao.tmc.messages.consume", quantity=201)["code"] == 41
    assert ask(simulator, "taobao.tmc.messages.confirm", s_message_ids=many)["code"] == 41
    assert ask(simulator, "taobao.tmc.messages.confirm")["code"] == 40


def test_seller_and_shop_are_named_when_asked_for(simulate):
    simulator = simulate()

    assert ask(simulator, "taobao.user.seller.get", fields="nick,user_id")["user"]["nick"] == "云栖茶铺_演示"
    assert ask(simulator, "taobao.shop.seller.get", fields="sid,title")["shop"] == {"sid": 62000001, "title": "云栖茶铺"}


def test_presale_is_paid_in_two_steps_when_the_buyer_pays_twice(simulate):
    simulator = simulate()
    tid = simulator.shop.place(kind="step")
    states = [orders_from(simulator.shop.trades[tid])[0].state]

    for _ in range(2):
        simulator.shop.pay(tid)
        states.append(orders_from(simulator.shop.trades[tid])[0].state)

    assert states == ["awaiting_payment", "presale_deposit", "paid"]


def test_every_page_is_full_when_the_shop_has_thousands_of_orders(simulate):
    simulator = simulate(orders=2_000)

    pages = [
        ask(simulator, INCREMENT, fields="tid,orders", page_size=50, page_no=page_no, use_has_next="true", **DAY) for page_no in (1, 20, 40)
    ]

    assert [(len(page["trades"]["trade"]), page["has_next"]) for page in pages] == [(50, True), (50, True), (50, False)]
