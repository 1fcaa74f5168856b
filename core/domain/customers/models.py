"""Tables of customers. Personal values are sealed; what lists and searches need stands beside them, masked or as a blind index."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.runtime.db.base import (
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


class Customer(Base, TenantOwned, Versioned, Extensible):
    """A person or company that buys. `sealed` holds name, phone, email and tax number as sealed JSON."""

    __tablename__ = "customer"
    __audited__ = True
    __table_args__ = tenant_table(
        CheckConstraint("kind IN ('person', 'company')", name="kind"),
        tenant_index("ix_customer_phone", "phone_blind", where="phone_blind <> ''"),
        tenant_index("ix_customer_email", "email_blind", where="email_blind <> ''"),
    )

    kind: Mapped[str] = mapped_column(server_default=text("'person'"))
    sealed: Mapped[bytes | None]
    name_masked: Mapped[str] = mapped_column(server_default=text("''"))
    phone_masked: Mapped[str] = mapped_column(server_default=text("''"))
    email_masked: Mapped[str] = mapped_column(server_default=text("''"))
    phone_blind: Mapped[str] = mapped_column(server_default=text("''"))
    email_blind: Mapped[str] = mapped_column(server_default=text("''"))
    note: Mapped[str] = mapped_column(server_default=text("''"))
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    is_blocked: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))

    def __repr__(self) -> str:
        return self.name_masked


class CustomerIdentity(Base, TenantOwned, Timestamped):
    """How one source (a shop, a CRM) knows a customer; the key by which buyers are recognised."""

    __tablename__ = "customer_identity"
    __table_args__ = tenant_table(
        tenant_unique("source", "external_id"),
        tenant_ref("customer_id", "customer", ondelete="CASCADE"),
        tenant_index("ix_customer_identity_customer", "customer_id"),
    )

    customer_id: Mapped[UUID]
    source: Mapped[str]
    external_id: Mapped[str]


class Address(Base, TenantOwned, Versioned, Extensible):
    """A place where a customer receives goods; street, name and phone are sealed."""

    __tablename__ = "address"
    __audited__ = True
    __table_args__ = tenant_table(
        tenant_ref("customer_id", "customer", ondelete="CASCADE"),
        tenant_index("ix_address_customer", "customer_id"),
    )

    customer_id: Mapped[UUID]
    label: Mapped[str] = mapped_column(server_default=text("''"))
    country: Mapped[str] = mapped_column(server_default=text("''"))
    province: Mapped[str] = mapped_column(server_default=text("''"))
    city: Mapped[str] = mapped_column(server_default=text("''"))
    district: Mapped[str] = mapped_column(server_default=text("''"))
    postcode: Mapped[str] = mapped_column(server_default=text("''"))
    sealed: Mapped[bytes | None]
    name_masked: Mapped[str] = mapped_column(server_default=text("''"))
    phone_masked: Mapped[str] = mapped_column(server_default=text("''"))
    street_masked: Mapped[str] = mapped_column(server_default=text("''"))
    is_default: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class Reveal(Base, TenantOwned):
    """A record that someone looked at personal values in clear, and why. Never changed, never deleted."""

    __tablename__ = "reveal"
    __append_only__ = True
    __table_args__ = tenant_table(
        tenant_index("ix_reveal_subject", "subject_type", "subject_id"), tenant_index("ix_reveal_at", "revealed_at")
    )

    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    fields: Mapped[list[str]]
    reason: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_label: Mapped[str]
    revealed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
