"""Tables of orders. Amounts are in the order's currency; an order's own state and its channel's state stand apart."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Integer, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.runtime.db.base import (
    JSON,
    QUANTITY,
    Base,
    Extensible,
    TenantOwned,
    Timestamped,
    Versioned,
    tenant_index,
    tenant_ref,
    tenant_table,
    tenant_unique,
)

ORDER_STATES = ("placed", "paid", "approved", "allocated", "picking", "shipped", "delivered", "completed", "cancelled")
PAYMENT_STATES = ("unpaid", "deposit", "paid", "on_delivery", "partly_refunded", "refunded")
FULFILMENT_STATES = ("none", "reserved", "shipped_partly", "shipped", "delivered")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Order(Base, TenantOwned, Versioned, Extensible):
    """One order of one shop.

    `state` is ours, `channel_state` the channel's as of `channel_modified_at`. `hold_count` counts open holds, `hold_code` names the
    """

    __tablename__ = "sales_order"
    __audited__ = "order"
    __table_args__ = tenant_table(
        tenant_unique("shop_id", "external_id"),
        tenant_unique("number"),
        tenant_ref("shop_id", "shop"),
        tenant_ref("customer_id", "customer"),
        tenant_ref("replaced_by_id", "sales_order"),
        _one_of("state", ORDER_STATES),
        _one_of("payment", PAYMENT_STATES),
        _one_of("fulfilment", FULFILMENT_STATES),
        CheckConstraint("hold_count >= 0", name="hold_count"),
        CheckConstraint("paid_total <> 'NaN' AND postage <> 'NaN' AND refunded_total <> 'NaN'", name="finite"),
        tenant_index("ix_order_placed", "placed_at", "id"),
        tenant_index("ix_order_state", "state", "placed_at", "id"),
        tenant_index("ix_order_shop", "shop_id", "placed_at", "id"),
        tenant_index("ix_order_held", "hold_code", "placed_at", "id", where="hold_count > 0"),
        tenant_index("ix_order_ship_by", "ship_by", "id", where="state IN ('paid', 'approved', 'allocated', 'picking')"),
        tenant_index("ix_order_customer", "customer_id", "placed_at"),
        tenant_index("ix_order_replaces", "shop_id", "replaces", where="replaces IS NOT NULL"),
        tenant_index("ix_order_phone", "receiver_phone_blind", where="receiver_phone_blind <> ''"),
    )

    number: Mapped[str]
    shop_id: Mapped[UUID]
    external_id: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=text("'placed'"))
    payment: Mapped[str] = mapped_column(server_default=text("'unpaid'"))
    fulfilment: Mapped[str] = mapped_column(server_default=text("'none'"))
    channel_state: Mapped[str]
    channel_modified_at: Mapped[datetime]
    hold_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    hold_code: Mapped[str] = mapped_column(server_default=text("''"))
    currency: Mapped[str]
    goods_total: Mapped[Decimal] = mapped_column(server_default=text("0"))
    discount_total: Mapped[Decimal] = mapped_column(server_default=text("0"))
    postage: Mapped[Decimal] = mapped_column(server_default=text("0"))
    paid_total: Mapped[Decimal] = mapped_column(server_default=text("0"))
    refunded_total: Mapped[Decimal] = mapped_column(server_default=text("0"))
    line_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    quantity_total: Mapped[Decimal] = mapped_column(QUANTITY, server_default=text("0"))
    placed_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    ship_by: Mapped[datetime | None]
    shipped_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str] = mapped_column(server_default=text("''"))
    customer_id: Mapped[UUID | None]
    buyer_masked: Mapped[str] = mapped_column(server_default=text("''"))
    receiver_sealed: Mapped[bytes | None]
    receiver_masked: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    receiver_phone_blind: Mapped[str] = mapped_column(server_default=text("''"))
    province: Mapped[str] = mapped_column(server_default=text("''"))
    city: Mapped[str] = mapped_column(server_default=text("''"))
    buyer_note: Mapped[str] = mapped_column(server_default=text("''"))
    seller_note: Mapped[str] = mapped_column(server_default=text("''"))
    seller_flag: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    replaces: Mapped[str | None]
    replaced_by_id: Mapped[UUID | None]
    is_on_delivery: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    source: Mapped[str] = mapped_column(server_default=text("'channel'"))

    lines: Mapped[list[OrderLine]] = relationship(
        primaryjoin="Order.id == OrderLine.order_id",
        foreign_keys="OrderLine.order_id",
        order_by="OrderLine.position",
        lazy="raise",
        viewonly=True,
    )

    def __repr__(self) -> str:
        return self.number


class OrderLine(Base, TenantOwned, Timestamped, Extensible):
    """One line. `quantity` = reserved + shipped + cancelled + what is still open; all in sellable units."""

    __tablename__ = "order_line"
    __table_args__ = tenant_table(
        tenant_unique("order_id", "external_id"),
        tenant_ref("order_id", "sales_order", ondelete="CASCADE"),
        tenant_ref("sku_id", "sku"),
        tenant_index("ix_order_line_sku", "sku_id"),
        tenant_index("ix_order_line_unmatched", "external_key", where="sku_id IS NULL"),
        CheckConstraint("quantity > 0 AND quantity <> 'NaN'", name="quantity"),
        CheckConstraint("reserved >= 0 AND shipped >= 0 AND cancelled >= 0", name="not_negative"),
        CheckConstraint("reserved + shipped + cancelled <= quantity", name="within_ordered"),
    )

    order_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(Integer)
    external_id: Mapped[str]
    external_key: Mapped[str] = mapped_column(server_default=text("''"))
    seller_code: Mapped[str] = mapped_column(server_default=text("''"))
    sku_id: Mapped[UUID | None]
    title: Mapped[str] = mapped_column(server_default=text("''"))
    variant: Mapped[str] = mapped_column(server_default=text("''"))
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    reserved: Mapped[Decimal] = mapped_column(QUANTITY, server_default=text("0"))
    shipped: Mapped[Decimal] = mapped_column(QUANTITY, server_default=text("0"))
    cancelled: Mapped[Decimal] = mapped_column(QUANTITY, server_default=text("0"))
    unit_price: Mapped[Decimal] = mapped_column(server_default=text("0"))
    paid_amount: Mapped[Decimal] = mapped_column(server_default=text("0"))
    channel_state: Mapped[str]
    refund_state: Mapped[str] = mapped_column(server_default=text("'none'"))
    is_gift: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    def __repr__(self) -> str:
        return self.seller_code or self.title


class OrderHold(Base, TenantOwned):
    """A reason why an order must not move on. `facts` holds the rule, the values it saw and what would release it."""

    __tablename__ = "order_hold"
    __table_args__ = tenant_table(
        tenant_ref("order_id", "sales_order", ondelete="CASCADE"),
        tenant_unique("order_id", "code", name="uq_order_hold_open", where="released_at IS NULL"),
        tenant_index("ix_order_hold_order", "order_id"),
        tenant_index("ix_order_hold_code", "code", "placed_at", where="released_at IS NULL"),
    )

    order_id: Mapped[UUID]
    code: Mapped[str]
    facts: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    placed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    placed_by: Mapped[str] = mapped_column(server_default=text("''"))
    release_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str] = mapped_column(server_default=text("''"))
    release_note: Mapped[str] = mapped_column(server_default=text("''"))


class OrderNote(Base, TenantOwned):
    """A note that staff wrote on an order; never changed, never deleted."""

    __tablename__ = "order_note"
    __append_only__ = True
    __table_args__ = tenant_table(
        tenant_ref("order_id", "sales_order", ondelete="CASCADE"), tenant_index("ix_order_note_order", "order_id", "id")
    )

    order_id: Mapped[UUID]
    text: Mapped[str]
    author: Mapped[str]
    author_id: Mapped[str] = mapped_column(server_default="")
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())


class OrderTag(Base, TenantOwned, Timestamped, Extensible):
    """A tag that orders may bear, with its colour family."""

    __tablename__ = "order_tag"
    __audited__ = True
    __table_args__ = tenant_table(tenant_unique("name"))

    name: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default=text("'neutral'"))


class Refund(Base, TenantOwned, Timestamped, Extensible):
    """A refund or return that a buyer asked for; amounts in the order's currency."""

    __tablename__ = "order_refund"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_unique("shop_id", "external_id"),
        tenant_ref("shop_id", "shop"),
        tenant_ref("order_id", "sales_order", ondelete="CASCADE"),
        tenant_index("ix_order_refund_order", "order_id"),
        tenant_index("ix_order_refund_waiting", "shop_id", "order_external_id", where="order_id IS NULL"),
        CheckConstraint("amount >= 0 AND amount <> 'NaN'", name="amount"),
        CheckConstraint("state IN ('requested', 'refused', 'closed', 'done')", name="state"),
    )

    shop_id: Mapped[UUID]
    order_id: Mapped[UUID | None]
    order_external_id: Mapped[str]
    external_id: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default=text("'refund_only'"))
    state: Mapped[str]
    channel_state: Mapped[str] = mapped_column(server_default=text("''"))
    amount: Mapped[Decimal] = mapped_column(server_default=text("0"))
    currency: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default=text("''"))
    line_external_ids: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    channel_modified_at: Mapped[datetime]


class NumberBlock(Base, TenantOwned):
    """The next free number of a series; processes take numbers in blocks, so gaps are normal."""

    __tablename__ = "number_block"
    __table_args__ = tenant_table(tenant_unique("series"))

    series: Mapped[str]
    next_value: Mapped[int] = mapped_column(Integer, server_default=text("1"))
