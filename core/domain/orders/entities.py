"""The entity types of orders: the list with its queues and bulk actions, lines, refunds, tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.domain.orders import service
from core.domain.orders.models import Order, OrderLine, OrderTag, Refund
from core.engines.metadata import Action, Choice, EntityType, Field, FieldType, Queue, Related
from core.engines.metadata.records import creator, deleter, updater
from core.kernel.clock import SystemClock
from core.kernel.errors import OrderloomError
from core.kernel.messages import N_

STATE_CHOICES = (
    Choice("placed", N_("Placed"), "neutral", "clock"),
    Choice("paid", N_("Paid"), "info", "cash"),
    Choice("approved", N_("Approved"), "progress", "check"),
    Choice("allocated", N_("Allocated"), "progress", "map-pin"),
    Choice("picking", N_("Picking"), "progress", "shopping-cart"),
    Choice("shipped", N_("Shipped"), "ok", "truck"),
    Choice("delivered", N_("Delivered"), "ok", "home-check"),
    Choice("completed", N_("Completed"), "ok", "circle-check"),
    Choice("cancelled", N_("Cancelled"), "neutral", "ban"),
)
PAYMENT_CHOICES = (
    Choice("unpaid", N_("Unpaid"), "neutral", "clock"),
    Choice("deposit", N_("Deposit paid"), "warn", "coin"),
    Choice("paid", N_("Paid"), "ok", "cash"),
    Choice("on_delivery", N_("Cash on delivery"), "info", "cash"),
    Choice("partly_refunded", N_("Partly refunded"), "warn", "arrow-back-up"),
    Choice("refunded", N_("Refunded"), "bad", "arrow-back-up"),
)
FULFILMENT_CHOICES = (
    Choice("none", N_("Not reserved"), "neutral", "circle-dashed"),
    Choice("reserved", N_("Reserved"), "info", "lock"),
    Choice("shipped_partly", N_("Partly shipped"), "progress", "truck"),
    Choice("shipped", N_("Shipped"), "ok", "truck"),
    Choice("delivered", N_("Delivered"), "ok", "home-check"),
)
HOLD_CHOICES = (
    Choice("", N_("None")),
    Choice("stock_short", N_("Short of stock"), "bad", "package-off"),
    Choice("sku_unmatched", N_("SKU unmatched"), "warn", "unlink"),
    Choice("channel_locked", N_("Locked by channel"), "warn", "lock"),
    Choice("refund_requested", N_("Refund asked"), "bad", "arrow-back-up"),
    Choice("cancelled_after_shipping", N_("Cancelled after shipping"), "bad", "truck-return"),
    Choice("replaced_after_shipping", N_("Parent has shipped"), "bad", "truck-return"),
    Choice("currency_differs", N_("Foreign currency"), "warn", "currency"),
    Choice("customer_blocked", N_("Customer blocked"), "warn", "shield-lock"),
    Choice("manual", N_("On hold"), "warn", "hand-stop"),
)

REFUND_KINDS = (
    Choice("refund_only", N_("Money back only")),
    Choice("return", N_("Return")),
    Choice("exchange", N_("Exchange")),
    Choice("reduction", N_("Money back, goods kept")),
)
LINE_REFUNDS = (
    Choice("none", N_("None")),
    Choice("requested", N_("Requested"), "warn"),
    Choice("refused", N_("Refused")),
    Choice("closed", N_("Closed")),
    Choice("done", N_("Refunded"), "bad"),
)

Outcomes = Mapping[UUID, OrderloomError | None]
Params = Mapping[str, Any]


def _cancel(session: Session, ids: Sequence[UUID], params: Params) -> Outcomes:
    return service.cancel(session, ids, reason=params["reason"], now=SystemClock().now())


def _hold(session: Session, ids: Sequence[UUID], params: Params) -> Outcomes:
    return service.hold(session, ids, reason=params["reason"], release_at=params.get("release_at"), now=SystemClock().now())


def _check_hold(params: Params) -> None:
    service.check_release(params.get("release_at"), now=SystemClock().now())


def _release(session: Session, ids: Sequence[UUID], params: Params) -> Outcomes:
    return service.release(session, ids, note=params.get("note") or "", now=SystemClock().now())


def _tag(session: Session, ids: Sequence[UUID], params: Params) -> Outcomes:
    return service.tag(session, ids, add=params["tags"])


def _untag(session: Session, ids: Sequence[UUID], params: Params) -> Outcomes:
    return service.tag(session, ids, remove=params["tags"])


REASON = Field("reason", N_("Reason"), is_required=True, max_length=200)
TAGS = Field("tags", N_("Tags"), FieldType.TAGS, is_required=True)

ORDER_ACTIONS = (
    Action("release", N_("Release hold"), "orders.release", _release, (Field("note", N_("Note"), max_length=500),), "player-play"),
    Action(
        "hold",
        N_("Hold"),
        "orders.hold",
        _hold,
        (REASON, Field("release_at", N_("Release by itself at"), FieldType.DATETIME)),
        "hand-stop",
        inverse="release",
        check=_check_hold,
    ),
    Action("tag", N_("Add tags"), "orders.write", _tag, (TAGS,), "tag", inverse="untag"),
    Action("untag", N_("Remove tags"), "orders.write", _untag, (TAGS,), "tag-off", inverse="tag"),
    Action(
        "cancel",
        N_("Cancel order"),
        "orders.cancel",
        _cancel,
        (REASON,),
        "ban",
        confirm=N_("Cancelled orders do not come back. Their stock is released."),
        kind="bad",
    ),
)


def _read_only(key: str, label: str, kind: FieldType = FieldType.TEXT, **more: Any) -> Field:
    return Field(key, label, kind, is_writable=False, **more)


ORDER = EntityType(
    key="orders.order",
    resource="orders",
    model=Order,
    label=N_("Order"),
    label_plural=N_("Orders"),
    area="orders",
    fields=(
        _read_only("number", N_("Number"), is_filterable=True, is_sortable=True),
        _read_only("external_id", N_("Channel number"), is_filterable=True),
        _read_only("shop_id", N_("Shop"), FieldType.REFERENCE, target="channels.shop", is_filterable=True),
        _read_only("state", N_("State"), FieldType.CHOICE, choices=STATE_CHOICES, is_filterable=True),
        _read_only("payment", N_("Payment"), FieldType.CHOICE, choices=PAYMENT_CHOICES, is_filterable=True),
        _read_only("fulfilment", N_("Fulfilment"), FieldType.CHOICE, choices=FULFILMENT_CHOICES, is_filterable=True),
        _read_only("hold_code", N_("Exception"), FieldType.CHOICE, choices=HOLD_CHOICES, is_filterable=True),
        _read_only("hold_count", N_("Holds"), FieldType.INTEGER, is_filterable=True),
        _read_only("buyer_masked", N_("Buyer"), is_personal=True),
        _read_only("province", N_("Province"), is_filterable=True),
        _read_only("city", N_("City"), is_filterable=True),
        _read_only("paid_total", N_("Total"), FieldType.MONEY, currency_key="currency"),
        _read_only("currency", N_("Currency"), is_filterable=True),
        _read_only("postage", N_("Postage"), FieldType.MONEY, currency_key="currency"),
        _read_only("discount_total", N_("Discount"), FieldType.MONEY, currency_key="currency"),
        _read_only("refunded_total", N_("Refunded amount"), FieldType.MONEY, currency_key="currency"),
        _read_only("line_count", N_("Line count"), FieldType.INTEGER),
        _read_only("quantity_total", N_("Units"), FieldType.QUANTITY),
        _read_only("placed_at", N_("Placed at"), FieldType.DATETIME, is_filterable=True, is_sortable=True),
        _read_only("paid_at", N_("Paid at"), FieldType.DATETIME),
        _read_only("ship_by", N_("Ship by"), FieldType.DATETIME, is_filterable=True),
        _read_only("shipped_at", N_("Shipped at"), FieldType.DATETIME),
        _read_only("channel_state", N_("State on the channel")),
        _read_only("buyer_note", N_("Buyer's note"), FieldType.LONG_TEXT),
        Field("seller_note", N_("Seller's note"), FieldType.LONG_TEXT, max_length=2000),
        _read_only("tags", N_("Tags"), FieldType.TAGS),
        _read_only("customer_id", N_("Customer"), FieldType.REFERENCE, target="customers.customer", is_filterable=True),
        _read_only("closed_reason", N_("Closed because")),
        _read_only("updated_at", N_("Changed"), FieldType.DATETIME),
    ),
    list_fields=(
        "number",
        "state",
        "payment",
        "hold_code",
        "shop_id",
        "external_id",
        "buyer_masked",
        "city",
        "paid_total",
        "quantity_total",
        "tags",
        "placed_at",
    ),
    card_fields=("number", "state", "payment", "hold_code", "shop_id", "buyer_masked", "paid_total", "placed_at"),
    form_fields=("seller_note",),
    title_field="number",
    default_sort=("placed_at", "desc"),
    search_entity="orders.order",
    queues=(
        Queue("all", N_("All"), None),
        Queue("unpaid", N_("Awaiting payment"), {"field": "state", "op": "eq", "value": "placed"}),
        Queue("exceptions", N_("Exceptions"), {"field": "hold_count", "op": "gt", "value": 0}, "bad"),
        Queue(
            "to_ship",
            N_("To ship"),
            {"all": [{"field": "state", "op": "eq", "value": "approved"}, {"field": "hold_count", "op": "eq", "value": 0}]},
            "progress",
        ),
        Queue(
            "overdue",
            N_("Overdue"),
            {
                "all": [
                    {"field": "state", "op": "in", "value": ["paid", "approved", "allocated", "picking"]},
                    {"field": "ship_by", "op": "within_last", "value": {"days": 365}},
                ]
            },
            "warn",
        ),
        Queue("shipped", N_("Shipped"), {"field": "state", "op": "eq", "value": "shipped"}, "ok"),
        Queue("done", N_("Done"), {"field": "state", "op": "in", "value": ["delivered", "completed"]}),
        Queue("cancelled", N_("Cancelled"), {"field": "state", "op": "eq", "value": "cancelled"}),
    ),
    actions=ORDER_ACTIONS,
    related=(
        Related("orders.line", "order_id", N_("Lines")),
        Related("fulfilment.shipment", "order_id", N_("Shipments")),
        Related("orders.refund", "order_id", N_("Refunds")),
    ),
    update=updater(Order),
    menu="orders",
    icon="file-invoice",
    empty=N_("Orders of all your shops arrive here. Connect a shop, or enter an order by hand."),
)

LINE = EntityType(
    key="orders.line",
    parent=("orders.order", "order_id"),
    resource="order-lines",
    model=OrderLine,
    label=N_("Order line"),
    label_plural=N_("Order lines"),
    area="orders",
    fields=(
        _read_only("order_id", N_("Order"), FieldType.REFERENCE, target="orders.order", is_filterable=True),
        _read_only("position", N_("No."), FieldType.INTEGER),
        _read_only("external_id", N_("Channel line")),
        _read_only("seller_code", N_("Seller's code")),
        _read_only("sku_id", N_("SKU"), FieldType.REFERENCE, target="catalog.sku", is_filterable=True),
        _read_only("title", N_("Title")),
        _read_only("quantity", N_("Ordered"), FieldType.QUANTITY),
        _read_only("reserved", N_("Reserved"), FieldType.QUANTITY),
        _read_only("shipped", N_("Shipped units"), FieldType.QUANTITY),
        _read_only("cancelled", N_("Cancelled"), FieldType.QUANTITY),
        _read_only("unit_price", N_("Unit price"), FieldType.MONEY),
        _read_only("paid_amount", N_("Paid amount"), FieldType.MONEY),
        _read_only("channel_state", N_("State on the channel")),
        _read_only("refund_state", N_("Refund"), FieldType.CHOICE, choices=LINE_REFUNDS),
        _read_only("is_gift", N_("Gift"), FieldType.BOOLEAN),
    ),
    list_fields=("order_id", "seller_code", "title", "quantity", "reserved", "shipped", "paid_amount", "refund_state"),
    title_field="title",
    menu="",
    empty=N_("No lines."),
)

REFUND = EntityType(
    key="orders.refund",
    parent=("orders.order", "order_id"),
    resource="refunds",
    model=Refund,
    label=N_("Refund"),
    label_plural=N_("Refunds"),
    area="orders",
    fields=(
        _read_only("external_id", N_("Channel number"), is_filterable=True),
        _read_only("order_id", N_("Order"), FieldType.REFERENCE, target="orders.order", is_filterable=True),
        _read_only("shop_id", N_("Shop"), FieldType.REFERENCE, target="channels.shop", is_filterable=True),
        _read_only(
            "state",
            N_("State"),
            FieldType.CHOICE,
            is_filterable=True,
            choices=(
                Choice("requested", N_("Requested"), "warn"),
                Choice("refused", N_("Refused")),
                Choice("closed", N_("Closed")),
                Choice("done", N_("Refunded"), "bad"),
            ),
        ),
        _read_only("kind", N_("Kind"), FieldType.CHOICE, choices=REFUND_KINDS),
        _read_only("amount", N_("Amount"), FieldType.MONEY, currency_key="currency"),
        _read_only("currency", N_("Currency")),
        _read_only("reason", N_("Reason")),
        _read_only("channel_modified_at", N_("Changed on the channel"), FieldType.DATETIME),
    ),
    list_fields=("external_id", "order_id", "shop_id", "state", "kind", "amount", "reason", "channel_modified_at"),
    card_fields=("external_id", "order_id", "shop_id", "state", "amount", "channel_modified_at"),
    title_field="external_id",
    queues=(
        Queue("requested", N_("To decide"), {"field": "state", "op": "eq", "value": "requested"}, "warn"),
        Queue("all", N_("All"), None),
    ),
    menu="orders",
    icon="arrow-back-up",
    empty=N_("No buyer has asked for a refund."),
)

TAG = EntityType(
    key="orders.tag",
    resource="order-tags",
    model=OrderTag,
    label=N_("Order tag"),
    label_plural=N_("Order tags"),
    area="orders",
    fields=(
        Field("name", N_("Name"), is_required=True, max_length=40, is_filterable=True, is_sortable=True),
        Field(
            "kind",
            N_("Colour"),
            FieldType.CHOICE,
            default="neutral",
            choices=tuple(
                Choice(kind, label, kind)
                for kind, label in (
                    ("neutral", N_("Grey")),
                    ("info", N_("Blue")),
                    ("progress", N_("Violet")),
                    ("warn", N_("Amber")),
                    ("ok", N_("Green")),
                    ("bad", N_("Red")),
                )
            ),
        ),
    ),
    list_fields=("name", "kind"),
    form_fields=("name", "kind"),
    title_field="name",
    default_sort=("name", "asc"),
    search_fields=("name",),
    create=creator(OrderTag),
    update=updater(OrderTag),
    delete=deleter(OrderTag),
    menu="settings",
    empty=N_("Tags mark orders for your own purposes, such as VIP or gift."),
)

ENTITIES = (ORDER, LINE, REFUND, TAG)
