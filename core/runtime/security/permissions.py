"""Permissions: the keys that exist, the roles that every tenant starts with, and what one member may do right now.

A key is `<area>.<verb>` (`orders.read`, `customers.reveal`). A role holds patterns: a key, `orders.*`, `*.read`, `*`, or one of these with
`!` before it, which takes away. What a member may do is the sum over their roles, cut to the keys of the core and of enabled plugins. It is
cached per process under the tenant's epoch, which every change of a role or membership counts up, so a revoked right is gone at the next
request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session, UOWTransaction

from core.kernel.errors import NotFound, OrderloomError
from core.kernel.messages import N_
from core.runtime.security.keyring import tenant_id_of
from core.runtime.security.models import Membership, MembershipRole, Role
from core.runtime.security.permission import Permission
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.session import TenantSession

# What a view may ask for instead of a permission. No role can hold these.
PUBLIC = "@public"
SIGNED_IN = "@signed_in"
MEMBER = "@member"
OPERATOR = "@operator"

CACHE_SIZE = 10_000


class PermissionBroken(OrderloomError):
    """A permission is registered wrongly or twice."""

    code = "security.permission_broken"


class PermissionUnknown(NotFound):
    """There is no such permission."""

    code = "security.permission_unknown"


def _matches(pattern: str, key: str) -> bool:
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return key.startswith(pattern[:-1])
    if pattern.startswith("*."):
        return key.endswith(pattern[1:])
    return pattern == key


def expand(patterns: Iterable[str], keys: Iterable[str]) -> frozenset[str]:
    """The `keys` that one role's `patterns` allow; `!pattern` wins over all others of the same role."""
    return _expand(tuple(patterns), tuple(keys))


@lru_cache(maxsize=4096)
def _expand(patterns: tuple[str, ...], keys: tuple[str, ...]) -> frozenset[str]:
    allow = [pattern for pattern in patterns if not pattern.startswith("!")]
    deny = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return frozenset(
        key for key in keys if any(_matches(pattern, key) for pattern in allow) and not any(_matches(pattern, key) for pattern in deny)
    )


class PermissionRegistry:
    """All permissions of the installation; filled at boot, then only read."""

    def __init__(self, permissions: Iterable[Permission] = ()) -> None:
        self._by_key: dict[str, Permission] = {}
        for permission in permissions:
            self.add(permission)

    def add(self, permission: Permission) -> None:
        """Register `permission`. Raises PermissionBroken - the key is taken, or is not `<area>.<verb>`."""
        area, dot, verb = permission.key.rpartition(".")
        if not (area and dot and verb) or set(permission.key) & set("*!@ "):
            raise PermissionBroken(f"'{permission.key}' is not of the form area.verb", key=permission.key)
        if permission.key in self._by_key:
            raise PermissionBroken(f"'{permission.key}' is registered already", key=permission.key)
        self._by_key[permission.key] = permission

    def get(self, key: str) -> Permission:
        """The permission with this key. Raises PermissionUnknown."""
        try:
            return self._by_key[key]
        except KeyError as error:
            raise PermissionUnknown(key=key) from error

    def usable(self, plugins: frozenset[str]) -> list[Permission]:
        """The permissions of the core and of `plugins`, in the order of registration."""
        return [one for one in self._by_key.values() if one.plugin is None or one.plugin in plugins]

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def __iter__(self) -> Iterator[Permission]:
        return iter(self._by_key.values())


_PEOPLE, _BUSINESS = N_("People and access"), N_("Business")
CORE_PERMISSIONS = (
    Permission("members.read", N_("See members"), _PEOPLE),
    Permission("members.write", N_("Invite, change and remove members"), _PEOPLE),
    Permission("roles.read", N_("See roles"), _PEOPLE),
    Permission("roles.write", N_("Create and change roles"), _PEOPLE),
    Permission("tokens.own", N_("Make API tokens for oneself"), _PEOPLE),
    Permission("tokens.write", N_("See and revoke everybody's API tokens"), _PEOPLE),
    Permission("audit.read", N_("Read the audit trail"), _PEOPLE),
    Permission("tenant.read", N_("See the business settings"), _BUSINESS),
    Permission("tenant.write", N_("Change the business settings"), _BUSINESS),
    Permission("tenant.own", N_("Close or hand over the business, name other owners"), _BUSINESS),
)


@dataclass(frozen=True, slots=True)
class SeedRole:
    """A role that every tenant starts with."""

    code: str
    title: str
    patterns: tuple[str, ...]


_NO_ADMIN = ("!members.*", "!roles.*", "!tenant.*", "!audit.*", "!tokens.write")
SEED_ROLES = (
    SeedRole("owner", N_("Owner"), ("*",)),
    SeedRole("admin", N_("Administrator"), ("*", "!tenant.own")),
    SeedRole(
        "staff",
        N_("Staff"),
        ("orders.*", "customers.*", "fulfilment.*", "channels.*", "*.read", "tokens.own", "!config.*", *_NO_ADMIN),
    ),
    SeedRole("warehouse", N_("Warehouse"), ("inventory.*", "fulfilment.*", "orders.read", "catalog.read", "channels.read")),
    SeedRole("finance", N_("Finance"), ("*.read", "invoicing.*", "orders.export", "orders.refund", "customers.reveal", *_NO_ADMIN)),
    SeedRole("read-only", N_("Read only"), ("*.read", *_NO_ADMIN)),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What one account is in one tenant at one epoch."""

    membership_id: UUID
    roles: tuple[str, ...]
    permissions: frozenset[str]
    role_codes: tuple[str, ...] = ()


class Rights:
    """Answers what members may do; one per process. Safe for threads.

    `enabled_plugins(session, epoch)` names the plugins that are on for the session's tenant, whose epoch is known to be `epoch`, or None;
    flipping one counts the tenant's epoch up too. What it says may lag behind the epoch, so both are compared. `own(session, epoch)` gives
    the permissions that only the session's tenant has, for what it made itself.
    """

    def __init__(
        self,
        registry: PermissionRegistry,
        enabled_plugins: Callable[[Session, int | None], frozenset[str]] | None = None,
        own: Callable[[Session, int | None], Sequence[Permission]] | None = None,
    ) -> None:
        self.registry = registry
        self._own = own or (lambda _session, _epoch: ())
        self._enabled_plugins = enabled_plugins or (lambda _session, _epoch: frozenset())
        self._cache: OrderedDict[tuple[int, int], tuple[int, frozenset[str], Standing | None]] = OrderedDict()
        self._lock = threading.Lock()

    def standing(self, session: Session, user_id: int, *, epoch: int | None = None) -> Standing | None:
        """The account's membership and permissions in the session's tenant; None when it is no active member.

        `epoch` is the tenant's, if the caller has just read it; otherwise it is read.
        """
        tenant_id = tenant_id_of(session)
        if epoch is None:
            epoch = session.scalars(select(Tenant.epoch).where(Tenant.id == tenant_id)).one()
        key, plugins = (tenant_id, user_id), self._enabled_plugins(session, epoch)
        with self._lock:
            held = self._cache.get(key)
            if held is not None and held[:2] == (epoch, plugins):
                self._cache.move_to_end(key)
                return held[2]
        standing = self._load(session, user_id, plugins, epoch)
        with self._lock:
            self._cache[key] = (epoch, plugins, standing)
            if len(self._cache) > CACHE_SIZE:
                self._cache.popitem(last=False)
        return standing

    def permission_set(self, session: Session, user_id: int, *, epoch: int | None = None) -> frozenset[str]:
        """All permission keys that the account has in the session's tenant; empty when it is no active member."""
        standing = self.standing(session, user_id, epoch=epoch)
        return standing.permissions if standing is not None else frozenset()

    def usable_keys(self, session: Session) -> list[str]:
        """Keys of all permissions that a role of the session's tenant can hold now."""
        return [permission.key for permission in self.usable(session)]

    def usable(self, session: Session) -> list[Permission]:
        """All permissions that a role of the session's tenant can hold now."""
        return [*self.registry.usable(self._enabled_plugins(session, None)), *self._own(session, None)]

    def expand(self, session: Session, patterns: Iterable[str]) -> frozenset[str]:
        """The keys that a role with `patterns` allows in the session's tenant now."""
        return expand(patterns, self.usable_keys(session))

    def _load(self, session: Session, user_id: int, plugins: frozenset[str], epoch: int) -> Standing | None:
        rows = session.execute(
            select(Membership.id, Role.code, Role.title, Role.patterns)
            .outerjoin(MembershipRole, (MembershipRole.membership_id == Membership.id) & (MembershipRole.tenant_id == Membership.tenant_id))
            .outerjoin(Role, (Role.id == MembershipRole.role_id) & (Role.tenant_id == MembershipRole.tenant_id))
            .where(Membership.user_id == user_id, Membership.is_active)
            .order_by(Role.title)
        ).all()
        if not rows:
            return None
        keys = [permission.key for permission in (*self.registry.usable(plugins), *self._own(session, epoch))]
        permissions: frozenset[str] = frozenset().union(*(expand(row.patterns, keys) for row in rows if row.patterns is not None))
        return Standing(rows[0].id, tuple(row.title for row in rows if row.title), permissions, tuple(row.code for row in rows if row.code))


def touch_rights(session: Session) -> None:
    """Count the tenant's epoch up, so that every process forgets what it knows of rights and plugins at its next request."""
    session.execute(
        update(Tenant).where(Tenant.id == tenant_id_of(session)).values(epoch=Tenant.epoch + 1).execution_options(synchronize_session=False)
    )


@event.listens_for(TenantSession, "after_flush")
def _notice_changed_rights(session: Session, _context: UOWTransaction) -> None:
    rows: Iterable[Any] = (*session.new, *session.dirty, *session.deleted)
    if any(isinstance(row, Role | Membership | MembershipRole) for row in rows):
        touch_rights(session)
