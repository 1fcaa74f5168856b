"""The money of a simulated order: whole fen inside, text in yuan outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

SHOP_COUPON = "100-店铺优惠"
JD_COUPON = "41-京东券优惠"


def yuan(fen: int) -> str:
    """`fen` as JD writes an amount: `12.80`."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen(text: str) -> int:
    """An amount as JD writes it, in fen."""
    return int(Decimal(text) * 100)


def coupon(order_id: str, sku_id: str, kind: str, amount_fen: int) -> dict[str, str]:
    """One entry of couponDetailList; an empty `sku_id` means the whole order."""
    return {"orderId": order_id, "skuId": sku_id, "couponType": kind, "couponPrice": yuan(amount_fen)}


def gross_fen(items: Sequence[Mapping[str, Any]]) -> int:
    """Price times number over all items."""
    return sum(fen(item["jdPrice"]) * int(item["itemTotal"]) for item in items)


def totals(items: Sequence[Mapping[str, Any]], coupons: Sequence[Mapping[str, Any]], freight_fen: int) -> dict[str, str]:
    """The order's figures as JD derives them: the seller price is less shop coupons, the payment less all coupons plus freight."""
    goods = gross_fen(items)
    by_shop = sum(fen(entry["couponPrice"]) for entry in coupons if entry["couponType"] == SHOP_COUPON)
    everything = sum(fen(entry["couponPrice"]) for entry in coupons)
    return {
        "orderTotalPrice": yuan(goods),
        "orderSellerPrice": yuan(goods - by_shop),
        "orderPayment": yuan(goods - everything + freight_fen),
        "freightPrice": yuan(freight_fen),
        "sellerDiscount": yuan(by_shop),
        "balanceUsed": "0.00",
    }
