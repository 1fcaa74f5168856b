"""Trades in the platform's form for tests: a plain one of two lines, with whatever a test changes."""

from __future__ import annotations

from typing import Any


def line(oid: int = 2231958349000001, **changes: Any) -> dict[str, Any]:
    """A line of 2 units at 30.00, of which 5.00 of the trade's discount are taken off."""
    return {
        "oid": oid,
        "title": "西湖龙井",
        "num_iid": 689000000001,
        "sku_id": "5210000000002",
        "outer_iid": "TEA-LJ",
        "outer_sku_id": "TEA-LJ-100",
        "num": 2,
        "price": "30.00",
        "total_fee": "60.00",
        "payment": "60.00",
        "discount_fee": "0.00",
        "adjust_fee": "0.00",
        "divide_order_fee": "55.00",
        "part_mjz_discount": "5.00",
        "status": "WAIT_SELLER_SEND_GOODS",
        "refund_status": "NO_REFUND",
    } | changes


def trade(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A paid trade: two lines of 55.00 and 8.00 postage, 118.00 in all."""
    rows = list(lines) or [line(), line(2231958349000002)]
    return {
        "tid": 2231958349000000,
        "type": "fixed",
        "status": "WAIT_SELLER_SEND_GOODS",
        "created": "2026-11-10 20:01:05",
        "pay_time": "2026-11-10 20:01:47",
        "modified": "2026-11-10 20:15:02",
        "payment": "118.00",
        "post_fee": "8.00",
        "orders": {"order": rows},
    } | changes
