"""Accounts, sign-ins and one-time links of the platform; members, roles, invitations and tokens of a tenant.

An account is a row of Flask-AppBuilder's `ab_user` and one of `account`; it exists once for all tenants. What it may do in a tenant follows
from its membership and the roles of that membership. Secrets that people carry (session, link, token) are stored as SHA-256 only: they
are 256 random bits, so a slow hash would add nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.kernel.ids import new_id
from core.runtime.db.base import Base, FabUser, TenantOwned, Timestamped, Versioned, tenant_index, tenant_ref, tenant_table, tenant_unique

__all__ = [
    "Account",
    "ApiToken",
    "FabUser",
    "Invitation",
    "LoginSession",
    "LoginThrottle",
    "Membership",
    "MembershipRole",
    "PasswordReset",
    "Role",
    "SecurityEvent",
    "digest",
    "new_secret",
]


def new_secret() -> str:
    """256 random bits as text that fits into addresses."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """What is stored of a secret that people carry."""
    return hashlib.sha256(secret.encode()).digest()


def _user_key(*, ondelete: str = "CASCADE", **options: Any) -> Any:
    return mapped_column(Integer, ForeignKey("ab_user.id", ondelete=ondelete), **options)


class Account(Base, Timestamped):
    """What Orderloom knows of an account beyond `ab_user`. `epoch` counts up when all its sign-ins end.

    `must_change` - the password was made by somebody else and is good for one sign-in only.
    """

    __tablename__ = "account"

    user_id: Mapped[int] = _user_key(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    is_operator: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    must_change: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    locale: Mapped[str] = mapped_column(server_default=text("''"))
    timezone: Mapped[str] = mapped_column(server_default=text("''"))
    password_changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LoginSession(Base):
    """One sign-in on one device. It counts while it is not ended, not expired, not idle, and its epoch is the account's."""

    __tablename__ = "login_session"
    __table_args__ = (Index("ix_login_session_user_id", "user_id"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=new_id)
    user_id: Mapped[int] = _user_key()
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    epoch: Mapped[int] = mapped_column(BigInteger)
    is_api: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    address: Mapped[str] = mapped_column(server_default=text("''"))
    agent: Mapped[str] = mapped_column(server_default=text("''"))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PasswordReset(Base):
    """A one-time link with which an account gets a new password."""

    __tablename__ = "password_reset"
    __table_args__ = (Index("ix_password_reset_user_id", "user_id"),)

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = _user_key()
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LoginThrottle(Base):
    """How often a key (an address, an account, a device) failed of late, and until when it has to wait."""

    __tablename__ = "login_throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime]
    next_at: Mapped[datetime]


class SecurityEvent(Base):
    """What happened to accounts outside every tenant: sign-ins, refusals, resets. `user_id` is empty when no account was meant."""

    __tablename__ = "security_event"
    __app_grant__ = "SELECT, INSERT"
    __table_args__ = (Index("ix_security_event_user_id", "user_id", "id"),)

    id: Mapped[UUID] = mapped_column(Uuid(), primary_key=True, default=new_id)
    kind: Mapped[str]
    user_id: Mapped[int | None] = _user_key(ondelete="SET NULL", nullable=True)
    address: Mapped[str] = mapped_column(server_default=text("''"))
    agent: Mapped[str] = mapped_column(server_default=text("''"))
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class Role(TenantOwned, Versioned, Base):
    """A set of permissions of a tenant, as patterns (`orders.*`, `*.read`, `!tenant.own`). Seeds can be renamed, never deleted."""

    __tablename__ = "role"
    __audited__ = True
    __table_args__ = tenant_table(tenant_unique("code"))

    code: Mapped[str]
    title: Mapped[str]
    patterns: Mapped[list[str]]
    is_seed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class Membership(TenantOwned, Versioned, Base):
    """An account's place in a tenant."""

    __tablename__ = "membership"
    __audited__ = True
    __own_rows__ = "user_id"
    __table_args__ = tenant_table(tenant_unique("user_id"), Index("ix_membership_user_id", "user_id"))

    user_id: Mapped[int] = _user_key()
    is_active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))


class MembershipRole(TenantOwned, Base):
    """A role that a member has."""

    __tablename__ = "membership_role"
    __table_args__ = tenant_table(
        tenant_unique("membership_id", "role_id"),
        tenant_ref("membership_id", "membership", ondelete="CASCADE"),
        tenant_ref("role_id", "role", ondelete="CASCADE"),
        tenant_index("ix_membership_role_role_id", "role_id"),
    )

    membership_id: Mapped[UUID]
    role_id: Mapped[UUID]


class Invitation(TenantOwned, Timestamped, Base):
    """A one-time link with which a person joins a tenant; `role_codes` are given on joining."""

    __tablename__ = "invitation"
    __audited__ = True
    __audit_secret__ = frozenset({"token_hash"})
    __table_args__ = tenant_table(tenant_unique("token_hash"))

    email: Mapped[str]
    role_codes: Mapped[list[str]]
    token_hash: Mapped[bytes]
    invited_by: Mapped[str] = mapped_column(server_default=text("''"))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiToken(TenantOwned, Timestamped, Base):
    """A key for programs. It acts for one membership and may do what its scopes and that member's roles both allow."""

    __tablename__ = "api_token"
    __audited__ = True
    __audit_secret__ = frozenset({"token_hash"})
    __table_args__ = tenant_table(
        tenant_unique("token_hash"),
        tenant_ref("membership_id", "membership", ondelete="CASCADE"),
        tenant_index("ix_api_token_membership_id", "membership_id"),
    )

    membership_id: Mapped[UUID]
    title: Mapped[str]
    prefix: Mapped[str]
    token_hash: Mapped[bytes]
    scopes: Mapped[list[str]]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
