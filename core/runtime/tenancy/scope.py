"""The tenant scope: who works for which tenant, for the length of one unit of work.

Without an open scope every statement that touches a tenant's table raises `ScopeMissing`; a session that has begun in one scope refuses to
go on in another, because rows already loaded would be returned unfiltered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from core.kernel.errors import Conflict, OrderloomError
from core.kernel.ids import new_id


class ScopeMissing(OrderloomError):
    """No tenant scope is open."""

    code = "tenancy.scope_missing"


class ScopeChanged(Conflict):
    """A unit of work belongs to one tenant and cannot change it."""

    code = "tenancy.scope_changed"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `kind` is user, token, plugin, workflow or system; `id` identifies it, `label` is what people read."""

    kind: str = "system"
    id: str = ""
    label: str = "system"


SYSTEM = Actor()


@dataclass(frozen=True, slots=True)
class Scope:
    """One tenant, one actor, one trace id that follows everything this unit of work causes."""

    tenant_id: int
    slug: str
    actor: Actor = SYSTEM
    trace: str = field(default_factory=lambda: new_id().hex)


_current: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


def current_scope() -> Scope | None:
    """The open scope, or None."""
    return _current.get()


def require_scope() -> Scope:
    """The open scope. Raises ScopeMissing - none is open."""
    scope = _current.get()
    if scope is None:
        raise ScopeMissing
    return scope


@contextmanager
def tenant_scope(scope: Scope) -> Iterator[Scope]:
    """Open `scope` for the block. Raises ScopeChanged - another tenant's scope is open already."""
    outer = _current.get()
    if outer is not None and outer.tenant_id != scope.tenant_id:
        raise ScopeChanged(open=outer.slug, wanted=scope.slug)
    token = _current.set(scope)
    try:
        yield scope
    finally:
        _current.reset(token)


@contextmanager
def no_scope() -> Iterator[None]:
    """Close the scope for the block; only process roots (web request, worker loop, tests) may need this."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def set_scope(scope: Scope | None) -> None:
    """Set the scope for the rest of this context; for request hooks, which cannot use a block."""
    _current.set(scope)
