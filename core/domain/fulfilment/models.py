"""Tables of fulfilment: shipments, what they contain, and their parcels."""

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


class Carrier(Base, TenantOwned, Versioned, Extensible):
    """A courier that the seller works with."""

    __tablename__ = "carrier"
    __audited__ = True
    __table_args__ = tenant_table(tenant_unique("code"))

    code: Mapped[str]
    name: Mapped[str]
    tracking_pattern: Mapped[str] = mapped_column(server_default=text("''"))
    tracking_url: Mapped[str] = mapped_column(server_default=text("''"))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))

    def __repr__(self) -> str:
        return self.name


class Shipment(Base, TenantOwned, Versioned, Extensible):
    """Goods of one order leaving one warehouse together. States: dispatched, cancelled, delivered."""

    __tablename__ = "shipment"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_unique("number"),
        tenant_ref("order_id", "sales_order"),
        tenant_ref("warehouse_id", "warehouse"),
        tenant_ref("carrier_id", "carrier"),
        tenant_index("ix_shipment_order", "order_id"),
        tenant_index("ix_shipment_dispatched", "dispatched_at", "id"),
        tenant_index("ix_shipment_tracking", "tracking_number", where="tracking_number <> ''"),
        CheckConstraint("state IN ('dispatched', 'delivered', 'cancelled')", name="state"),
    )

    number: Mapped[str]
    order_id: Mapped[UUID]
    warehouse_id: Mapped[UUID | None]
    carrier_id: Mapped[UUID | None]
    tracking_number: Mapped[str] = mapped_column(server_default=text("''"))
    state: Mapped[str] = mapped_column(server_default=text("'dispatched'"))
    is_partial: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    dispatched_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    delivered_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(server_default=text("''"))

    def __repr__(self) -> str:
        return self.number


class ShipmentLine(Base, TenantOwned, Extensible):
    """How many units of an order line a shipment contains."""

    __tablename__ = "shipment_line"
    __table_args__ = tenant_table(
        tenant_unique("shipment_id", "order_line_id"),
        tenant_ref("shipment_id", "shipment", ondelete="CASCADE"),
        tenant_ref("order_line_id", "order_line"),
        CheckConstraint("quantity > 0 AND quantity <> 'NaN'", name="quantity"),
    )

    shipment_id: Mapped[UUID]
    order_line_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)


class Parcel(Base, TenantOwned, Timestamped, Extensible):
    """One box of a shipment with its own tracking number."""

    __tablename__ = "parcel"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_unique("carrier_id", "tracking_number"),
        tenant_ref("shipment_id", "shipment", ondelete="CASCADE"),
        tenant_ref("carrier_id", "carrier"),
        tenant_index("ix_parcel_shipment", "shipment_id"),
    )

    shipment_id: Mapped[UUID]
    carrier_id: Mapped[UUID]
    tracking_number: Mapped[str]
    weight_g: Mapped[int | None] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer, server_default=text("1"))
