"""Tables of the catalog."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Integer, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

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

SIMPLE, KIT = "simple", "kit"


class Product(Base, TenantOwned, Versioned, Extensible):
    """What a seller offers; its sellable units are SKUs."""

    __tablename__ = "product"
    __audited__ = True
    __table_args__ = tenant_table(tenant_unique("code"), tenant_index("ix_product_title", "title"))

    code: Mapped[str]
    title: Mapped[str]
    category: Mapped[str] = mapped_column(server_default=text("''"))
    brand: Mapped[str] = mapped_column(server_default=text("''"))
    note: Mapped[str] = mapped_column(server_default=text("''"))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))

    def __repr__(self) -> str:
        return self.code


class Sku(Base, TenantOwned, Versioned, Extensible):
    """One sellable unit. A kit has no stock of its own: its components have."""

    __tablename__ = "sku"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_unique("code"),
        tenant_ref("product_id", "product"),
        tenant_index("ix_sku_product", "product_id"),
        CheckConstraint("kind IN ('simple', 'kit')", name="kind"),
        CheckConstraint("price >= 0 AND price <> 'NaN'", name="price"),
    )

    product_id: Mapped[UUID | None]
    code: Mapped[str]
    title: Mapped[str]
    variant: Mapped[str] = mapped_column(server_default=text("''"))
    kind: Mapped[str] = mapped_column(server_default=text("'simple'"))
    unit: Mapped[str] = mapped_column(server_default=text("'piece'"))
    price: Mapped[Decimal] = mapped_column(server_default=text("0"))
    currency: Mapped[str] = mapped_column(server_default=text("'CNY'"))
    weight_g: Mapped[int | None] = mapped_column(Integer)
    is_stocked: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))

    product: Mapped[Product | None] = relationship(
        primaryjoin="Sku.product_id == Product.id", foreign_keys="Sku.product_id", lazy="raise", viewonly=True
    )

    def __repr__(self) -> str:
        return self.code


class KitItem(Base, TenantOwned, Timestamped, Extensible):
    """How many of a component one kit contains."""

    __tablename__ = "kit_item"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_unique("kit_id", "component_id"),
        tenant_ref("kit_id", "sku", ondelete="CASCADE"),
        tenant_ref("component_id", "sku"),
        CheckConstraint("quantity > 0 AND quantity <> 'NaN'", name="quantity"),
        CheckConstraint("kit_id <> component_id", name="not_itself"),
    )

    kit_id: Mapped[UUID]
    component_id: Mapped[UUID]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)


class Barcode(Base, TenantOwned, Timestamped, Extensible):
    """A code that scanners read for a SKU (EAN, UPC or in-house)."""

    __tablename__ = "barcode"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_unique("code"), tenant_ref("sku_id", "sku", ondelete="CASCADE"), tenant_index("ix_barcode_sku", "sku_id")
    )

    code: Mapped[str]
    sku_id: Mapped[UUID]


class SkuAlias(Base, TenantOwned, Versioned, Extensible):
    """What a shop calls a SKU; `sku_id` empty means nobody has matched it yet (the unmatched list).

    `external_key` is the shop's own id of the unit, or its seller code where there is no id. A `is_manual` match is never
    overwritten by matching through the seller code.
    """

    __tablename__ = "sku_alias"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_unique("shop_id", "external_key"),
        tenant_ref("sku_id", "sku"),
        tenant_index("ix_sku_alias_unmatched", "shop_id", "last_seen_at", where="sku_id IS NULL"),
        tenant_index("ix_sku_alias_sku", "sku_id"),
    )

    shop_id: Mapped[UUID]
    external_key: Mapped[str]
    external_product: Mapped[str] = mapped_column(server_default=text("''"))
    external_sku: Mapped[str] = mapped_column(server_default=text("''"))
    seller_code: Mapped[str] = mapped_column(server_default=text("''"))
    title: Mapped[str] = mapped_column(server_default=text("''"))
    sku_id: Mapped[UUID | None]
    is_manual: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    seen_count: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    last_seen_at: Mapped[datetime | None]

    sku: Mapped[Sku | None] = relationship(
        primaryjoin="SkuAlias.sku_id == Sku.id", foreign_keys="SkuAlias.sku_id", lazy="raise", viewonly=True
    )
