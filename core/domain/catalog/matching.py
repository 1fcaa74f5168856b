"""Finding the SKU behind what a shop calls it. Set-based; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from core.domain.catalog.models import Sku, SkuAlias
from core.kernel.ids import new_id
from core.runtime.db.bulk import find_rows, find_soon, insert_rows
from core.runtime.db.direct import settle


@dataclass(frozen=True, slots=True)
class ShopSku:
    """A unit as a shop names it: its own ids, the seller's code, a title for people."""

    external_product: str
    external_sku: str
    seller_code: str
    title: str = ""

    @property
    def key(self) -> str:
        """What identifies the unit within its shop: the channel's id, or the seller's code when the channel gives none."""
        return self.external_sku or self.external_product or f"code:{self.seller_code}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """Units under way to their SKUs: what was asked, and the rows that answer."""

    shop_id: UUID
    wanted: Mapping[str, ShopSku]
    aliases: Sequence[Any]
    skus: Sequence[Any]


def look_up(session: Session, shop_id: UUID, units: Iterable[ShopSku]) -> Lookup:
    """Ask for the aliases and SKUs of these units; inside `direct.together` the question travels with the block's others."""
    wanted = {unit.key: unit for unit in units}
    columns = ("external_key", "sku_id", "is_manual", "seller_code")
    aliases = find_soon(session, SkuAlias, columns, {"shop_id": shop_id, "external_key": list(wanted)})
    codes = {unit.seller_code for unit in wanted.values() if unit.seller_code}
    return Lookup(shop_id, wanted, aliases, find_soon(session, Sku, ("code", "id"), {"code": list(codes)}, extra="is_active"))


def matched(session: Session, lookup: Lookup) -> dict[str, UUID | None]:
    """SKU ids by `ShopSku.key`; None where nobody has matched the unit yet.

    A manual match wins; else the seller's code is looked up among the SKUs' codes. Units met for the first time, and those still
    unmatched, are remembered as aliases, so that the unmatched list shows them.
    """
    wanted = lookup.wanted
    found: dict[str, UUID | None] = {
        row.external_key: row.sku_id
        for row in lookup.aliases
        if row.sku_id is not None and (row.is_manual or row.seller_code == wanted[row.external_key].seller_code)
    }
    open_units = {key: unit for key, unit in wanted.items() if key not in found}
    if open_units:
        by_code = {row.code: row.id for row in lookup.skus}
        found.update({key: by_code.get(unit.seller_code) for key, unit in open_units.items()})
        _remember(
            session, lookup.shop_id, {key: (unit, found[key]) for key, unit in open_units.items() if _is_worth_keeping(unit, found[key])}
        )
    return found


def match(session: Session, shop_id: UUID, units: Iterable[ShopSku]) -> dict[str, UUID | None]:
    """Ask and answer in one go: `look_up`, then `matched`."""
    lookup = look_up(session, shop_id, units)
    settle(session)
    return matched(session, lookup)


def _is_worth_keeping(unit: ShopSku, sku_id: UUID | None) -> bool:
    """A unit that is named by the seller's code alone and matches needs no alias: the code is the match."""
    return sku_id is None or bool(unit.external_sku or unit.external_product)


def _remember(session: Session, shop_id: UUID, units: Mapping[str, tuple[ShopSku, UUID | None]]) -> None:
    rows = [
        {
            "id": new_id(),
            "shop_id": shop_id,
            "external_key": key,
            "external_product": unit.external_product,
            "external_sku": unit.external_sku,
            "seller_code": unit.seller_code,
            "title": unit.title,
            "sku_id": sku_id,
            "seen_count": 1,
            "last_seen_at": "now",
        }
        for key, (unit, sku_id) in sorted(units.items())
    ]
    insert_rows(
        session,
        SkuAlias,
        rows,
        on_conflict=(
            "ON CONFLICT (tenant_id, shop_id, external_key) DO UPDATE SET seen_count = sku_alias.seen_count + 1, "
            "last_seen_at = excluded.last_seen_at, seller_code = excluded.seller_code, title = excluded.title, "
            "sku_id = CASE WHEN sku_alias.is_manual THEN sku_alias.sku_id ELSE excluded.sku_id END"
        ),
    )


def skus_by_code(session: Session, codes: Iterable[str]) -> dict[str, UUID]:
    """Active SKUs' ids by code."""
    return {row.code: row.id for row in find_rows(session, Sku, ("code", "id"), {"code": list(codes)}, extra="is_active")}


def assign(session: Session, alias_id: UUID, sku_id: UUID | None) -> None:
    """Match an alias by hand (None: take the match away). Matching through the seller's code leaves it alone from now on."""
    session.execute(
        update(SkuAlias)
        .where(SkuAlias.id == alias_id)
        .values(sku_id=sku_id, is_manual=sku_id is not None, updated_at=func.now(), row_version=SkuAlias.row_version + 1)
        .execution_options(synchronize_session=False)
    )
