"""Shipping: goods leave, stock is consumed, the order moves, the world is told by event. One order a call; nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.catalog.kits import recipes
from core.domain.fulfilment.errors import NotShippable, ShipmentRefused
from core.domain.fulfilment.models import Carrier, Parcel, Shipment, ShipmentLine
from core.domain.fulfilment.rules import LineFacts
from core.domain.fulfilment.way import uses_of
from core.domain.inventory import service as inventory
from core.domain.orders.errors import OrderUnknown
from core.domain.orders.holds import open_holds
from core.domain.orders.models import Order, OrderLine
from core.domain.orders.numbers import take_numbers
from core.engines.metadata.search import add_tokens
from core.kernel.ids import new_id
from core.kernel.text import clean_text, fits
from core.runtime.db.bulk import insert_rows, update_rows
from core.runtime.events import EventDraft, emit
from core.runtime.security.audit import record_many

MAX_TRACKING = 64
_SHIPPABLE = ("approved", "allocated", "picking")


@dataclass(frozen=True, slots=True)
class ShipmentOrder:
    """What staff say when an order ships: carrier, tracking number, and which lines (empty: all that is reserved)."""

    order_id: UUID
    carrier_id: UUID
    tracking_number: str
    lines: Mapping[UUID, Decimal] = field(default_factory=dict)
    weight_g: int | None = None
    note: str = ""


def ship(session: Session, wanted: ShipmentOrder, *, now: datetime) -> UUID:
    """Dispatch an order, wholly or in part; returns the shipment's id. The same tracking number for the same order again returns the first.

    Raises: OrderUnknown; NotShippable - wrong state, an open hold, or less reserved than ships; ShipmentRefused - carrier, tracking number
    or a line's quantity is wrong.
    Emits: `shipment.dispatched`, and `order.shipped` or `order.shipped_partly`.
    """
    order = _locked_order(session, wanted.order_id)
    carrier = _carrier(session, wanted.carrier_id)
    tracking = _tracking(wanted.tracking_number, carrier)
    repeated = _same_shipment(session, order.id, carrier.id, tracking)
    if repeated is not None:
        return repeated
    _check_order(session, order)
    lines = _lines(session, order.id)
    quantities = _quantities(lines, wanted.lines)
    shipment_id = new_id()
    houses = _consume(session, shipment_id, lines, quantities)
    is_partial = any(line.quantity - line.cancelled - line.shipped > quantities.get(line.id, 0) for line in lines)
    _write(session, shipment_id, order, wanted, tracking=tracking, quantities=quantities, is_partial=is_partial, house=houses, now=now)
    update_rows(
        session,
        OrderLine,
        [{"id": key, "shipped": quantity} for key, quantity in quantities.items()],
        sets="shipped = t.shipped + r.shipped, reserved = t.reserved - r.shipped",
    )
    _move(session, order, is_partial=is_partial, now=now)
    _tell(session, order, shipment_id, carrier, tracking=tracking, quantities=quantities, lines=lines, is_partial=is_partial)
    return shipment_id


def _locked_order(session: Session, order_id: UUID) -> Any:
    statement = select(Order.id, Order.number, Order.state, Order.fulfilment, Order.hold_count, Order.shop_id, Order.external_id).where(
        Order.id == order_id
    )
    row = session.execute(statement.with_for_update()).one_or_none()
    if row is None:
        raise OrderUnknown(order=str(order_id))
    return row


def _carrier(session: Session, carrier_id: UUID) -> Carrier:
    carrier = session.get(Carrier, carrier_id)
    if carrier is None or not carrier.is_active:
        raise ShipmentRefused("There is no such carrier.", field="carrier_id")
    return carrier


def _tracking(number: str, carrier: Carrier) -> str:
    text = clean_text(number, max_length=MAX_TRACKING, field="tracking_number").upper().replace(" ", "")
    if not text:
        raise ShipmentRefused("A tracking number is needed.", field="tracking_number")
    if carrier.tracking_pattern and not fits(carrier.tracking_pattern, text):
        raise ShipmentRefused("This does not look like a tracking number of that carrier.", field="tracking_number", carrier=carrier.code)
    return text


def _same_shipment(session: Session, order_id: UUID, carrier_id: UUID, tracking: str) -> UUID | None:
    """The shipment this order already has under that tracking number. Raises ShipmentRefused - another order has it."""
    statement = (
        select(Shipment.id, Shipment.order_id)
        .join(Parcel, Parcel.shipment_id == Shipment.id)
        .where(Parcel.carrier_id == carrier_id, Parcel.tracking_number == tracking)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    if row.order_id != order_id:
        raise ShipmentRefused("Another order has this tracking number.", field="tracking_number")
    found: UUID = row.id
    return found


def _check_order(session: Session, order: Any) -> None:
    if order.state not in _SHIPPABLE:
        raise NotShippable(number=order.number, state=order.state)
    if order.hold_count:
        codes = [hold.code for hold in open_holds(session, [order.id]).get(order.id, [])]
        raise NotShippable("The order is on hold.", number=order.number, holds=codes)


def _lines(session: Session, order_id: UUID) -> list[OrderLine]:
    statement = select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    # A page may have read the lines before the order was locked; what they were then does not count.
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def _quantities(lines: Sequence[OrderLine], wanted: Mapping[UUID, Decimal]) -> dict[UUID, Decimal]:
    by_id = {line.id: line for line in lines}
    chosen = dict(wanted) or {line.id: line.reserved for line in lines if line.reserved > 0}
    for key, quantity in chosen.items():
        line = by_id.get(key)
        if line is None:
            raise ShipmentRefused("This line is not of that order.", field="lines")
        if quantity <= 0:
            raise ShipmentRefused("A shipped quantity is more than zero.", field=f"lines.{key}")
        if quantity > line.reserved:
            raise NotShippable(
                "More is shipped than is reserved.", field_key=f"lines.{key}", asked=str(quantity), reserved=str(line.reserved)
            )
    if not chosen:
        raise NotShippable("Nothing of this order is reserved.")
    return chosen


def _consume(session: Session, shipment_id: UUID, lines: Sequence[OrderLine], quantities: Mapping[UUID, Decimal]) -> UUID | None:
    """Take the goods off the shelves; returns the warehouse when they all come from one."""
    cookbook = recipes(session, {line.sku_id for line in lines if line.sku_id})
    uses = []
    for line in lines:
        if line.id in quantities:
            facts = LineFacts(line.id, line.sku_id, line.quantity, line.reserved, line.shipped, line.cancelled, is_void=False)
            uses += uses_of(facts, quantities[line.id], cookbook)
    houses = inventory.warehouses_of(session, {use.owner for use in uses})
    inventory.consume(session, uses, reference=f"shipment:{shipment_id}")
    return houses[0] if len(houses) == 1 else None


def _write(
    session: Session,
    shipment_id: UUID,
    order: Any,
    wanted: ShipmentOrder,
    *,
    tracking: str,
    quantities: Mapping[UUID, Decimal],
    is_partial: bool,
    house: UUID | None,
    now: datetime,
) -> None:
    number = f"D{take_numbers(session, 'shipment', 1)[0]:07d}"
    head = {
        "id": shipment_id,
        "number": number,
        "order_id": order.id,
        "warehouse_id": house,
        "carrier_id": wanted.carrier_id,
        "tracking_number": tracking,
        "is_partial": is_partial,
        "dispatched_at": now,
        "note": clean_text(wanted.note, max_length=500, field="note"),
    }
    insert_rows(session, Shipment, [head])
    lines = [{"id": new_id(), "shipment_id": shipment_id, "order_line_id": key, "quantity": q} for key, q in quantities.items()]
    insert_rows(session, ShipmentLine, lines)
    parcel = {"id": new_id(), "shipment_id": shipment_id, "carrier_id": wanted.carrier_id, "tracking_number": tracking}
    insert_rows(session, Parcel, [{**parcel, "weight_g": wanted.weight_g}])
    add_tokens(session, "orders.order", {order.id: {tracking.lower(), number.lower()}})


def _move(session: Session, order: Any, *, is_partial: bool, now: datetime) -> None:
    state = order.state if is_partial else "shipped"
    fulfilment = "shipped_partly" if is_partial else "shipped"
    sets = "state = r.state, fulfilment = r.fulfilment, shipped_at = coalesce(t.shipped_at, r.shipped_at), "
    sets += "row_version = t.row_version + 1, updated_at = now()"
    update_rows(session, Order, [{"id": order.id, "state": state, "fulfilment": fulfilment, "shipped_at": now}], sets=sets)
    record_many(
        session,
        "orders.shipped",
        "order",
        [(order.id, {"state": (order.state, state), "fulfilment": (order.fulfilment, fulfilment)})],
    )


def _tell(
    session: Session,
    order: Any,
    shipment_id: UUID,
    carrier: Carrier,
    *,
    tracking: str,
    quantities: Mapping[UUID, Decimal],
    lines: Sequence[OrderLine],
    is_partial: bool,
) -> None:
    payload = {
        "shipment_id": str(shipment_id),
        "order_id": str(order.id),
        "shop_id": str(order.shop_id),
        "external_id": order.external_id,
        "carrier": carrier.code,
        "tracking_number": tracking,
        "is_partial": is_partial,
        "lines": [{"external_id": line.external_id, "quantity": str(quantities[line.id])} for line in lines if line.id in quantities],
    }
    kind = "order.shipped_partly" if is_partial else "order.shipped"
    emit(
        session,
        [
            EventDraft("shipment.dispatched", "order", order.id, payload),
            EventDraft(kind, "order", order.id, {"number": order.number, "shipment_id": str(shipment_id), "by": "us"}),
        ],
    )
