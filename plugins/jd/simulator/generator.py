"""Orders of the simulated shop, the same for the same seed: everyday baskets in every state, all of the last 23 hours."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from plugins.jd.simulator.catalog import Sku
from plugins.jd.simulator.deeds import apply_refund, open_service
from plugins.jd.simulator.figures import JD_COUPON, SHOP_COUPON, coupon, gross_fen, totals, yuan
from plugins.jd.simulator.shop import STATE_TEXTS, VENDER_ID, Order, Shop
from plugins.jd.times import wire_time

_STATES = tuple(STATE_TEXTS)
_CHANCES = (4, 46, 2, 22, 12, 5, 4, 1, 2, 2)
_UNPAID = frozenset(("NOT_PAY",))
_SHIPPED = frozenset(("WAIT_GOODS_RECEIVE_CONFIRM", "FINISHED_L", "DELIVERY_RETURN"))
_ENDED = frozenset(("FINISHED_L", "TRADE_CANCELED"))
_CARRIERS = (("467", "SF"), ("463", "YT"), ("1499", "73"), ("2087", "JDV"))
_PLACES = (
    ("浙江省", "杭州市", "西湖区", "转塘街道"),
    ("福建省", "泉州市", "安溪县", "凤城镇"),
    ("广东省", "深圳市", "南山区", "粤海街道"),
    ("四川省", "成都市", "武侯区", "桂溪街道"),
    ("北京", "朝阳区", "三环到四环之间", ""),
    ("云南省", "普洱市", "思茅区", "思茅街道"),
    ("江苏省", "苏州市", "吴中区", "东山镇"),
)
_SURNAMES = "赵钱孙李周吴郑王冯陈"
_REMARKS = ("", "", "", "", "尽快发货", "请用礼盒包装", "放快递柜", "不要打电话，谢谢")
_YOUNGEST = timedelta(minutes=2)
_OLDEST = timedelta(hours=22, minutes=30)


def _item(sku: Sku, quantity: int) -> dict[str, str]:
    return {
        "skuId": sku.sku_id,
        "outerSkuId": sku.code,
        "skuName": sku.title,
        "jdPrice": yuan(sku.price_fen),
        "giftPoint": "0",
        "wareId": sku.ware_id,
        "itemTotal": str(quantity),
        "productNo": "",
        "serviceName": "",
        "newStoreId": "0",
    }


def _basket(dice: random.Random, shop: Shop) -> list[dict[str, str]]:
    goods = [sku for sku in shop.skus if sku.price_fen]
    gifts = [sku for sku in shop.skus if not sku.price_fen]
    chosen = dice.sample(goods, dice.choices((1, 2, 3, 4), (55, 28, 12, 5))[0])
    items = [_item(sku, dice.choices((1, 2, 3), (75, 18, 7))[0]) for sku in chosen]
    if dice.random() < 0.15:
        items.append(_item(dice.choice(gifts), 1))
    return items


def _coupons(dice: random.Random, number: str, items: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """At most a fifth off one SKU and a fifth off the whole, so that no line can fall below zero."""
    found = []
    if dice.random() < 0.25:
        item = items[0]
        found.append(coupon(number, item["skuId"], JD_COUPON, gross_fen([item]) * dice.randint(5, 20) // 100))
    if dice.random() < 0.3:
        found.append(coupon(number, "", SHOP_COUPON, gross_fen(items) * dice.randint(5, 20) // 100))
    return found


def _consignee(dice: random.Random) -> dict[str, str]:
    province, city, county, town = dice.choice(_PLACES)
    phone = f"1{dice.choice('35789')}{dice.randint(0, 9)}****{dice.randint(0, 9999):04d}"
    return {
        "fullname": dice.choice(_SURNAMES) + "*" * dice.randint(1, 2),
        "fullAddress": f"{province}{city}{county}{town}茶园路{dice.randint(1, 9)}***号",
        "telephone": phone,
        "mobile": phone,
        "province": province,
        "provinceId": str(dice.randint(1, 32)),
        "city": city,
        "cityId": str(dice.randint(50, 2000)),
        "county": county,
        "countyId": str(dice.randint(2000, 4000)),
        "town": town,
        "townId": "0" if not town else str(dice.randint(30000, 60000)),
    }


def compose(dice: random.Random, number: str, items: Sequence[dict[str, str]], state: str) -> dict[str, Any]:
    """A whole OrderInfo without its moments, every field a POP shop gets."""
    buyer = dice.randint(100_000, 999_999)
    coupons = _coupons(dice, number, items)
    is_cod = state not in _UNPAID and dice.random() < 0.03
    carrier, prefix = dice.choice(_CARRIERS)
    return {
        "orderId": number,
        "venderId": VENDER_ID,
        "orderType": "22",
        "payType": "1-货到付款" if is_cod else "4-在线支付",
        **totals(items, coupons, dice.choices((0, 600, 1200), (70, 22, 8))[0]),
        "orderState": state,
        "orderStateRemark": STATE_TEXTS[state],
        "deliveryType": "任意时间",
        "invoiceInfo": "不需要开具发票",
        "invoiceCode": "",
        "orderRemark": dice.choice(_REMARKS),
        "orderStartTime": "",
        "orderEndTime": "",
        "modified": "",
        "paymentConfirmTime": "",
        "consigneeInfo": _consignee(dice),
        "itemInfoList": list(items),
        "couponDetailList": coupons,
        "venderRemark": "",
        "pin": f"jd_{buyer:06d}****",
        "open_id_buyer": f"simOpenId{buyer:08d}",
        "xid_buyer": f"o*simXid{buyer:08d}",
        "returnOrder": "0",
        "waybill": f"{prefix}{dice.randint(10**11, 10**12 - 1)}" if state in _SHIPPED else "",
        "logisticsId": carrier if state in _SHIPPED else "",
        "vatInfo": {"vatNo": ""},
        "parentOrderId": "0",
        "directParentOrderId": "0",
        "customs": "",
        "customsModel": "",
        "orderSource": "移动端订单",
        "storeOrder": "",
        "idSopShipmenttype": 70,
        "scDT": "",
        "serviceFee": "",
        "pauseBizInfo": {},
        "taxFee": "",
        "tuiHuoWuYou": "",
        "orderSign": "",
        "storeId": "0",
        "orderMarkDesc": {},
    }


def _later(dice: random.Random, moment: datetime, end: datetime) -> datetime:
    """A moment from `moment` to `end`, more often soon."""
    return moment + (end - moment) * (dice.random() ** 2)


def _store(dice: random.Random, shop: Shop, state: str, created: datetime, end: datetime) -> Order:
    info = compose(dice, shop.next_number(), _basket(dice, shop), state)
    modified = created
    if state not in _UNPAID:
        modified = paid = _later(dice, created, min(end, created + timedelta(minutes=20)))
        if not info["payType"].startswith("1"):
            info["paymentConfirmTime"] = wire_time(paid)
    if state not in {"NOT_PAY", "WAIT_SELLER_STOCK_OUT"}:
        modified = _later(dice, modified, end)
    if state in _ENDED:
        info["orderEndTime"] = wire_time(modified)
    return shop.add(info, created=created, modified=modified)


def _follow_up(dice: random.Random, shop: Shop, order: Order, end: datetime) -> None:
    """What hangs on an order: the application that locked it, a service after delivery. Neither moves the order."""
    if order.state == "LOCKED":
        apply_refund(shop, order.number, applied=min(order.modified, end))
    elif order.state == "FINISHED_L" and dice.random() < 0.15:
        expects, step = dice.choice((10, 10, 20, 30)), dice.choice((10001, 10005, 10007, 10010, 10011))
        open_service(shop, order.number, expects=expects, step=step, applied=_later(dice, order.modified, end))


def _adopt(shop: Shop, orders: Sequence[Order]) -> None:
    """Make pairs of waiting orders the children of a parent that JD no longer lists."""
    waiting = [order for order in orders if order.state == "WAIT_SELLER_STOCK_OUT"]
    for first, second in zip(waiting[::20], waiting[1::20], strict=False):
        parent = shop.next_number()
        shared = ("consigneeInfo", "pin", "open_id_buyer", "xid_buyer", "orderRemark")
        second.info.update({name: first.info[name] for name in shared})
        for child in (first, second):
            child.info.update(parentOrderId=parent, directParentOrderId=parent)


def fill(shop: Shop, count: int) -> None:
    """Put `count` orders into the shop, distinct numbers, each state at least once from ten orders on.

    All were created and last modified within 23 hours before now; the seed decides everything but the moments' anchor.
    """
    dice = random.Random(f"{shop.seed}/orders")  # noqa: S311 - repeatable chance, no secret
    end = shop.now() - _YOUNGEST
    states = [*_STATES, *dice.choices(_STATES, _CHANCES, k=max(0, count - len(_STATES)))][:count]
    dice.shuffle(states)
    moments = sorted(end - _OLDEST * dice.random() for _ in states)
    orders = [_store(dice, shop, state, created, end) for state, created in zip(states, moments, strict=True)]
    for order in orders:
        _follow_up(dice, shop, order, end)
    _adopt(shop, orders)


def place(shop: Shop, dice: random.Random, *, lines: Sequence[tuple[Sku, int]] = (), state: str = "WAIT_SELLER_STOCK_OUT") -> Order:
    """A new order of this moment; `lines` or a basket by chance. `state` is any of JD's states."""
    items = [_item(sku, quantity) for sku, quantity in lines] or _basket(dice, shop)
    info = compose(dice, shop.next_number(), items, state)
    now = shop.now()
    if state not in _UNPAID and not info["payType"].startswith("1"):
        info["paymentConfirmTime"] = wire_time(now)
    if state in _ENDED:
        info["orderEndTime"] = wire_time(now)
    return shop.add(info, created=now, modified=now)
