"""Members of a tenant: memberships, their roles, and who may change whom.

Nobody can give what they do not have, and nobody can change a member who may do more than they. A tenant always keeps an active owner.
Functions work in the session's tenant and never commit; `by` is the set of permissions of whoever acts, None for the system.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.kernel.errors import Conflict, Denied, NotFound
from core.kernel.text.clean import fold_case
from core.runtime.security.audit import record
from core.runtime.security.keyring import tenant_id_of
from core.runtime.security.models import Account, FabUser, LoginSession, Membership, MembershipRole, Role
from core.runtime.security.permissions import Rights, expand, touch_rights
from core.runtime.security.roles import RoleUnknown, check_grant
from core.runtime.tenancy.models import Tenant

OWNING = "tenant.own"


class MemberUnknown(NotFound):
    """There is no such member."""

    code = "security.member_unknown"


class MemberTaken(Conflict):
    """This person is a member already."""

    code = "security.member_taken"


class MemberAbove(Denied):
    """This member may do more than you; only somebody with the same rights can change them."""

    code = "security.member_above"


class LastOwner(Conflict):
    """A business always needs an active owner."""

    code = "security.last_owner"


@dataclass(frozen=True, slots=True)
class Member:
    """One line of the list of members."""

    id: UUID
    user_id: int
    name: str
    email: str
    is_active: bool
    roles: tuple[str, ...]
    role_codes: tuple[str, ...]
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant that an account belongs to."""

    tenant_id: int
    slug: str
    name: str
    is_demo: bool


def places_of(session: Session, user_id: int) -> list[Place]:
    """The active tenants in which the account is an active member, by name; works inside a tenant's session and outside of one.

    Goes past the ORM filter on purpose: the policy `own_rows` lets users see their own memberships everywhere, and nothing more.
    Outside a tenant `session.info["user_id"]` has to be set before the transaction begins.
    """
    member, tenant = Membership.__table__, Tenant.__table__
    rows = session.connection().execute(
        select(tenant.c.id, tenant.c.slug, tenant.c.name, tenant.c.is_demo)
        .join(member, member.c.tenant_id == tenant.c.id)
        .where(member.c.user_id == user_id, member.c.is_active, tenant.c.is_active)
        .order_by(tenant.c.name, tenant.c.id)
    )
    return [Place(row.id, row.slug, row.name, row.is_demo) for row in rows]


def members(session: Session) -> list[Member]:
    """All members of the tenant by name, switched-off ones last."""
    newest = select(func.max(LoginSession.last_seen_at)).where(LoginSession.user_id == Membership.user_id)
    seen = newest.correlate(Membership).scalar_subquery()
    rows = session.execute(
        select(
            Membership.id,
            Membership.user_id,
            Membership.is_active,
            FabUser.first_name,
            FabUser.last_name,
            FabUser.email,
            func.coalesce(func.array_agg(Role.title).filter(Role.id.is_not(None)), []).label("roles"),
            func.coalesce(func.array_agg(Role.code).filter(Role.id.is_not(None)), []).label("codes"),
            seen.label("last_seen_at"),
        )
        .join(FabUser, FabUser.id == Membership.user_id)
        .outerjoin(MembershipRole, MembershipRole.membership_id == Membership.id)
        .outerjoin(Role, Role.id == MembershipRole.role_id)
        .group_by(Membership.tenant_id, Membership.id, FabUser.id)
        .order_by(Membership.is_active.desc(), FabUser.first_name, Membership.id)
    )
    return [
        Member(
            row.id,
            row.user_id,
            _full_name(row),
            row.email,
            row.is_active,
            tuple(sorted(row.roles)),
            tuple(sorted(row.codes)),
            row.last_seen_at,
        )
        for row in rows
    ]


def member_names(session: Session, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What to call these members, switched-off ones too, by membership; who is no member of this tenant is missing."""
    wanted = select(Membership.id, FabUser.first_name, FabUser.last_name).join(FabUser, FabUser.id == Membership.user_id)
    rows = session.execute(wanted.where(Membership.id.in_(list(ids))))
    return {row.id: _full_name(row) for row in rows}


def find_members(session: Session, text: str, *, size: int = 20) -> list[tuple[UUID, str]]:
    """Active members whose name holds the text, whatever its letters' case, by name: (membership, name)."""
    wanted = select(Membership.id, FabUser.first_name, FabUser.last_name).join(FabUser, FabUser.id == Membership.user_id)
    rows = session.execute(wanted.where(Membership.is_active).order_by(FabUser.first_name, FabUser.last_name, Membership.id))
    sought = fold_case(text.strip())
    return [(row.id, name) for row in rows if sought in fold_case(name := _full_name(row))][:size]


def _full_name(row: Any) -> str:
    return f"{row.first_name} {row.last_name}".strip()


def holders_of(session: Session, permission: str) -> list[int]:
    """The accounts of active members whose roles allow `permission`, by id; whose account is shut off is left out.

    Asks the roles alone: whether the permission's plugin is on is the caller's business.
    """
    rows = session.execute(
        select(Membership.user_id, Role.patterns)
        .join(MembershipRole, MembershipRole.membership_id == Membership.id)
        .join(Role, Role.id == MembershipRole.role_id)
        .join(FabUser, FabUser.id == Membership.user_id)
        .where(Membership.is_active, FabUser.active)
    )
    return sorted({row.user_id for row in rows if expand(row.patterns, (permission,))})


def get_membership(session: Session, membership_id: UUID) -> Membership:
    """The membership with this id. Raises MemberUnknown."""
    found = session.scalars(select(Membership).where(Membership.id == membership_id)).one_or_none()
    if found is None:
        raise MemberUnknown(membership_id=membership_id)
    return found


def roles_of(session: Session, membership_id: UUID) -> list[Role]:
    """The member's roles by title."""
    return list(
        session.scalars(
            select(Role)
            .join(MembershipRole, MembershipRole.role_id == Role.id)
            .where(MembershipRole.membership_id == membership_id)
            .order_by(Role.title)
        )
    )


def roles_by_code(session: Session, codes: Iterable[str]) -> list[Role]:
    """The roles with these codes. Raises RoleUnknown - one of them does not exist."""
    wanted = sorted(set(codes))
    found = list(session.scalars(select(Role).where(Role.code.in_(wanted)).order_by(Role.code)))
    missing = set(wanted) - {role.code for role in found}
    if missing:
        raise RoleUnknown(role=sorted(missing)[0], field="roles")
    return found


def add_member(
    session: Session, rights: Rights, user_id: int, *, role_codes: Iterable[str], by: frozenset[str] | None = None
) -> Membership:
    """Make the account a member with these roles. Raises MemberTaken, RoleUnknown, GrantDenied."""
    roles = roles_by_code(session, role_codes)
    check_grant(session, rights, (role.patterns for role in roles), by=by)
    if session.scalars(select(Membership.id).where(Membership.user_id == user_id)).one_or_none() is not None:
        raise MemberTaken(user_id=user_id)
    membership = Membership(user_id=user_id, is_active=True)
    session.add(membership)
    session.flush()
    session.add_all(MembershipRole(membership_id=membership.id, role_id=role.id) for role in roles)
    session.flush()
    record(session, "roles_changed", "membership", membership.id, {"roles": [[], [role.code for role in roles]]})
    return membership


def set_roles(
    session: Session, rights: Rights, membership_id: UUID, *, role_codes: Iterable[str], by: frozenset[str] | None = None
) -> None:
    """Give the member exactly these roles. Raises MemberUnknown, RoleUnknown, GrantDenied, MemberAbove, LastOwner."""
    touch_rights(session)  # also locks the tenant's row, so that two owners cannot remove each other at the same moment
    membership = get_membership(session, membership_id)
    before, after = roles_of(session, membership.id), roles_by_code(session, role_codes)
    _check_above(session, rights, before, by)
    check_grant(session, rights, (role.patterns for role in after), by=by)
    if {role.id for role in before} == {role.id for role in after}:
        return
    kept = {role.id for role in after}
    for link in session.scalars(select(MembershipRole).where(MembershipRole.membership_id == membership.id)):
        if link.role_id in kept:
            kept.discard(link.role_id)
        else:
            session.delete(link)
    session.add_all(MembershipRole(membership_id=membership.id, role_id=role_id) for role_id in kept)
    session.flush()
    if _may_own(session, rights, before):
        _check_owner_left(session, rights)
    changes = {"roles": [[role.code for role in before], [role.code for role in after]]}
    record(session, "roles_changed", "membership", membership.id, changes)


def switch_member(session: Session, rights: Rights, membership_id: UUID, *, is_active: bool, by: frozenset[str] | None = None) -> None:
    """Let the member in, or no longer; it takes effect at their next request. Raises MemberUnknown, MemberAbove, LastOwner."""
    touch_rights(session)
    membership = get_membership(session, membership_id)
    held = roles_of(session, membership.id)
    _check_above(session, rights, held, by)
    membership.is_active = is_active
    session.flush()
    if not is_active and _may_own(session, rights, held):
        _check_owner_left(session, rights)


def _check_above(session: Session, rights: Rights, roles: Iterable[Role], by: frozenset[str] | None) -> None:
    if by is not None and any(rights.expand(session, role.patterns) - by for role in roles):
        raise MemberAbove


def _may_own(session: Session, rights: Rights, roles: Iterable[Role]) -> bool:
    return any(OWNING in rights.expand(session, role.patterns) for role in roles)


def _check_owner_left(session: Session, rights: Rights) -> None:
    rows = session.execute(
        select(Role.patterns)
        .join(MembershipRole, MembershipRole.role_id == Role.id)
        .join(Membership, Membership.id == MembershipRole.membership_id)
        .join(FabUser, FabUser.id == Membership.user_id)
        .join(Account, Account.user_id == FabUser.id)
        .where(Membership.is_active, FabUser.active)
        .distinct()
    )
    if not any(OWNING in rights.expand(session, row.patterns) for row in rows):
        raise LastOwner(tenant=tenant_id_of(session))
