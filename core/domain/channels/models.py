"""Tables of channels: shops, verbatim documents, cursors, pushes and values that nobody has mapped yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from core.runtime.db.base import (
    JSON,
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


class Shop(Base, TenantOwned, Versioned, Extensible):
    """A place where orders come from. `marketplace` is the plugin that talks to it, empty for one's own shop, phone or files.

    `stock_share` is the percentage of free stock shown there, `stock_fixed` a fixed level instead, `stock_safety` units kept back.
    """

    __tablename__ = "shop"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_unique("code"),
        tenant_unique("marketplace", "instance", name="uq_shop_instance", where="marketplace <> ''"),
        CheckConstraint("stock_share BETWEEN 0 AND 100", name="stock_share"),
        CheckConstraint("stock_safety >= 0", name="stock_safety"),
    )

    code: Mapped[str]
    title: Mapped[str]
    marketplace: Mapped[str] = mapped_column(server_default=text("''"))
    instance: Mapped[str] = mapped_column(server_default=text("''"))
    currency: Mapped[str]
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    pulls_orders: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    pushes_stock: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    pushes_shipments: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    stock_share: Mapped[int] = mapped_column(Integer, server_default=text("100"))
    stock_fixed: Mapped[int | None] = mapped_column(Integer)
    stock_safety: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    carriers: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))

    def __repr__(self) -> str:
        return self.title


class Cursor(Base, TenantOwned, Timestamped):
    """Up to when a stream (orders, refunds, reconciliation) of a shop has been read completely."""

    __tablename__ = "channel_cursor"
    __table_args__ = tenant_table(tenant_unique("shop_id", "stream"), tenant_ref("shop_id", "shop", ondelete="CASCADE"))

    shop_id: Mapped[UUID]
    stream: Mapped[str]
    watermark: Mapped[datetime]


class SyncRun(Base, TenantOwned, Extensible):
    """One pull, push or reconciliation and how it went; the sync page's log."""

    __tablename__ = "channel_sync_run"
    __table_args__ = tenant_table(
        tenant_ref("shop_id", "shop", ondelete="CASCADE"),
        tenant_index("ix_channel_sync_run_shop", "shop_id", "started_at"),
    )

    shop_id: Mapped[UUID]
    stream: Mapped[str]
    cause: Mapped[str] = mapped_column(server_default=text("'schedule'"))
    state: Mapped[str] = mapped_column(server_default=text("'running'"))
    window_start: Mapped[datetime | None]
    window_end: Mapped[datetime | None]
    counts: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    error_code: Mapped[str] = mapped_column(server_default=text("''"))
    error_text: Mapped[str] = mapped_column(server_default=text("''"))
    started_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    ended_at: Mapped[datetime | None]


class InboundDocument(Base, TenantOwned, Extensible):
    """A document exactly as the channel sent it, once per (shop, kind, external id, revision).

    `state`: stored, applied, unchanged, parked (waits for a mapping or a repair) or refused; `cause` groups what is parked.
    """

    __tablename__ = "channel_document"
    __table_args__ = tenant_table(
        tenant_unique("shop_id", "kind", "external_id", "revision"),
        tenant_ref("shop_id", "shop", ondelete="CASCADE"),
        tenant_index("ix_channel_document_open", "state", "received_at", where="state IN ('stored', 'parked')"),
        tenant_index("ix_channel_document_external", "external_id"),
    )

    shop_id: Mapped[UUID]
    kind: Mapped[str]
    external_id: Mapped[str]
    revision: Mapped[str]
    modified_at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    sealed: Mapped[bytes]
    state: Mapped[str] = mapped_column(server_default=text("'stored'"))
    cause: Mapped[str] = mapped_column(server_default=text("''"))
    detail: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    order_id: Mapped[UUID | None]


class UnmappedValue(Base, TenantOwned, Timestamped, Extensible):
    """A value of a channel that has no meaning here yet (a SKU, a carrier); mapping it once releases all that waits."""

    __tablename__ = "channel_unmapped"
    __table_args__ = tenant_table(tenant_unique("shop_id", "kind", "value"), tenant_ref("shop_id", "shop", ondelete="CASCADE"))

    shop_id: Mapped[UUID]
    kind: Mapped[str]
    value: Mapped[str]
    label: Mapped[str] = mapped_column(server_default=text("''"))
    affected: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    mapped_to: Mapped[str] = mapped_column(server_default=text("''"))
    mapped_at: Mapped[datetime | None]


class Push(Base, TenantOwned, Timestamped, Extensible):
    """Something told to a channel (a shipment, a stock level) and its receipt.

    `state`: waiting, sent, accepted, refused, unknown. The newest level of a SKU replaces an older one that is still waiting.
    """

    __tablename__ = "channel_push"
    __table_args__ = tenant_table(
        tenant_unique("shop_id", "kind", "reference"),
        tenant_ref("shop_id", "shop", ondelete="CASCADE"),
        tenant_index("ix_channel_push_open", "state", "updated_at", where="state IN ('waiting', 'refused', 'unknown')"),
        tenant_index("ix_channel_push_order", "order_id"),
    )

    shop_id: Mapped[UUID]
    kind: Mapped[str]
    reference: Mapped[str]
    order_id: Mapped[UUID | None]
    body: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    code: Mapped[str] = mapped_column(server_default=text("''"))
    message: Mapped[str] = mapped_column(server_default=text("''"))
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    answered_at: Mapped[datetime | None]
