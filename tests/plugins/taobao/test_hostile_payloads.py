from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sdk import Invalid, OrderloomError
from plugins.taobao.mapping import orders_from, refunds_from
from tests.plugins.taobao.conftest import load
from tests.plugins.taobao.making import line, trade

NASTY = [
    None,
    True,
    -1,
    0,
    2**70,
    10**5000,
    1.5,
    float("nan"),
    float("inf"),
    Decimal("NaN"),
    Decimal("1E+999"),
    Decimal("1E-999"),
    "",
    "null",
    "NaN",
    "-1.00",
    "1e999",
    "1.005",
    "１２",
    "1_000",
    "9" * 400,
    "x",
    "\x00",
    "\ud800",
    "0000-00-00 00:00:00",
    "2026-02-30 10:00:00",
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59",
    [],
    {},
    [None],
    [[]],
    {"order": None},
    {"order": "x"},
    {"order": [1]},
    object(),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["trade", "trades", "order", "orders", "tid", "status", "error_response", "x_trade_response"]), inner
        )
    ),
    max_leaves=20,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in a JSON document, the document's own not included."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def without(document: Any, path: tuple[Any, ...]) -> Any:
    document = copy.deepcopy(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return document


def checked(mapping: Any, payload: Any) -> str:
    """Either the mapping refuses on purpose, or what comes out keeps the promise about money. Returns `refused` or `read`."""
    try:
        found = mapping(payload)
    except OrderloomError:
        return "refused"
    for order in found:
        if mapping is orders_from:
            assert sum((one.paid_amount for one in order.lines), Decimal(0)) + order.postage == order.paid_total
            assert order.modified_at.tzinfo is not None
    return "read"


@pytest.mark.parametrize("name", ["trade_fullinfo_get.multi_order.json", "trade_fullinfo_get.presale_step.json"])
def test_orders_refuse_on_purpose_when_any_field_is_missing_or_nasty(name):
    document = load(name)

    ends = Counter(
        checked(orders_from, spoilt)
        for path in paths(document)
        for spoilt in (without(document, path), *(changed(document, path, value) for value in NASTY))
    )

    assert set(ends) == {"read", "refused"}
    assert ends.total() == len(list(paths(document))) * (1 + len(NASTY))


def test_refunds_refuse_on_purpose_when_any_field_is_missing_or_nasty():
    document = load("refunds_receive_get.page.json")

    ends = Counter(
        checked(refunds_from, spoilt)
        for path in paths(document)
        for spoilt in (without(document, path), *(changed(document, path, value) for value in NASTY))
    )

    assert set(ends) == {"read", "refused"}
    assert ends.total() == len(list(paths(document))) * (1 + len(NASTY))


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (trade(payment="12,00"), "payment"),
        (trade(payment=118.005), "payment"),
        (trade(payment="-1.00"), "payment"),
        (trade(post_fee="1e999"), "post_fee"),
        (trade(modified=None, created=None, pay_time=None), "modified"),
        (trade(modified="yesterday"), "modified"),
        (trade(tid=None), "tid"),
        (trade(tid=2.2e18), "tid"),
        (trade(tid=True), "tid"),
        (trade(status=None), "status"),
        (trade(status="NEW_STATE"), "status"),
        (trade(orders=None), "orders"),
        (trade(orders={"order": ["x"]}), "orders.order[0]"),
        (trade(line(num=0)), "orders.order[0].num"),
        (trade(line(), line(oid=None)), "orders.order[1].oid"),
        (trade(line(), line(2, divide_order_fee=float("nan"))), "orders.order[1].divide_order_fee"),
        (trade(line(), line(2, price="1.001")), "orders.order[1].price"),
        (trade(line(title={"a": 1})), "orders.order[0].title"),
        (
            {"trades_sold_get_response": {"trades": {"trade": [trade(), trade(payment="x")]}}},
            "trades_sold_get_response.trades.trade[1].payment",
        ),
        ([trade(), {"trade": trade(seller_flag="red")}], "[1].trade.seller_flag"),
    ],
)
def test_complaint_names_the_place_when_a_field_is_broken(payload, field):
    with pytest.raises(Invalid) as caught:
        orders_from(payload)

    assert caught.value.field == field
    assert caught.value.code in ("taobao.unreadable_payload", "taobao.unknown_state")


@pytest.mark.parametrize(
    "payload",
    [
        None,
        1,
        "x",
        "",
        b"\xff\xfe",
        "[" * 100_000,
        "9" * 10_000,
        '{"trade": {"tid": NaN}}',
        '{"trade": {"tid": 1, "payment": 1e999999999999999999999}}',
        {},
        {"foo": 1},
        {"refunds_receive_get_response": {"refunds": {"refund": []}}},
        {"error_response": "x"},
        {"trade_fullinfo_get_response": {"request_id": "r"}},
        {"a_trade_response": {"a_trade_response": {"a_trade_response": {"trade": {}}}}},
    ],
    ids=lambda payload: str(payload)[:30],
)
def test_orders_refuse_on_purpose_when_the_payload_is_no_answer(payload):
    with pytest.raises(Invalid) as caught:
        orders_from(payload)

    assert caught.value.code == "taobao.unreadable_payload"


@settings(max_examples=300)
@given(payload=JSON)
def test_orders_never_break_when_the_payload_is_any_json(payload):
    assert {checked(orders_from, payload), checked(orders_from, json.dumps(payload))} <= {"read", "refused"}


def test_exact_decimals_survive_when_the_payload_is_text_with_plain_numbers():
    text = json.dumps(trade(line(price="@"), payment="#")).replace('"@"', "30.10").replace('"#"', "118.07")

    (order,) = orders_from(text)

    assert (order.paid_total, order.lines[0].unit_price) == (Decimal("118.07"), Decimal("30.10"))
