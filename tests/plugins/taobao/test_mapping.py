from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.sdk import ChannelState, Denied, Invalid, NotFound, RefundState, Unavailable
from plugins.taobao.mapping import orders_from, refunds_from
from tests.plugins.taobao.conftest import load
from tests.plugins.taobao.making import line, trade

TRADE_STATES = {
    "TRADE_NO_CREATE_PAY": "awaiting_payment",
    "WAIT_BUYER_PAY": "awaiting_payment",
    "PAY_PENDING": "awaiting_payment",
    "WAIT_PRE_AUTH_CONFIRM": "awaiting_payment",
    "PAID_FORBID_CONSIGN": "locked",
    "WAIT_SELLER_SEND_GOODS": "paid",
    "SELLER_CONSIGNED_PART": "shipped_partly",
    "WAIT_BUYER_CONFIRM_GOODS": "shipped",
    "TRADE_BUYER_SIGNED": "delivered",
    "TRADE_FINISHED": "completed",
    "TRADE_CLOSED": "cancelled",
    "TRADE_CLOSED_BY_TAOBAO": "cancelled",
}
REFUND_STATES = {
    "NO_REFUND": RefundState.NONE,
    "WAIT_SELLER_AGREE": RefundState.REQUESTED,
    "WAIT_BUYER_RETURN_GOODS": RefundState.REQUESTED,
    "WAIT_SELLER_CONFIRM_GOODS": RefundState.REQUESTED,
    "WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS": RefundState.REQUESTED,
    "EXCHANGE_TRANSFORM_TO_REFUND": RefundState.REQUESTED,
    "WAIT_SELLER_CONSIGN_GOODS": RefundState.REQUESTED,
    "SELLER_REFUSE_BUYER": RefundState.REFUSED,
    "CLOSED": RefundState.CLOSED,
    "SUCCESS": RefundState.DONE,
}
ERRORS = [
    (Unavailable, "taobao.rate_limited"),
    (Denied, "taobao.session_expired"),
    (Denied, "taobao.app_refused"),
    (Unavailable, "taobao.platform_fault"),
    (NotFound, "taobao.not_found"),
    (Invalid, "taobao.request_refused"),
]


def test_order_has_two_priced_lines_when_trade_fullinfo_get_multi_order():
    (order,) = orders_from(load("trade_fullinfo_get.multi_order.json"))

    assert (order.external_id, order.state, order.currency) == ("2231958349002233", "paid", "CNY")
    assert (order.paid_total, order.postage, order.discount_total) == (Decimal("248.00"), Decimal("0.00"), Decimal("35.43"))
    assert order.modified_at == datetime(2026, 11, 10, 12, 15, 2, tzinfo=UTC)
    assert order.replaces is None
    assert [(one.external_id, one.seller_code, one.quantity, one.paid_amount, one.state) for one in order.lines] == [
        ("2231958349002234", "SKU-A-RED-L", 2, Decimal("173.26"), "paid"),
        ("2231958349002235", "SKU-B-BLK-0", 1, Decimal("74.74"), "paid"),
    ]
    assert [one.refund_state for one in order.lines] == [RefundState.NONE, RefundState.REQUESTED]
    assert order.lines[1].refund_external_id == "165012345678902235"
    assert (order.buyer_note, order.seller_note, order.seller_flag) == ("请尽快发货，谢谢", "客服备注：随单送贴纸", 1)


def test_receiver_is_masked_with_its_token_when_trade_fullinfo_get_multi_order():
    (order,) = orders_from(load("trade_fullinfo_get.multi_order.json"))

    receiver = order.receiver
    assert (receiver.name, receiver.phone, receiver.street) == ("测**", "138****0001", "示***号")
    assert (receiver.province, receiver.city, receiver.district, receiver.town) == ("测试省", "测试市", "示例区", "样例街道")
    assert (receiver.token, receiver.is_masked) == ("1FakeOaid0000000000000000000000000000000001", True)


def test_order_is_a_presale_when_trade_fullinfo_get_presale_step():
    (order,) = orders_from(load("trade_fullinfo_get.presale_step.json"))

    assert (order.state, order.lines[0].state) == ("presale_deposit", "presale_deposit")
    assert (order.paid_total, order.lines[0].paid_amount) == (Decimal("500.00"), Decimal("500.00"))
    assert order.hold_codes == ("presale_final_unpaid",)
    assert order.tags == ("presale",)


def test_orders_come_in_the_order_of_the_page_when_trades_sold_increment_get_has_next():
    orders = orders_from(load("trades_sold_increment_get.has_next.json"))

    assert [(order.external_id, order.paid_total) for order in orders] == [
        ("2231958349002233", Decimal("248.00")),
        ("2231958349001122", Decimal("89.00")),
    ]


def test_every_stored_sample_maps_when_the_shared_folder_is_there(shared: Path):
    orders = [order for path in sorted((shared / "samples" / "taobao").glob("trade*.json")) for order in orders_from(path.read_bytes())]
    refunds = refunds_from((shared / "samples" / "taobao" / "refunds_receive_get.page.json").read_text(encoding="utf-8"))

    assert len(orders) == 4
    assert len(refunds) == 2
    assert [sum(one.paid_amount for one in order.lines) + order.postage for order in orders] == [order.paid_total for order in orders]


@pytest.mark.parametrize(
    "shape",
    [
        lambda one: {"trade_fullinfo_get_response": {"trade": one, "request_id": "r"}},
        lambda one: {"trade_get_response": {"trade": one}},
        lambda one: {"trades_sold_get_response": {"total_results": 1, "trades": {"trade": [one]}}},
        lambda one: {"trades_sold_incrementv_get_response": {"has_next": False, "trades": {"trade": [one]}}},
        lambda one: {"trades_sold_get_response": {"trades": [one]}},
        lambda one: {"trades": [{**one, "orders": one["orders"]["order"]}], "has_next": False, "request_id": "r"},
        lambda one: {"trades": {"trade": one}},
        lambda one: {"trade": {**one, "orders": one["orders"]["order"]}, "request_id": "r"},
        lambda one: one,
        lambda one: [one],
        lambda one: [{"trade": one}],
        lambda one: {
            **one,
            "tid": str(one["tid"]),
            "orders": {"order": [{**row, "oid": str(row["oid"])} for row in one["orders"]["order"]]},
        },
        lambda one: {**one, "tid": 2.2319583490000e15, "tid_str": "2231958349000000"},
        lambda one: json.dumps({"trade": one}),
        lambda one: json.dumps({"trade": one}, ensure_ascii=False).encode(),
        lambda one: bytearray(json.dumps([one]).encode()),
    ],
)
def test_order_is_found_when_the_answer_has_any_known_shape(shape):
    (order,) = orders_from(shape(trade()))

    assert (order.external_id, order.paid_total, len(order.lines)) == ("2231958349000000", Decimal("118.00"), 2)


@pytest.mark.parametrize(
    "page",
    [
        {"trades_sold_get_response": {"total_results": 0, "request_id": "r"}},
        {"trades_sold_increment_get_response": {"has_next": False, "request_id": "r"}},
        {"trades_sold_increment_get_response": {"request_id": "r"}},
        {"total_results": 0, "request_id": "r"},
        {"trades": [], "has_next": False},
        {"trades": {}, "total_results": 0},
        {"trades": {"trade": []}},
        [],
    ],
)
def test_no_orders_are_found_when_the_page_is_empty(page):
    assert orders_from(page) == []


@pytest.mark.parametrize(("status", "state"), TRADE_STATES.items())
def test_state_is_translated_when_the_trade_and_its_lines_share_a_status(status, state):
    (order,) = orders_from(trade(line(status=status), line(2, status=status), status=status))

    assert (order.state, order.lines[0].state, order.lines[1].state) == (state, state, state)


@pytest.mark.parametrize(
    ("step", "status", "state"),
    [
        ("FRONT_NOPAID_FINAL_NOPAID", "WAIT_BUYER_PAY", "awaiting_payment"),
        ("FRONT_PAID_FINAL_NOPAID", "WAIT_BUYER_PAY", "presale_deposit"),
        ("FRONT_PAID_FINAL_NOPAID", "WAIT_SELLER_SEND_GOODS", "presale_deposit"),
        ("FRONT_PAID_FINAL_PAID", "WAIT_SELLER_SEND_GOODS", "paid"),
        ("FRONT_PAID_FINAL_PAID", "TRADE_FINISHED", "completed"),
        ("FRONT_PAID_FINAL_NOPAID", "TRADE_CLOSED_BY_TAOBAO", "cancelled"),
        ("FRONT_PAID_FRONT_FORFEITED", "WAIT_BUYER_PAY", "cancelled"),
        (None, "WAIT_SELLER_SEND_GOODS", "paid"),
        ("null", "WAIT_SELLER_SEND_GOODS", "paid"),
    ],
)
def test_state_follows_the_presale_step_when_there_is_one(step, status, state):
    (order,) = orders_from(trade(line(status=status), type="step", status=status, step_trade_status=step, payment="63.00"))

    assert (order.state, order.lines[0].state) == (state, state)


def test_lines_keep_their_own_states_when_part_of_the_trade_was_shipped():
    lines = [line(status="WAIT_BUYER_CONFIRM_GOODS"), line(2), line(3, status="TRADE_CLOSED", refund_status="SUCCESS")]

    (order,) = orders_from(trade(*lines, status="SELLER_CONSIGNED_PART", payment="173.00"))

    assert order.state == "shipped_partly"
    assert [one.state for one in order.lines] == ["shipped", "paid", "cancelled"]


def test_open_lines_are_locked_when_the_trade_must_not_ship():
    (order,) = orders_from(trade(line(), line(2, status="TRADE_CLOSED_BY_TAOBAO"), status="PAID_FORBID_CONSIGN"))

    assert [one.state for one in order.lines] == ["locked", "cancelled"]
    assert order.hold_codes == ("paid_forbid_consign",)


def test_lines_take_the_trades_state_when_they_have_none_of_their_own():
    (order,) = orders_from(trade(line(status=None), line(2, status="")))

    assert [one.state for one in order.lines] == [ChannelState.PAID, ChannelState.PAID]


@pytest.mark.parametrize(("status", "state"), [*REFUND_STATES.items(), (None, RefundState.NONE), ("", RefundState.NONE)])
def test_refund_state_of_a_line_is_translated_when_the_line_has_one(status, state):
    (order,) = orders_from(trade(line(refund_status=status), line(2)))

    assert [one.refund_state for one in order.lines] == [state, RefundState.NONE]


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({"top_hold": 1}, ("platform_hold",)),
        ({"top_hold": 0, "team_buy_hold": 0, "forbid_consign": 0}, ()),
        ({"team_buy_hold": 1, "share_group_hold": 1}, ("group_buy_hold",)),
        ({"ofp_hold": "1"}, ("customs_hold",)),
        ({"is_sh_ship": True}, ("platform_hold",)),
        ({"rx_audit_status": "0"}, ("prescription_unreviewed",)),
        ({"top_hold": 1, "status": "WAIT_BUYER_CONFIRM_GOODS"}, ()),
    ],
)
def test_holds_name_what_the_platform_forbids_when_goods_are_left_to_ship(changes, holds):
    (order,) = orders_from(trade(**changes))

    assert order.hold_codes == holds


def test_order_is_cash_on_delivery_when_its_type_says_so():
    (order,) = orders_from(trade(type="cod", pay_time=None))

    assert (order.is_cash_on_delivery, order.state, order.paid_at) == (True, "paid", None)


def test_line_is_a_gift_when_it_costs_nothing():
    gift = line(2, price="0.00", num=1, payment="0.00", divide_order_fee="0.00", part_mjz_discount="0.00")
    marked = line(3, is_free_gift=True, payment="0.00", divide_order_fee="0.00", part_mjz_discount="0.00")

    (order,) = orders_from(trade(line(), gift, marked, payment="63.00"))

    assert [one.is_gift for one in order.lines] == [False, True, True]
    assert [one.paid_amount for one in order.lines] == [Decimal("55.00"), Decimal("0.00"), Decimal("0.00")]


def test_seller_code_is_the_items_when_the_line_has_no_sku():
    rows = [line(outer_sku_id=None, sku_id=None), line(2, outer_sku_id="", outer_iid="", sku_id=0)]

    (order,) = orders_from(trade(*rows))

    assert [(one.seller_code, one.external_sku, one.external_product) for one in order.lines] == [
        ("TEA-LJ", "", "689000000001"),
        ("", "", "689000000001"),
    ]


@pytest.mark.parametrize(
    ("changes", "ship_by"),
    [
        ({"est_con_time": "付款后15天内发货"}, datetime(2026, 11, 25, 12, 1, 47, tzinfo=UTC)),
        ({"est_con_time": "付款后48小时内发货"}, datetime(2026, 11, 12, 12, 1, 47, tzinfo=UTC)),
        ({"est_con_time": "付款后15天内发货", "pay_time": None}, None),
        ({"delivery_time": "2026-11-12 20:00:00"}, datetime(2026, 11, 12, 12, 0, tzinfo=UTC)),
        ({"send_time": "2026-11-12"}, datetime(2026, 11, 12, 15, 59, 59, tzinfo=UTC)),
        ({"est_con_time": "尽快发货"}, None),
        ({}, None),
    ],
)
def test_ship_by_is_the_promised_moment_when_the_trade_holds_one(changes, ship_by):
    (order,) = orders_from(trade(**changes))

    assert order.ship_by == ship_by


def test_moments_are_china_time_when_they_come_as_text_and_exact_when_as_milliseconds():
    (order,) = orders_from(
        trade(created="2026-11-10 00:00:00", modified=1794312902123, end_time="2026-11-12 08:00:00", status="TRADE_FINISHED")
    )

    assert order.placed_at == datetime(2026, 11, 9, 16, 0, tzinfo=UTC)
    assert order.modified_at == datetime(2026, 11, 10, 12, 15, 2, 123000, tzinfo=UTC)
    assert order.completed_at == datetime(2026, 11, 12, 0, 0, tzinfo=UTC)


def test_text_is_storable_when_it_holds_what_no_database_takes():
    (order,) = orders_from(json.dumps(trade(buyer_message="a\x00b\ud83cc", seller_memo="🍵" * 3000)))

    assert order.buyer_note == "ab�c"
    assert order.seller_note == "🍵" * 2000


@pytest.mark.parametrize(("answer", "expected"), list(zip(load("errors.json"), ERRORS, strict=True)), ids=[code for _, code in ERRORS])
def test_error_answers_raise_their_kind_when_mapped(answer, expected):
    for mapping, payload in ((orders_from, answer), (refunds_from, answer), (orders_from, [answer]), (orders_from, json.dumps(answer))):
        with pytest.raises(expected[0]) as caught:
            mapping(payload)
        assert caught.value.code == expected[1]


def test_refund_has_its_line_and_kind_when_refunds_receive_get_page():
    refunds = refunds_from(load("refunds_receive_get.page.json"))

    assert [(one.external_id, one.order_external_id, one.line_external_ids, one.state, one.amount, one.kind) for one in refunds] == [
        ("165012345678902235", "2231958349002233", ("2231958349002235",), RefundState.REQUESTED, Decimal("74.74"), "refund_only"),
        ("165012345678909999", "2231958348000111", ("2231958348000111",), RefundState.REQUESTED, Decimal("89.00"), "return"),
    ]
    assert refunds[0].modified_at == datetime(2026, 11, 10, 12, 15, 2, tzinfo=UTC)
    assert (refunds[0].reason, refunds[0].channel_state, refunds[0].currency) == ("不想要了", "WAIT_SELLER_AGREE", "CNY")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"dispute_type": "TMALL_EXCHANGE"}, "exchange"),
        ({"status": "WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS"}, "exchange"),
        ({"dispute_type": "REFUND_AND_RETURN", "has_good_return": False}, "return"),
        ({"dispute_type": None, "has_good_return": "true"}, "return"),
        ({"dispute_type": "REFUND"}, "refund_only"),
    ],
)
def test_refund_kind_is_told_when_the_answer_is_a_single_refund(changes, kind):
    refund = load("refunds_receive_get.page.json")["refunds_receive_get_response"]["refunds"]["refund"][0] | changes

    (mapped,) = refunds_from({"refund_get_response": {"refund": refund}})

    assert mapped.kind == kind


def test_refund_concerns_the_whole_order_when_it_names_no_line():
    refund = load("refunds_receive_get.page.json")["refunds_receive_get_response"]["refunds"]["refund"][0]

    (mapped,) = refunds_from([{**refund, "oid": 0}])

    assert mapped.line_external_ids == ()
