"""The platform's methods on items, SKUs and their stock.

Source: official pages of taobao.items.*, taobao.item.*, taobao.skus.*.
"""

from __future__ import annotations

import re
from typing import Any

from plugins.taobao.simulator.arguments import Arguments, Fields, page_of, wrapped
from plugins.taobao.simulator.catalog import SimItem, SimSku
from plugins.taobao.simulator.generator import SELLER_NICK
from plugins.taobao.simulator.protocol import business_error, invalid, missing
from plugins.taobao.simulator.shop import Shop

SKUS_PER_CALL = 20
_PAIR = re.compile(r"(.+):([+-]?\d{1,9})", re.DOTALL)
_FULL, _DELTA = 1, 2
_MOST = 10**8


def items_onsale_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.items.onsale.get: what can be bought now."""
    return _item_page(shop, args, "onsale")


def items_inventory_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.items.inventory.get: what is listed but not for sale."""
    return _item_page(shop, args, "instock")


def items_seller_list_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.items.seller.list.get: at most 20 items in full; unknown ones are left out."""
    fields, numbers = args.fields(), args.numbers("num_iids", most=20)
    if not numbers:
        raise missing("num_iids")
    return wrapped("items", "item", (_shown(fields, shop.items[number]) for number in numbers if number in shop.items))


def item_seller_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.item.seller.get: one item in full."""
    return {"item": _shown(args.fields(), _item_of(shop, args))}


def item_skus_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.item.skus.get: the SKUs of at most 40 items."""
    fields, numbers = args.fields(), args.numbers("num_iids", most=40)
    if not numbers:
        raise missing("num_iids")
    found = [(item, sku) for item in map(shop.items.get, numbers) if item for sku in item.skus]
    return wrapped("skus", "sku", (fields.of(_sku(item, sku)) for item, sku in found))


def skus_quantity_update(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.skus.quantity.update: set (type 1) or change (type 2) the stock of at most 20 SKUs; all of them or none."""
    item, kind = _item_of(shop, args), args.number("type", _FULL, low=_FULL, high=_DELTA)
    if args.text("skuid_quantities"):
        by_key = {str(sku.sku_id): [sku] for sku in item.skus}
        changes = _changes(args, "skuid_quantities", by_key)
    else:
        by_code: dict[str, list[SimSku]] = {}
        for sku in item.skus:
            by_code.setdefault(sku.outer_id, []).append(sku)
        changes = _changes(args, "outerid_quantities", by_code)
    levels = [(sku, _level(sku.quantity, amount, kind)) for sku, amount in changes]
    for sku, level in levels:
        shop.set_stock(item, sku, level)
    rows = [{"sku_id": sku.sku_id, "quantity": sku.quantity, "modified": sku.modified} for sku, _ in levels]
    return _stock_answer(item, rows)


def item_quantity_update(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.item.quantity.update: the stock of an item, or of one of its SKUs."""
    item, kind = _item_of(shop, args), args.number("type", _FULL, low=_FULL, high=_DELTA)
    amount = args.number("quantity", low=-_MOST, high=_MOST)
    sku_id, code = args.number("sku_id", 0), args.text("outer_id")
    sku = next((one for one in item.skus if one.sku_id == sku_id or (not sku_id and code and one.outer_id == code)), None)
    if sku is None and (item.skus or sku_id):
        raise business_error("isv.item-quantity-update-service-error:SKU_NOT_FOUND", "商品的SKU不存在，请指定sku_id或outer_id")
    shop.set_stock(item, sku, _level((sku or item).quantity, amount, kind))
    return _stock_answer(item, [{"sku_id": sku.sku_id, "quantity": sku.quantity, "modified": sku.modified}] if sku else [])


def _item_page(shop: Shop, args: Arguments, status: str) -> dict[str, Any]:
    fields, (page_no, page_size) = args.fields(), args.page(most=200)
    found = [item for item in shop.items.values() if item.approve_status == status and args.text("q") in item.title]
    rows, _ = page_of(found, page_no, page_size)
    return wrapped("items", "item", (fields.of(_item(row)) for row in rows)) | {"total_results": len(found)}


def _item_of(shop: Shop, args: Arguments) -> SimItem:
    item = shop.items.get(args.number("num_iid", low=1))
    if item is None:
        raise business_error("isv.item-not-exist", "商品不存在")
    return item


def _shown(fields: Fields, item: SimItem) -> dict[str, Any]:
    """The chosen fields of an item. Its SKUs are asked for as `sku` or as `skus`, and always come as `skus`."""
    picked = fields.of(_item(item), {"skus": "sku"})
    if "sku" in fields and item.skus:
        picked["skus"] = {"sku": [_sku(item, sku) for sku in item.skus]}
    return picked


def _item(item: SimItem) -> dict[str, Any]:
    return {
        "num_iid": item.num_iid,
        "title": item.title,
        "nick": SELLER_NICK,
        "type": "fixed",
        "cid": 50010850,
        "outer_id": item.outer_id,
        "price": f"{item.price:.2f}",
        "num": item.total,
        "approve_status": item.approve_status,
        "pic_url": f"https://img.example.invalid/{item.num_iid}.jpg",
        "modified": item.modified or "2026-01-05 09:00:00",
        "skus": {"sku": [_sku(item, sku) for sku in item.skus]},
    }


def _sku(item: SimItem, sku: SimSku) -> dict[str, Any]:
    return {
        "sku_id": sku.sku_id,
        "num_iid": item.num_iid,
        "outer_id": sku.outer_id,
        "price": f"{sku.price:.2f}",
        "quantity": sku.quantity,
        "barcode": sku.barcode,
        "properties": f"1627207:{sku.sku_id % 100_000}",
        "properties_name": f"1627207:{sku.sku_id % 100_000}:规格:{sku.variant}",
        "created": "2026-01-05 09:00:00",
        "modified": sku.modified or "2026-01-05 09:00:00",
        "status": "normal",
    }


def _changes(args: Arguments, name: str, by_key: dict[str, list[SimSku]]) -> list[tuple[SimSku, int]]:
    """What a list like `id:n;id:n` asks for. Raises TopError when one part of it cannot be met."""
    parts = [part.strip() for part in args.required(name).split(";") if part.strip()]
    if not parts or len(parts) > SKUS_PER_CALL:
        raise invalid(name, f"one to {SKUS_PER_CALL} pairs of a SKU and a number")
    changes = []
    for part in parts:
        pair = _PAIR.fullmatch(part)
        if not pair:
            raise invalid(name, part)
        if pair[1] not in by_key:
            raise business_error("isv.item-quantity-update-service-error:SKU_NOT_FOUND", f"商品的SKU不存在: {pair[1]}")
        changes += [(sku, int(pair[2])) for sku in by_key[pair[1]]]
    return changes


def _level(before: int, amount: int, kind: int) -> int:
    """The stock after an update; a change below zero gives zero, a negative level is refused."""
    if kind == _DELTA:
        return max(before + amount, 0)
    if amount < 0:
        raise business_error("isv.item-quantity-update-service-error:INVALID_QUANTITY", "全量更新时库存不能为负数")
    return amount


def _stock_answer(item: SimItem, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"item": {"num_iid": item.num_iid, "modified": item.modified, "num": item.total} | wrapped("skus", "sku", rows)}
