"""The goods of the simulated shop: a small tea house, as another channel's sister shop would list it under the same seller codes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sku:
    """One sellable unit; `price_fen` is zero for gifts, `code` is empty where the seller never entered one."""

    sku_id: str
    ware_id: str
    code: str
    title: str
    price_fen: int
    barcode: str = ""


# Seller code, title, price in fen, barcode. The last two have no counterpart in the seller's own catalogue.
_GOODS = (
    ("TEA-LJ-100", "西湖龙井 明前特级 100g", 12800, "6901234000017"),
    ("TEA-LJ-250", "西湖龙井 明前特级 250g", 29800, "6901234000024"),
    ("TEA-BLC-100", "洞庭碧螺春 一级 100g", 9800, "6901234000031"),
    ("TEA-TGY-250", "安溪铁观音 清香型 250g", 8800, "6901234000048"),
    ("TEA-DHP-100", "武夷山大红袍 岩茶 100g", 15800, "6901234000055"),
    ("TEA-PE-357", "云南普洱熟茶 七子饼 357g", 16800, "6901234000062"),
    ("TEA-BC-300", "福鼎白茶 寿眉饼 300g", 11900, "6901234000079"),
    ("TEA-JJM-100", "桐木关金骏眉 红茶 100g", 19900, "6901234000086"),
    ("TEA-QM-200", "祁门红茶 特级 200g", 7680, "6901234000093"),
    ("TEA-MLH-250", "横县茉莉花茶 浓香 250g", 5990, "6901234000109"),
    ("TEA-TPHK-100", "太平猴魁 手工 100g", 13950, "6901234000116"),
    ("WARE-GW-150", "德化白瓷盖碗 150ml", 4500, "6901234000123"),
    ("WARE-ZSH-220", "宜兴紫砂壶 西施 220ml", 26800, "6901234000130"),
    ("WARE-SET-6", "功夫茶具套装 6件", 16900, "6901234000147"),
    ("GIFT-BAG-1", "赠品 手提袋", 0, ""),
    ("GIFT-SAMPLE-1", "赠品 茉莉花茶试饮装 5g", 0, ""),
    ("OLD-TEA-07", "陈年六堡茶 散茶 200g", 10700, ""),
    ("", "随机茶友福袋", 3990, ""),
)


def catalog() -> tuple[Sku, ...]:
    """All SKUs, in ascending order of their JD number."""
    return tuple(
        Sku(str(100_000_000_100 + place), str(20_000_000_100 + place), code, title, price_fen, barcode)
        for place, (code, title, price_fen, barcode) in enumerate(_GOODS)
    )
