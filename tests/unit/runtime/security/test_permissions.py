"""Patterns of roles and the registry of permissions."""

from __future__ import annotations

import pytest

from core.runtime.security.permissions import (
    CORE_PERMISSIONS,
    SEED_ROLES,
    Permission,
    PermissionBroken,
    PermissionRegistry,
    PermissionUnknown,
    expand,
)

KEYS = ["orders.read", "orders.write", "orders.lines.read", "members.write", "tenant.own", "jd.read"]


@pytest.mark.parametrize(
    ("patterns", "allowed"),
    [
        ([], set()),
        (["orders.read"], {"orders.read"}),
        (["orders.*"], {"orders.read", "orders.write", "orders.lines.read"}),
        (["*.read"], {"orders.read", "orders.lines.read", "jd.read"}),
        (["*"], set(KEYS)),
        (["*", "!tenant.own"], set(KEYS) - {"tenant.own"}),
        (["!orders.*", "orders.read"], set()),
        (["*", "!*.read", "!members.*"], {"orders.write", "tenant.own"}),
        (["order"], set()),
        (["orders"], set()),
        (["unknown.read"], set()),
    ],
)
def test_expand_gives_the_keys_that_patterns_allow(patterns, allowed):
    assert expand(patterns, KEYS) == allowed


def test_seed_roles_hold_what_their_names_promise():
    keys = [one.key for one in CORE_PERMISSIONS] + ["orders.read", "orders.write", "inventory.write", "customers.reveal", "invoicing.write"]
    held = {seed.code: expand(seed.patterns, keys) for seed in SEED_ROLES}

    assert held["owner"] == set(keys)
    assert held["owner"] - held["admin"] == {"tenant.own"}
    assert [code for code in held if held[code] & {"members.write", "roles.write", "tenant.write"}] == ["owner", "admin"]
    assert [code for code in held if "audit.read" in held[code]] == ["owner", "admin"]
    assert held["warehouse"] == {"orders.read", "inventory.write"}
    assert held["read-only"] == {"orders.read"}
    assert {"invoicing.write", "customers.reveal"} <= held["finance"]


@pytest.mark.parametrize("key", ["", "orders", ".read", "orders.", "orders.*", "!orders.read", "@public", "or ders.read"])
def test_registry_refuses_a_key_that_is_no_permission(key):
    with pytest.raises(PermissionBroken):
        PermissionRegistry([Permission(key, "x", "x")])


def test_registry_refuses_a_key_twice_and_names_unknown_ones():
    registry = PermissionRegistry([Permission("a.b", "x", "x")])

    with pytest.raises(PermissionBroken):
        registry.add(Permission("a.b", "y", "y"))
    with pytest.raises(PermissionUnknown) as unknown:
        registry.get("a.c")
    assert unknown.value.facts == {"key": "a.c"}


def test_registry_leaves_out_permissions_of_plugins_that_are_off():
    registry = PermissionRegistry([Permission("a.b", "x", "x"), Permission("jd.b", "x", "x", plugin="jd")])

    assert [one.key for one in registry.usable(frozenset())] == ["a.b"]
    assert [one.key for one in registry.usable(frozenset({"jd"}))] == ["a.b", "jd.b"]
