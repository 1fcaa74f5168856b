"""The order services of JOS: search, detail, remark, shipment, and their predecessors of the 360buy era."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from plugins.jd.fields import snake
from plugins.jd.mapping import ALIASES
from plugins.jd.simulator import deeds
from plugins.jd.simulator.answering import ServiceError, api_result, truth
from plugins.jd.simulator.asked import Span, a_month_after, number_of, span_of, text_of, words_of
from plugins.jd.simulator.faults import Faults
from plugins.jd.simulator.shop import STATE_TEXTS, NoSuchThing, NotNow, Order, Shop

_WAITING = frozenset(("WAIT_SELLER_STOCK_OUT",))
_OTHER_STATES = frozenset(("WAIT_SEND_CODE", "SEND_TO_DISTRIBUTION_CENER", "DISTRIBUTION_CENTER_RECEIVED", "RECEIPTS_CONFIRM"))
_MAX_PAGE_SIZE = 100
# JD shows nothing on pages beyond about the hundredth.
_PAGE_CAP = 100
_HIDDEN = ("fullname", "fullAddress", "telephone", "mobile")
_UNKNOWN_ORDER = ServiceError(10100013, "订单不存在", "order does not exist")
_NO_WAYBILL_CHANGE = ServiceError(10400014, "当前状态的订单不能修改运单号", "order state is not suitable for modifying waybill number")


def _states(business: Mapping[str, Any]) -> frozenset[str] | None:
    wanted = frozenset(ALIASES.get(word, word) for word in words_of(business, "order_state"))
    if not wanted or "ALL" in wanted:
        return None
    strange = wanted - STATE_TEXTS.keys() - _OTHER_STATES
    if strange:
        raise ServiceError(10100001, f"订单状态{sorted(strange)[0]}不正确", f"order_state {sorted(strange)[0]} is not valid")
    return wanted


def _window(business: Mapping[str, Any], shop: Shop, states: frozenset[str] | None) -> Span:
    span = span_of(business, "start_date", "end_date")
    if span is None:
        if states != _WAITING:
            english = "start_date and end_date may be empty for WAIT_SELLER_STOCK_OUT only"
            raise ServiceError(10100006, "开始时间和结束时间不能为空", english)
        return Span(shop.now() - timedelta(days=30), shop.now())
    if span.end > a_month_after(span.start):
        english = "The interval between startTime and endTime must not exceed one month"
        raise ServiceError(10100026, "开始时间和结束时间不得相差超过1个月", english)
    return span


def _cipher(text: str) -> str:
    """What stands for `text` in enSearch and enGet: as long and as unreadable as JD's ciphertext, the same for the same text."""
    digest = hashlib.sha512(text.encode()).digest()
    return base64.b64encode(digest[:33]).decode() if text else ""


def _encrypted(info: Mapping[str, Any]) -> dict[str, Any]:
    consignee = info.get("consigneeInfo")
    if consignee is None:
        return dict(info)
    return {**info, "consigneeInfo": {name: _cipher(value) if name in _HIDDEN else value for name, value in consignee.items()}}


def _chosen(order: Order, names: Sequence[str], *, encrypted: bool) -> dict[str, Any]:
    """The order with the fields that were asked for; the number always comes along."""
    info = {"orderId": order.info["orderId"], **{name: order.info[name] for name in names if name in order.info}}
    return _encrypted(info) if encrypted else info


def _names(business: Mapping[str, Any]) -> list[str]:
    names = words_of(business, "optional_fields")
    if not names:
        raise ServiceError(10100007, "optional_fields不能为空", "optional_fields is required")
    return names


def _found(shop: Shop, business: Mapping[str, Any]) -> tuple[list[str], int]:
    """The numbers of the wanted page and how many orders there are in all."""
    states = _states(business)
    page = number_of(business, "page", default=1)
    size = number_of(business, "page_size", default=10, most=_MAX_PAGE_SIZE)
    span = _window(business, shop, states)
    # dateType 1 asks by creation, anything else by change; sortType 1 is newest first.
    numbers = shop.between(span.start, span.end, by_created=text_of(business, "dateType") == "1", states=states)
    if text_of(business, "sortType") == "1":
        numbers.reverse()
    return numbers[(page - 1) * size : page * size] if page <= _PAGE_CAP else [], len(numbers)


def _listed(shop: Shop, faults: Faults, business: Mapping[str, Any], *, encrypted: bool) -> tuple[list[Any], int]:
    names = _names(business)
    numbers, total = _found(shop, business)
    rows = [_chosen(shop.orders[number], names, encrypted=encrypted) for number in numbers]
    return faults.on_rows(rows, key="orderId"), total


def search(shop: Shop, faults: Faults, business: Mapping[str, Any], *, encrypted: bool = False) -> dict[str, Any]:
    """jingdong.pop.order.search and enSearch."""
    try:
        rows, total = _listed(shop, faults, business, encrypted=encrypted)
    except ServiceError as error:
        return {"searchorderinfo_result": {"apiResult": api_result(error), "orderTotal": 0}}
    return {"searchorderinfo_result": {"apiResult": api_result(), "orderTotal": total, "orderInfoList": rows}}


def detail(shop: Shop, business: Mapping[str, Any], *, encrypted: bool = False) -> dict[str, Any]:
    """jingdong.pop.order.get and enGet; without optional_fields the whole order comes."""
    try:
        order = shop.get(text_of(business, "order_id", "orderId"))
    except NoSuchThing:
        return {"orderDetailInfo": {"apiResult": api_result(_UNKNOWN_ORDER)}}
    names = words_of(business, "optional_fields") or list(order.info)
    return {"orderDetailInfo": {"apiResult": api_result(), "orderInfo": _chosen(order, names, encrypted=encrypted)}}


def _snake(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {snake(str(name)): _snake(part) for name, part in value.items()}
    return [_snake(part) for part in value] if isinstance(value, list) else value


def old_search(shop: Shop, faults: Faults, business: Mapping[str, Any]) -> dict[str, Any]:
    """360buy.order.search: the same orders, the names with underscores."""
    try:
        rows, total = _listed(shop, faults, business, encrypted=False)
    except ServiceError as error:
        raise error.at_gateway() from error
    return {"order_search": {"order_total": total, "order_info_list": _snake(rows)}}


def old_detail(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """360buy.order.get."""
    found = detail(shop, business)["orderDetailInfo"]
    if "orderInfo" not in found:
        raise _UNKNOWN_ORDER.at_gateway()
    return {"order": {"orderInfo": _snake(found["orderInfo"])}}


def remark(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.pop.order.modifyVenderRemark: the seller's note on an order."""
    try:
        shop.touch(shop.get(text_of(business, "order_id")), venderRemark=str(business.get("remark") or ""))
    except NoSuchThing:
        return {"modifyvenderremark_result": api_result(_UNKNOWN_ORDER)}
    return {"modifyvenderremark_result": api_result()}


def _shipment_result(error: ServiceError | None = None) -> dict[str, Any]:
    if error is None:
        return {"success": truth(), "englishErrCode": "", "chineseErrCode": "", "errorCode": "", "jsonString": ""}
    wording = {"englishErrCode": error.english, "chineseErrCode": error.chinese, "errorCode": str(error.code)}
    return {"success": False, **wording, "jsonString": ""}


def _refusal_of(order: Order) -> ServiceError:
    if order.info["waybill"]:
        return ServiceError(10400003, "订单已出库，不能重复出库", "the order has been shipped with another waybill")
    if order.state in {"LOCKED", "PAUSE", "POP_ORDER_PAUSE"}:
        return ServiceError(10400005, "订单已锁定或暂停，不能出库", "the order is locked or paused")
    return ServiceError(10400002, "订单状态不是等待出库", "the order is not waiting to be shipped")


def _carriers(business: Mapping[str, Any], carrier_name: str, number_name: str) -> tuple[str, str]:
    carriers, numbers = text_of(business, carrier_name), text_of(business, number_name)
    if not carriers or not all(part.strip().isdecimal() for part in carriers.split("|")):
        raise ServiceError(10400006, "物流公司ID不正确", "the logistics company id is not valid")
    if not numbers or len(numbers.split("|")) != len(carriers.split("|")):
        raise ServiceError(10400007, "运单号不能为空且须与物流公司一一对应", "each logistics company needs its waybill")
    return carriers, numbers


def _shipped(shop: Shop, business: Mapping[str, Any], order_name: str, carrier_name: str, number_name: str) -> None:
    carriers, numbers = _carriers(business, carrier_name, number_name)
    number = text_of(business, order_name)
    try:
        deeds.ship(shop, number, carrier=carriers, waybill=numbers)
    except NoSuchThing as error:
        raise _UNKNOWN_ORDER from error
    except NotNow as error:
        raise _refusal_of(shop.get(number)) from error


def shipment(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.pop.order.shipment: the whole order; the same carriers and numbers again are fine."""
    try:
        _shipped(shop, business, "orderId", "logiCoprId", "logiNo")
    except ServiceError as error:
        return {"sopjosshipment_result": _shipment_result(error)}
    return {"sopjosshipment_result": _shipment_result()}


def outstorage(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """360buy.order.sop.outstorage, the predecessor of shipment."""
    try:
        _shipped(shop, business, "order_id", "logistics_id", "waybill")
    except ServiceError as error:
        raise error.at_gateway() from error
    order = shop.get(text_of(business, "order_id"))
    return {"vender_id": order.info["venderId"], "order_id": order.number}


def waybill_update(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """360buy.order.sop.waybill.update: correct the tracking numbers of a shipped order."""
    try:
        carriers, numbers = _carriers(business, "logistics_id", "waybill")
        order = deeds.change_waybill(shop, text_of(business, "order_id"), carrier=carriers, waybill=numbers)
    except NoSuchThing as error:
        raise _UNKNOWN_ORDER.at_gateway() from error
    except NotNow as error:
        raise _NO_WAYBILL_CHANGE.at_gateway() from error
    except ServiceError as error:
        raise error.at_gateway() from error
    return {"vender_id": order.info["venderId"], "order_id": order.number}
