"""What buyers, the seller and JD do to orders of the simulated shop.

Every deed raises NoSuchThing for an unknown number and NotNow where the state forbids it, and moves the order's modified moment to now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.sdk import share_out
from plugins.jd.simulator.figures import fen, gross_fen, totals, yuan
from plugins.jd.simulator.shop import Application, NoSuchThing, NotNow, Order, Service, Shop
from plugins.jd.times import wire_time

_UNSHIPPED = ("NOT_PAY", "WAIT_SELLER_STOCK_OUT", "LOCKED", "PAUSE", "POP_ORDER_PAUSE")


def _order(shop: Shop, number: str, *states: str) -> Order:
    order = shop.get(number)
    if order.state not in states:
        raise NotNow(f"order {order.number} is {order.state}")
    return order


def pay(shop: Shop, number: str) -> Order:
    """The buyer pays an order that waits for it."""
    order = _order(shop, number, "NOT_PAY")
    return shop.touch(order, orderState="WAIT_SELLER_STOCK_OUT", paymentConfirmTime=wire_time(shop.now()))


def _record_waybill(shop: Shop, order: Order, carrier: str, waybill: str) -> Order:
    shop.shipments.append({"orderId": order.number, "logisticsId": carrier, "waybill": waybill, "at": wire_time(shop.now())})
    return shop.touch(order, waybill=waybill, logisticsId=carrier)


def ship(shop: Shop, number: str, *, carrier: str, waybill: str) -> Order:
    """The seller ships a paid order; the same carrier and numbers again change nothing."""
    order = shop.get(number)
    if (order.info["waybill"], order.info["logisticsId"]) == (waybill, carrier):
        return order
    order = _order(shop, number, "WAIT_SELLER_STOCK_OUT")
    _record_waybill(shop, order, carrier, waybill)
    return shop.touch(order, orderState="WAIT_GOODS_RECEIVE_CONFIRM")


def change_waybill(shop: Shop, number: str, *, carrier: str, waybill: str) -> Order:
    """The seller corrects the tracking numbers of a shipped order."""
    return _record_waybill(shop, _order(shop, number, "WAIT_GOODS_RECEIVE_CONFIRM"), carrier, waybill)


def finish(shop: Shop, number: str) -> Order:
    """The buyer confirms that a shipped order arrived."""
    order = _order(shop, number, "WAIT_GOODS_RECEIVE_CONFIRM")
    return shop.touch(order, orderState="FINISHED_L", orderEndTime=wire_time(shop.now()))


def cancel(shop: Shop, number: str) -> Order:
    """An order that has not left is cancelled."""
    order = _order(shop, number, *_UNSHIPPED)
    return shop.touch(order, orderState="TRADE_CANCELED", orderEndTime=wire_time(shop.now()))


def lock(shop: Shop, number: str) -> Order:
    """JD locks a paid order."""
    return shop.touch(_order(shop, number, "WAIT_SELLER_STOCK_OUT"), orderState="LOCKED")


def unlock(shop: Shop, number: str) -> Order:
    """JD frees a locked or paused order."""
    return shop.touch(_order(shop, number, "LOCKED", "PAUSE", "POP_ORDER_PAUSE"), orderState="WAIT_SELLER_STOCK_OUT")


def apply_refund(shop: Shop, number: str, *, reason: str = "不想要了", applied: datetime | None = None) -> Application:
    """The buyer asks to cancel a paid order; JD locks it. `applied` is now unless given."""
    order = _order(shop, number, "WAIT_SELLER_STOCK_OUT", "LOCKED")
    if order.state != "LOCKED":
        lock(shop, number)
    moment = (applied or shop.now()).replace(microsecond=0)
    info = {
        "id": shop.next_application(),
        "buyerId": order.info["pin"],
        "buyerName": order.info["consigneeInfo"]["fullname"],
        "applyTime": wire_time(moment),
        # This one amount comes as a number.
        "applyRefundSum": fen(order.info["orderPayment"]) / 100,
        "status": 0,
        "orderId": order.number,
        "reason": reason,
        "checkTime": "",
        "checkUserName": "",
        "checkRemark": "",
        "modified": wire_time(moment),
        "systemId": 5,
    }
    application = Application(info, moment, moment)
    shop.applications[str(info["id"])] = application
    return application


def decide_refund(shop: Shop, number: str, *, is_granted: bool, user: str = "", remark: str = "") -> Application:
    """The seller decides on an application: granted cancels the order, refused frees it."""
    application = shop.applications.get(str(number))
    if application is None:
        raise NoSuchThing(str(number))
    if application.info["status"] != 0:
        raise NotNow(f"refund application {number} is decided")
    application.checked = application.modified = shop.now()
    status, checked = 1 if is_granted else 2, wire_time(application.checked)
    application.info.update(status=status, checkTime=checked, modified=checked, checkUserName=user, checkRemark=remark)
    order = shop.get(application.info["orderId"])
    if order.state == "LOCKED":
        (cancel if is_granted else unlock)(shop, order.number)
    return application


def open_service(shop: Shop, number: str, *, expects: int = 10, step: int = 10001, applied: datetime | None = None) -> Service:
    """The buyer opens an after-sale service on a shipped order; `expects` 10 return, 20 exchange, 30 repair, `step` is JD's state."""
    order = _order(shop, number, "FINISHED_L", "WAIT_GOODS_RECEIVE_CONFIRM")
    moment = (applied or shop.now()).replace(microsecond=0)
    service_id = shop.next_service()
    bill = {
        "serviceId": service_id,
        "orderId": int(order.number),
        "skuId": int(order.info["itemInfoList"][0]["skuId"]),
        "applyTime": wire_time(moment),
        "customerExpect": expects,
        "serviceStatus": step,
    }
    service = Service({"sameOrderServiceBill": bill, "afsRefundId": 700_000_000 + service_id % 100_000_000, "status": 0}, moment)
    shop.services[str(service_id)] = service
    return service


def _child_coupons(coupons: Sequence[Mapping[str, str]], groups: Sequence[Sequence[Mapping[str, Any]]]) -> list[list[dict[str, str]]]:
    """A SKU's coupons go with the first child that has the SKU, those of the whole order are shared by value."""
    shares: list[list[dict[str, str]]] = [[] for _ in groups]
    weights = [Decimal(gross_fen(group)) for group in groups]
    for entry in coupons:
        if entry["skuId"]:
            home = next(place for place, group in enumerate(groups) if any(item["skuId"] == entry["skuId"] for item in group))
            shares[home].append(dict(entry))
            continue
        parts = share_out(Decimal(entry["couponPrice"]), weights, "CNY")
        for share, part in zip(shares, parts, strict=True):
            if part:
                share.append({**entry, "couponPrice": yuan(int(part * 100))})
    return shares


def split(shop: Shop, number: str, parts: Sequence[Sequence[int]]) -> list[Order]:
    """JD splits a paid order: `parts` holds the item positions of each child. The parent leaves all lists, freight stays with the first."""
    parent = _order(shop, number, "WAIT_SELLER_STOCK_OUT")
    items = parent.info["itemInfoList"]
    if len(parts) < 2 or not all(parts) or sorted(place for part in parts for place in part) != list(range(len(items))):
        raise NotNow("every item goes to exactly one of at least two parts")
    groups = [[items[place] for place in part] for part in parts]
    root = parent.info["parentOrderId"] if parent.info["parentOrderId"] != "0" else parent.number
    children = []
    for place, (group, coupons) in enumerate(zip(groups, _child_coupons(parent.info["couponDetailList"], groups), strict=True)):
        own = shop.next_number()
        freight_fen = fen(parent.info["freightPrice"]) if place == 0 else 0
        child = {**parent.info, "orderId": own, "parentOrderId": root, "directParentOrderId": parent.number, "itemInfoList": group}
        child["couponDetailList"] = [{**entry, "orderId": own} for entry in coupons]
        child.update(totals(group, coupons, freight_fen))
        children.append(shop.add(child, created=parent.created, modified=shop.now()))
    shop.withdraw(parent)
    return children
