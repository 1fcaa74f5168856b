from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sdk import Invalid, NormalisedOrder
from plugins.taobao.mapping import orders_from
from tests.plugins.taobao.making import line, trade

FEN = st.integers(0, 10_000_000).map(lambda fen: f"{Decimal(fen) / 100:.2f}")
MAYBE = st.one_of(st.none(), FEN)
STATUSES = st.sampled_from(["WAIT_SELLER_SEND_GOODS", "TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO", "WAIT_BUYER_CONFIRM_GOODS"])
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "price": FEN,
            "num": st.integers(1, 99),
            "payment": MAYBE,
            "divide_order_fee": MAYBE,
            "part_mjz_discount": MAYBE,
            "status": STATUSES,
            "refund_status": st.sampled_from(["NO_REFUND", "SUCCESS"]),
        }
    ),
    min_size=1,
    max_size=6,
)


def shares(order: NormalisedOrder) -> list[str]:
    return [f"{one.paid_amount:.2f}" for one in order.lines]


def adds_up(order: NormalisedOrder) -> bool:
    return sum((one.paid_amount for one in order.lines), Decimal(0)) + order.postage == order.paid_total


def test_shares_are_the_platforms_when_they_and_the_postage_add_up():
    (order,) = orders_from(trade())

    assert (shares(order), order.postage, order.paid_total) == (["55.00", "55.00"], Decimal("8.00"), Decimal("118.00"))
    assert order.discount_total == Decimal("10.00")


def test_single_line_gets_all_but_the_postage_when_its_payment_holds_the_postage():
    (order,) = orders_from(trade(line(payment="63.00", divide_order_fee=None), payment="63.00"))

    assert (shares(order), order.postage) == (["55.00"], Decimal("8.00"))


def test_shares_are_payments_less_the_trades_discount_when_the_platform_names_no_shares():
    (order,) = orders_from(trade(line(divide_order_fee=None), line(2, divide_order_fee=None)))

    assert shares(order) == ["55.00", "55.00"]


def test_shares_are_the_lines_payments_when_the_trade_has_no_discount():
    rows = [line(divide_order_fee=None, part_mjz_discount=None), line(2, divide_order_fee=None, part_mjz_discount=None, payment="50.00")]

    (order,) = orders_from(trade(*rows))

    assert shares(order) == ["60.00", "50.00"]


def test_payment_is_shared_by_the_lines_payments_when_nothing_adds_up():
    rows = [line(oid, divide_order_fee=None, part_mjz_discount=None, payment="10.00") for oid in (1, 2, 3)]

    (order,) = orders_from(trade(*rows, payment="20.00", post_fee="0.00"))

    assert shares(order) == ["6.67", "6.67", "6.66"]


def test_payment_is_shared_by_the_shares_when_they_do_not_add_up():
    rows = [line(divide_order_fee="10.00"), line(2, divide_order_fee="30.00")]

    (order,) = orders_from(trade(*rows, payment="20.00", post_fee="0.00"))

    assert shares(order) == ["5.00", "15.00"]


def test_line_closed_before_payment_gets_nothing_when_the_payment_leaves_it_out():
    rows = [line(), line(2), line(3, status="TRADE_CLOSED_BY_TAOBAO")]

    (order,) = orders_from(trade(*rows))

    assert shares(order) == ["55.00", "55.00", "0.00"]


def test_line_closed_before_payment_gets_nothing_when_shares_do_not_add_up_either():
    rows = [
        line(divide_order_fee="1.00"),
        line(2, divide_order_fee="2.00"),
        line(3, divide_order_fee=None, status="TRADE_CLOSED_BY_TAOBAO"),
    ]

    (order,) = orders_from(trade(*rows, payment="308.00"))

    assert shares(order) == ["100.00", "200.00", "0.00"]


def test_closed_trade_keeps_what_was_due_when_nothing_was_paid():
    rows = [
        line(status="TRADE_CLOSED_BY_TAOBAO", divide_order_fee="0.00"),
        line(2, status="TRADE_CLOSED_BY_TAOBAO", divide_order_fee="0.00"),
    ]

    (order,) = orders_from(trade(*rows, status="TRADE_CLOSED_BY_TAOBAO", pay_time=None))

    assert (shares(order), order.paid_total) == (["55.00", "55.00"], Decimal("118.00"))


def test_refunded_line_keeps_its_share_when_the_payment_still_holds_it():
    (order,) = orders_from(trade(line(), line(2, status="TRADE_CLOSED", refund_status="SUCCESS")))

    assert shares(order) == ["55.00", "55.00"]


def test_refunded_line_gets_nothing_when_the_payment_no_longer_holds_it():
    (order,) = orders_from(trade(line(), line(2, status="TRADE_CLOSED", refund_status="SUCCESS"), payment="63.00"))

    assert shares(order) == ["55.00", "0.00"]


def test_postage_shrinks_to_the_payment_when_everything_was_refunded():
    rows = [line(status="TRADE_CLOSED", refund_status="SUCCESS"), line(2, status="TRADE_CLOSED", refund_status="SUCCESS")]

    (order,) = orders_from(trade(*rows, status="TRADE_CLOSED", payment="0.00"))

    assert (shares(order), order.postage, order.paid_total) == (["0.00", "0.00"], Decimal(0), Decimal(0))


def test_postage_is_what_the_shares_leave_when_it_is_missing():
    (order,) = orders_from(trade(post_fee=None))

    assert (shares(order), order.postage) == (["55.00", "55.00"], Decimal("8.00"))


def test_payment_is_the_sum_of_shares_and_postage_when_it_is_missing():
    (order,) = orders_from(trade(payment=None))

    assert order.paid_total == Decimal("118.00")


def test_delivery_charge_counts_as_postage_when_only_with_it_the_sums_add_up():
    (order,) = orders_from(trade(type="cod", payment="121.50", buyer_cod_fee="3.50"))

    assert (shares(order), order.postage, order.paid_total) == (["55.00", "55.00"], Decimal("11.50"), Decimal("121.50"))


def test_sellers_adjustment_is_in_the_shares_when_the_platform_divided_it():
    rows = [line(adjust_fee="-4.00", payment="56.00", divide_order_fee="51.00"), line(2)]

    (order,) = orders_from(trade(*rows, payment="114.00"))

    assert shares(order) == ["51.00", "55.00"]


def test_lines_share_evenly_when_nothing_says_what_they_cost():
    rows = [line(oid, price=None, payment=None, divide_order_fee=None, part_mjz_discount=None) for oid in (1, 2)]

    (order,) = orders_from(trade(*rows, payment="0.05", post_fee="0.00"))

    assert shares(order) == ["0.03", "0.02"]


def test_payment_is_refused_when_it_is_missing_and_cannot_be_told():
    with pytest.raises(Invalid) as caught:
        orders_from(trade(line(divide_order_fee=None, payment=None), line(2), payment=None))

    assert caught.value.field == "payment"


@settings(max_examples=400)
@given(lines=LINES, payment=FEN, post_fee=MAYBE, cod=MAYBE)
def test_lines_and_postage_add_up_to_the_cent_when_the_figures_are_anything(lines, payment, post_fee, cod):
    rows = [line(1000 + place, **changes) for place, changes in enumerate(lines)]

    (order,) = orders_from(trade(*rows, payment=payment, post_fee=post_fee, buyer_cod_fee=cod))

    assert adds_up(order)
    assert order.paid_total == Decimal(payment)
    assert all(one.paid_amount >= 0 for one in order.lines)
    assert order.postage >= 0


@given(prices=st.lists(st.integers(1, 10**6), min_size=2, max_size=8), off=st.integers(0, 100), postage=st.integers(0, 5000))
def test_shares_equal_the_platforms_when_the_platform_divides_by_its_own_rule(prices, off, postage):
    parts = [min(off, price) for price in prices]
    rows = [
        line(
            1000 + place,
            num=1,
            price=f"{Decimal(price) / 100:.2f}",
            payment=f"{Decimal(price) / 100:.2f}",
            part_mjz_discount=f"{Decimal(part) / 100:.2f}",
            divide_order_fee=f"{Decimal(price - part) / 100:.2f}",
        )
        for place, (price, part) in enumerate(zip(prices, parts, strict=True))
    ]
    total = Decimal(sum(prices) - sum(parts) + postage) / 100

    (order,) = orders_from(trade(*rows, payment=f"{total:.2f}", post_fee=f"{Decimal(postage) / 100:.2f}"))

    assert shares(order) == [row["divide_order_fee"] for row in rows]


def test_shares_stay_exact_when_the_amounts_are_as_large_as_they_may_be():
    rows = [line(oid, price="999999999999999.99", num=1, payment="999999999999999.99", divide_order_fee=None) for oid in (1, 2, 3)]

    (order,) = orders_from(trade(*rows, payment="999999999999999.99", post_fee="0.00"))

    assert adds_up(order)
