"""Accounts, members and sign-ins for tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from core.runtime.security import accounts, members, roles
from core.runtime.security.accounts import NewAccount, Person
from core.runtime.security.permissions import CORE_PERMISSIONS, Permission, PermissionRegistry, Rights

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PASSWORD = "brass-kettle-hums-91"
OTHER_PASSWORD = "quiet-lantern-dives-42"
ORDER_PERMISSIONS = (
    Permission("orders.read", "See orders", "Orders"),
    Permission("orders.write", "Change orders", "Orders"),
    Permission("customers.read", "See customers", "Customers"),
    Permission("customers.reveal", "Reveal personal data", "Customers"),
    Permission("inventory.read", "See stock", "Stock"),
    Permission("inventory.write", "Change stock", "Stock"),
    Permission("jd.read", "See JD shops", "JD", plugin="jd"),
    Permission("jd.write", "Change JD shops", "JD", plugin="jd"),
)


@dataclass
class Switch:
    """Stands for the plugin host: which plugins are on."""

    plugins: frozenset[str] = frozenset()

    def __call__(self, _session, _epoch) -> frozenset[str]:
        return self.plugins


def make_rights(switch=None) -> Rights:
    return Rights(PermissionRegistry((*CORE_PERMISSIONS, *ORDER_PERMISSIONS)), switch)


def make_person(world, email, name="Wei Chen", password=PASSWORD, **values) -> Person:
    with world.database.platform() as session:
        return accounts.create_account(session, NewAccount(email, name, password, **values))


def make_member(world, scope, email, role_codes, rights=None, **values):
    """An account and its membership's id; the tenant gets its seed roles on the way."""
    with world.database.platform() as session:
        person = accounts.find_person(session, email)
    person = person or make_person(world, email, **values)
    with world.database.unit(scope) as session:
        roles.seed_roles(session)
        membership = members.add_member(session, rights or make_rights(), person.user_id, role_codes=role_codes)
        return person, membership.id
