"""The catalog's entity types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.catalog.models import KIT, Barcode, KitItem, Product, Sku, SkuAlias
from core.engines.metadata import Action, Choice, EntityType, Field, FieldType, Queue, Related
from core.engines.metadata.records import creator, deleter, refusals, updater
from core.kernel.errors import Invalid, NotFound, OrderloomError
from core.kernel.messages import N_
from core.runtime.events import EventDraft, emit
from core.runtime.tenancy.queries import own_currency

CODE = Field("code", N_("Code"), is_required=True, is_filterable=True, is_sortable=True, max_length=64)
ACTIVE = Field("is_active", N_("Active"), FieldType.BOOLEAN, is_filterable=True, default=True)
UPDATED = Field("updated_at", N_("Changed"), FieldType.DATETIME, is_writable=False)

PRODUCT = EntityType(
    key="catalog.product",
    resource="products",
    model=Product,
    label=N_("Product"),
    label_plural=N_("Products"),
    area="catalog",
    fields=(
        CODE,
        Field("title", N_("Title"), is_required=True, is_filterable=True, is_sortable=True, max_length=200),
        Field("category", N_("Category"), max_length=80),
        Field("brand", N_("Brand"), max_length=80),
        Field("note", N_("Note"), FieldType.LONG_TEXT, max_length=2000),
        ACTIVE,
        UPDATED,
    ),
    list_fields=("code", "title", "category", "brand", "is_active", "updated_at"),
    form_fields=("code", "title", "category", "brand", "note", "is_active"),
    search_fields=("code", "title"),
    default_sort=("code", "asc"),
    related=(Related("catalog.sku", "product_id", N_("SKUs")),),
    create=creator(Product),
    update=updater(Product),
    delete=deleter(Product),
    menu="products",
    icon="box",
    empty=N_("Products group the SKUs that you sell. Add one, or let a shop's catalog fill the list."),
)


def _check_kit(session: Session, kit_id: UUID, component_id: UUID) -> None:
    kinds = dict(session.execute(select(Sku.id, Sku.kind).where(Sku.id.in_([kit_id, component_id]))).tuples().all())
    if kinds.get(kit_id) != KIT:
        raise Invalid("Only a kit has components.", field="kit_id")
    if kinds.get(component_id) == KIT:
        raise Invalid("A kit cannot contain another kit.", field="component_id")


def _create_kit_item(session: Session, values: Mapping[str, Any]) -> KitItem:
    _check_kit(session, values["kit_id"], values["component_id"])
    item = KitItem(**values)
    with refusals(session, KitItem):
        session.add(item)
    return item


def _update_sku(session: Session, sku: Sku, values: Mapping[str, Any]) -> None:
    kind = values.get("kind", sku.kind)
    if kind != sku.kind and session.scalar(
        select(KitItem.id).where((KitItem.kit_id == sku.id) | (KitItem.component_id == sku.id)).limit(1)
    ):
        raise Invalid("A SKU that has components, or is one, keeps its kind.", field="kind")
    updater(Sku)(session, sku, values)


def _create_sku(session: Session, values: Mapping[str, Any]) -> Sku:
    sku: Sku = creator(Sku)(session, values)
    emit(session, [EventDraft("catalog.sku_added", "sku", sku.id, {"code": sku.code})])
    return sku


SKU = EntityType(
    key="catalog.sku",
    resource="skus",
    model=Sku,
    label=N_("SKU"),
    label_plural=N_("SKUs"),
    area="catalog",
    fields=(
        CODE,
        Field("title", N_("Title"), is_required=True, max_length=200),
        Field("product_id", N_("Product"), FieldType.REFERENCE, target="catalog.product", is_filterable=True),
        Field("variant", N_("Variant"), max_length=200),
        Field(
            "kind",
            N_("Kind"),
            FieldType.CHOICE,
            choices=(Choice("simple", N_("Single item")), Choice("kit", N_("Kit"), "info")),
            default="simple",
            is_filterable=True,
        ),
        Field("unit", N_("Unit"), max_length=20, default="piece"),
        Field("price", N_("Price"), FieldType.MONEY, currency_key="currency", minimum=0, default="0"),
        Field("currency", N_("Currency"), is_required=True, max_length=3, pattern="[A-Z]{3}", default=own_currency),
        Field("weight_g", N_("Weight (g)"), FieldType.INTEGER, minimum=0, maximum=10_000_000),
        Field(
            "is_stocked",
            N_("Kept in stock"),
            FieldType.BOOLEAN,
            default=True,
            help=N_("Off for services and vouchers: they need no stock."),
        ),
        ACTIVE,
        UPDATED,
    ),
    list_fields=("code", "title", "variant", "kind", "price", "is_active"),
    form_fields=("code", "title", "product_id", "variant", "kind", "unit", "price", "currency", "weight_g", "is_stocked", "is_active"),
    search_fields=("code", "title"),
    default_sort=("code", "asc"),
    queues=(
        Queue("all", N_("All"), None),
        Queue("kits", N_("Kits"), {"field": "kind", "op": "eq", "value": "kit"}),
    ),
    related=(
        Related("catalog.kit_item", "kit_id", N_("Components")),
        Related("catalog.barcode", "sku_id", N_("Barcodes")),
        Related("catalog.alias", "sku_id", N_("Names in shops")),
        Related("inventory.stock", "sku_id", N_("Stock")),
    ),
    create=_create_sku,
    update=_update_sku,
    delete=deleter(Sku),
    menu="products",
    icon="tag",
    empty=N_("A SKU is one sellable unit. Orders, stock and shops all speak of SKUs."),
)

KIT_ITEM = EntityType(
    key="catalog.kit_item",
    parent=("catalog.sku", "kit_id"),
    resource="kit-items",
    model=KitItem,
    label=N_("Kit component"),
    label_plural=N_("Kit components"),
    area="catalog",
    fields=(
        Field("kit_id", N_("Kit"), FieldType.REFERENCE, target="catalog.sku", is_required=True, create_only=True, is_filterable=True),
        Field(
            "component_id",
            N_("Component"),
            FieldType.REFERENCE,
            target="catalog.sku",
            is_required=True,
            create_only=True,
            is_filterable=True,
        ),
        Field("quantity", N_("Quantity"), FieldType.QUANTITY, is_required=True, minimum=0),
    ),
    list_fields=("kit_id", "component_id", "quantity"),
    form_fields=("kit_id", "component_id", "quantity"),
    title_field="id",
    create=_create_kit_item,
    update=updater(KitItem),
    delete=deleter(KitItem),
    menu="products",
    empty=N_("A kit is sold as one and picked as several. List here what each kit contains."),
)

BARCODE = EntityType(
    key="catalog.barcode",
    parent=("catalog.sku", "sku_id"),
    resource="barcodes",
    model=Barcode,
    label=N_("Barcode"),
    label_plural=N_("Barcodes"),
    area="catalog",
    fields=(
        Field("code", N_("Barcode"), is_required=True, is_filterable=True, is_sortable=True, max_length=64),
        Field("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_required=True, is_filterable=True),
    ),
    list_fields=("code", "sku_id"),
    form_fields=("code", "sku_id"),
    search_fields=("code",),
    default_sort=("code", "asc"),
    create=creator(Barcode),
    update=updater(Barcode),
    delete=deleter(Barcode),
    menu="products",
    empty=N_("Barcodes let scanners find SKUs. A SKU may have several."),
)


def _update_alias(session: Session, alias: SkuAlias, values: Mapping[str, Any]) -> None:
    """A match made by people counts as manual, and holds against matching through the seller's code."""
    with refusals(session, SkuAlias):
        alias.sku_id = values.get("sku_id", alias.sku_id)
        alias.is_manual = alias.sku_id is not None
    if alias.sku_id is not None:
        facts = {"shop_id": str(alias.shop_id), "external_key": alias.external_key, "sku_id": str(alias.sku_id)}
        emit(session, [EventDraft("catalog.alias_matched", "alias", alias.id, facts)])


def _match_many(session: Session, ids: Sequence[UUID], params: Mapping[str, Any]) -> Mapping[UUID, OrderloomError | None]:
    outcomes: dict[UUID, OrderloomError | None] = {}
    found = {alias.id: alias for alias in session.scalars(select(SkuAlias).where(SkuAlias.id.in_(ids)))}
    for alias_id in ids:
        alias = found.get(alias_id)
        if alias is None:
            outcomes[alias_id] = NotFound()
            continue
        _update_alias(session, alias, {"sku_id": params["sku_id"]})
        outcomes[alias_id] = None
    return outcomes


ALIAS = EntityType(
    key="catalog.alias",
    resource="sku-aliases",
    model=SkuAlias,
    label=N_("Name in a shop"),
    label_plural=N_("Names in shops"),
    area="catalog",
    fields=(
        Field("shop_id", N_("Shop"), FieldType.REFERENCE, target="channels.shop", is_writable=False, is_filterable=True),
        Field("external_key", N_("Shop's id"), is_writable=False, is_filterable=True),
        Field("seller_code", N_("Seller's code"), is_writable=False, is_filterable=True),
        Field("title", N_("Title in the shop"), is_writable=False),
        Field("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_filterable=True),
        Field("is_manual", N_("Matched by hand"), FieldType.BOOLEAN, is_writable=False),
        Field("seen_count", N_("Times seen"), FieldType.INTEGER, is_writable=False),
        Field("last_seen_at", N_("Last seen in the shop"), FieldType.DATETIME, is_writable=False),
    ),
    list_fields=("title", "shop_id", "external_key", "seller_code", "sku_id", "seen_count", "last_seen_at"),
    form_fields=("sku_id",),
    title_field="title",
    search_fields=("seller_code", "external_key"),
    queues=(
        Queue("unmatched", N_("Unmatched"), {"field": "sku_id", "op": "is_empty"}, "warn"),
        Queue("all", N_("All"), None),
    ),
    actions=(
        Action(
            key="match",
            label=N_("Match to a SKU"),
            permission="catalog.write",
            apply=_match_many,
            fields=(Field("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_required=True),),
            icon="link",
        ),
    ),
    update=_update_alias,
    menu="products",
    empty=N_("Everything that your shops sell is matched to a SKU."),
)

ENTITIES = (PRODUCT, SKU, KIT_ITEM, BARCODE, ALIAS)
