"""Deliveries that arrive at a warehouse: several SKUs under one reference, booked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.catalog.models import KIT, Sku
from core.domain.inventory.models import LedgerEntry, Warehouse
from core.domain.inventory.service import Movement, post
from core.kernel.errors import Invalid
from core.kernel.quantity import quantity_from
from core.kernel.text import clean_text
from core.runtime.tenancy.scope import require_scope

RECEIPT = "receipt"
MAX_REFERENCE = 60


@dataclass(frozen=True, slots=True)
class Received:
    """One line of a delivery: units of a SKU."""

    sku_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrived. `reference` is the number of the delivery note; it names the delivery at its warehouse."""

    warehouse_id: UUID
    reference: str
    lines: Sequence[Received]
    note: str = ""


def receive(session: Session, delivery: Delivery) -> bool:
    """Book a delivery; returns False when the very same one is booked already, and nothing changes. Does not commit.

    Raises: Invalid with the field's name - no reference, no line, an unknown or closed warehouse, a quantity that is not above zero, a SKU
    that is a kit or not kept in stock, or a reference under which other goods came; `lines[n].…` names the line.
    Emits: `stock.increased`.
    """
    reference = clean_text(delivery.reference, max_length=MAX_REFERENCE, field="reference")
    note = clean_text(delivery.note, max_length=200, field="note")
    if not reference:
        raise Invalid("A delivery needs a reference.", field="reference")
    if session.scalar(select(Warehouse.id).where(Warehouse.id == delivery.warehouse_id, Warehouse.is_active)) is None:
        raise Invalid("There is no such warehouse.", field="warehouse_id")
    units = _units(session, delivery.lines)
    known = _known(session, delivery.warehouse_id, reference)
    if known == units:
        return False
    movements = [Movement(sku, delivery.warehouse_id, units[sku], RECEIPT, reference, note) for sku in sorted(units)]
    if not known and post(session, movements, actor=require_scope().actor.label) == len(movements):
        return True
    if _known(session, delivery.warehouse_id, reference) == units:
        return False  # the same form, sent twice at once: the other request was first
    raise Invalid("Under this reference other goods were received there already; give another one.", field="reference")


def _known(session: Session, warehouse_id: UUID, reference: str) -> dict[UUID, Decimal]:
    statement = select(LedgerEntry.sku_id, LedgerEntry.delta).where(
        LedgerEntry.reason == RECEIPT, LedgerEntry.reference == reference, LedgerEntry.warehouse_id == warehouse_id
    )
    return {row.sku_id: row.delta for row in session.execute(statement)}


def _units(session: Session, lines: Sequence[Received]) -> dict[UUID, Decimal]:
    """Units by SKU; a SKU that stands in several lines is counted together."""
    if not lines:
        raise Invalid("A delivery has at least one line.", field="lines")
    statement = select(Sku.id, Sku.kind, Sku.is_stocked).where(Sku.id.in_([line.sku_id for line in lines]))
    skus = {row.id: row for row in session.execute(statement)}
    units: dict[UUID, Decimal] = {}
    for index, line in enumerate(lines):
        sku = skus.get(line.sku_id)
        if sku is None:
            raise Invalid("There is no such record.", field=f"lines[{index}].sku_id")
        if sku.kind == KIT:
            raise Invalid("A kit has no stock of its own: add stock for its components.", field=f"lines[{index}].sku_id")
        if not sku.is_stocked:
            raise Invalid("This SKU is not kept in stock.", field=f"lines[{index}].sku_id")
        if quantity_from(line.quantity, field=f"lines[{index}].quantity") <= 0:
            raise Invalid("A received quantity is more than zero.", field=f"lines[{index}].quantity")
        units[line.sku_id] = units.get(line.sku_id, Decimal(0)) + line.quantity
    return units
