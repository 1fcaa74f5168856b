"""Roles of a tenant: the seeds, and those that its administrators make.

Nobody can make a role stronger than themselves. Functions work in the session's tenant and never commit; `by` is the set of permissions of
whoever acts, None for the system.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.errors import Conflict, Denied, Invalid, NotFound
from core.runtime.security.models import MembershipRole, Role
from core.runtime.security.permissions import SEED_ROLES, Rights, expand
from core.runtime.tenancy.models import SLUG_PATTERN, Tenant
from core.runtime.tenancy.scope import Actor, Scope, tenant_scope
from core.runtime.tenancy.session import bind_scope

CODE_PATTERN = re.compile(r"[a-z][a-z0-9-]{0,39}")


class RoleUnknown(NotFound):
    """There is no such role."""

    code = "security.role_unknown"


class RoleTaken(Conflict):
    """There is a role with this code already."""

    code = "security.role_taken"


class RoleFixed(Conflict):
    """This role comes with every business and cannot be deleted or given other rights."""

    code = "security.role_fixed"


class RoleInUse(Conflict):
    """Some members still have this role."""

    code = "security.role_in_use"


class GrantDenied(Denied):
    """You cannot give rights that you do not have."""

    code = "security.grant_denied"


class TenantTaken(Conflict):
    """There is a business with this short name already."""

    code = "security.tenant_taken"


@dataclass(frozen=True, slots=True)
class TenantPlan:
    """What a new tenant is to be. `locale` and `timezone` hold for members who chose none."""

    slug: str
    name: str
    currency: str = "CNY"
    locale: str = "zh"
    timezone: str = "Asia/Shanghai"
    is_demo: bool = False


def create_tenant(session: Session, plan: TenantPlan) -> Scope:
    """Make a tenant with its seed roles, in a session of `Database.platform()` that has touched no tenant; the session then belongs to it.

    Returns the scope to work in; members are added inside `tenant_scope(scope)`. Raises Invalid, TenantTaken.
    """
    slug, name = plan.slug, plan.name.strip()
    if not re.fullmatch(SLUG_PATTERN.strip("^$"), slug):
        raise Invalid("A short name has 2 to 40 letters a-z, digits and dashes, and begins with a letter.", field="slug")
    if not name:
        raise Invalid("A business needs a name.", field="name")
    if session.scalars(select(Tenant.id).where(Tenant.slug == slug)).one_or_none() is not None:
        raise TenantTaken(slug=slug)
    if re.fullmatch(r"[A-Z]{3}", plan.currency) is None:
        raise Invalid("A currency is three capital letters.", field="currency")
    if plan.timezone not in available_timezones():
        raise Invalid("There is no such time zone; they have names such as Europe/Berlin.", field="timezone")
    tenant = Tenant(slug=slug, name=name, currency=plan.currency, locale=plan.locale, timezone=plan.timezone, is_demo=plan.is_demo)
    session.add(tenant)
    session.flush()
    scope = Scope(tenant_id=tenant.id, slug=slug, actor=Actor())
    with tenant_scope(scope):
        bind_scope(session, scope)
        seed_roles(session)
    return scope


def seed_roles(session: Session) -> None:
    """Add the seed roles that the tenant lacks and bring the rights of the others up to date; titles stay as they are."""
    held = {role.code: role for role in session.scalars(select(Role).where(Role.is_seed))}
    for seed in SEED_ROLES:
        role = held.get(seed.code)
        if role is None:
            session.add(Role(code=seed.code, title=seed.title, patterns=list(seed.patterns), is_seed=True))
        elif role.patterns != list(seed.patterns):
            role.patterns = list(seed.patterns)
    session.flush()


def roles(session: Session) -> list[tuple[Role, int]]:
    """All roles with the number of members who have them; seeds first."""
    rows = session.execute(
        select(Role, func.count(MembershipRole.id))
        .outerjoin(MembershipRole, MembershipRole.role_id == Role.id)
        .group_by(Role.tenant_id, Role.id)
        .order_by(Role.is_seed.desc(), Role.id)
    )
    return [(row[0], row[1]) for row in rows]


def get_role(session: Session, role_id: UUID) -> Role:
    """The role with this id. Raises RoleUnknown."""
    role = session.scalars(select(Role).where(Role.id == role_id)).one_or_none()
    if role is None:
        raise RoleUnknown(role=str(role_id))
    return role


def create_role(
    session: Session, rights: Rights, *, code: str, title: str, patterns: Sequence[str], by: frozenset[str] | None = None
) -> Role:
    """Add a role. Raises Invalid (code, title, permissions), RoleTaken, GrantDenied."""
    if not CODE_PATTERN.fullmatch(code):
        raise Invalid("A code has 1 to 40 letters a-z, digits and dashes, and begins with a letter.", field="code")
    clean = _checked(session, rights, title, patterns)
    check_grant(session, rights, [clean], by=by)
    _check_added(rights, clean, by=by)
    if session.scalars(select(Role.id).where(Role.code == code)).one_or_none() is not None:
        raise RoleTaken(field="code", role=code)
    role = Role(code=code, title=title.strip(), patterns=clean, is_seed=False)
    session.add(role)
    session.flush()
    return role


def change_role(
    session: Session, rights: Rights, role_id: UUID, *, title: str, patterns: Sequence[str], by: frozenset[str] | None = None
) -> Role:
    """Rename a role or give it other permissions. Raises RoleUnknown, RoleFixed (permissions of a seed), Invalid, GrantDenied."""
    role = get_role(session, role_id)
    clean = _checked(session, rights, title, patterns, known=role.patterns)
    if role.is_seed and rights.expand(session, clean) != rights.expand(session, role.patterns):
        raise RoleFixed(role=role.code)
    if not role.is_seed:
        check_grant(session, rights, [role.patterns, clean], by=by)
        _check_added(rights, set(clean) - set(role.patterns), by=by)
        role.patterns = clean
    role.title = title.strip()
    session.flush()
    return role


def delete_role(session: Session, rights: Rights, role_id: UUID, *, by: frozenset[str] | None = None) -> None:
    """Delete a role that nobody has. Raises RoleUnknown, RoleFixed, RoleInUse, GrantDenied."""
    role = get_role(session, role_id)
    if role.is_seed:
        raise RoleFixed(role=role.code)
    check_grant(session, rights, [role.patterns], by=by)
    users = session.scalars(select(func.count(MembershipRole.id)).where(MembershipRole.role_id == role.id)).one()
    if users:
        raise RoleInUse(role=role.code, members=users)
    session.delete(role)
    session.flush()


def check_grant(session: Session, rights: Rights, patterns: Iterable[Sequence[str]], *, by: frozenset[str] | None) -> None:
    """Refuse rights that the giver lacks, each item of `patterns` being one role's. Raises GrantDenied."""
    if by is None:
        return
    for one in patterns:
        above = rights.expand(session, one) - by
        if above:
            raise GrantDenied(permissions=sorted(above))


def _check_added(rights: Rights, patterns: Iterable[str], *, by: frozenset[str] | None) -> None:
    """Refuse a pattern that would give more than the giver has once further plugins are switched on. Raises GrantDenied."""
    if by is None:
        return
    above = expand([pattern for pattern in patterns if not pattern.startswith("!")], (one.key for one in rights.registry)) - by
    if above:
        raise GrantDenied(permissions=sorted(above))


def _checked(session: Session, rights: Rights, title: str, patterns: Sequence[str], *, known: Sequence[str] = ()) -> list[str]:
    if not 0 < len(title.strip()) <= 60:
        raise Invalid("A role needs a name of at most 60 characters.", field="title")
    fresh = set(patterns) - set(known)
    usable = set(rights.usable_keys(session)) if fresh else set()
    for pattern in fresh:
        plain = pattern.removeprefix("!")
        if "*" not in plain and plain not in rights.registry and plain not in usable:
            raise Invalid("There is no such permission.", field="permissions", permission=pattern)
    return sorted(set(patterns), key=lambda pattern: (pattern.startswith("!"), pattern))
