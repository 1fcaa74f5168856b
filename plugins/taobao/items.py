"""The shop's items and SKUs: reading what is listed and setting the stock that is shown.

Source: taobao.items.*, taobao.skus.quantity.update, taobao.item.quantity.update (shared reference marketplaces §2.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.sdk import ChannelSku, Invalid, NotFound, PushResult, StockPush
from plugins.taobao.gateway import Gateway
from plugins.taobao.listing import page_rows
from plugins.taobao.wire import Node

# What the platform takes in one call.
SKUS_PER_CALL = 20
ITEMS_PER_CALL = 20
_PAGE_SIZE = 200
_FULL_UPDATE = "1"
_LISTS = ("taobao.items.onsale.get", "taobao.items.inventory.get")
_FIELDS = "num_iid,title,outer_id,price,num,barcode,sku"


def skus(gateway: Gateway) -> Iterator[ChannelSku]:
    """Every SKU of the items on sale and in stock, each once; an item without SKUs is one with an empty `external_sku`."""
    numbers = list(dict.fromkeys(number for method in _LISTS for number in _item_numbers(gateway, method)))
    for first in range(0, len(numbers), ITEMS_PER_CALL):
        part = ",".join(numbers[first : first + ITEMS_PER_CALL])
        for item in page_rows(gateway.read("taobao.items.seller.list.get", fields=_FIELDS, num_iids=part), "item"):
            yield from _skus_of(item)


def push_levels(gateway: Gateway, levels: Sequence[StockPush], *, is_dry_run: bool) -> list[PushResult]:
    """Set the shown stock of `levels`, at most SKUS_PER_CALL of one item in a call; one result per level, in their order.

    A level is absolute, so a repeated push does no harm. When the platform refuses a call for one of its SKUs, each is sent
    alone. `reference` of a result is the SKU's number, or the item's when it has no SKUs.
    Raises: Unavailable, Denied - the levels before it are set, and it is safe to push all of them again.
    """
    results: dict[int, PushResult] = {}
    for places in _batches(levels):
        batch = [levels[place] for place in places]
        answers = [_ok(level, "dry_run") for level in batch] if is_dry_run else _push_batch(gateway, batch)
        results.update(zip(places, answers, strict=True))
    return [results[place] for place in range(len(levels))]


def _item_numbers(gateway: Gateway, method: str) -> Iterator[str]:
    page_no, total = 1, 1
    while (page_no - 1) * _PAGE_SIZE < total:
        page = gateway.read(method, fields="num_iid", page_no=str(page_no), page_size=str(_PAGE_SIZE))
        total = Node(page).whole("total_results") or 0
        yield from (row.number("num_iid") for row in page_rows(page, "item"))
        page_no += 1


def _skus_of(item: Node) -> Iterator[ChannelSku]:
    product, title = item.number("num_iid"), item.text("title")
    rows = item.children("skus", "sku")
    for row in rows or [item]:
        yield ChannelSku(
            external_product=product,
            external_sku=row.number("sku_id") if rows else "",
            seller_code=row.word("outer_id"),
            title=f"{title} {_variant(row)}".strip() if rows else title,
            price=row.charge("price"),
            quantity=row.whole("quantity" if rows else "num"),
            barcode=row.word("barcode"),
        )


def _variant(row: Node) -> str:
    """The readable half of `pid:vid:name:value;...`."""
    parts = [part.split(":", 3) for part in row.text("properties_name").split(";")]
    return " ".join(part[3] for part in parts if len(part) == 4)


def _batches(levels: Sequence[StockPush]) -> Iterator[list[int]]:
    """The places of levels that can share a call: one item's SKUs, without repeating a SKU; items without SKUs go alone."""
    by_item: dict[str, list[int]] = {}
    for place, level in enumerate(levels):
        by_item.setdefault(level.external_product, []).append(place)
    for places in by_item.values():
        batch: dict[str, int] = {}
        for place in places:
            sku = levels[place].external_sku
            if batch and (not sku or sku in batch or "" in batch or len(batch) == SKUS_PER_CALL):
                yield list(batch.values())
                batch = {}
            batch[sku] = place
        yield list(batch.values())


def _push_batch(gateway: Gateway, batch: list[StockPush]) -> list[PushResult]:
    try:
        _send(gateway, batch)
    except (Invalid, NotFound) as error:
        if len(batch) > 1:
            return [result for level in batch for result in _push_batch(gateway, [level])]
        code, detail = str(error.facts.get("sub_code") or error.code), str(error.facts.get("detail") or error.message)
        return [PushResult(_reference(batch[0]), is_ok=False, code=code, message=detail)]
    return [_ok(level, "") for level in batch]


def _send(gateway: Gateway, batch: list[StockPush]) -> Mapping[str, Any]:
    """Repeated like a read: setting a level twice is harmless."""
    product = batch[0].external_product
    if not batch[0].external_sku:
        return gateway.read("taobao.item.quantity.update", num_iid=product, quantity=str(batch[0].level), type=_FULL_UPDATE)
    pairs = ";".join(f"{level.external_sku}:{level.level}" for level in batch)
    return gateway.read("taobao.skus.quantity.update", num_iid=product, skuid_quantities=pairs, type=_FULL_UPDATE)


def _ok(level: StockPush, code: str) -> PushResult:
    return PushResult(_reference(level), is_ok=True, code=code)


def _reference(level: StockPush) -> str:
    return level.external_sku or level.external_product
