"""Kits: what a sold unit takes from the shelves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from core.domain.catalog.models import KIT, KitItem, Sku
from core.runtime.db.bulk import find_rows


@dataclass(frozen=True, slots=True)
class Recipe:
    """What one sellable unit takes: component SKUs with quantities. Empty for goods that are not stocked (services, vouchers)."""

    parts: tuple[tuple[UUID, Decimal], ...]


def recipes(session: Session, sku_ids: Iterable[UUID]) -> dict[UUID, Recipe]:
    """The recipe of each SKU: itself once, or a kit's components; a kit without any waits for itself."""
    wanted = set(sku_ids)
    if not wanted:
        return {}
    skus = find_rows(session, Sku, ("id", "kind", "is_stocked"), {"id": list(wanted)})
    kits = [row.id for row in skus if row.kind == KIT]
    parts: dict[UUID, list[tuple[UUID, Decimal]]] = {kit: [] for kit in kits}
    if kits:
        for item in find_rows(session, KitItem, ("kit_id", "component_id", "quantity"), {"kit_id": kits}, order_by="component_id"):
            parts[item.kit_id].append((item.component_id, item.quantity))
    found = {}
    for row in skus:
        if row.kind == KIT:
            # A kit that nobody has filled yet asks for itself; kits have no stock of their own, so its orders wait.
            found[row.id] = Recipe(tuple(parts[row.id]) or ((row.id, Decimal(1)),))
        else:
            found[row.id] = Recipe(((row.id, Decimal(1)),) if row.is_stocked else ())
    return found
