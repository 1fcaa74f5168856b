"""Filling a tenant with goods."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

from core.sdk import Goods, PluginContext, ensure_carriers, ensure_goods, ensure_own_shop
from plugins.demo_data.history import invoices, is_goods, read_rows

DATA = Path(__file__).parent / "data"
WEEK = DATA / "online_retail_week.csv.xz"
WAREHOUSE = "MAIN"
TEA_STOCK, GIFT_STOCK = Decimal(120), Decimal(20_000)
CARRIERS_CN = (
    ("sf", "顺丰速运", ""),
    ("zto", "中通快递", ""),
    ("yto", "圆通速递", ""),
    ("yunda", "韵达速递", ""),
    ("ems", "EMS", ""),
    ("jd", "京东物流", ""),
)
CARRIERS_UK = (("royal_mail", "Royal Mail", ""), ("dpd", "DPD", ""), ("evri", "Evri", ""))


def fill(ctx: PluginContext) -> None:
    """Add what is missing: the tea shop's goods for a shop that is called tea or sells in CNY, the gift wholesaler's for the rest."""
    if ctx.tenant_slug.startswith("gift"):
        ensure_carriers(ctx, CARRIERS_UK)
        ensure_own_shop(ctx, code="web", title="Web shop", currency="GBP")
        ensure_goods(ctx, gift_goods(), warehouse=WAREHOUSE)
        return
    ensure_carriers(ctx, CARRIERS_CN)
    ensure_own_shop(ctx, code="counter", title="门店", currency="CNY")
    ensure_goods(ctx, tea_goods(), warehouse=WAREHOUSE)


def tea_goods() -> list[Goods]:
    """The tea shop's goods. The last three have little stock, so that shortages show."""
    with (DATA / "tea_goods.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    scarce = {row["code"] for row in rows[-3:]}
    return [
        Goods(
            code=row["code"],
            title=row["title"],
            price=Decimal(row["price"]),
            currency="CNY",
            product_code=row["product_code"],
            product_title=row["product_title"],
            category=row["category"],
            variant=row["variant"],
            barcode=row["barcode"],
            on_hand=Decimal(3) if row["code"] in scarce else TEA_STOCK,
        )
        for row in rows
    ]


def gift_goods() -> list[Goods]:
    """Every article that the week of history sells, with the first description and price it was sold under."""
    found: dict[str, Goods] = {}
    for invoice in invoices(read_rows(WEEK)):
        for row in invoice.rows:
            if row.code not in found and is_goods(row.code) and row.quantity > 0:
                title = row.description.strip() or row.code
                found[row.code] = Goods(code=row.code, title=title, price=max(row.price, Decimal(0)), currency="GBP", on_hand=GIFT_STOCK)
    service = Goods(code="M", title="Manual entry", price=Decimal(0), currency="GBP", is_stocked=False)
    return [*found.values(), service]
