"""Who makes this request, in which tenant, and what they may do: found once by the resolver, asked everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from flask import g, has_request_context

from core.kernel.errors import Denied
from core.runtime.security.accounts import Person
from core.runtime.security.permissions import MEMBER, OPERATOR, PUBLIC, SIGNED_IN, Standing
from core.runtime.security.sessions import TenantFacts


class NotSignedIn(Denied):
    """Please sign in."""

    code = "security.not_signed_in"
    status = 401


class WrongTenant(Denied):
    """These credentials belong to another business."""

    code = "security.wrong_tenant"


class MustChangePassword(Denied):
    """Choose a password of your own first."""

    code = "security.must_change_password"


class How(Enum):
    """How the request proved who makes it. Only a browser's cookie is sent by itself, so only it needs the CSRF token."""

    SESSION = "session"
    JWT = "jwt"
    TOKEN = "token"  # noqa: S105 - the name of a kind


@dataclass(frozen=True, slots=True)
class Identity:
    """An authenticated person or token. `permissions` are those in the request's tenant; empty outside a tenant.

    `session_id` is the sign-in's row (not for tokens), `token_id` the API token's.
    """

    how: How
    person: Person
    permissions: frozenset[str] = frozenset()
    standing: Standing | None = None
    session_id: UUID | None = None
    token_id: UUID | None = None

    def may(self, key: str) -> bool:
        """Whether this identity has the permission `key`, or is what a mark such as MEMBER asks for."""
        if key in (PUBLIC, SIGNED_IN):
            return True
        if key == MEMBER:
            return self.standing is not None
        if key == OPERATOR:
            return self.person.is_operator and self.how is How.SESSION
        return key in self.permissions


class WebUser:
    """The identity in the shape that Flask-Login and Flask-AppBuilder expect of a user."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, person: Person) -> None:
        self.person = person
        self.id = person.user_id
        self.username = person.username
        self.email = person.email
        self.first_name = person.name
        self.last_name = ""
        self.roles: list[Any] = []
        self.groups: list[Any] = []

    def get_id(self) -> str:
        """The account's id as text; it opens nothing without a sign-in's row."""
        return str(self.id)

    def get_full_name(self) -> str:
        """The person's name."""
        return self.person.name


def current_identity() -> Identity | None:
    """Who makes this request; None for a visitor and outside a request."""
    return g.get("identity") if has_request_context() else None


def require_identity() -> Identity:
    """Who makes this request. Raises NotSignedIn."""
    identity = current_identity()
    if identity is None:
        raise NotSignedIn
    return identity


def current_tenant() -> TenantFacts | None:
    """The tenant of this request, or None."""
    return g.get("tenant") if has_request_context() else None


def can(key: str) -> bool:
    """Whether whoever makes this request has the permission `key`; also a template global."""
    identity = current_identity()
    return identity.may(key) if identity is not None else key == PUBLIC
