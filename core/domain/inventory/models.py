"""Tables of inventory. `stock` is the balance that the ledger and the reservations add up to; all three change in one transaction."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from core.runtime.db.base import (
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


class Warehouse(Base, TenantOwned, Versioned, Extensible):
    """A place that holds stock. Lower `priority` numbers are asked first."""

    __tablename__ = "warehouse"
    __audited__ = True
    __table_args__ = tenant_table(tenant_unique("code"))

    code: Mapped[str]
    name: Mapped[str]
    priority: Mapped[int] = mapped_column(Integer, server_default=text("100"))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    province: Mapped[str] = mapped_column(server_default=text("''"))
    city: Mapped[str] = mapped_column(server_default=text("''"))

    def __repr__(self) -> str:
        return self.code


class Stock(Base, TenantOwned, Timestamped, Extensible):
    """How much of a SKU lies in a warehouse and how much of it is promised. Free is on_hand - reserved.

    `safety` is kept back from shops; at or below `alert_at` free units an alert is due.
    """

    __tablename__ = "stock"
    __table_args__ = tenant_table(
        tenant_unique("sku_id", "warehouse_id"),
        tenant_ref("sku_id", "sku"),
        tenant_ref("warehouse_id", "warehouse"),
        CheckConstraint("reserved >= 0 AND reserved <= on_hand AND on_hand <> 'NaN'", name="never_oversold"),
        CheckConstraint("safety >= 0 AND safety <> 'NaN'", name="safety"),
    )

    sku_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    on_hand: Mapped[Decimal] = mapped_column(QUANTITY, server_default=text("0"))
    reserved: Mapped[Decimal] = mapped_column(QUANTITY, server_default=text("0"))
    safety: Mapped[Decimal] = mapped_column(QUANTITY, server_default=text("0"))
    alert_at: Mapped[Decimal | None] = mapped_column(QUANTITY)
    is_low: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class LedgerEntry(Base, TenantOwned):
    """One change of what lies in a warehouse; the sum of all entries is `on_hand`. Never changed, never deleted."""

    __tablename__ = "stock_ledger"
    __append_only__ = True
    __table_args__ = tenant_table(
        tenant_index("ix_stock_ledger_sku", "sku_id", "warehouse_id", "id"),
        tenant_unique("reason", "reference", "sku_id", "warehouse_id", name="uq_stock_ledger_once"),
        CheckConstraint("delta <> 0 AND delta <> 'NaN'", name="delta"),
    )

    sku_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    delta: Mapped[Decimal] = mapped_column(QUANTITY)
    reason: Mapped[str]
    reference: Mapped[str]
    note: Mapped[str] = mapped_column(server_default=text("''"))
    actor: Mapped[str] = mapped_column(server_default=text("''"))
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Reservation(Base, TenantOwned, Extensible):
    """Units set aside for one owner (`line:<id>`); states: active, consumed, released."""

    __tablename__ = "reservation"
    __table_args__ = tenant_table(
        tenant_unique("owner", "sku_id", "warehouse_id"),
        tenant_ref("sku_id", "sku"),
        tenant_ref("warehouse_id", "warehouse"),
        tenant_index("ix_reservation_active", "sku_id", where="state = 'active'"),
        CheckConstraint("quantity > 0 AND quantity <> 'NaN'", name="quantity"),
        CheckConstraint("state IN ('active', 'consumed', 'released')", name="state"),
    )

    owner: Mapped[str]
    sku_id: Mapped[UUID]
    warehouse_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    state: Mapped[str] = mapped_column(server_default=text("'active'"))
    reserved_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    ended_at: Mapped[datetime | None]
