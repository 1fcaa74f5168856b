"""The shop, SKU and stock services of JOS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.jd.simulator.answering import ServiceError, truth
from plugins.jd.simulator.asked import number_of, text_of, words_of
from plugins.jd.simulator.catalog import Sku
from plugins.jd.simulator.faults import Faults
from plugins.jd.simulator.figures import yuan
from plugins.jd.simulator.shop import SHOP_ID, SHOP_NAME, VENDER_ID, Shop

_STOCK_BATCH = 30


def vender(_shop: Shop, _business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.seller.vender.info.get."""
    names = {"vender_id": int(VENDER_ID), "shop_id": int(SHOP_ID), "shop_name": SHOP_NAME}
    return {"vender_info_result": {**names, "col_type": 0, "cate_main": 1320}}


def shop_query(_shop: Shop, _business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.vender.shop.query."""
    names = {"vender_id": int(VENDER_ID), "shop_id": int(SHOP_ID), "shop_name": SHOP_NAME}
    return {"shop_jos_result": {**names, "open_time": "2020-03-01 10:00:00", "logo_url": "", "brief": "", "category_main": 1320}}


def _row(shop: Shop, sku: Sku) -> dict[str, Any]:
    return {
        "skuId": int(sku.sku_id),
        "wareId": int(sku.ware_id),
        "outerId": sku.code,
        "skuName": sku.title,
        "wareTitle": sku.title,
        # The SKU services send the price as a number.
        "jdPrice": float(yuan(sku.price_fen)),
        "stockNum": shop.stock[sku.sku_id],
        "barCode": sku.barcode,
        "status": 1,
        "enable": 1,
        "categoryId": 1320,
    }


def _only(row: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not names or name in names or name in {"skuId", "wareId"}}


def skus(shop: Shop, faults: Faults, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.sku.read.searchSkuList, by SKU number unless orderType is desc."""
    try:
        page = number_of({**business, "pageNo": text_of(business, "pageNo", "page")}, "pageNo", default=1)
        size = number_of({"page_size": text_of(business, "page_size", "pageSize")}, "page_size", default=10, most=100)
    except ServiceError as error:
        return {"success": False, "errorCode": str(error.code), "errorMessage": error.chinese}
    ids, wares, code = words_of(business, "skuId"), words_of(business, "wareId"), text_of(business, "outId")
    found = [
        sku
        for sku in shop.skus
        if (not ids or sku.sku_id in ids) and (not wares or sku.ware_id in wares) and (not code or sku.code == code)
    ]
    if text_of(business, "orderType").lower() == "desc":
        found.reverse()
    rows = [_only(_row(shop, sku), words_of(business, "field")) for sku in found[(page - 1) * size : page * size]]
    shown = faults.on_rows(rows, key="skuId")
    return {"page": {"data": shown, "pageNo": page, "pageSize": size, "totalItem": len(found)}}


def one_sku(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.sku.read.findSkuById."""
    found = [sku for sku in shop.skus if sku.sku_id == text_of(business, "skuId")]
    return {"sku": _only(_row(shop, found[0]), words_of(business, "field"))} if found else {}


def wares(shop: Shop, faults: Faults, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.ware.read.searchWare4Valid."""
    try:
        page = number_of(business, "pageNo", default=1)
        size = number_of(business, "pageSize", default=10, most=50)
    except ServiceError as error:
        return {"success": False, "errorCode": str(error.code), "errorMessage": error.chinese}
    rows = [
        {"wareId": int(sku.ware_id), "title": sku.title, "outerId": sku.code, "wareStatus": 8, "jdPrice": float(yuan(sku.price_fen))}
        for sku in shop.skus
    ]
    shown = faults.on_rows(rows[(page - 1) * size : page * size], key="wareId")
    return {"page": {"data": shown, "pageNo": page, "pageSize": size, "totalItem": len(rows)}}


def _set(shop: Shop, sku_id: object, level: object) -> tuple[str, str]:
    """Set one level; returns an error code and text, empty when it went well."""
    if str(sku_id) not in shop.stock:
        return "11200025", "SKU不存在或已删除"
    text = str(level).strip() if isinstance(level, int | str) and not isinstance(level, bool) else ""
    if not text.isdecimal():
        return "11200030", "库存数量必须为非负整数"
    shop.stock[str(sku_id)] = int(text)
    return "", ""


def set_stock(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.ware.stock.sku.set: `req.skuStocks` with up to 30 entries, or one flat skuId and stockNum."""
    request = business.get("req") if isinstance(business.get("req"), Mapping) else {"skuStocks": [business]}
    entries = request.get("skuStocks") if isinstance(request, Mapping) else None
    if not isinstance(entries, list) or not 1 <= len(entries) <= _STOCK_BATCH or not all(isinstance(entry, Mapping) for entry in entries):
        return {"returnType": {"success": False, "code": "11200001", "message": f"skuStocks必须为1到{_STOCK_BATCH}条"}}
    results = []
    for entry in entries:
        code, message = _set(shop, entry.get("skuId"), entry.get("stockNum"))
        results.append({"data": str(entry.get("skuId")), "success": not code, "errorCode": code, "message": message, "storeId": 0})
    return {"returnType": {"success": truth(), "obj": {"updateStockResult": results}}}


def set_stock_old(shop: Shop, business: Mapping[str, Any]) -> dict[str, Any]:
    """jingdong.stock.write.updateSkuStock, announced for retirement."""
    code, message = _set(shop, business.get("skuId"), business.get("stockNum"))
    return {"success": False, "errorCode": code, "errorMessage": message} if code else {"success": truth()}
