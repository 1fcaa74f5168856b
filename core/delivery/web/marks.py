"""Marks on view functions that are not for members only.

A view without a mark needs a sign-in, and inside a tenant a membership: forgetting a mark closes a page, never opens one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

PUBLIC_VIEW = "public"
ANY_TENANT = "any_tenant"
STATELESS = "stateless"
PLATFORM_ONLY = "platform_only"
TENANT_ONLY = "tenant_only"
BEFORE_CHANGE = "before_change"
ASSET = "asset"


def mark(view: View, *names: str) -> View:
    """Add marks to a view function that is not ours to decorate."""
    view.oms_marks = marks_of(view) | set(names)  # type: ignore[attr-defined]
    return view


def marks_of(view: Any) -> frozenset[str]:
    """The marks of a view function; none for None."""
    found: frozenset[str] = getattr(view, "oms_marks", frozenset())
    return found


def public(view: View) -> View:
    """Open to visitors who are not signed in. Under `/t/<slug>/` it runs in the tenant, without permissions."""
    return mark(view, PUBLIC_VIEW)


def any_tenant(view: View) -> View:
    """Public, and answers itself when there is no tenant of the address's slug; it then runs without a scope."""
    return mark(view, PUBLIC_VIEW, ANY_TENANT)


def stateless(view: View) -> View:
    """Takes nothing from cookies (a signed webhook, a sign-in for programs), so it needs no CSRF token."""
    return mark(view, STATELESS)


def platform_only(view: View) -> View:
    """Exists outside tenants only; under `/t/<slug>/` it answers 404 for every slug."""
    return mark(view, PLATFORM_ONLY)


def tenant_only(view: View) -> View:
    """Exists inside tenants only."""
    return mark(view, TENANT_ONLY)


def before_change(view: View) -> View:
    """Open to somebody who still has to change a one-time password."""
    return mark(view, BEFORE_CHANGE)


def asset(view: View) -> View:
    """Serves files that are the same for everybody: no session, no query, no tenant."""
    return mark(view, PUBLIC_VIEW, ASSET)
