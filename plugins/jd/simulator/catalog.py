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


# Seller code, title, price in fen, barcode. The last three have no counterpart in the seller's own catalogue.
_GOODS = (
    ("TEA-LJ-50", "西湖龙井 特级 50g 罐装", 12800, "6910000000001"),
    ("TEA-LJ-100", "西湖龙井 特级 100g 罐装", 23800, "6910000000002"),
    ("TEA-LJ-250", "西湖龙井 特级 250g 罐装", 56000, "6910000000003"),
    ("TEA-BLC-100", "洞庭碧螺春 绿茶 100g 袋装", 16800, "6910000000004"),
    ("TEA-BLC-250", "洞庭碧螺春 绿茶 250g 罐装", 39800, "6910000000005"),
    ("TEA-TGY-125", "安溪铁观音 清香型 125g 袋装", 5990, "6910000000006"),
    ("TEA-TGY-250", "安溪铁观音 清香型 250g 罐装", 10900, "6910000000007"),
    ("TEA-DHP-100", "武夷山大红袍 岩茶 100g 罐装", 14900, "6910000000008"),
    ("TEA-DHP-200", "武夷山大红袍 岩茶 200g 礼盒", 28800, "6910000000009"),
    ("TEA-PE-100", "云南普洱熟茶 小饼 100g", 4550, "6910000000010"),
    ("TEA-PE-357", "云南普洱熟茶 七子饼 357g", 13900, "6910000000011"),
    ("TEA-BHYZ-50", "福鼎白毫银针 白茶 50g", 18800, "6910000000012"),
    ("TEA-JM-100", "福州茉莉花茶 100g 袋装", 3990, "6910000000013"),
    ("TEA-JM-250", "福州茉莉花茶 250g 袋装", 8800, "6910000000014"),
    ("TEA-JJM-50", "桐木关金骏眉 红茶 50g", 21800, "6910000000015"),
    ("WARE-GW-WHITE", "景德镇盖碗 白瓷", 6800, "6910000000016"),
    ("WARE-GW-BLUE", "景德镇盖碗 青花", 8600, "6910000000017"),
    ("WARE-POT-180", "宜兴紫砂壶 西施 180ml", 69900, "6910000000018"),
    ("WARE-MAT-30", "茶席竹垫 30cm", 2680, "6910000000019"),
    ("WARE-MAT-60", "茶席竹垫 60cm", 4680, "6910000000020"),
    ("GIFT-BOX-RED", "茶叶礼盒 红色 空盒", 3500, ""),
    ("TEA-SAMPLE-10", "赠品 品鉴小样 10g", 0, ""),
    ("GIFT-BAG-1", "赠品 手提袋", 0, ""),
    ("OLD-TEA-07", "陈年六堡茶 散茶 200g", 10700, ""),
    ("", "随机茶友福袋", 3990, ""),
)


def catalog() -> tuple[Sku, ...]:
    """All SKUs, in ascending order of their JD number."""
    return tuple(
        Sku(str(100_000_000_100 + place), str(20_000_000_100 + place), code, title, price_fen, barcode)
        for place, (code, title, price_fen, barcode) in enumerate(_GOODS)
    )
