"""API tokens: keys for programs, bound to one membership of one tenant.

A token reads `olt_<tenant>_<secret>`; the tenant in it only says where to look, since row-level security lets nobody search all tenants.
It may do what its scopes and its member's roles both allow at that moment, so taking a role away also takes it from the member's tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from core.kernel.errors import Denied, Invalid, NotFound
from core.runtime.security.keyring import tenant_id_of
from core.runtime.security.models import ApiToken, FabUser, Membership, digest, new_secret
from core.runtime.security.permissions import Rights

MARK = "olt_"
TOUCH_EVERY = timedelta(minutes=1)
LONGEST = timedelta(days=366)
_FORM = re.compile(r"olt_([0-9a-z]{1,7})_([A-Za-z0-9_-]{43})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class TokenUnknown(NotFound):
    """There is no such token."""

    code = "security.token_unknown"


class ScopeDenied(Denied):
    """A token cannot be given rights that you do not have."""

    code = "security.scope_denied"


@dataclass(frozen=True, slots=True)
class NewToken:
    """What a token is made of: a name, permission keys (at least one), and its end within a year; None: valid until it is revoked."""

    title: str
    scopes: Sequence[str]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """A valid token and what it may do now."""

    token_id: UUID
    title: str
    user_id: int
    permissions: frozenset[str]
    last_used_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Whether the time last used should be written again."""
        return self.last_used_at is None or now - self.last_used_at >= TOUCH_EVERY


def tenant_in(token: str) -> int | None:
    """The id of the tenant that the token names, or None when this is no token of ours. Says nothing about its being valid."""
    match = _FORM.fullmatch(token)
    return int(match[1], 36) if match and int(match[1], 36) < 2**31 else None


def create_token(session: Session, rights: Rights, new: NewToken, *, user_id: int, now: datetime) -> tuple[ApiToken, str]:
    """Make a token for the member `user_id`. Returns its row and its text, which is shown once and not stored.

    Raises: Invalid (title, scopes, expires_at), ScopeDenied - the member lacks one of the permissions.
    """
    standing = rights.standing(session, user_id)
    held = standing.permissions if standing is not None else frozenset()
    if standing is None or set(new.scopes) - held:
        raise ScopeDenied(permissions=sorted(set(new.scopes) - held))
    title = new.title.strip()
    if not 0 < len(title) <= 60:
        raise Invalid("A token needs a name of at most 60 characters.", field="title")
    if not new.scopes:
        raise Invalid("Choose at least one permission.", field="scopes")
    if new.expires_at is not None and not now < new.expires_at <= now + LONGEST:
        raise Invalid("The end must lie within the coming year.", field="expires_at")
    text = f"{MARK}{_base36(tenant_id_of(session))}_{new_secret()}"
    token = ApiToken(
        membership_id=standing.membership_id,
        title=title,
        prefix=text[: len(text) - 43 + 4],
        token_hash=digest(text),
        scopes=sorted(set(new.scopes)),
        expires_at=new.expires_at,
    )
    session.add(token)
    session.flush()
    return token, text


def find_holder(session: Session, rights: Rights, text: str, *, now: datetime, epoch: int | None = None) -> TokenHolder | None:
    """Who `text` acts for, in the session's tenant; None when it is unknown, revoked, expired, or its member is switched off."""
    row = session.execute(
        select(ApiToken.id, ApiToken.title, ApiToken.scopes, ApiToken.last_used_at, Membership.user_id)
        .join(Membership, Membership.id == ApiToken.membership_id)
        .join(FabUser, FabUser.id == Membership.user_id)
        .where(
            ApiToken.token_hash == digest(text),
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
            FabUser.active,
        )
    ).one_or_none()
    if row is None:
        return None
    standing = rights.standing(session, row.user_id, epoch=epoch)
    if standing is None:
        return None
    return TokenHolder(row.id, row.title, row.user_id, standing.permissions & frozenset(row.scopes), row.last_used_at)


def touch_token(session: Session, token_id: UUID, *, now: datetime) -> None:
    """Write the time last used, unless another request has done so within the minute."""
    session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - TOUCH_EVERY))
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


def tokens(session: Session, *, user_id: int | None = None) -> list[tuple[ApiToken, str]]:
    """Tokens that are not revoked, with their member's name, newest first; with `user_id` only that member's."""
    statement = (
        select(ApiToken, FabUser.first_name)
        .join(Membership, Membership.id == ApiToken.membership_id)
        .join(FabUser, FabUser.id == Membership.user_id)
        .where(ApiToken.revoked_at.is_(None))
        .order_by(ApiToken.id.desc())
    )
    if user_id is not None:
        statement = statement.where(Membership.user_id == user_id)
    return [(row[0], row[1]) for row in session.execute(statement)]


def revoke_token(session: Session, token_id: UUID, *, now: datetime, user_id: int | None = None) -> None:
    """Make a token useless at once; with `user_id` only one of that member's. Raises TokenUnknown."""
    statement = select(ApiToken).join(Membership, Membership.id == ApiToken.membership_id).where(ApiToken.id == token_id)
    if user_id is not None:
        statement = statement.where(Membership.user_id == user_id)
    token = session.scalars(statement).one_or_none()
    if token is None:
        raise TokenUnknown(token_id=token_id)
    token.revoked_at = token.revoked_at or now
    session.flush()


def _base36(number: int) -> str:
    text = ""
    while True:
        number, rest = divmod(number, 36)
        text = _DIGITS[rest] + text
        if not number:
            return text
