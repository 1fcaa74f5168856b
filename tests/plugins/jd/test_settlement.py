"""The money of an order: shares, postage and total always agree."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sdk import share_out
from plugins.jd.mapping import orders_from
from tests.plugins.jd.test_mapping import bare, item

fen = st.integers(min_value=0, max_value=200_000)


def yuan(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"


def mapped(**changes: Any) -> Any:
    (order,) = orders_from(bare(**changes))
    return order


def shares(order: Any) -> list[str]:
    return [str(line.paid_amount) for line in order.lines]


def coupon(amount: str, sku: Any = "") -> dict[str, Any]:
    return {"orderId": "300000000001", "skuId": sku, "couponType": "41", "couponPrice": amount}


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Any figures at all, most of them in disagreement with each other."""
    skus = draw(st.lists(st.sampled_from(["1", "2", "3"]), min_size=1, max_size=5))
    prices = [draw(st.one_of(st.just(0), fen)) for _ in skus]
    items = [item(sku, yuan(price), str(draw(st.integers(1, 9)))) for sku, price in zip(skus, prices, strict=True)]
    coupons = draw(st.lists(st.builds(coupon, fen.map(yuan), st.sampled_from(["", "0", None, "1", "2", "9"])), max_size=4))
    figures = {
        name: draw(st.one_of(st.none(), st.just(""), fen.map(yuan)))
        for name in ("orderPayment", "freightPrice", "sellerDiscount", "balanceUsed", "taxFee", "serviceFee")
    }
    return {"itemInfoList": items, "couponDetailList": coupons, **figures}


@given(orders())
@settings(max_examples=250, deadline=None)
def test_lines_and_postage_add_up_when_the_figures_are_anything(changes):
    order = mapped(**changes)

    assert sum(line.paid_amount for line in order.lines) + order.postage == order.paid_total
    assert all(line.paid_amount >= 0 for line in order.lines)
    assert all(line.paid_amount == round(line.paid_amount, 2) for line in order.lines)
    assert order.postage >= 0
    if changes["orderPayment"] and not changes["balanceUsed"]:
        assert order.paid_total == Decimal(changes["orderPayment"])


@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=6), st.integers(0, 2_000), st.integers(0, 100), st.booleans())
@settings(deadline=None)
def test_shares_are_goods_less_discount_when_the_figures_agree(prices, freight, percent, by_balance):
    goods = sum(prices)
    discount = goods * percent // 100
    paid = goods - discount + freight
    balance = paid // 3 if by_balance else 0

    order = mapped(
        itemInfoList=[item(str(place), yuan(price)) for place, price in enumerate(prices, 1)],
        couponDetailList=[coupon(yuan(discount))],
        sellerDiscount="0.00",
        orderPayment=yuan(paid - balance),
        balanceUsed=yuan(balance),
        freightPrice=yuan(freight),
    )

    expected = share_out(Decimal(discount) / 100, [Decimal(price) for price in prices], "CNY")
    assert [line.paid_amount for line in order.lines] == [Decimal(p) / 100 - part for p, part in zip(prices, expected, strict=True)]
    assert (order.paid_total, order.postage) == (Decimal(paid) / 100, Decimal(freight) / 100)
    assert order.discount_total == Decimal(discount) / 100


def test_a_coupon_comes_off_its_own_line_when_it_names_a_sku():
    order = mapped(
        itemInfoList=[item("1", "60.00"), item("2", "40.00")],
        couponDetailList=[coupon("10.00", "2"), coupon("9.00")],
        orderPayment="81.00",
    )

    assert shares(order) == ["54.00", "27.00"]


def test_a_coupon_comes_off_the_whole_order_when_its_sku_is_not_in_it():
    order = mapped(itemInfoList=[item("1", "60.00"), item("2", "40.00")], couponDetailList=[coupon("10.00", "77")], orderPayment="90.00")

    assert shares(order) == ["54.00", "36.00"]


def test_the_seller_discount_comes_off_when_it_is_not_among_the_coupons():
    order = mapped(itemInfoList=[item("1", "60.00"), item("2", "40.00")], couponDetailList=[], sellerDiscount="10.00", orderPayment="90.00")

    assert shares(order) == ["54.00", "36.00"]


def test_the_total_is_worked_out_when_the_payment_was_not_asked_for():
    order = mapped(
        itemInfoList=[item("1", "60.00")],
        couponDetailList=[],
        sellerDiscount="10.00",
        freightPrice="6.00",
        orderPayment=None,
    )

    assert (str(order.paid_total), shares(order)) == ("56.00", ["50.00"])


@pytest.mark.parametrize(
    ("payment", "balance", "total"),
    [("50.00", "50.00", "100.00"), ("100.00", "30.00", "100.00"), ("70.00", "10.00", "70.00")],
    ids=["balance completes it", "balance is part of it", "nothing agrees"],
)
def test_the_balance_counts_as_paid_when_only_that_makes_the_figures_agree(payment, balance, total):
    order = mapped(itemInfoList=[item("1", "100.00")], couponDetailList=[], sellerDiscount="0", orderPayment=payment, balanceUsed=balance)

    assert (str(order.paid_total), shares(order)) == (total, [total])


def test_postage_shrinks_when_less_than_it_was_paid():
    order = mapped(itemInfoList=[item("1", "10.00")], couponDetailList=[], freightPrice="8.00", orderPayment="5.00")

    assert (str(order.paid_total), str(order.postage), shares(order)) == ("5.00", "5.00", ["0.00"])


def test_gifts_stay_free_when_tax_is_shared_over_the_lines():
    order = mapped(
        itemInfoList=[item("1", "100.00"), item("2", "0.00")], couponDetailList=[], sellerDiscount="0", taxFee="9.10", orderPayment="109.10"
    )

    assert shares(order) == ["109.10", "0.00"]


def test_the_lines_share_the_payment_when_all_prices_are_zero():
    order = mapped(itemInfoList=[item("1", "0.00"), item("2", "0.00")], couponDetailList=[], orderPayment="0.03")

    assert shares(order) == ["0.02", "0.01"]
