from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from core.sdk import Denied, Invalid, NotFound, ShipmentPush, StockPush, Unavailable, Window
from plugins.taobao.mapping import orders_from, refunds_from
from plugins.taobao.simulator.catalog import FIRST_ITEM, FIRST_SKU
from plugins.taobao.simulator.protocol import Credentials
from tests.plugins.http import AnswerLost, PlainHttp
from tests.plugins.taobao.conftest import CREDENTIALS, connected, context_for, last_day

BOX = FIRST_ITEM + 14


def push(tid: int, number: str = "SF1234567890", **changes: Any) -> ShipmentPush:
    return ShipmentPush(
        **({"order_external_id": str(tid), "carrier": "sf", "carrier_on_channel": "SF", "tracking_number": number} | changes)
    )


def paid(simulator: Any, codes: dict[str, int] | None = None, kind: str = "fixed") -> int:
    tid = simulator.shop.place(codes or {"TEA-LJ-100": 1, "TEA-JM-100": 2}, kind=kind)
    simulator.shop.pay(tid)
    return tid


def test_check_returns_the_shops_name_when_the_credentials_work(simulate):
    simulator = simulate()

    assert connected(simulator).check() == "云栖茶铺"


@pytest.mark.parametrize(
    ("config", "secrets", "code"),
    [
        ({"app_key": "999999"}, {}, "taobao.app_refused"),
        ({}, {"app_secret": "wrong"}, "taobao.app_refused"),
        ({}, {"session": "wrong"}, "taobao.session_expired"),
    ],
)
def test_check_is_denied_when_a_credential_is_wrong(simulate, config, secrets, code):
    simulator = simulate()
    ctx = context_for(simulator)
    changed = {"config": {**ctx.config, **config}, "secrets": {**ctx.secrets, **secrets}}

    with pytest.raises(Denied) as caught:
        connected(simulator, **changed).check()

    assert caught.value.code == code


@pytest.mark.parametrize("sign_method", ["md5", "hmac", "hmac-sha256"])
def test_check_works_when_requests_are_signed_in_any_way(simulate, sign_method):
    simulator = simulate()
    config = {**context_for(simulator).config, "sign_method": sign_method}

    assert connected(simulator, config=config).check() == "云栖茶铺"


def test_changed_orders_brings_every_order_once_with_full_detail_when_nothing_moves(simulate):
    simulator = simulate(orders=230, seed=5)
    connection = connected(simulator)

    documents = list(connection.changed_orders(last_day(simulator)))

    assert Counter(doc.external_id for doc in documents) == Counter(str(tid) for tid in simulator.shop.trades)
    orders = [orders_from(doc.payload)[0] for doc in documents]
    assert [order.modified_at for order in orders] == [doc.modified_at for doc in documents]
    assert {order.external_id: order.lines for order in orders} == {
        str(tid): orders_from(trade)[0].lines for tid, trade in simulator.shop.trades.items()
    }
    assert all(order.receiver.token for order in orders)


def test_changed_orders_needs_few_calls_when_rows_are_complete(simulate):
    simulator = simulate(orders=200)
    http = PlainHttp()

    documents = list(connected(simulator, http=http).changed_orders(last_day(simulator)))

    assert (len(documents), http.sent) == (200, 5)


def test_changed_orders_finds_presale_and_unusual_types_when_the_platform_hides_them_by_default(simulate):
    simulator = simulate()
    hidden = simulator.shop.place(kind="nopaid")

    documents = list(connected(simulator).changed_orders(last_day(simulator)))

    assert [doc.external_id for doc in documents] == [str(hidden)]


def test_changed_orders_fetches_the_detail_when_a_row_lacks_something(simulate):
    simulator = simulate()
    tid = paid(simulator)
    trade = simulator.shop.trades[tid]
    trade["has_buyer_message"] = True
    trade.pop("buyer_message", None)
    http = PlainHttp()

    (document,) = connected(simulator, http=http).changed_orders(last_day(simulator))

    assert document.external_id == str(tid)
    assert http.sent == 3


def test_changed_orders_asks_day_by_day_when_the_window_is_longer(simulate):
    simulator = simulate(orders=60)
    now = simulator.shop.clock.now()

    documents = list(connected(simulator).changed_orders(Window(now - timedelta(days=3), now)))

    assert len({doc.external_id for doc in documents}) == 60


def test_changed_orders_includes_both_ends_when_the_window_is_a_point(simulate):
    simulator = simulate()
    tid = simulator.shop.place()
    now = simulator.shop.clock.now()

    documents = list(connected(simulator).changed_orders(Window(now, now)))

    assert [doc.external_id for doc in documents] == [str(tid)]


def test_order_is_exact_when_its_number_is_above_two_to_the_53rd(simulate):
    simulator = simulate()
    tid = paid(simulator)

    document = connected(simulator).order(str(tid))

    assert tid > 2**53
    assert (document.external_id, document.payload["tid"]) == (str(tid), tid)
    assert document.kind == "order"


def test_order_is_not_found_when_the_shop_does_not_know_it(simulate):
    with pytest.raises(NotFound) as caught:
        connected(simulate()).order("4120000000999999999")

    assert caught.value.code == "taobao.not_found"


def test_order_stamps_hold_every_order_when_asked_by_creation(simulate):
    simulator = simulate(orders=120)

    stamps = {stamp.external_id: stamp.modified_at for stamp in connected(simulator).order_stamps(last_day(simulator))}

    assert stamps == {str(tid): orders_from(trade)[0].modified_at for tid, trade in simulator.shop.trades.items()}


def test_changed_refunds_brings_each_refund_when_some_changed(simulate):
    simulator = simulate(orders=200)
    tid = paid(simulator)
    refund_id = simulator.shop.ask_refund(tid)

    documents = list(connected(simulator).changed_refunds(last_day(simulator)))

    assert {doc.external_id for doc in documents} == {str(number) for number in simulator.shop.refunds}
    (mine,) = [refunds_from(doc.payload)[0] for doc in documents if doc.external_id == refund_id]
    assert (mine.order_external_id, mine.state, mine.line_external_ids) == (str(tid), "requested", (str(tid + 1),))


def test_push_shipment_ships_the_whole_order_when_no_lines_are_named(simulate):
    simulator = simulate()
    tid = paid(simulator)

    result = connected(simulator).push_shipment(push(tid))

    assert (result.is_ok, result.reference) == (True, str(tid))
    assert simulator.shop.trades[tid]["status"] == "WAIT_BUYER_CONFIRM_GOODS"
    assert [(one["out_sid"], one["company_code"], len(one["oids"])) for one in simulator.shop.shipments] == [("SF1234567890", "SF", 2)]


def test_push_shipment_sends_nothing_more_when_it_is_repeated(simulate):
    simulator = simulate()
    tid = paid(simulator)
    connection = connected(simulator)
    connection.push_shipment(push(tid))

    again = connection.push_shipment(push(tid))

    assert (again.is_ok, again.code) == (True, "already_known")
    assert len(simulator.shop.shipments) == 1


def test_push_shipment_ships_by_lines_when_the_order_goes_in_two_parcels(simulate):
    simulator = simulate()
    tid = paid(simulator)
    connection = connected(simulator)

    first = connection.push_shipment(push(tid, "SF1111111111", line_external_ids=(str(tid + 1),)))
    between = simulator.shop.trades[tid]["status"]
    second = connection.push_shipment(push(tid, "SF2222222222", line_external_ids=(str(tid + 2),)))

    assert (first.is_ok, second.is_ok) == (True, True)
    assert (between, simulator.shop.trades[tid]["status"]) == ("SELLER_CONSIGNED_PART", "WAIT_BUYER_CONFIRM_GOODS")
    assert [one["oids"] for one in simulator.shop.shipments] == [[tid + 1], [tid + 2]]
    assert connection.has_shipment(push(tid, "SF2222222222", line_external_ids=(str(tid + 2),)))
    assert not connection.has_shipment(push(tid, "SF1111111111"))


def test_push_shipment_leaves_closed_lines_out_when_the_whole_order_ships(simulate):
    simulator = simulate()
    tid = paid(simulator)
    simulator.shop.settle_refund(simulator.shop.ask_refund(tid, tid + 2))

    result = connected(simulator).push_shipment(push(tid))

    assert result.is_ok
    assert [one["oids"] for one in simulator.shop.shipments] == [[tid + 1]]


def test_push_shipment_changes_the_number_when_it_is_a_change(simulate):
    simulator = simulate()
    tid = paid(simulator)
    connection = connected(simulator)
    connection.push_shipment(push(tid))

    refused = connection.push_shipment(push(tid, "SF9999999999"))
    changed = connection.push_shipment(push(tid, "SF9999999999", is_change=True))

    assert (refused.is_ok, refused.code) == (False, "taobao.shipped_otherwise")
    assert changed.is_ok
    assert connection.has_shipment(push(tid, "SF9999999999"))
    assert not connection.has_shipment(push(tid))


@pytest.mark.parametrize(
    ("status", "changes", "code"),
    [
        ("WAIT_BUYER_PAY", {}, "taobao.not_ready_to_ship"),
        ("PAID_FORBID_CONSIGN", {}, "taobao.not_ready_to_ship"),
        ("TRADE_CLOSED", {}, "taobao.line_closed"),
        ("WAIT_SELLER_SEND_GOODS", {"is_change": True}, "taobao.not_shipped_yet"),
        ("WAIT_SELLER_SEND_GOODS", {"line_external_ids": ("77",)}, "taobao.unknown_line"),
        ("WAIT_SELLER_SEND_GOODS", {"tracking_number": "?"}, "isv.logistics-offline-service-error:B60"),
        ("WAIT_SELLER_SEND_GOODS", {"carrier_on_channel": "shunfeng"}, "isv.invalid-parameter:company_code"),
    ],
)
def test_push_shipment_is_refused_and_nothing_ships_when_the_order_or_push_does_not_allow_it(simulate, status, changes, code):
    simulator = simulate()
    tid = paid(simulator)
    if status == "TRADE_CLOSED":
        simulator.shop.close(tid)
    else:
        simulator.shop.set_status(tid, status)

    result = connected(simulator).push_shipment(push(tid, **changes))

    assert (result.is_ok, result.code) == (False, code)
    assert simulator.shop.shipments == []


def test_push_shipment_goes_online_when_the_order_is_cash_on_delivery(simulate):
    simulator = simulate()
    tid = simulator.shop.place({"TEA-PE-357": 1}, kind="cod")
    simulator.shop.set_status(tid, "WAIT_SELLER_SEND_GOODS")

    result = connected(simulator).push_shipment(push(tid))

    assert result.is_ok
    assert simulator.shop.trades[tid]["status"] == "WAIT_BUYER_CONFIRM_GOODS"


def test_push_shipment_does_nothing_when_it_is_a_dry_run(simulate):
    simulator = simulate()
    tid = paid(simulator)

    result = connected(simulator, dry_run=True).push_shipment(push(tid))

    assert (result.is_ok, result.code) == (True, "dry_run")
    assert simulator.shop.shipments == []


def test_push_shipment_can_be_repeated_when_the_answer_was_lost(simulate):
    simulator = simulate(faults={"answer-lost": 1.0})
    tid = paid(simulator)
    connection = connected(simulator)

    with pytest.raises(AnswerLost):
        connection.push_shipment(push(tid))
    is_known = connection.has_shipment(push(tid))
    again = connection.push_shipment(push(tid))

    assert (is_known, again.is_ok) == (True, True)
    assert len(simulator.shop.shipments) == 1


def test_push_stock_sets_each_level_when_items_have_many_skus_or_none(simulate):
    simulator = simulate()
    levels = [
        StockPush(str(FIRST_ITEM), str(FIRST_SKU), "TEA-LJ-50", 7),
        StockPush(str(BOX), "", "GIFT-BOX-RED", 3),
        StockPush(str(FIRST_ITEM), str(FIRST_SKU + 1), "TEA-LJ-100", 0),
        StockPush(str(FIRST_ITEM + 1), str(FIRST_SKU + 3), "TEA-BLC-100", 12),
    ]

    results = connected(simulator).push_stock(levels)

    assert [(one.reference, one.is_ok) for one in results] == [(level.external_sku or level.external_product, True) for level in levels]
    assert [(one["num_iid"], one["sku_id"], one["quantity"]) for one in simulator.shop.stock_updates] == [
        (FIRST_ITEM, FIRST_SKU, 7),
        (FIRST_ITEM, FIRST_SKU + 1, 0),
        (BOX, 0, 3),
        (FIRST_ITEM + 1, FIRST_SKU + 3, 12),
    ]


def test_push_stock_names_the_guilty_sku_when_the_platform_refuses_a_batch(simulate):
    simulator = simulate()
    levels = [
        StockPush(str(FIRST_ITEM), str(FIRST_SKU), "", 1),
        StockPush(str(FIRST_ITEM), "77", "", 2),
        StockPush(str(FIRST_ITEM), str(FIRST_SKU + 2), "", 3),
        StockPush("1", "1", "", 4),
    ]

    results = connected(simulator).push_stock(levels)

    assert [(one.is_ok, one.code) for one in results] == [
        (True, ""),
        (False, "isv.item-quantity-update-service-error:SKU_NOT_FOUND"),
        (True, ""),
        (False, "isv.item-not-exist"),
    ]
    assert [one["quantity"] for one in simulator.shop.stock_updates] == [1, 3]


def test_push_stock_keeps_to_twenty_skus_a_call_when_there_are_more(simulate):
    simulator = simulate()
    item = simulator.shop.items[FIRST_ITEM]
    item.skus = [type(item.skus[0])(9000 + place, f"C{place}", "x", item.price, 0, "") for place in range(45)]
    http = PlainHttp()

    results = connected(simulator, http=http).push_stock([StockPush(str(FIRST_ITEM), str(9000 + place), "", place) for place in range(45)])

    assert (len(results), http.sent) == (45, 3)
    assert [sku.quantity for sku in item.skus] == list(range(45))


def test_push_stock_does_nothing_when_it_is_a_dry_run(simulate):
    simulator = simulate()

    (result,) = connected(simulator, dry_run=True).push_stock([StockPush(str(FIRST_ITEM), str(FIRST_SKU), "", 7)])

    assert (result.is_ok, result.code) == (True, "dry_run")
    assert simulator.shop.stock_updates == []


def test_skus_lists_what_is_on_sale_and_in_stock_when_items_have_skus_or_none(simulate):
    skus = list(connected(simulate()).skus())

    assert len(skus) == 24
    first, last = skus[0], next(one for one in skus if not one.external_sku)
    assert (first.external_product, first.external_sku, first.seller_code) == (str(FIRST_ITEM), str(FIRST_SKU), "TEA-LJ-50")
    assert (str(first.price), first.quantity, first.title) == ("128.00", 500, "西湖龙井 特级 50克罐")
    assert (last.external_product, last.seller_code, last.quantity, last.title) == (str(BOX), "GIFT-BOX-RED", 300, "茶叶礼盒 红色 空盒")
    assert {one.seller_code for one in skus} >= {"WARE-MAT-30", "XP-2026-QM", ""}


def test_messages_name_the_orders_to_look_at_when_they_were_switched_on(simulate):
    simulator = simulate()
    connection = connected(simulator)
    nothing_yet = connection.messages()
    tid = paid(simulator)
    simulator.shop.ask_refund(tid)

    messages = connection.messages()

    assert nothing_yet == []
    assert sorted(one.topic for one in messages) == [
        "taobao_refund_RefundCreated",
        "taobao_trade_TradeBuyerPay",
        "taobao_trade_TradeCreate",
    ]
    assert {(one.kind, one.external_id) for one in messages} == {("order", str(tid))}


def test_messages_come_again_when_they_were_not_confirmed(simulate):
    simulator = simulate()
    connection = connected(simulator)
    connection.messages()
    paid(simulator)
    first = connection.messages()

    hidden = connection.messages()
    simulator.shop.clock.advance(timedelta(seconds=61))
    again = connection.messages()

    assert (len(first), hidden) == (2, [])
    assert {one.message_id for one in again} == {one.message_id for one in first}


def test_messages_end_when_they_are_confirmed(simulate):
    simulator = simulate(seed=3)
    connection = connected(simulator)
    connection.messages()
    for _ in range(120):
        paid(simulator)

    for _ in range(20):
        connection.confirm([one.message_id for one in connection.messages()])
        simulator.shop.clock.advance(timedelta(seconds=61))

    assert simulator.shop.messages.waiting() == 0


def test_messages_are_none_when_the_app_has_no_permission_for_them(simulate):
    simulator = simulate()
    simulator.gateway.credentials = Credentials("87654321", CREDENTIALS.secret, CREDENTIALS.session)

    assert connected(simulator).messages() == []


def test_confirm_and_permit_are_left_out_when_it_is_a_dry_run(simulate):
    simulator = simulate()
    connection = connected(simulator, dry_run=True)

    connection.messages()
    connection.confirm(["1"])

    assert not simulator.shop.messages.is_permitted


def test_read_waits_as_long_as_the_platform_asks_when_it_bans_for_a_moment(simulate):
    simulator = simulate()
    simulator.gateway.limiter.ban("taobao.shop.seller.get", 3)
    pauses: list[float] = []
    connection = connected(simulator)
    connection._gateway._pause = lambda seconds: (pauses.append(seconds), simulator.shop.clock.advance(timedelta(seconds=seconds)))

    title = connection.check()

    assert (title, pauses) == ("云栖茶铺", [4.0])


def test_read_gives_up_at_once_when_the_ban_lasts_long(simulate):
    simulator = simulate()
    simulator.gateway.limiter.ban("taobao.shop.seller.get", 31062)

    with pytest.raises(Unavailable) as caught:
        connected(simulator).check()

    assert (caught.value.code, caught.value.retry_after_s) == ("taobao.rate_limited", 31063.0)


def test_request_holds_no_empty_parameter_when_an_argument_is_empty(simulate):
    simulator = simulate()
    seen: list[dict[str, str]] = []

    class Recording(PlainHttp):
        def request(self, method: str, url: str, **options: Any):
            seen.append({**options["params"], **options["form"]})
            return super().request(method, url, **options)

    with pytest.raises(Invalid):
        connected(simulator, http=Recording()).order("")

    assert seen[0]["timestamp"] == "2026-11-11 12:00:00"
    assert "tid" not in seen[0]
    assert seen[0]["app_key"] == CREDENTIALS.app_key
