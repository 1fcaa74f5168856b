"""Sharing what a buyer pays for an order over its lines, so that lines and postage add up to the total to the fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.sdk import share_out
from plugins.jd.fields import CURRENCY, ZERO


@dataclass(frozen=True, slots=True)
class Coupon:
    """A discount of `amount` yuan on the lines with `sku`; on the whole order when `sku` is empty."""

    sku: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Stated:
    """The figures that JD states for the whole order, in yuan; `payment` is None when it was not sent.

    `extras` are taxes and service fees on top of goods and freight.
    """

    payment: Decimal | None
    balance: Decimal
    seller_discount: Decimal
    freight: Decimal
    extras: Decimal


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the buyer pays: `shares` per line plus `postage` equals `paid_total`."""

    paid_total: Decimal
    postage: Decimal
    shares: tuple[Decimal, ...]
    discount_total: Decimal


def _cut(amounts: list[Decimal], places: Sequence[int], discount: Decimal) -> None:
    """Take `discount` off the amounts at `places`, in proportion, none below zero."""
    weights = [amounts[place] for place in places]
    cut = min(discount, sum(weights, ZERO))
    for place, part in zip(places, share_out(cut, weights, CURRENCY), strict=True):
        amounts[place] -= part


def _after_coupons(gross: Sequence[Decimal], skus: Sequence[str], coupons: Sequence[Coupon]) -> list[Decimal]:
    left = list(gross)
    everywhere = ZERO
    for coupon in coupons:
        places = [place for place, sku in enumerate(skus) if coupon.sku and sku == coupon.sku]
        if places:
            _cut(left, places, coupon.amount)
        else:
            everywhere += coupon.amount
    if everywhere:
        _cut(left, range(len(left)), everywhere)
    return left


def _paid_total(goods: Decimal, stated: Stated, *, has_coupons: bool) -> Decimal:
    due = goods + stated.freight + stated.extras
    if stated.payment is None:
        return max(due - (ZERO if has_coupons else stated.seller_discount), ZERO)
    with_balance = stated.payment + stated.balance
    if stated.payment != due and with_balance in (due, due - stated.seller_discount):
        return with_balance
    return stated.payment


def settle(gross: Sequence[Decimal], skus: Sequence[str], coupons: Sequence[Coupon], stated: Stated) -> Settlement:
    """Work out what each line costs the buyer; `gross[i]` is price times quantity of the line with `skus[i]`, in whole fen.

    Rules, in this order:
    1. A coupon with a SKU comes off the lines with this SKU, all others come off the whole order in proportion to what is left.
    2. The total is `orderPayment`. JD's documents define that as goods less discounts and **less balance** plus freight, tax and
       fees, and balance is money of the buyer: so the balance is added whenever only that makes the figures agree. When nothing agrees,
       `orderPayment` stands, because it is the figure that JD settles. When it was not sent, the total is goods less discounts plus
       freight.
    3. Postage is `freightPrice`, but never more than the total.
    4. Whatever then separates lines and total (a seller discount that is not in the coupon list, taxes and fees, figures that disagree)
       is shared over the lines in proportion. Gifts stay at zero as long as another line can carry it.
    Source: field descriptions of OrderInfo in JOS, "orderPayment", "couponDetailList", "balanceUsed".
    """
    shares = _after_coupons(gross, skus, coupons)
    paid_total = _paid_total(sum(shares, ZERO), stated, has_coupons=bool(coupons))
    postage = min(stated.freight, paid_total)
    gap = paid_total - postage - sum(shares, ZERO)
    if gap < 0:
        _cut(shares, range(len(shares)), -gap)
    elif gap > 0:
        weights = shares if any(shares) else gross
        shares = [share + part for share, part in zip(shares, share_out(gap, weights, CURRENCY), strict=True)]
    discount = max(sum(gross, ZERO) + stated.freight + stated.extras - paid_total, ZERO)
    return Settlement(paid_total, postage, tuple(shares), discount)
