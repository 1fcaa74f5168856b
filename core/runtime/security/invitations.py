"""Inviting people into a tenant by a one-time link, and their joining."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.kernel.errors import Denied, NotFound
from core.runtime.security.accounts import LinkGone, NewAccount, Person, clean_email, create_account, find_person
from core.runtime.security.members import MemberTaken, add_member, roles_by_code
from core.runtime.security.models import Invitation, Membership, digest, new_secret
from core.runtime.security.permissions import Rights
from core.runtime.security.roles import check_grant
from core.runtime.tenancy.scope import require_scope

VALID_FOR = timedelta(days=7)


class InvitationUnknown(NotFound):
    """There is no such invitation."""

    code = "security.invitation_unknown"


class InvitationForOther(Denied):
    """This invitation is for another person."""

    code = "security.invitation_for_other"


def invite(
    session: Session, rights: Rights, *, email: str, role_codes: Iterable[str], now: datetime, by: frozenset[str] | None = None
) -> tuple[Invitation, str]:
    """Invite somebody. Returns the invitation and the secret part of its link, which is not stored. An older open one to them ends.

    Raises: EmailInvalid, RoleUnknown, GrantDenied, MemberTaken.
    """
    email = clean_email(email)
    roles = roles_by_code(session, role_codes)
    check_grant(session, rights, (role.patterns for role in roles), by=by)
    person = find_person(session, email)
    if person is not None and session.scalars(select(Membership.id).where(Membership.user_id == person.user_id)).one_or_none():
        raise MemberTaken(field="email")
    for older in open_invitations(session, now=now):
        if older.email == email:
            older.revoked_at = now
    secret = new_secret()
    invitation = Invitation(
        email=email,
        role_codes=[role.code for role in roles],
        token_hash=digest(secret),
        invited_by=require_scope().actor.label,
        expires_at=now + VALID_FOR,
    )
    session.add(invitation)
    session.flush()
    return invitation, secret


def open_invitations(session: Session, *, now: datetime) -> list[Invitation]:
    """Invitations that can still be accepted, newest first."""
    return list(
        session.scalars(
            select(Invitation)
            .where(Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now)
            .order_by(Invitation.id.desc())
        )
    )


def revoke_invitation(session: Session, invitation_id: UUID, *, now: datetime) -> None:
    """Make an invitation's link useless. Raises InvitationUnknown."""
    invitation = session.scalars(select(Invitation).where(Invitation.id == invitation_id)).one_or_none()
    if invitation is None:
        raise InvitationUnknown(invitation_id=invitation_id)
    invitation.revoked_at = invitation.revoked_at or now
    session.flush()


def get_invitation(session: Session, secret: str, *, now: datetime, lock: bool = False) -> Invitation:
    """The open invitation that `secret` belongs to. Raises LinkGone."""
    statement = select(Invitation).where(Invitation.token_hash == digest(secret))
    invitation = session.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if invitation is None or invitation.accepted_at or invitation.revoked_at or invitation.expires_at <= now:
        raise LinkGone
    return invitation


def accept_as(session: Session, rights: Rights, secret: str, *, person: Person, now: datetime) -> Membership:
    """Join with an account that exists and is signed in. Raises LinkGone, InvitationForOther, MemberTaken."""
    invitation = get_invitation(session, secret, now=now, lock=True)
    if invitation.email != person.email:
        raise InvitationForOther
    return _join(session, rights, invitation, person.user_id, now)


def accept_with_new_account(session: Session, rights: Rights, secret: str, *, name: str, password: str, now: datetime) -> Person:
    """Join with a new account for the invited address. Raises LinkGone, AccountTaken, Invalid, PasswordWeak."""
    invitation = get_invitation(session, secret, now=now, lock=True)
    person = create_account(session, NewAccount(invitation.email, name, password))
    _join(session, rights, invitation, person.user_id, now)
    return person


def _join(session: Session, rights: Rights, invitation: Invitation, user_id: int, now: datetime) -> Membership:
    membership = add_member(session, rights, user_id, role_codes=invitation.role_codes)
    invitation.accepted_at = now
    session.flush()
    return membership
