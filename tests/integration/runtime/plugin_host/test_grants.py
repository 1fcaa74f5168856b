"""Hosts that people let a plugin talk to: one for each thing, audited, apart by tenant, never private ones."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.runtime.plugin_host import grants
from core.runtime.plugin_host.errors import HostNotAllowed
from core.runtime.plugin_host.grants import AddressGrants, GrantDenied, NoAddresses, TooManyHosts, granted_hosts
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.models import PluginEgress
from core.runtime.plugin_host.transport import Transport
from core.runtime.security.audit import AuditFilter, entries
from core.runtime.tenancy.scope import Actor, Scope

pytestmark = pytest.mark.database
PLUGIN = "hooks"


def book(session, scope, *, allow=(), plugin=PLUGIN, instance="main"):
    return AddressGrants(session, Who(scope.tenant_id, scope.slug, plugin, instance), Transport(allow).check)


@pytest.fixture(autouse=True)
def _clean(world):
    yield
    for scope in (world.tea, world.gift):
        with world.database.unit(scope) as session:
            for row in session.scalars(select(PluginEgress)):
                session.delete(row)


def test_host_is_granted_to_one_set_up_of_one_tenant_when_somebody_allows_it(world):
    with world.database.unit(world.tea) as session:
        host = book(session, world.tea).allow("h1", "https://Hooks.Example.COM/in?key=1")
        book(session, world.tea).allow("h2", "https://[2606:4700::1111]:8443/")

    assert host == "hooks.example.com:443"
    with world.database.unit(world.tea) as session:
        assert granted_hosts(session, PLUGIN, "main") == ("[2606:4700::1111]:8443", "hooks.example.com:443")
        assert granted_hosts(session, PLUGIN, "second") == granted_hosts(session, "other", "main") == ()
    with world.database.unit(world.gift) as session:
        assert granted_hosts(session, PLUGIN, "main") == ()


def test_host_replaces_the_one_before_when_the_thing_moves(world):
    with world.database.unit(world.tea) as session:
        mine = book(session, world.tea)
        mine.allow("h1", "https://one.example.com/")
        mine.allow("h1", "https://two.example.com/")
        mine.allow("h1", "https://two.example.com/elsewhere")
        assert granted_hosts(session, PLUGIN, "main") == ("two.example.com:443",)
        mine.withdraw("h1")
        mine.withdraw("h1")
        assert granted_hosts(session, PLUGIN, "main") == ()

        trail = [(entry.action, entry.changes["host"]) for entry in entries(session, AuditFilter(subject_type="plugin"), limit=3)]
    assert trail == [
        ("plugin.host_withdrawn", ["two.example.com:443", None]),
        ("plugin.host_allowed", ["one.example.com:443", "two.example.com:443"]),
        ("plugin.host_allowed", [None, "one.example.com:443"]),
    ]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "unencrypted"),
        ("https://example.com:22/", "port"),
        ("https://127.0.0.1/", "private_address"),
        ("https://10.1.2.3/", "private_address"),
        ("https://169.254.169.254/latest/", "private_address"),
        ("https://[::1]/", "private_address"),
        ("https://[::ffff:192.168.0.1]/", "private_address"),
        ("https://[64:ff9b::a00:1]/", "private_address"),
        ("https://2130706433/", "odd_address"),
        ("https://0x7f.1/", "odd_address"),
        ("https://user@example.com/", "user"),
        ("ftp://example.com/", "scheme"),
        ("https://", "scheme"),
        ("https://exa mple.com/", "characters"),
    ],
)
def test_address_is_refused_when_it_could_never_be_called(world, url, reason):
    with world.database.unit(world.tea) as session, pytest.raises(HostNotAllowed) as caught:
        book(session, world.tea).allow("h1", url)

    assert caught.value.facts["reason"] == reason
    with world.database.unit(world.tea) as session:
        assert granted_hosts(session, PLUGIN, "main") == ()


def test_private_address_is_granted_when_the_operator_allows_it(world):
    with world.database.unit(world.tea) as session:
        assert book(session, world.tea, allow=("10.1.2.3:*",)).allow("h1", "http://10.1.2.3:9000/in") == "10.1.2.3:9000"


@pytest.mark.parametrize("kind", ["plugin", "workflow"])
def test_nothing_is_granted_when_no_person_acts(world, kind):
    scope = Scope(world.tea.tenant_id, world.tea.slug, Actor(kind, PLUGIN, PLUGIN))

    with world.database.unit(scope) as session:
        with pytest.raises(GrantDenied):
            book(session, scope).allow("h1", "https://example.com/")
        with pytest.raises(GrantDenied):
            book(session, scope).withdraw("h1")
        assert granted_hosts(session, PLUGIN, "main") == ()


def test_grants_end_when_there_are_too_many(world, monkeypatch):
    monkeypatch.setattr(grants, "MAX_GRANTS", 2)

    with world.database.unit(world.tea) as session:
        mine = book(session, world.tea)
        mine.allow("h1", "https://one.example.com/")
        mine.allow("h2", "https://two.example.com/")
        with pytest.raises(TooManyHosts):
            mine.allow("h3", "https://three.example.com/")
        mine.allow("h2", "https://four.example.com/")
        assert granted_hosts(session, PLUGIN, "main") == ("four.example.com:443", "one.example.com:443")


def test_nothing_can_be_granted_when_the_manifest_does_not_say_so():
    with pytest.raises(HostNotAllowed) as caught:
        NoAddresses(PLUGIN).allow("h1", "https://example.com/")

    assert caught.value.facts["reason"] == "not_declared"
    assert NoAddresses(PLUGIN).withdraw("h1") is None


def test_address_book_goes_with_the_manifest_when_a_context_is_made(desk):
    with desk.world.database.unit(desk.world.tea) as session:
        context = desk.runtime.context(session, "toy_notes")

    assert isinstance(context.addresses, NoAddresses)
