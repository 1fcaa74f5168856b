"""Money: exact, finite, one currency, rounded in one place, shared out to the last coin."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Invalid
from core.kernel.money import MAX_AMOUNT, Money, amount_from, minor_digits, money_text, rounded, share_out


@pytest.mark.parametrize(("given_value", "amount"), [("12.50", "12.50"), (" 7 ", "7"), (3, "3"), (Decimal("0.0001"), "0.0001"), ("-1.5", "-1.5")])
def test_amount_is_exact_when_it_is_text_or_whole(given_value, amount):
    assert amount_from(given_value) == Decimal(amount)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.1, "An amount of money is text or a whole number, never a float."),
        (True, "An amount of money is text or a whole number, never a float."),
        ("twelve", "This is not an amount of money."),
        ("", "This is not an amount of money."),
        (None, "This is not an amount of money."),
        ("NaN", "An amount of money must be finite."),
        ("-Infinity", "An amount of money must be finite."),
        ("0.00001", "An amount of money has at most 4 decimals."),
        (MAX_AMOUNT + 1, "This amount of money is too large."),
    ],
)
def test_amount_is_refused_with_its_field_when_it_is_no_exact_amount(value, message):
    with pytest.raises(Invalid) as caught:
        amount_from(value, field="price")

    assert (caught.value.message, caught.value.field) == (message, "price")


def test_amount_keeps_trailing_zeros_out_of_the_count_of_decimals():
    assert amount_from("1.500000") == Decimal("1.5")


@pytest.mark.parametrize(("currency", "digits"), [("CNY", 2), ("JPY", 0), ("KWD", 3), ("XXX", 2)])
def test_minor_digits_follow_the_currency(currency, digits):
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("amount", "currency", "result"),
    [("2.345", "CNY", "2.35"), ("2.344", "CNY", "2.34"), ("-2.345", "CNY", "-2.35"), ("2.5", "JPY", "3"), ("1.0005", "KWD", "1.001")],
)
def test_rounding_goes_half_up_to_the_coin(amount, currency, result):
    assert str(rounded(Decimal(amount), currency)) == result


def test_share_out_gives_the_odd_coins_to_the_largest_remainders():
    assert share_out(Decimal("10.00"), [Decimal(1)] * 3, "CNY") == [Decimal("3.34"), Decimal("3.33"), Decimal("3.33")]
    assert share_out(Decimal("0.05"), [Decimal(1), Decimal(2)], "CNY") == [Decimal("0.02"), Decimal("0.03")]


def test_share_out_is_equal_when_all_weights_are_zero():
    assert share_out(Decimal("1.00"), [Decimal(0), Decimal(0)], "CNY") == [Decimal("0.50"), Decimal("0.50")]


def test_share_out_gives_nothing_when_there_is_nothing_to_share():
    assert share_out(Decimal(0), [], "CNY") == []


@pytest.mark.parametrize(
    ("total", "weights", "message"),
    [
        ("1", [], "There is nothing to share the amount over."),
        ("1", [Decimal(-1)], "A weight cannot be negative."),
        ("0.001", [Decimal(1)], "The amount is finer than the currency's smallest coin."),
    ],
)
def test_share_out_refuses_what_it_cannot_share(total, weights, message):
    with pytest.raises(Invalid) as caught:
        share_out(Decimal(total), weights, "CNY")

    assert caught.value.message == message


@given(
    coins=st.integers(-10_000_000, 10_000_000),
    weights=st.lists(st.decimals(0, 100_000, places=2), min_size=1, max_size=20),
    currency=st.sampled_from(["CNY", "JPY", "KWD"]),
)
def test_share_out_adds_up_and_is_off_by_less_than_a_coin(coins, weights, currency):
    coin = Decimal(1).scaleb(-minor_digits(currency))
    total = coins * coin

    parts = share_out(total, weights, currency)

    assert sum(parts) == total
    whole = sum(weights)
    shares = [total * weight / whole if whole else total / len(weights) for weight in weights]
    assert max(abs(part - share) for part, share in zip(parts, shares, strict=True)) < coin


def test_money_adds_and_compares_within_one_currency():
    assert Money(Decimal("1.10"), "CNY") + Money(Decimal("2.20"), "CNY") == Money(Decimal("3.30"), "CNY")
    assert Money(Decimal(1), "CNY") - Money(Decimal(3), "CNY") == -Money(Decimal(2), "CNY")
    assert Money(Decimal(1), "CNY") < Money(Decimal(2), "CNY")
    assert Money(Decimal(2), "CNY") <= Money(Decimal(2), "CNY")
    assert Money(Decimal("0.335"), "CNY").times(3) == Money(Decimal("1.01"), "CNY")
    assert Money(Decimal("0.335"), "CNY").rounded() == Money(Decimal("0.34"), "CNY")


@pytest.mark.parametrize("act", [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b])
def test_money_refuses_to_mix_currencies(act):
    with pytest.raises(Invalid) as caught:
        act(Money(Decimal(1), "CNY"), Money(Decimal(1), "GBP"))

    assert caught.value.message == "Amounts in different currencies are never added or compared."


@pytest.mark.parametrize("code", ["cny", "CN", "CNYX", "¥¥¥", ""])
def test_money_refuses_a_currency_that_is_no_code(code):
    with pytest.raises(Invalid) as caught:
        Money(Decimal(1), code)

    assert caught.value.field == "currency"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("5", "CNY", "5.00"), ("19.9000", "GBP", "19.90"), ("19.9125", "EUR", "19.9125"), ("500.0000", "JPY", "500"), ("1.5", "KWD", "1.500"),
        ("0.0000", "CNY", "0.00"), ("-3.1", "CNY", "-3.10"), ("1E+3", "CNY", "1000.00"), ("7", "", "7.00"),
    ],
)  # fmt: skip
def test_amount_is_written_with_the_decimals_of_its_coin(amount, currency, text):
    assert money_text(Decimal(amount), currency) == text
