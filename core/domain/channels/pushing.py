"""Telling channels what happened here: shipments, and the stock that shops may show. Receipts are rows; a refusal keeps its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from core.domain.catalog.kits import recipes
from core.domain.catalog.models import SkuAlias
from core.domain.channels.desk import ChannelDesk, ShopView, talking
from core.domain.channels.errors import CarrierUnmapped
from core.domain.channels.marketplace import Marketplace, PushResult, ShipmentPush, StockPush
from core.domain.channels.models import Push, UnmappedValue
from core.domain.inventory.models import Stock, Warehouse
from core.domain.inventory.rules import shown_level
from core.kernel.ids import new_id
from core.runtime.db.bulk import insert_rows
from core.runtime.events import EventDraft, emit
from core.runtime.tenancy.scope import Scope

CHUNK = 50
REFUSED_REST = timedelta(hours=1)
ZERO = Decimal(0)
_RECEIPT = (
    "ON CONFLICT (tenant_id, shop_id, kind, reference) DO UPDATE SET body = excluded.body, state = excluded.state, code = excluded.code, "
    "message = excluded.message, attempts = channel_push.attempts + 1, answered_at = excluded.answered_at, updated_at = now()"
)


def shipment_push(session: Session, shop: ShopView, marketplace: Marketplace, facts: Mapping[str, Any]) -> ShipmentPush:
    """What to tell the channel of a dispatched shipment; `facts` is the payload of `shipment.dispatched`.

    The last shipment of an order brings the parcels along that the channel did not want to hear of alone.

    Raises: CarrierUnmapped - neither the shop nor the marketplace knows the carrier.
    """
    carrier = facts["carrier"]
    on_channel = _on_channel(shop, marketplace, carrier)
    waiting = [] if facts["is_partial"] else _waiting_parcels(session, shop.id, facts)
    lines = tuple(line["external_id"] for line in facts["lines"]) if facts["is_partial"] else ()
    return ShipmentPush(
        order_external_id=facts["external_id"],
        carrier=carrier,
        carrier_on_channel=on_channel,
        tracking_number=facts["tracking_number"],
        line_external_ids=lines,
        earlier=tuple((_on_channel(shop, marketplace, body["carrier"]), body["tracking_number"]) for body in waiting),
    )


def _on_channel(shop: ShopView, marketplace: Marketplace, carrier: str) -> str:
    on_channel = shop.carriers.get(carrier) or marketplace.carriers.get(carrier)
    if not on_channel:
        raise CarrierUnmapped(carrier=carrier, shop=shop.code, field="carrier")
    return on_channel


def _waiting_of(shop_id: UUID, facts: Mapping[str, Any]) -> tuple[ColumnElement[bool], ...]:
    """The receipts of this order's other shipments that wait for its last one."""
    return (
        Push.shop_id == shop_id,
        Push.kind == "shipment",
        Push.order_id == UUID(facts["order_id"]),
        Push.state == "waiting",
        Push.reference != facts["shipment_id"],
    )


def _waiting_parcels(session: Session, shop_id: UUID, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(session.scalars(select(Push.body).where(*_waiting_of(shop_id, facts)).order_by(Push.id)))


def record_shipment(session: Session, shop_id: UUID, facts: Mapping[str, Any], result: PushResult | None) -> None:
    """Keep the receipt of a shipment push; None means that the answer was lost and nobody knows.

    Emits: `channel.push_refused` when the channel refused it.
    """
    state = _state_of(result)
    row = {
        "id": new_id(),
        "shop_id": shop_id,
        "kind": "shipment",
        "reference": facts["shipment_id"],
        "order_id": facts["order_id"],
        "body": {"carrier": facts["carrier"], "tracking_number": facts["tracking_number"]},
        "state": state,
        "code": result.code if result else "",
        "message": result.message[:500] if result else "",
        "attempts": 1,
        "answered_at": "now",
    }
    insert_rows(session, Push, [row], on_conflict=_RECEIPT)
    if state == "accepted" and not facts["is_partial"]:
        told_too = update(Push).where(*_waiting_of(shop_id, facts)).values(state=state, code="", message="", answered_at=func.now())
        session.execute(told_too.execution_options(synchronize_session=False))
    if state == "refused":
        told = {"shop_id": str(shop_id), "shipment_id": facts["shipment_id"], "code": row["code"]}
        emit(session, [EventDraft("channel.push_refused", "order", facts["order_id"], told)])


def _state_of(result: PushResult | None) -> str:
    if result is None:
        return "unknown"
    if result.is_waiting:
        return "waiting"
    return "accepted" if result.is_ok else "refused"


def note_unmapped(session: Session, shop_id: UUID, *, kind: str, value: str, label: str = "") -> None:
    """Put a value nobody has mapped into the inbox, or count it once more."""
    insert_rows(
        session,
        UnmappedValue,
        [{"id": new_id(), "shop_id": shop_id, "kind": kind, "value": value, "label": label, "affected": 1}],
        on_conflict=(
            "ON CONFLICT (tenant_id, shop_id, kind, value) DO UPDATE SET affected = channel_unmapped.affected + 1, updated_at = now(), "
            "mapped_to = '', mapped_at = NULL"
        ),
    )


@dataclass(frozen=True, slots=True)
class Level:
    """One unit of a shop with the level to show."""

    alias_key: str
    push: StockPush


def push_stock(desk: ChannelDesk, scope: Scope, shop_id: UUID, *, everything: bool = False) -> int:
    """Tell the channel every level that differs from what it accepted last (or all of them); returns how many were told.

    A level that it refused is told again after REFUSED_REST, or once it has changed.
    Levels are computed anew on each run, so a run that fails or is stopped is made good by the next one.
    """
    with desk.database.unit(scope) as session:
        shop = talking(session, shop_id)
        levels = levels_of(session, shop)
        settled = {} if everything else _settled_levels(session, shop_id)
    due = [level for level in levels if settled.get(level.alias_key) != level.push.level]
    if not due:
        return 0
    with desk.link(scope, shop) as link:
        for start in range(0, len(due), CHUNK):
            part = due[start : start + CHUNK]
            results = link.connection.push_stock([level.push for level in part])
            with desk.database.unit(scope) as session:
                _record_levels(session, shop_id, part, results)
    return len(due)


def levels_of(session: Session, shop: ShopView) -> list[Level]:
    """The level each matched unit of the shop should show now, by the shop's share, fixed level and safety stock."""
    columns = (SkuAlias.external_key, SkuAlias.external_product, SkuAlias.external_sku, SkuAlias.seller_code, SkuAlias.sku_id)
    aliases = session.execute(select(*columns).where(SkuAlias.shop_id == shop.id, SkuAlias.sku_id.is_not(None))).all()
    free = free_units(session, {alias.sku_id for alias in aliases})
    return [
        Level(
            alias.external_key,
            StockPush(
                alias.external_product,
                alias.external_sku,
                alias.seller_code,
                shown_level(free.get(alias.sku_id, ZERO), share=shop.stock_share, fixed=shop.stock_fixed, safety=shop.stock_safety),
            ),
        )
        for alias in aliases
    ]


def free_units(session: Session, sku_ids: Iterable[UUID]) -> dict[UUID, Decimal]:
    """Units that may be sold of each SKU over all active warehouses, safety stock kept back; for a kit, whole kits from its components."""
    cookbook = recipes(session, sku_ids)
    parts = {sku for recipe in cookbook.values() for sku, _each in recipe.parts}
    statement = (
        select(Stock.sku_id, func.sum(Stock.on_hand - Stock.reserved - Stock.safety).label("free"))
        .join(Warehouse, Warehouse.id == Stock.warehouse_id)
        .where(Stock.sku_id.in_(parts), Warehouse.is_active)
        .group_by(Stock.sku_id)
    )
    shelf = {row.sku_id: max(row.free, ZERO) for row in session.execute(statement)}
    return {
        sku: min((shelf.get(part, ZERO) / each for part, each in recipe.parts), default=ZERO).to_integral_value(rounding="ROUND_FLOOR")
        for sku, recipe in cookbook.items()
    }


def _settled_levels(session: Session, shop_id: UUID) -> dict[str, int]:
    is_settled = or_(Push.state == "accepted", and_(Push.state == "refused", Push.answered_at > func.now() - REFUSED_REST))
    statement = select(Push.reference, Push.body).where(Push.shop_id == shop_id, Push.kind == "stock", is_settled)
    return {row.reference: row.body["level"] for row in session.execute(statement)}


def _record_levels(session: Session, shop_id: UUID, levels: Sequence[Level], results: Sequence[PushResult]) -> None:
    rows = [
        {
            "id": new_id(),
            "shop_id": shop_id,
            "kind": "stock",
            "reference": level.alias_key,
            "body": {"level": level.push.level},
            "state": "accepted" if result.is_ok else "refused",
            "code": result.code,
            "message": result.message[:500],
            "attempts": 1,
            "answered_at": "now",
        }
        for level, result in zip(levels, results, strict=True)
    ]
    insert_rows(session, Push, rows, on_conflict=_RECEIPT)
