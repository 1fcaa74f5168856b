"""Inventory's entity types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.catalog.models import KIT, Sku
from core.domain.inventory.models import LedgerEntry, Reservation, Stock, Warehouse
from core.domain.inventory.service import Movement, post
from core.engines.metadata import Action, Choice, EntityType, Field, FieldType, Queue, Related
from core.engines.metadata.records import creator, deleter, refusals, updater
from core.kernel.errors import Invalid, NotFound, OrderloomError
from core.kernel.ids import new_id
from core.kernel.messages import N_
from core.runtime.tenancy.scope import require_scope

WAREHOUSE = EntityType(
    key="inventory.warehouse",
    resource="warehouses",
    model=Warehouse,
    label=N_("Warehouse"),
    label_plural=N_("Warehouses"),
    area="inventory",
    fields=(
        Field("code", N_("Code"), is_required=True, is_filterable=True, is_sortable=True, max_length=40),
        Field("name", N_("Name"), is_required=True, max_length=120),
        Field(
            "priority",
            N_("Priority"),
            FieldType.INTEGER,
            default=100,
            minimum=0,
            maximum=10_000,
            is_sortable=True,
            help=N_("Warehouses with lower numbers are asked first."),
        ),
        Field("province", N_("Province"), max_length=80),
        Field("city", N_("City"), max_length=80),
        Field("is_active", N_("Active"), FieldType.BOOLEAN, default=True, is_filterable=True),
    ),
    list_fields=("code", "name", "priority", "province", "city", "is_active"),
    form_fields=("code", "name", "priority", "province", "city", "is_active"),
    search_fields=("code",),
    default_sort=("code", "asc"),
    related=(Related("inventory.stock", "warehouse_id", N_("Stock")),),
    create=creator(Warehouse),
    update=updater(Warehouse),
    delete=deleter(Warehouse),
    menu="stock",
    icon="building-warehouse",
    empty=N_("Add the place where your goods lie. Orders are reserved from there."),
)


def _adjust(session: Session, ids: Sequence[UUID], params: Mapping[str, Any]) -> Mapping[UUID, OrderloomError | None]:
    """Correct stock by the same number of units on each chosen shelf; each shelf is answered for itself."""
    shelves = {row.id: row for row in session.execute(select(Stock.id, Stock.sku_id, Stock.warehouse_id).where(Stock.id.in_(ids)))}
    run = str(params.get("run_id") or new_id())
    outcomes: dict[UUID, OrderloomError | None] = {}
    for shelf_id in ids:
        shelf = shelves.get(shelf_id)
        if shelf is None:
            outcomes[shelf_id] = NotFound()
            continue
        movement = Movement(
            shelf.sku_id, shelf.warehouse_id, Decimal(params["delta"]), "correction", f"{run}:{shelf_id}", params.get("note") or ""
        )
        try:
            with session.begin_nested():
                post(session, [movement], actor=require_scope().actor.label)
            outcomes[shelf_id] = None
        except OrderloomError as error:
            outcomes[shelf_id] = error
    return outcomes


def _create_stock(session: Session, values: Mapping[str, Any]) -> Stock:
    """A new shelf; a first quantity is booked as a receipt, so that the ledger adds up from the first day.

    Raises: Invalid - the SKU is a kit: what it is made of lies on shelves, never the kit itself.
    """
    if session.scalar(select(Sku.kind).where(Sku.id == values.get("sku_id"))) == KIT:
        raise Invalid("A kit has no stock of its own: add stock for its components.", field="sku_id")
    quantity = Decimal(values.get("on_hand") or 0)
    plain = {key: value for key, value in values.items() if key != "on_hand"}
    stock = Stock(id=new_id(), **plain)
    with refusals(session, Stock):
        session.add(stock)
    if quantity:
        movement = Movement(stock.sku_id, stock.warehouse_id, quantity, "receipt", f"opening:{stock.id}")
        post(session, [movement], actor=require_scope().actor.label)
        session.refresh(stock)
    return stock


STOCK = EntityType(
    key="inventory.stock",
    resource="stock",
    model=Stock,
    label=N_("Stock"),
    label_plural=N_("Stock"),
    area="inventory",
    fields=(
        Field("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_required=True, create_only=True, is_filterable=True),
        Field(
            "warehouse_id",
            N_("Warehouse"),
            FieldType.REFERENCE,
            target="inventory.warehouse",
            is_required=True,
            create_only=True,
            is_filterable=True,
        ),
        Field("on_hand", N_("On hand"), FieldType.QUANTITY, create_only=True, minimum=0, default="0"),
        Field("reserved", N_("Reserved"), FieldType.QUANTITY, is_writable=False),
        Field("safety", N_("Safety stock"), FieldType.QUANTITY, minimum=0, default="0", help=N_("Kept back from shops.")),
        Field("alert_at", N_("Alert at"), FieldType.QUANTITY, minimum=0, help=N_("At or below this many free units an alert is raised.")),
        Field("is_low", N_("Low"), FieldType.BOOLEAN, is_writable=False, is_filterable=True),
        Field("updated_at", N_("Changed"), FieldType.DATETIME, is_writable=False),
    ),
    list_fields=("sku_id", "warehouse_id", "on_hand", "reserved", "safety", "alert_at", "is_low", "updated_at"),
    form_fields=("sku_id", "warehouse_id", "on_hand", "safety", "alert_at"),
    title_field="id",
    queues=(
        Queue("all", N_("All"), None),
        Queue("low", N_("Low"), {"field": "is_low", "op": "eq", "value": True}, "warn"),
    ),
    actions=(
        Action(
            key="adjust",
            label=N_("Correct quantity"),
            permission="inventory.write",
            apply=_adjust,
            fields=(
                Field("delta", N_("Change by"), FieldType.QUANTITY, is_required=True, help=N_("Positive adds, negative takes away.")),
                Field("note", N_("Reason"), is_required=True, max_length=200),
            ),
            icon="adjustments",
        ),
    ),
    create=_create_stock,
    update=updater(Stock),
    menu="stock",
    icon="stack",
    empty=N_("Nothing lies on a shelf yet. Add stock for a SKU, or receive a delivery."),
)

LEDGER = EntityType(
    key="inventory.ledger",
    resource="stock-ledger",
    model=LedgerEntry,
    label=N_("Stock movement"),
    label_plural=N_("Stock movements"),
    area="inventory",
    fields=(
        Field("occurred_at", N_("When"), FieldType.DATETIME, is_writable=False),
        Field("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_writable=False, is_filterable=True),
        Field("warehouse_id", N_("Warehouse"), FieldType.REFERENCE, target="inventory.warehouse", is_writable=False, is_filterable=True),
        Field("delta", N_("Change"), FieldType.QUANTITY, is_writable=False),
        Field(
            "reason",
            N_("Reason"),
            FieldType.CHOICE,
            is_writable=False,
            is_filterable=True,
            choices=(
                Choice("receipt", N_("Receipt"), "ok"),
                Choice("shipped", N_("Shipped"), "info"),
                Choice("correction", N_("Correction"), "warn"),
                Choice("return", N_("Return"), "progress"),
            ),
        ),
        Field("reference", N_("Reference"), is_writable=False),
        Field("note", N_("Note"), is_writable=False),
        Field("actor", N_("Who"), is_writable=False),
    ),
    list_fields=("occurred_at", "sku_id", "warehouse_id", "delta", "reason", "note", "actor"),
    title_field="id",
    menu="stock",
    empty=N_("Each change of stock leaves a line here."),
)

RESERVATION = EntityType(
    key="inventory.reservation",
    resource="reservations",
    model=Reservation,
    label=N_("Reservation"),
    label_plural=N_("Reservations"),
    area="inventory",
    fields=(
        Field("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_writable=False, is_filterable=True),
        Field("warehouse_id", N_("Warehouse"), FieldType.REFERENCE, target="inventory.warehouse", is_writable=False, is_filterable=True),
        Field("owner", N_("For"), is_writable=False, is_filterable=True),
        Field("quantity", N_("Quantity"), FieldType.QUANTITY, is_writable=False),
        Field(
            "state",
            N_("State"),
            FieldType.CHOICE,
            is_writable=False,
            is_filterable=True,
            choices=(Choice("active", N_("Held"), "info"), Choice("consumed", N_("Shipped"), "ok"), Choice("released", N_("Released"))),
        ),
        Field("reserved_at", N_("Since"), FieldType.DATETIME, is_writable=False),
    ),
    list_fields=("sku_id", "warehouse_id", "owner", "quantity", "state", "reserved_at"),
    title_field="id",
    menu="stock",
    empty=N_("Nothing is set aside for an order now."),
)

ENTITIES = (WAREHOUSE, STOCK, LEDGER, RESERVATION)
