"""The entity types of channels: shops, documents, pushes, sync runs and the unmapped-value inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.channels import service
from core.domain.channels.models import InboundDocument, Push, Shop, SyncRun, UnmappedValue
from core.engines.metadata import Action, Choice, EntityType, Field, FieldType, Queue, Related
from core.engines.metadata.records import creator, deleter, updater
from core.kernel.errors import NotFound, OrderloomError
from core.kernel.messages import N_
from core.runtime.tenancy.queries import own_currency

SHOP_REF = Field("shop_id", N_("Shop"), FieldType.REFERENCE, target="channels.shop", is_writable=False, is_filterable=True)


def _sync_now(session: Session, ids: Sequence[UUID], _params: Mapping[str, Any]) -> Mapping[UUID, OrderloomError | None]:
    return service.ask_for_pull(session, ids)


SHOP = EntityType(
    key="channels.shop",
    resource="shops",
    model=Shop,
    label=N_("Shop"),
    label_plural=N_("Shops"),
    area="channels",
    fields=(
        Field("code", N_("Code"), is_required=True, is_filterable=True, is_sortable=True, max_length=40),
        Field("title", N_("Title"), is_required=True, max_length=120),
        Field("marketplace", N_("Marketplace"), is_writable=False, is_filterable=True),
        Field("currency", N_("Currency"), is_required=True, max_length=3, pattern="[A-Z]{3}", default=own_currency),
        Field("is_active", N_("Active"), FieldType.BOOLEAN, default=True, is_filterable=True),
        Field("pulls_orders", N_("Fetches orders"), FieldType.BOOLEAN, default=True),
        Field("pushes_shipments", N_("Reports shipments"), FieldType.BOOLEAN, default=True),
        Field("pushes_stock", N_("Shows stock"), FieldType.BOOLEAN, default=True),
        Field(
            "stock_share",
            N_("Share of stock (%)"),
            FieldType.INTEGER,
            minimum=0,
            maximum=100,
            default=100,
            help=N_("How much of the free stock this shop may show."),
        ),
        Field(
            "stock_fixed", N_("Fixed level"), FieldType.INTEGER, minimum=0, help=N_("Shown instead of a share, never above what is free.")
        ),
        Field("stock_safety", N_("Kept back"), FieldType.INTEGER, minimum=0, default=0, help=N_("Units never shown in this shop.")),
        Field(
            "carriers",
            N_("Carrier codes"),
            FieldType.JSON,
            help=N_("What this channel calls your carriers, where it differs from the default."),
        ),
    ),
    list_fields=("code", "title", "marketplace", "currency", "is_active", "stock_share", "stock_safety"),
    form_fields=(
        "code",
        "title",
        "currency",
        "is_active",
        "pulls_orders",
        "pushes_shipments",
        "pushes_stock",
        "stock_share",
        "stock_fixed",
        "stock_safety",
        "carriers",
    ),
    title_field="title",
    default_sort=("code", "asc"),
    search_fields=("code",),
    actions=(Action("sync", N_("Sync now"), "channels.sync", _sync_now, icon="refresh"),),
    related=(
        Related("channels.run", "shop_id", N_("Sync log")),
        Related("channels.unmapped", "shop_id", N_("Unmapped values")),
        Related("catalog.alias", "shop_id", N_("Names of SKUs")),
    ),
    create=creator(Shop),
    update=updater(Shop),
    delete=deleter(Shop),
    menu="channels",
    icon="building-store",
    empty=N_("Switch on a marketplace plugin to connect a shop, or add one of your own for phone and counter orders."),
)

RUN = EntityType(
    key="channels.run",
    resource="sync-runs",
    model=SyncRun,
    label=N_("Sync run"),
    label_plural=N_("Sync log"),
    area="channels",
    fields=(
        SHOP_REF,
        Field("stream", N_("Stream"), is_writable=False, is_filterable=True),
        Field("cause", N_("Cause"), is_writable=False),
        Field(
            "state",
            N_("State"),
            FieldType.CHOICE,
            is_writable=False,
            is_filterable=True,
            choices=(
                Choice("running", N_("Running"), "progress"),
                Choice("done", N_("Done"), "ok"),
                Choice("partly", N_("Goes on"), "info"),
                Choice("failed", N_("Failed"), "bad"),
            ),
        ),
        Field("counts", N_("Counts"), FieldType.JSON, is_writable=False),
        Field("error_code", N_("Error"), is_writable=False),
        Field("error_text", N_("What happened"), is_writable=False),
        Field("started_at", N_("Started"), FieldType.DATETIME, is_writable=False),
        Field("ended_at", N_("Ended"), FieldType.DATETIME, is_writable=False),
    ),
    list_fields=("started_at", "shop_id", "stream", "cause", "state", "counts", "error_text", "ended_at"),
    title_field="id",
    queues=(Queue("all", N_("All"), None), Queue("failed", N_("Failed"), {"field": "state", "op": "eq", "value": "failed"}, "bad")),
    menu="channels",
    empty=N_("Nothing has been synchronised yet."),
)

DOCUMENT = EntityType(
    key="channels.document",
    parent=("orders.order", "order_id"),
    resource="inbound-documents",
    model=InboundDocument,
    label=N_("Inbound document"),
    label_plural=N_("Inbound documents"),
    area="channels",
    fields=(
        SHOP_REF,
        Field("kind", N_("Kind"), is_writable=False, is_filterable=True),
        Field("external_id", N_("Channel number"), is_writable=False, is_filterable=True),
        Field("revision", N_("Revision"), is_writable=False),
        Field(
            "state",
            N_("State"),
            FieldType.CHOICE,
            is_writable=False,
            is_filterable=True,
            choices=(
                Choice("stored", N_("Stored")),
                Choice("applied", N_("Applied"), "ok"),
                Choice("unchanged", N_("Unchanged")),
                Choice("parked", N_("Parked"), "warn"),
                Choice("refused", N_("Refused"), "bad"),
            ),
        ),
        Field("cause", N_("Cause"), is_writable=False, is_filterable=True),
        Field("detail", N_("Detail"), FieldType.JSON, is_writable=False),
        Field("order_id", N_("Order"), FieldType.REFERENCE, target="orders.order", is_writable=False),
        Field("received_at", N_("Received"), FieldType.DATETIME, is_writable=False),
    ),
    list_fields=("received_at", "shop_id", "kind", "external_id", "state", "cause", "order_id"),
    title_field="external_id",
    queues=(
        Queue("all", N_("All"), None),
        Queue("refused", N_("Refused"), {"field": "state", "op": "in", "value": ["refused", "parked"]}, "bad"),
    ),
    search_fields=("external_id",),
    menu="channels",
    empty=N_("What channels send is kept here word for word."),
)

PUSH = EntityType(
    key="channels.push",
    parent=("orders.order", "order_id"),
    resource="pushes",
    model=Push,
    label=N_("Push"),
    label_plural=N_("Pushes"),
    area="channels",
    fields=(
        SHOP_REF,
        Field("kind", N_("Kind"), is_writable=False, is_filterable=True),
        Field("reference", N_("Reference"), is_writable=False, is_filterable=True),
        Field("order_id", N_("Order"), FieldType.REFERENCE, target="orders.order", is_writable=False, is_filterable=True),
        Field("body", N_("Content"), FieldType.JSON, is_writable=False),
        Field(
            "state",
            N_("State"),
            FieldType.CHOICE,
            is_writable=False,
            is_filterable=True,
            choices=(
                Choice("waiting", N_("Waiting")),
                Choice("sent", N_("Sent"), "info"),
                Choice("accepted", N_("Accepted"), "ok"),
                Choice("refused", N_("Refused"), "bad"),
                Choice("unknown", N_("Unknown"), "warn"),
            ),
        ),
        Field("code", N_("Answer"), is_writable=False),
        Field("message", N_("What it said"), is_writable=False),
        Field("attempts", N_("Attempts"), FieldType.INTEGER, is_writable=False),
        Field("updated_at", N_("Changed"), FieldType.DATETIME, is_writable=False),
    ),
    list_fields=("updated_at", "shop_id", "kind", "reference", "order_id", "state", "code", "message", "attempts"),
    title_field="reference",
    queues=(
        Queue("all", N_("All"), None),
        Queue("failed", N_("Refused"), {"field": "state", "op": "in", "value": ["refused", "unknown"]}, "bad"),
    ),
    menu="channels",
    empty=N_("Nothing has been reported to a channel yet."),
)


def _map_values(session: Session, ids: Sequence[UUID], params: Mapping[str, Any]) -> Mapping[UUID, OrderloomError | None]:
    outcomes: dict[UUID, OrderloomError | None] = {}
    found = {row.id: row for row in session.scalars(select(UnmappedValue).where(UnmappedValue.id.in_(ids)))}
    for value_id in ids:
        row = found.get(value_id)
        if row is None:
            outcomes[value_id] = NotFound()
            continue
        service.map_value(session, row, params["mapped_to"])
        outcomes[value_id] = None
    return outcomes


UNMAPPED = EntityType(
    key="channels.unmapped",
    resource="unmapped-values",
    model=UnmappedValue,
    label=N_("Unmapped value"),
    label_plural=N_("Unmapped values"),
    area="channels",
    fields=(
        SHOP_REF,
        Field("kind", N_("Kind"), is_writable=False, is_filterable=True),
        Field("value", N_("Value"), is_writable=False, is_filterable=True),
        Field("label", N_("Title"), is_writable=False),
        Field("affected", N_("Orders waiting"), FieldType.INTEGER, is_writable=False),
        Field("mapped_to", N_("Means"), is_writable=False),
        Field("mapped_at", N_("Mapped"), FieldType.DATETIME, is_writable=False),
        Field("updated_at", N_("Last seen in the shop"), FieldType.DATETIME, is_writable=False),
    ),
    list_fields=("kind", "value", "label", "shop_id", "affected", "mapped_to", "updated_at"),
    title_field="value",
    queues=(
        Queue("open", N_("To map"), {"field": "mapped_at", "op": "is_empty"}, "warn"),
        Queue("all", N_("All"), None),
    ),
    actions=(
        Action(
            "map",
            N_("Map"),
            "channels.write",
            _map_values,
            (Field("mapped_to", N_("Means"), is_required=True, max_length=120, help=N_("What the channel calls it.")),),
            "arrows-exchange",
        ),
    ),
    menu="channels",
    icon="arrows-exchange",
    empty=N_("Every value that your channels use has a meaning here."),
)

ENTITIES = (SHOP, RUN, DOCUMENT, PUSH, UNMAPPED)
