"""The entity types of fulfilment: carriers, shipments and parcels, with shipping as a bulk action on orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.domain.fulfilment.models import Carrier, Parcel, Shipment, ShipmentLine
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.engines.metadata import Action, Choice, EntityType, Field, FieldType, Related
from core.engines.metadata.records import creator, deleter, updater
from core.kernel.clock import SystemClock
from core.kernel.errors import Invalid, OrderloomError
from core.kernel.messages import N_
from core.kernel.text import check_pattern


def _create_carrier(session: Session, values: Mapping[str, Any]) -> Carrier:
    check_pattern(values.get("tracking_pattern", ""), field="tracking_pattern")
    made: Carrier = creator(Carrier)(session, values)
    return made


def _update_carrier(session: Session, carrier: Carrier, values: Mapping[str, Any]) -> None:
    check_pattern(values.get("tracking_pattern", ""), field="tracking_pattern")
    updater(Carrier)(session, carrier, values)


CARRIER = EntityType(
    key="fulfilment.carrier",
    resource="carriers",
    model=Carrier,
    label=N_("Carrier"),
    label_plural=N_("Carriers"),
    area="fulfilment",
    fields=(
        Field("code", N_("Code"), is_required=True, is_filterable=True, is_sortable=True, max_length=40, pattern="[a-z0-9_-]+"),
        Field("name", N_("Name"), is_required=True, max_length=120),
        Field(
            "tracking_pattern",
            N_("Pattern of tracking numbers"),
            max_length=200,
            help=N_("A regular expression; empty accepts any number."),
        ),
        Field(
            "tracking_url",
            N_("Tracking page"),
            max_length=300,
            pattern=r"https?://[^\s<>\"']+",
            help=N_("{number} stands for the tracking number."),
        ),
        Field("is_active", N_("Active"), FieldType.BOOLEAN, default=True, is_filterable=True),
    ),
    list_fields=("code", "name", "tracking_url", "is_active"),
    form_fields=("code", "name", "tracking_pattern", "tracking_url", "is_active"),
    search_fields=("code",),
    default_sort=("code", "asc"),
    create=_create_carrier,
    update=_update_carrier,
    delete=deleter(Carrier),
    menu="fulfilment",
    icon="truck-delivery",
    empty=N_("Add the couriers you work with; shipping asks for one."),
)

SHIPMENT = EntityType(
    key="fulfilment.shipment",
    resource="shipments",
    model=Shipment,
    label=N_("Shipment"),
    label_plural=N_("Shipments"),
    area="fulfilment",
    fields=(
        Field("number", N_("Number"), is_writable=False, is_filterable=True, is_sortable=True),
        Field("order_id", N_("Order"), FieldType.REFERENCE, target="orders.order", is_writable=False, is_filterable=True),
        Field("carrier_id", N_("Carrier"), FieldType.REFERENCE, target="fulfilment.carrier", is_writable=False, is_filterable=True),
        Field("tracking_number", N_("Tracking number"), is_writable=False, is_filterable=True),
        Field("warehouse_id", N_("Warehouse"), FieldType.REFERENCE, target="inventory.warehouse", is_writable=False, is_filterable=True),
        Field(
            "state",
            N_("State"),
            FieldType.CHOICE,
            is_writable=False,
            is_filterable=True,
            choices=(
                Choice("dispatched", N_("On its way"), "progress", "truck"),
                Choice("delivered", N_("Delivered"), "ok", "home-check"),
                Choice("cancelled", N_("Cancelled")),
            ),
        ),
        Field("is_partial", N_("Partial"), FieldType.BOOLEAN, is_writable=False),
        Field("dispatched_at", N_("Dispatched"), FieldType.DATETIME, is_writable=False, is_sortable=True, is_filterable=True),
        Field("note", N_("Note"), max_length=500),
    ),
    list_fields=("number", "order_id", "carrier_id", "tracking_number", "warehouse_id", "state", "is_partial", "dispatched_at"),
    form_fields=("note",),
    title_field="number",
    default_sort=("dispatched_at", "desc"),
    search_fields=("number", "tracking_number"),
    related=(
        Related("fulfilment.parcel", "shipment_id", N_("Parcels")),
        Related("fulfilment.shipment_line", "shipment_id", N_("Contents")),
    ),
    update=updater(Shipment),
    menu="fulfilment",
    icon="truck",
    empty=N_("Shipped orders leave their shipments here."),
)

SHIPMENT_LINE = EntityType(
    key="fulfilment.shipment_line",
    resource="shipment-lines",
    model=ShipmentLine,
    label=N_("Shipment line"),
    label_plural=N_("Shipment lines"),
    area="fulfilment",
    fields=(
        Field("shipment_id", N_("Shipment"), FieldType.REFERENCE, target="fulfilment.shipment", is_writable=False, is_filterable=True),
        Field("order_line_id", N_("Order line"), FieldType.REFERENCE, target="orders.line", is_writable=False, is_filterable=True),
        Field("quantity", N_("Quantity"), FieldType.QUANTITY, is_writable=False),
    ),
    list_fields=("shipment_id", "order_line_id", "quantity"),
    title_field="id",
    empty=N_("Nothing."),
)

PARCEL = EntityType(
    key="fulfilment.parcel",
    resource="parcels",
    model=Parcel,
    label=N_("Parcel"),
    label_plural=N_("Parcels"),
    area="fulfilment",
    fields=(
        Field("shipment_id", N_("Shipment"), FieldType.REFERENCE, target="fulfilment.shipment", is_writable=False, is_filterable=True),
        Field("carrier_id", N_("Carrier"), FieldType.REFERENCE, target="fulfilment.carrier", is_writable=False, is_filterable=True),
        Field("tracking_number", N_("Tracking number"), is_writable=False, is_filterable=True),
        Field("weight_g", N_("Weight (g)"), FieldType.INTEGER, minimum=0, maximum=1_000_000),
    ),
    list_fields=("shipment_id", "carrier_id", "tracking_number", "weight_g"),
    form_fields=("weight_g",),
    title_field="tracking_number",
    parent_field="shipment_id",
    search_fields=("tracking_number",),
    update=updater(Parcel),
    menu="fulfilment",
    empty=N_("No parcel has been packed yet."),
)


def _ship(session: Session, ids: Sequence[UUID], params: Mapping[str, Any]) -> Mapping[UUID, OrderloomError | None]:
    """Ship each order whole; tracking numbers are given one per line, in the order in which the orders were chosen."""
    numbers = [text.strip() for text in str(params["tracking_numbers"]).splitlines() if text.strip()]
    if len(numbers) != len(ids):
        raise Invalid("Give as many tracking numbers as orders.", field="tracking_numbers", orders=len(ids), numbers=len(numbers))
    now = SystemClock().now()
    outcomes: dict[UUID, OrderloomError | None] = {}
    for order_id, number in zip(ids, numbers, strict=True):
        try:
            with session.begin_nested():
                ship(session, ShipmentOrder(order_id, params["carrier_id"], number), now=now)
            outcomes[order_id] = None
        except OrderloomError as error:
            outcomes[order_id] = error
    return outcomes


SHIP = Action(
    key="ship",
    label=N_("Ship"),
    permission="fulfilment.ship",
    apply=_ship,
    fields=(
        Field("carrier_id", N_("Carrier"), FieldType.REFERENCE, target="fulfilment.carrier", is_required=True),
        Field(
            "tracking_numbers",
            N_("Tracking numbers"),
            FieldType.LONG_TEXT,
            is_required=True,
            max_length=100_000,
            help=N_("One per line, in the order of the chosen orders."),
        ),
    ),
    icon="truck",
    kind="ok",
    needs_names=True,
)

ENTITIES = (CARRIER, SHIPMENT, SHIPMENT_LINE, PARCEL)
