"""The simulated shop's goods: a small Chinese tea shop.

Most SKUs bear the seller's own codes. NEW_SKU bears a code that the seller's own books do not know, and CODELESS_SKU none at
all, so that orders with unmatched lines occur.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

NEW_SKU = "XP-2026-QM"
SAMPLE_SKU = "TEA-SAMPLE-10"
FIRST_ITEM = 689_000_000_001
FIRST_SKU = 5_210_000_000_001


@dataclass
class SimSku:
    """One SKU as the platform lists it; `quantity` is the stock it shows and changes with updates and orders."""

    sku_id: int
    outer_id: str
    variant: str
    price: Decimal
    quantity: int
    barcode: str
    modified: str = ""


@dataclass
class SimItem:
    """One item; without `skus` its own `quantity` counts."""

    num_iid: int
    title: str
    outer_id: str
    price: Decimal
    approve_status: str
    quantity: int = 0
    modified: str = ""
    skus: list[SimSku] = field(default_factory=list)

    @property
    def total(self) -> int:
        """The stock of the item with all its SKUs."""
        return sum(sku.quantity for sku in self.skus) if self.skus else self.quantity


# title, the item's code, on sale?, then per SKU: the code's ending, the variant, the price in yuan.
_GOODS: tuple[tuple[str, str, bool, tuple[tuple[str, str, str], ...]], ...] = (
    ("西湖龙井 特级", "TEA-LJ", True, (("50", "50克罐", "128.00"), ("100", "100克罐", "238.00"), ("250", "250克罐", "560.00"))),
    ("洞庭碧螺春 绿茶", "TEA-BLC", True, (("100", "100克袋装", "168.00"), ("250", "250克罐装", "398.00"))),
    ("安溪铁观音 清香型", "TEA-TGY", True, (("125", "125克袋装", "59.90"), ("250", "250克罐装", "109.00"))),
    ("武夷山大红袍 岩茶", "TEA-DHP", True, (("100", "100克罐装", "149.00"), ("200", "200克礼盒", "288.00"))),
    ("云南普洱熟茶 七子饼", "TEA-PE", True, (("100", "100克小饼", "45.50"), ("357", "357克大饼", "139.00"))),
    ("福鼎白毫银针 白茶", "TEA-BHYZ", True, (("50", "50克罐装", "188.00"),)),
    ("福州茉莉花茶", "TEA-JM", True, (("100", "100克袋装", "39.90"), ("250", "250克袋装", "88.00"))),
    ("桐木关金骏眉 红茶", "TEA-JJM", True, (("50", "50克罐装", "218.00"),)),
    ("景德镇盖碗", "WARE-GW", True, (("WHITE", "白瓷", "68.00"), ("BLUE", "青花", "86.00"))),
    ("宜兴紫砂壶 西施", "WARE-POT", True, (("180", "180毫升", "699.00"),)),
    ("茶席竹垫", "WARE-MAT", False, (("30", "30厘米", "26.80"), ("60", "60厘米", "46.80"))),
    ("新品 祁门红茶", "XP-2026", True, (("QM", "100克尝鲜装", "79.00"),)),
    ("品鉴小样 随机口味", "TEA-SAMPLE", True, (("10", "10克小样", "0.00"),)),
)
CODELESS_SKU = ("手作杯垫", "25.00")
BOX = ("茶叶礼盒 红色 空盒", "GIFT-BOX-RED", "35.00")


def tea_shop() -> list[SimItem]:
    """The same goods on every call, as new objects."""
    items: list[SimItem] = []
    sku_id = FIRST_SKU
    for title, code, on_sale, variants in _GOODS:
        item = SimItem(FIRST_ITEM + len(items), title, code, Decimal(variants[0][2]), "onsale" if on_sale else "instock")
        for ending, variant, price in variants:
            item.skus.append(SimSku(sku_id, f"{code}-{ending}", variant, Decimal(price), 500, f"69{sku_id % 10**11:011d}"))
            sku_id += 1
        items.append(item)
    title, price = CODELESS_SKU
    codeless = SimItem(FIRST_ITEM + len(items), title, "", Decimal(price), "onsale")
    codeless.skus.append(SimSku(sku_id, "", "原木色", Decimal(price), 80, ""))
    items.append(codeless)
    title, code, price = BOX
    items.append(SimItem(FIRST_ITEM + len(items), title, code, Decimal(price), "onsale", quantity=300))
    return items
