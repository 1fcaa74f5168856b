"""Sign-ins: one row per device, asked for at every request, so that ending one takes effect at once in every process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, Select, and_, bindparam, or_, select, text, update
from sqlalchemy.orm import Session

from core.kernel.clock import Clock, SystemClock
from core.runtime.security.accounts import PERSON_COLUMNS, Person, find_person, person_from, record_event, stored_hash
from core.runtime.security.models import Account, FabUser, LoginSession, digest, new_secret
from core.runtime.security.passwords import hash_password, needs_rehash, verify_password
from core.runtime.security.throttle import Key, Throttle, ThrottleRules
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.models import Tenant

TOUCH_EVERY = timedelta(minutes=1)
_MOMENT = DateTime(timezone=True)
_SET_USER = text("SELECT set_config('app.user', :user, true)")


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long a sign-in lasts without a request, and at all (OWASP ASVS 5.0, section 7.3)."""

    idle_for: timedelta = timedelta(minutes=60)
    valid_for: timedelta = timedelta(hours=12)


RULES = SessionRules()


@dataclass(frozen=True, slots=True)
class Device:
    """Where somebody signs in from; `is_api` marks a program that gets signed tokens instead of a cookie."""

    address: str = ""
    agent: str = ""
    is_api: bool = False


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What a request needs to know of its tenant. `epoch` counts every change of rights and plugins."""

    id: int
    slug: str
    name: str
    currency: str
    locale: str
    timezone: str
    is_demo: bool
    epoch: int


TENANT_COLUMNS = (
    Tenant.id.label("tenant_id"),
    Tenant.slug,
    Tenant.name.label("tenant_name"),
    Tenant.currency,
    Tenant.locale.label("tenant_locale"),
    Tenant.timezone.label("tenant_timezone"),
    Tenant.is_demo,
    Tenant.epoch.label("tenant_epoch"),
)


def tenant_from(row: Any) -> TenantFacts | None:
    """TenantFacts from a row that holds TENANT_COLUMNS; None when its tenant part is empty."""
    if row.tenant_id is None:
        return None
    return TenantFacts(
        id=row.tenant_id,
        slug=row.slug,
        name=row.tenant_name,
        currency=row.currency,
        locale=row.tenant_locale,
        timezone=row.tenant_timezone,
        is_demo=row.is_demo,
        epoch=row.tenant_epoch,
    )


def find_tenant(session: Session, *, slug: str = "", tenant_id: int | None = None) -> TenantFacts | None:
    """The active tenant with this slug or id, or None."""
    match = Tenant.slug == slug if tenant_id is None else Tenant.id == tenant_id
    row = session.execute(select(*TENANT_COLUMNS).where(match, Tenant.is_active)).one_or_none()
    return tenant_from(row) if row is not None else None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A valid sign-in, and the tenant that was asked for with it (None: none asked for, or there is none)."""

    session_id: UUID
    person: Person
    tenant: TenantFacts | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether the time last seen should be written again."""
        return now - self.last_seen_at >= TOUCH_EVERY


def open_session(
    session: Session, person: Person, device: Device | None = None, *, now: datetime, rules: SessionRules = RULES
) -> tuple[UUID, str]:
    """Begin a sign-in. Returns its id and the secret that the device carries; only the secret's hash is stored."""
    device = device or Device()
    secret = new_secret()
    row = LoginSession(
        user_id=person.user_id,
        token_hash=digest(secret),
        epoch=person.epoch,
        is_api=device.is_api,
        address=device.address,
        agent=device.agent[:200],
        created_at=now,
        last_seen_at=now,
        expires_at=now + rules.valid_for,
    )
    session.add(row)
    session.flush()
    record_event(session, "signed_in", person.user_id, address=device.address, agent=device.agent)
    return row.id, secret


def _alive() -> ColumnElement[bool]:
    """The conditions under which a sign-in counts, over the parameters `now` and `idle_since`."""
    now, idle_since = bindparam("now", type_=_MOMENT), bindparam("idle_since", type_=_MOMENT)
    return and_(
        LoginSession.ended_at.is_(None),
        LoginSession.epoch == Account.epoch,
        LoginSession.expires_at > now,
        LoginSession.last_seen_at > idle_since,
        FabUser.active,
    )


def _question(match: ColumnElement[bool]) -> Select[Any]:
    tenant = and_(or_(Tenant.slug == bindparam("slug"), Tenant.id == bindparam("tenant_id")), Tenant.is_active)
    return (
        select(
            LoginSession.id.label("session_id"),
            LoginSession.created_at,
            LoginSession.last_seen_at,
            LoginSession.expires_at,
            *PERSON_COLUMNS,
            *TENANT_COLUMNS,
        )
        .join(FabUser, FabUser.id == LoginSession.user_id)
        .join(Account, Account.user_id == FabUser.id)
        .outerjoin(Tenant, tenant)
        .where(match, _alive())
    )


# Asked at every request, so built once and sent past the ORM, whose tenant filter has nothing to do with these tables.
_BY_SECRET = _question(and_(LoginSession.token_hash == bindparam("key"), ~LoginSession.is_api))
_BY_ID = _question(and_(LoginSession.id == bindparam("key"), LoginSession.is_api))


def find_signed_in(
    session: Session, key: str | UUID, *, now: datetime, tenant: str | int | None = None, rules: SessionRules = RULES
) -> SignedIn | None:
    """Who a request comes from, and the active tenant it asks for, in one query; None when the sign-in does not count.

    Args:
        key: the secret of a browser, or the id that a program's signed token names; one never works in the place of the other.
        tenant: slug or id.
    """
    by_id = isinstance(key, UUID)
    values = {
        "key": key if by_id else digest(str(key)),
        "slug": tenant if isinstance(tenant, str) else "",
        "tenant_id": tenant if isinstance(tenant, int) else 0,
        "now": now,
        "idle_since": now - rules.idle_for,
    }
    row = session.connection().execute(_BY_ID if by_id else _BY_SECRET, values).one_or_none()
    if row is None:
        return None
    return SignedIn(row.session_id, person_from(row), tenant_from(row), row.created_at, row.last_seen_at, row.expires_at)


def announce_user(session: Session, user_id: int) -> None:
    """Let the session, which has no tenant, read the rows that are the user's own (policy `own_rows`); also in its later transactions."""
    session.info["user_id"] = str(user_id)
    if session.in_transaction():
        session.execute(_SET_USER, {"user": str(user_id)})


def touch_session(session: Session, session_id: UUID, *, now: datetime) -> None:
    """Write the time last seen, unless another request has done so within the minute."""
    session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.last_seen_at <= now - TOUCH_EVERY)
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )


def end_session(session: Session, session_id: UUID, *, user_id: int, now: datetime) -> bool:
    """End one sign-in of the account; False when it is not theirs or has ended already."""
    ended = session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.user_id == user_id, LoginSession.ended_at.is_(None))
        .values(ended_at=now)
        .returning(LoginSession.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if ended is not None:
        record_event(session, "signed_out", user_id)
    return ended is not None


def sessions_of(session: Session, user_id: int, *, now: datetime, rules: SessionRules = RULES) -> list[LoginSession]:
    """The account's sign-ins that still count, the one seen last first."""
    statement = (
        select(LoginSession)
        .join(FabUser, FabUser.id == LoginSession.user_id)
        .join(Account, Account.user_id == FabUser.id)
        .where(LoginSession.user_id == user_id, _alive())
        .order_by(LoginSession.last_seen_at.desc(), LoginSession.id.desc())
    )
    return list(session.scalars(statement, {"now": now, "idle_since": now - rules.idle_for}))


class SignIn:
    """Checks passwords behind the throttle. Its counters and notes are transactions of their own: a failed sign-in must leave a trace."""

    def __init__(self, database: Database, clock: Clock | None = None, rules: ThrottleRules | None = None) -> None:
        self._database = database
        self.throttle = Throttle(database, clock or SystemClock(), rules or ThrottleRules())

    def check(self, login: str, password: str, *, address: str, agent: str = "", device: str = "") -> Person | None:
        """The account that `login` and `password` open, or None. Takes as long for an account that does not exist.

        Args:
            device: names a device that has signed in to this very account before; the caller has verified that. It is then
                throttled by itself, whatever others do to the account.
        Raises: TooManyAttempts.
        """
        name = login.strip().lower()[:320]
        limits = self.throttle.rules
        shared = [f"address:{address}", f"account:{digest(name).hex()}"]
        keys: list[Key] = [(shared[0], limits.per_address), (shared[1], limits.per_account)]
        if device:
            keys = [(f"device:{device}", limits.per_address)]
        self.throttle.take(keys)
        with self._database.platform() as session:
            person = find_person(session, name)
            known = stored_hash(session, person.user_id if person else 0)
        if not verify_password(known, password) or person is None:
            with self._database.platform() as session:
                record_event(session, "sign_in_refused", person.user_id if person else None, address=address, agent=agent)
            return None
        self.throttle.forgive(cleared=[f"device:{device}"] if device else shared[1:], eased=[] if device else shared[:1])
        if known is not None and needs_rehash(known):
            self._rehash(person.user_id, known, password)
        return person

    def _rehash(self, user_id: int, known: str, password: str) -> None:
        fresh = hash_password(password)
        with self._database.platform() as session:
            session.execute(
                update(FabUser)
                .where(FabUser.id == user_id, FabUser.password == known)
                .values(password=fresh)
                .execution_options(synchronize_session=False)
            )
