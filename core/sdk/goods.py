"""Putting goods, carriers and first stock in place for a tenant; for seeds and importers, harmless when repeated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.catalog.models import Barcode, Product, Sku
from core.domain.channels.models import Shop
from core.domain.fulfilment.models import Carrier
from core.domain.inventory.models import Warehouse
from core.domain.inventory.service import Movement, post
from core.kernel.errors import Invalid
from core.kernel.ids import new_id
from core.runtime.db.bulk import insert_rows
from core.runtime.plugin_host.context import PluginContext
from core.runtime.plugin_host.guarded import real_session

OPENING = "opening"


@dataclass(frozen=True, slots=True)
class Goods:
    """One SKU to be there, with the units that lie in the warehouse on the first day."""

    code: str
    title: str
    price: Decimal
    currency: str
    product_code: str = ""
    product_title: str = ""
    category: str = ""
    variant: str = ""
    barcode: str = ""
    on_hand: Decimal = Decimal(0)
    is_stocked: bool = True


def _session(ctx: PluginContext) -> Session:
    session = real_session(ctx.session) if ctx.session is not None else None
    if session is None:
        raise Invalid("This needs the tenant's open transaction.")
    return session


def ensure_goods(ctx: PluginContext, goods: Sequence[Goods], *, warehouse: str) -> int:
    """Make products, SKUs, barcodes and opening stock that are missing; returns how many SKUs are new. Does not commit."""
    session = _session(ctx)
    house = ensure_warehouse(ctx, warehouse)
    products = [
        {"id": new_id(), "code": row.product_code, "title": row.product_title or row.title, "category": row.category}
        for row in {row.product_code: row for row in goods if row.product_code}.values()
    ]
    insert_rows(session, Product, products, on_conflict="ON CONFLICT (tenant_id, code) DO NOTHING")
    product_ids = dict(session.execute(select(Product.code, Product.id)).all())  # type: ignore[arg-type]
    rows = [
        {
            "id": new_id(),
            "product_id": product_ids.get(row.product_code),
            "code": row.code,
            "title": row.title,
            "variant": row.variant,
            "price": row.price,
            "currency": row.currency,
            "is_stocked": row.is_stocked,
        }
        for row in goods
    ]
    made = insert_rows(session, Sku, rows, on_conflict="ON CONFLICT (tenant_id, code) DO NOTHING", returning="id, code")
    new = {row.code: row.id for row in made}
    codes = [{"id": new_id(), "code": row.barcode, "sku_id": new[row.code]} for row in goods if row.barcode and row.code in new]
    insert_rows(session, Barcode, codes, on_conflict="ON CONFLICT (tenant_id, code) DO NOTHING")
    stocked = [row for row in goods if row.code in new and row.is_stocked and row.on_hand > 0]
    post(session, [Movement(new[row.code], house, row.on_hand, "receipt", OPENING) for row in stocked], actor=ctx.plugin)
    return len(new)


def ensure_warehouse(ctx: PluginContext, code: str, name: str = "") -> UUID:
    """The warehouse with this code, made when it is missing; returns its id."""
    session = _session(ctx)
    row = {"id": new_id(), "code": code, "name": name or code}
    insert_rows(session, Warehouse, [row], on_conflict="ON CONFLICT (tenant_id, code) DO NOTHING")
    return session.scalars(select(Warehouse.id).where(Warehouse.code == code)).one()


def ensure_carriers(ctx: PluginContext, carriers: Sequence[tuple[str, str, str]]) -> None:
    """Make carriers that are missing; each is (code, name, pattern of tracking numbers)."""
    rows = [{"id": new_id(), "code": code, "name": name, "tracking_pattern": pattern} for code, name, pattern in carriers]
    insert_rows(_session(ctx), Carrier, rows, on_conflict="ON CONFLICT (tenant_id, code) DO NOTHING")


def ensure_own_shop(ctx: PluginContext, *, code: str, title: str, currency: str) -> None:
    """Make a shop of the tenant's own, for counter, phone and REST orders, when it is missing."""
    row = {"id": new_id(), "code": code, "title": title, "currency": currency}
    insert_rows(_session(ctx), Shop, [row], on_conflict="ON CONFLICT (tenant_id, code) DO NOTHING")
