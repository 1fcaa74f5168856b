"""The refund and after-sale services of JOS."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from plugins.jd.simulator import deeds
from plugins.jd.simulator.answering import ServiceError, truth
from plugins.jd.simulator.asked import Span, number_of, span_of, text_of, words_of
from plugins.jd.simulator.faults import Faults
from plugins.jd.simulator.shop import NoSuchThing, NotNow, Shop

_MAX_PAGE_SIZE = 50
_APPLY_WINDOW = timedelta(days=7)
_APPROVE_WINDOW = timedelta(days=10)
_DONE = 10010
_GRANTED = frozenset(("1", "true"))


def _within(span: Span | None, moment: datetime | None) -> bool:
    return span is None or span.holds(moment)


def applications(shop: Shop, faults: Faults, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.pop.afs.soa.refundapply.queryPageList, oldest application first."""
    try:
        page = number_of(business, "pageIndex", default=1)
        size = number_of(business, "pageSize", default=10, most=_MAX_PAGE_SIZE)
        applied = span_of(business, "applyTimeStart", "applyTimeEnd")
        checked = span_of(business, "checkTimeStart", "checkTimeEnd")
        modified = span_of(business, "modifiedStart", "modifiedEnd")
    except ServiceError as error:
        return {"queryResult": {"success": False, "errorCode": str(error.code), "errorMessage": error.chinese, "totalCount": 0}}
    ids, status, order = words_of(business, "ids"), text_of(business, "status"), text_of(business, "orderId")
    rows = [
        dict(entry.info)
        for entry in shop.applications.values()
        if _within(applied, entry.applied)
        and _within(checked, entry.checked)
        and _within(modified, entry.modified)
        and (not ids or str(entry.info["id"]) in ids)
        and (not status or str(entry.info["status"]) == status)
        and (not order or entry.info["orderId"] == order)
    ]
    rows.sort(key=lambda info: (info["applyTime"], info["id"]))
    shown = faults.on_rows(rows[(page - 1) * size : page * size], key="id")
    return {"queryResult": {"success": truth(), "errorCode": "", "totalCount": len(rows), "result": shown}}


def reply(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.pop.afs.soa.refundapply.replyRefund: status 1 grants, 2 refuses."""
    is_granted = text_of(business, "status") in _GRANTED
    user, remark = text_of(business, "checkUserName"), text_of(business, "remark")
    try:
        deeds.decide_refund(shop, text_of(business, "id"), is_granted=is_granted, user=user, remark=remark)
    except (NoSuchThing, NotNow) as error:
        return {"replyResult": {"success": False, "errorCode": "1", "errorMessage": f"退款申请单不存在或已审核: {error}"}}
    return {"replyResult": {"success": truth(), "errorCode": ""}}


def _service_spans(business: Mapping[str, Any]) -> tuple[Span | None, Span | None]:
    applied = span_of(business, "applyTimeBegin", "applyTimeEnd")
    approved = span_of(business, "approveTimeBegin", "approveTimeEnd")
    if applied is not None and applied.end - applied.start > _APPLY_WINDOW:
        raise ServiceError(10002, "申请时间跨度不能超过7天", "the apply window must not exceed 7 days")
    if approved is not None and approved.end - approved.start > _APPROVE_WINDOW:
        raise ServiceError(10002, "审核时间跨度不能超过10天", "the approve window must not exceed 10 days")
    if applied is None and approved is None and not text_of(business, "orderId"):
        raise ServiceError(10001, "申请时间、审核时间、订单号不能同时为空", "a window or an order is required")
    return applied, approved


def services(shop: Shop, faults: Faults, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.asc.serviceAndRefund.view, oldest application first."""
    try:
        page = number_of(business, "pageNumber", default=1)
        size = number_of(business, "pageSize", default=10, most=_MAX_PAGE_SIZE)
        applied, approved = _service_spans(business)
    except ServiceError as error:
        return {"pageResult": {"success": False, "code": str(error.code), "message": error.chinese, "totalCount": 0}}
    order = text_of(business, "orderId")
    rows = [
        {**entry.info, "sameOrderServiceBill": dict(entry.info["sameOrderServiceBill"])}
        for entry in shop.services.values()
        if _within(applied, entry.applied)
        and _within(approved, entry.approved)
        and (not order or str(entry.info["sameOrderServiceBill"]["orderId"]) == order)
    ]
    rows.sort(key=lambda info: (info["sameOrderServiceBill"]["applyTime"], info["afsRefundId"]))
    shown = faults.on_rows(rows[(page - 1) * size : page * size], key="afsRefundId")
    figures = {"totalCount": len(rows), "pageNumber": page, "pageSize": size}
    return {"pageResult": {"success": truth(), "code": "00000", **figures, "data": shown}}


def service_money(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.b2c.shop.aftersales.refund.get: what a service paid back, or may pay back at most."""
    service = shop.services.get(text_of(business, "afsServiceId"))
    if service is None:
        return {"result": {"success": False, "errorCode": "404", "errorMessage": "服务单不存在"}}
    bill = service.info["sameOrderServiceBill"]
    item = shop.orders[str(bill["orderId"])].info["itemInfoList"][0]
    if bill["serviceStatus"] == _DONE:
        money = {"afsActualRefundDetail": {"actualRefundAmount": item["jdPrice"]}}
    else:
        money = {"afsEstimateRefundDetail": {"payAmount": item["jdPrice"], "maxRefundAmount": item["jdPrice"]}}
    return {"result": {"success": truth(), "errorCode": "200", "data": {"orderId": bill["orderId"], **money}}}
