"""The lists of JOS that an order management needs, and how they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from plugins.jd.listing import Listing
from plugins.jd.mapping import ORDER_STATES
from plugins.jd.paging import Row

ORDER_FIELDS = (
    "orderId,venderId,orderType,payType,orderTotalPrice,orderSellerPrice,orderPayment,freightPrice,sellerDiscount,balanceUsed,"
    "orderState,orderStateRemark,deliveryType,invoiceInfo,invoiceCode,orderRemark,venderRemark,orderStartTime,orderEndTime,"
    "paymentConfirmTime,modified,consigneeInfo,itemInfoList,couponDetailList,waybill,logisticsId,parentOrderId,directParentOrderId,"
    "vatInfo,invoiceEasyInfo,pin,open_id_buyer,xid_buyer,returnOrder,orderSource,storeOrder,idSopShipmenttype,pauseBizInfo,"
    "orderMarkDesc,serviceFee,taxFee,storeId"
)
_STAMP_FIELDS = "orderId,modified,orderStartTime"
_SKU_FIELDS = "skuId,wareId,outerId,skuName,wareTitle,jdPrice,stockNum,barCode,status"
_BY_CREATED, _BY_MODIFIED = 1, 0
_ASCENDING = 0
# JD's cap is "one month"; the shortest has 28 days.
MONTH = timedelta(days=28)


def _orders(date_type: int, optional_fields: str) -> Listing:
    def business(start: str, end: str, page: int) -> Mapping[str, Any]:
        return {
            "source_id": "JOS",
            "start_date": start,
            "end_date": end,
            "order_state": ",".join(ORDER_STATES),
            "optional_fields": optional_fields,
            "page": str(page),
            "page_size": "100",
            "sortType": _ASCENDING,
            "dateType": date_type,
        }

    def key(row: Row) -> tuple[str, str]:
        return str(row.get("orderId")), str(row.get("modified"))

    return Listing("jingdong.pop.order.search", "searchorderinfo_result", "orderInfoList", "orderTotal", 100, MONTH, key, business)


def _applications(start_name: str, end_name: str) -> Listing:
    def business(start: str, end: str, page: int) -> Mapping[str, Any]:
        return {start_name: start, end_name: end, "pageIndex": page, "pageSize": 50}

    def key(row: Row) -> tuple[str, ...]:
        return tuple(str(row.get(name)) for name in ("id", "status", "modified", "checkTime"))

    return Listing("jingdong.pop.afs.soa.refundapply.queryPageList", "queryResult", "result", "totalCount", 50, MONTH, key, business)


def _services(start_name: str, end_name: str, longest: timedelta) -> Listing:
    def business(start: str, end: str, page: int) -> Mapping[str, Any]:
        return {start_name: start, end_name: end, "pageNumber": page, "pageSize": 50}

    def key(row: Row) -> tuple[str, str]:
        # The bill holds number and step of the service; its whole text is the surest mark of a changed row.
        return str(row.get("sameOrderServiceBill")), str(row.get("status"))

    return Listing("jingdong.asc.serviceAndRefund.view", "pageResult", "data", "totalCount", 50, longest, key, business)


def _sku_page(_start: str, _end: str, page: int) -> Mapping[str, Any]:
    return {"pageNo": page, "page_size": 50, "orderFiled": "skuId", "orderType": "asc", "field": _SKU_FIELDS}


CHANGED_ORDERS = _orders(_BY_MODIFIED, ORDER_FIELDS)
CREATED_ORDERS = _orders(_BY_CREATED, _STAMP_FIELDS)
# JD lists refund applications by the moment of application and of change, services by application and decision.
CHANGED_REFUNDS = (
    _applications("applyTimeStart", "applyTimeEnd"),
    _applications("modifiedStart", "modifiedEnd"),
    _services("applyTimeBegin", "applyTimeEnd", timedelta(days=7)),
    _services("approveTimeBegin", "approveTimeEnd", timedelta(days=10)),
)
# The fields' spelling, "orderFiled" included, is that of JOS (jingdong.sku.read.searchSkuList).
SKUS = Listing("jingdong.sku.read.searchSkuList", "page", "data", "totalItem", 50, MONTH, lambda row: str(row.get("skuId")), _sku_page)
