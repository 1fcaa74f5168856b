"""Accounts: making them, their passwords, their reset links. An account exists once for all tenants; sessions here have no tenant.

Functions take a session of `Database.platform()` and never commit. Whatever ends sign-ins counts the account's epoch up: sessions and
tokens of the older epoch are refused at their next request in every process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from core.kernel.errors import Conflict, Denied, Invalid, NotFound
from core.runtime.security.models import Account, FabUser, LoginSession, PasswordReset, SecurityEvent, digest, new_secret
from core.runtime.security.passwords import check_password, hash_password, verify_password

RESET_VALID_FOR = timedelta(minutes=30)
MAX_EMAIL = 254
USERNAME = re.compile(r"[a-z][a-z0-9.-]{1,39}")


class AccountUnknown(NotFound):
    """There is no such account."""

    code = "security.account_unknown"


class AccountTaken(Conflict):
    """There is an account with this e-mail address or user name already."""

    code = "security.account_taken"


class EmailInvalid(Invalid):
    """This is not an e-mail address."""

    code = "security.email_invalid"


class PasswordWrong(Denied):
    """The present password is not right."""

    code = "security.password_wrong"


class LinkGone(NotFound):
    """This link has been used already, or its time is up."""

    code = "security.link_gone"


@dataclass(frozen=True, slots=True)
class Person:
    """An account as the rest of the program sees it. `locale` and `timezone` are empty when the person chose none."""

    user_id: int
    email: str
    username: str
    name: str
    is_active: bool
    is_operator: bool
    must_change: bool
    epoch: int
    locale: str
    timezone: str


PERSON_COLUMNS = (
    FabUser.id.label("user_id"),
    FabUser.email,
    FabUser.username,
    FabUser.first_name,
    FabUser.last_name,
    FabUser.active,
    Account.is_operator,
    Account.must_change,
    Account.epoch,
    Account.locale,
    Account.timezone,
)


def person_from(row: Any) -> Person:
    """A Person from a row that holds PERSON_COLUMNS."""
    return Person(
        user_id=row.user_id,
        email=row.email,
        username=row.username,
        name=full_name(row.first_name, row.last_name),
        is_active=bool(row.active),
        is_operator=row.is_operator,
        must_change=row.must_change,
        epoch=row.epoch,
        locale=row.locale,
        timezone=row.timezone,
    )


def full_name(first: str, last: str) -> str:
    """The name as it is shown; `ab_user` keeps it in two columns, and Orderloom fills only the first."""
    return f"{first} {last}".strip()


def clean_email(text: str) -> str:
    """The address in lower case. Raises EmailInvalid."""
    email = text.strip().lower()
    local, at, domain = email.rpartition("@")
    if not (local and at and "." in domain.strip(".")) or len(email) > MAX_EMAIL or any(c.isspace() or not c.isprintable() for c in email):
        raise EmailInvalid(field="email")
    return email


def _people() -> Select[Any]:
    return select(*PERSON_COLUMNS).join(Account, Account.user_id == FabUser.id)


def find_person(session: Session, login: str) -> Person | None:
    """The account with this e-mail address or user name, in any spelling of letters; active or not."""
    name = login.strip().lower()
    row = session.execute(_people().where(or_(FabUser.username == name, FabUser.email == name)).order_by(FabUser.id)).first()
    return person_from(row) if row is not None else None


def get_person(session: Session, user_id: int) -> Person:
    """The account with this id. Raises AccountUnknown."""
    row = session.execute(_people().where(FabUser.id == user_id)).one_or_none()
    if row is None:
        raise AccountUnknown(user_id=user_id)
    return person_from(row)


def people(session: Session) -> list[Person]:
    """All accounts by e-mail address; for the operator."""
    return [person_from(row) for row in session.execute(_people().order_by(FabUser.email))]


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account is made of. `must_change`: somebody else chose the password, so it is good for one sign-in only.

    `username` is a short name to sign in with; empty takes the e-mail address.
    """

    email: str
    name: str
    password: str = field(repr=False)
    username: str = ""
    is_operator: bool = False
    must_change: bool = False


def create_account(session: Session, new: NewAccount) -> Person:
    """Make an account. Raises EmailInvalid, AccountTaken, Invalid (name, username), PasswordWeak."""
    email = clean_email(new.email)
    name = " ".join(new.name.split())
    username = new.username.strip().lower() or email
    if not 0 < len(name) <= 64:
        raise Invalid("A name has 1 to 64 characters.", field="name")
    if username != email and not USERNAME.fullmatch(username):
        raise Invalid("A user name has 2 to 40 letters a-z, digits, dots and dashes, and begins with a letter.", field="username")
    if find_person(session, email) is not None or find_person(session, username) is not None:
        raise AccountTaken(email=email)
    good = check_password(new.password, context=(email, name, username))
    user = FabUser(first_name=name, last_name="", username=username, email=email, active=True, password=hash_password(good))
    session.add(user)
    session.flush()
    session.add(Account(user_id=user.id, is_operator=new.is_operator, must_change=new.must_change))
    session.flush()
    return get_person(session, user.id)


def stored_hash(session: Session, user_id: int) -> str | None:
    """The stored password hash; None for no account, no password or a switched-off account."""
    row = session.execute(select(FabUser.password, FabUser.active).where(FabUser.id == user_id)).one_or_none()
    return row.password if row is not None and row.active else None


def set_password(session: Session, user_id: int, password: str, *, now: datetime, must_change: bool = False) -> int:
    """Give the account a new password; all its sign-ins end. Returns the new epoch. Raises AccountUnknown, PasswordWeak."""
    person = get_person(session, user_id)
    good = check_password(password, context=(person.email, person.name))
    session.execute(
        update(FabUser).where(FabUser.id == user_id).values(password=hash_password(good)).execution_options(synchronize_session=False)
    )
    return _end_sign_ins(session, user_id, must_change=must_change, password_changed_at=now)


def change_password(session: Session, user_id: int, *, current: str, new: str, now: datetime, keep: LoginSession | None = None) -> None:
    """Change one's own password; all sign-ins end but the one in `keep`. Raises PasswordWrong, PasswordWeak."""
    if not verify_password(stored_hash(session, user_id), current):
        raise PasswordWrong(field="current")
    epoch = set_password(session, user_id, new, now=now)
    if keep is not None:
        keep.epoch = epoch
    record_event(session, "password_changed", user_id)


def end_all_sign_ins(session: Session, user_id: int) -> None:
    """End every sign-in of the account, on all devices."""
    _end_sign_ins(session, user_id)
    record_event(session, "signed_out_everywhere", user_id)


def switch_account(session: Session, user_id: int, *, is_active: bool) -> None:
    """Let the account sign in, or no longer; switching it off ends all its sign-ins. Raises AccountUnknown."""
    get_person(session, user_id)
    session.execute(update(FabUser).where(FabUser.id == user_id).values(active=is_active).execution_options(synchronize_session=False))
    _end_sign_ins(session, user_id)
    record_event(session, "switched_on" if is_active else "switched_off", user_id)


def set_preferences(session: Session, user_id: int, *, locale: str | None = None, timezone: str | None = None) -> None:
    """Remember what the person prefers; what is None stays."""
    values = {name: value for name, value in (("locale", locale), ("timezone", timezone)) if value is not None}
    if values:
        session.execute(update(Account).where(Account.user_id == user_id).values(**values).execution_options(synchronize_session=False))


def make_reset_link(session: Session, user_id: int, *, now: datetime) -> str:
    """The secret part of a link with which the account gets a new password, once and within 30 minutes. Older links stop working."""
    session.execute(
        update(PasswordReset)
        .where(PasswordReset.user_id == user_id, PasswordReset.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    secret = new_secret()
    session.add(PasswordReset(token_hash=digest(secret), user_id=user_id, created_at=now, expires_at=now + RESET_VALID_FOR))
    session.flush()
    record_event(session, "reset_asked", user_id)
    return secret


def reset_is_open(session: Session, secret: str, *, now: datetime) -> bool:
    """Whether the link can still be used."""
    row = session.get(PasswordReset, digest(secret))
    return row is not None and row.used_at is None and row.expires_at > now


def use_reset_link(session: Session, secret: str, *, password: str, now: datetime) -> int:
    """Set a new password by link; all sign-ins end. Returns the account's id. Raises LinkGone, PasswordWeak (the link stays usable)."""
    user_id = session.execute(
        update(PasswordReset)
        .where(PasswordReset.token_hash == digest(secret), PasswordReset.used_at.is_(None), PasswordReset.expires_at > now)
        .values(used_at=now)
        .returning(PasswordReset.user_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if user_id is None:
        raise LinkGone
    set_password(session, user_id, password, now=now)
    record_event(session, "password_reset", user_id)
    return int(user_id)


def record_event(session: Session, kind: str, user_id: int | None, *, address: str = "", agent: str = "") -> None:
    """Note what happened to an account; the platform's counterpart of a tenant's audit trail."""
    session.add(SecurityEvent(kind=kind, user_id=user_id, address=address, agent=agent[:200]))
    session.flush()


def _end_sign_ins(session: Session, user_id: int, **values: Any) -> int:
    return int(
        session.execute(
            update(Account)
            .where(Account.user_id == user_id)
            .values(epoch=Account.epoch + 1, **values)
            .returning(Account.epoch)
            .execution_options(synchronize_session=False)
        ).scalar_one()
    )
