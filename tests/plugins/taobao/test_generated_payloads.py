"""Trades as the platform could send them, generated: whatever they hold, and in whatever shape, their money adds up."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sdk import ChannelState, Invalid, share_out
from plugins.taobao.mapping import orders_from

ZERO = Decimal("0.00")
FEN = st.integers(0, 200_000).map(lambda fen: Decimal(fen) / 100)
STATES = {
    "WAIT_SELLER_SEND_GOODS": ChannelState.PAID,
    "WAIT_BUYER_CONFIRM_GOODS": ChannelState.SHIPPED,
    "TRADE_CLOSED_BY_TAOBAO": ChannelState.CANCELLED,
    "TRADE_CLOSED": ChannelState.CANCELLED,
    "TRADE_FINISHED": ChannelState.COMPLETED,
}
STEPS = {
    ("WAIT_BUYER_PAY", "FRONT_NOPAID_FINAL_NOPAID"): ChannelState.AWAITING_PAYMENT,
    ("WAIT_BUYER_PAY", "FRONT_PAID_FINAL_NOPAID"): ChannelState.PRESALE_DEPOSIT,
    ("WAIT_SELLER_SEND_GOODS", "FRONT_PAID_FINAL_PAID"): ChannelState.PAID,
    ("TRADE_CLOSED_BY_TAOBAO", "FRONT_PAID_FRONT_FORFEITED"): ChannelState.CANCELLED,
    ("SELLER_CONSIGNED_PART", ""): ChannelState.SHIPPED_PARTLY,
    ("WAIT_SELLER_SEND_GOODS", ""): ChannelState.PAID,
    ("PAID_FORBID_CONSIGN", ""): ChannelState.LOCKED,
}


@st.composite
def trades(draw: st.DrawFn, number: int = 4120000000000000000) -> dict[str, Any]:
    """A trade with discounts on lines and on the whole, whose shares are the platform's: they and the postage make the payment."""
    status, step = draw(st.sampled_from(sorted(STEPS)))
    rows, sums = [], []
    for place in range(draw(st.integers(1, 6))):
        price, num = draw(FEN), draw(st.integers(1, 5))
        off = draw(st.integers(0, 100)) * (price * num / 100).quantize(Decimal("0.01"), "ROUND_DOWN")
        own = max(price * num - off, ZERO)
        refund, line_status = draw(st.sampled_from([("NO_REFUND", ""), ("SUCCESS", "TRADE_CLOSED"), ("WAIT_SELLER_AGREE", "")]))
        rows.append(
            {
                "oid": number + place + 1,
                "num": num,
                "price": f"{price:.2f}",
                "payment": f"{own:.2f}",
                "status": line_status or draw(st.sampled_from(sorted(STATES))),
                "refund_status": refund,
                "outer_sku_id": f"SKU-{place}",
            }
        )
        sums.append(own)
    discount = min(draw(FEN), sum(sums, ZERO))
    postage = draw(FEN)
    parts = share_out(discount, sums, "CNY")
    for row, own, part in zip(rows, sums, parts, strict=True):
        row |= {"divide_order_fee": f"{own - part:.2f}", "part_mjz_discount": f"{part:.2f}"}
    payment = sum(sums, ZERO) - discount + postage
    if len(rows) == 1:
        rows[0]["payment"] = f"{payment:.2f}"
    trade = {"tid": number, "status": status, "modified": "2026-11-10 20:15:02", "payment": f"{payment:.2f}", "post_fee": f"{postage:.2f}"}
    return trade | ({"step_trade_status": step} if step else {}) | {"orders": {"order": rows}}


def thinned(trade: dict[str, Any], gone: set[str]) -> dict[str, Any]:
    rows = [{name: value for name, value in row.items() if name not in gone} for row in trade["orders"]["order"]]
    return {name: value for name, value in trade.items() if name not in gone} | {"orders": {"order": rows}}


def shapes(trade: dict[str, Any]) -> list[Any]:
    """The same trade as every API, setting and library could hand it over."""
    rows = trade["orders"]["order"]
    plain = trade | {"orders": rows}
    as_text = {name: str(value) if name in ("tid",) else value for name, value in trade.items()}
    as_numbers = trade | {"payment": float(trade["payment"]), "post_fee": float(trade["post_fee"])}
    answer = {"trades_sold_get_response": {"total_results": 1, "trades": {"trade": [trade]}, "request_id": "x"}}
    found = [
        trade,
        plain,
        as_text,
        as_numbers,
        [trade],
        answer,
        json.dumps(answer),
        json.dumps(answer, ensure_ascii=False).encode(),
        {"trades_sold_increment_get_response": {"has_next": False, "trades": {"trade": trade}}},
        {"trade_fullinfo_get_response": {"trade": trade}},
        {"trades": [plain], "total_results": 1},
        {"trade": plain, "request_id": "x"},
    ]
    return found + ([trade | {"orders": {"order": rows[0]}}] if len(rows) == 1 else [])


@settings(max_examples=200, deadline=None)
@given(trades())
def test_orders_take_the_platforms_shares_when_these_add_up(trade):
    (order,) = orders_from(trade)

    shares = [Decimal(row["divide_order_fee"]) for row in trade["orders"]["order"]]
    assert order.state is STEPS[(trade["status"], trade.get("step_trade_status", ""))]
    assert [line.paid_amount for line in order.lines] == shares
    assert (order.paid_total, order.postage) == (Decimal(trade["payment"]), Decimal(trade["post_fee"]))
    assert sum(shares, order.postage) == order.paid_total


@settings(max_examples=60, deadline=None)
@given(trades())
def test_orders_are_the_same_in_every_shape_of_the_answer(trade):
    expected = orders_from(trade)

    assert [orders_from(shape) for shape in shapes(trade)] == [expected] * len(shapes(trade))


def test_order_counts_as_changed_when_something_last_happened_to_it_if_modified_was_not_asked_for():
    row = {"oid": 2, "num": 1, "price": "5.00", "payment": "5.00", "divide_order_fee": "5.00"}
    bare = {"tid": 1, "status": "WAIT_SELLER_SEND_GOODS", "payment": "5.00", "orders": {"order": [row]}}

    (order,) = orders_from(bare | {"created": "2026-11-10 20:00:00", "pay_time": "2026-11-10 20:05:00"})

    assert order.modified_at == datetime(2026, 11, 10, 12, 5, tzinfo=UTC)
    with pytest.raises(Invalid) as caught:
        orders_from(bare)
    assert caught.value.field == "modified"


OPTIONAL = ["divide_order_fee", "part_mjz_discount", "post_fee", "refund_status", "outer_sku_id", "price"]


@settings(max_examples=200, deadline=None)
@given(trades(), st.sets(st.sampled_from(OPTIONAL)), st.none() | FEN)
def test_money_adds_up_when_fields_are_left_out_or_disagree(trade, gone, other_payment):
    changed = thinned(trade, gone) | ({} if other_payment is None else {"payment": f"{other_payment:.2f}"})

    (order,) = orders_from(changed)

    assert order.paid_total == Decimal(changed["payment"])
    assert min(line.paid_amount for line in order.lines) >= ZERO
    assert sum((line.paid_amount for line in order.lines), order.postage) == order.paid_total
