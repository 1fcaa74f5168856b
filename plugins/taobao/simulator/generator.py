"""Invented trades, priced to the cent; the same seed gives the same trades."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random

from core.sdk import share_out
from plugins.taobao.gateway import china_text
from plugins.taobao.simulator.catalog import NEW_SKU, SAMPLE_SKU, SimItem, SimSku
from plugins.taobao.simulator.lifecycle import Line, Refund, Trade
from plugins.taobao.simulator.receivers import SimReceiver, some_receiver
from plugins.taobao.wire import CURRENCY

SELLER_NICK = "云栖茶铺_演示"
SHOP_TITLE = "云栖茶铺"
FIRST_TID = 4_120_000_000_000_000_000
ZERO = Decimal("0.00")

_NOTES = ("", "", "", "", "请尽快发货，谢谢", "送礼用，请勿放价签", "周末送货", "要新茶 🍵")
_REASONS = ("不想要了", "拍错了", "商品与描述不符", "发货太慢")


@dataclass
class Made:
    """One new trade with what belongs to it."""

    trade: Trade
    receiver: SimReceiver
    refunds: list[Refund] = field(default_factory=list)


@dataclass
class Wanted:
    """One line of a trade to make: `off` is the line's own discount."""

    item: SimItem
    sku: SimSku | None
    num: int
    off: Decimal = ZERO


class TradeMaker:
    """Makes trades of one shop, each with a number of its own."""

    def __init__(self, seed: int, items: Sequence[SimItem], app_key: str) -> None:
        self.random = Random(seed)  # noqa: S311 - invented goods and people, no secrets
        self._app_key = app_key
        self._made = 0
        self._refunds = 0
        goods: list[tuple[SimItem, SimSku | None]] = []
        for item in items:
            goods += [(item, sku) for sku in item.skus] or [(item, None)]
        self._by_code = {(sku or item).outer_id: (item, sku) for item, sku in goods}
        self._sellable = [
            (item, sku)
            for item, sku in goods
            if item.approve_status == "onsale" and (sku or item).outer_id not in ("", NEW_SKU, SAMPLE_SKU)
        ]

    def new_refund_id(self) -> str:
        """The number of a refund that is about to be made."""
        self._refunds += 1
        return f"{165_000_000_000_000_000 + self._refunds * 10_007 + self._made}"

    def reason(self) -> str:
        """Why a buyer wants the money back."""
        return self.random.choice(_REASONS)

    def order(self, wanted: Sequence[Wanted], created: datetime, *, kind: str = "fixed") -> Made:
        """A new trade waiting for its payment."""
        random, at = self.random, china_text(created)
        self._made += 1
        tid = FIRST_TID + self._made * 1_000_003 + random.randint(0, 999) * 1000
        receiver = some_receiver(random)
        lines = [_line(tid if len(wanted) == 1 else tid + place, one) for place, one in enumerate(wanted, 1)]
        trade = {
            **_constants(),
            "tid": tid,
            "tid_str": str(tid),
            "type": kind,
            "status": "WAIT_BUYER_PAY",
            "buyer_nick": receiver.name[0] + "**",
            "buyer_open_uid": "AA" + base64.urlsafe_b64encode(random.randbytes(15)).decode(),
            "created": at,
            "modified": at,
            "num": lines[0]["num"] if len(lines) == 1 else 0,
            "orders": {"order": lines},
            **receiver.masked(),
            "oaid": receiver.oaid(created, self._app_key),
        }
        note = random.choice(_NOTES)
        trade |= {"has_buyer_message": bool(note)} | ({"buyer_message": note} if note else {})
        self._price(trade, lines)
        if kind == "step":
            deposit = (Decimal(trade["payment"]) / 10).quantize(ZERO)
            trade |= {"step_trade_status": "FRONT_NOPAID_FINAL_NOPAID", "step_paid_fee": f"{deposit:.2f}"}
            trade["est_con_time"] = lines[0]["est_con_time"] = "付款后15天内发货"
        if len(lines) == 1:
            trade |= {name: lines[0][name] for name in ("num_iid", "price", "pic_path")}
        return Made(trade, receiver)

    def some_goods(self, count: int) -> list[Wanted]:
        """Lines of different everyday goods, now and then with a discount of their own."""
        picks = self.random.sample(self._sellable, min(count, len(self._sellable)))
        return [self._wanted(item, sku) for item, sku in picks]

    def by_code(self, code: str, num: int) -> Wanted:
        """A line of the goods with the seller's code `code`. Raises KeyError when the shop has none."""
        item, sku = self._by_code[code]
        return Wanted(item, sku, num)

    def _wanted(self, item: SimItem, sku: SimSku | None) -> Wanted:
        num = self.random.choice((1, 1, 1, 2, 3))
        price = (sku or item).price
        off = self.random.choice((ZERO, ZERO, ZERO, Decimal("5.00"), (price * num / 10).quantize(ZERO)))
        return Wanted(item, sku, num, min(off, price * num))

    def _price(self, trade: Trade, lines: list[Line]) -> None:
        """Discount of the whole trade, postage and each line's share of what is paid, to the cent."""
        sums = [Decimal(line["total_fee"]) for line in lines]
        goods = sum(sums, ZERO)
        discount = min(self.random.choice((ZERO, ZERO, Decimal("10.00"), Decimal("35.43"), (goods / 20).quantize(ZERO))), goods)
        postage = self.random.choice((ZERO, ZERO, Decimal("8.00"), Decimal("12.50")))
        parts = share_out(discount, sums, CURRENCY)
        for line, own, part in zip(lines, sums, parts, strict=True):
            line |= {"divide_order_fee": f"{own - part:.2f}", "part_mjz_discount": f"{part:.2f}"}
        payment = f"{goods - discount + postage:.2f}"
        if len(lines) == 1:
            # With a single line the platform reports the trade's payment on the line too, postage included.
            lines[0]["payment"] = payment
        trade |= {"total_fee": f"{sum((Decimal(line['price']) * line['num'] for line in lines), ZERO):.2f}", "payment": payment}
        trade |= {"post_fee": f"{postage:.2f}", "discount_fee": f"{discount:.2f}"}
        trade["shipping_type"] = "express" if postage else "free"
        if discount:
            detail = {"id": trade["tid"], "promotion_name": "店铺满减", "discount_fee": f"{discount:.2f}"}
            detail |= {"promotion_desc": f"店铺满减:省{discount:.2f}元", "promotion_id": "mjs-1000000001_2000000001"}
            trade["promotion_details"] = {"promotion_detail": [detail]}


def _line(oid: int, wanted: Wanted) -> Line:
    item, sku = wanted.item, wanted.sku
    price = (sku or item).price
    own = price * wanted.num - wanted.off
    line: Line = {
        "oid": oid,
        "oid_str": str(oid),
        "title": item.title,
        "num_iid": item.num_iid,
        "outer_iid": item.outer_id,
        "num": wanted.num,
        "price": f"{price:.2f}",
        "total_fee": f"{own:.2f}",
        "payment": f"{own:.2f}",
        "discount_fee": f"{wanted.off:.2f}",
        "adjust_fee": "0.00",
        "status": "WAIT_BUYER_PAY",
        "refund_status": "NO_REFUND",
        "cid": 50010850,
        "seller_type": "C",
        "snapshot_url": f"p:{oid}_1",
        "buyer_rate": False,
        "seller_rate": False,
        "is_oversold": False,
        "is_daixiao": False,
        "order_from": "WAP,WAP",
        "pic_path": f"https://img.example.invalid/{item.num_iid}.jpg",
    }
    if sku:
        line |= {"sku_id": str(sku.sku_id), "outer_sku_id": sku.outer_id, "sku_properties_name": f"规格:{sku.variant}"}
    if not price:
        line["is_free_gift"] = True
    return line


def _constants() -> Trade:
    return {
        "seller_nick": SELLER_NICK,
        "title": SHOP_TITLE,
        "adjust_fee": "0.00",
        "received_payment": "0.00",
        "commission_fee": "0.00",
        "has_post_fee": True,
        "trade_from": "WAP,WAP",
        "buyer_rate": False,
        "seller_rate": False,
        "seller_flag": 0,
        "is_part_consign": False,
        "coupon_fee": 0,
    }
