"""Roles, members, invitations and tokens on the real database."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.kernel.errors import Invalid
from core.runtime.security import accounts, invitations, members, roles, tokens
from core.runtime.security.accounts import AccountTaken, LinkGone
from core.runtime.security.audit import AuditFilter, entries
from core.runtime.security.invitations import InvitationForOther
from core.runtime.security.members import LastOwner, MemberAbove, MemberTaken
from core.runtime.security.models import Membership, Role
from core.runtime.security.permissions import touch_rights
from core.runtime.security.roles import GrantDenied, RoleFixed, RoleInUse, RoleTaken, TenantPlan, TenantTaken
from core.runtime.security.sessions import announce_user, find_tenant
from core.runtime.security.tokens import NewToken, ScopeDenied, TokenUnknown
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import tenant_scope
from tests.factories.security import NOON, OTHER_PASSWORD, PASSWORD, Switch, make_member, make_person, make_rights

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def switch():
    return Switch()


@pytest.fixture(scope="module")
def rights(switch):
    return make_rights(switch)


@pytest.fixture(scope="module")
def owner(world, rights):
    return make_member(world, world.tea, "owner@tea.example", ["owner"], rights)


def _may(world, rights, scope, user_id):
    with world.database.unit(scope) as session:
        return rights.permission_set(session, user_id)


def _role(session, code):
    return session.scalars(select(Role).where(Role.code == code)).one()


def test_create_tenant_refuses_a_time_zone_that_does_not_exist(world):
    with world.database.platform() as session, pytest.raises(Invalid) as caught:
        roles.create_tenant(session, TenantPlan("red-planet", "Red Planet", timezone="Mars"))

    assert caught.value.field == "timezone"
    with world.database.platform() as session:
        assert session.scalars(select(Tenant.id).where(Tenant.slug == "red-planet")).all() == []


def test_create_tenant_brings_the_seed_roles(world, rights):
    with world.database.platform() as session:
        scope = roles.create_tenant(session, TenantPlan("silk-road", "Silk Road", currency="EUR", locale="en", timezone="Europe/Rome"))
        with tenant_scope(scope):
            codes = [role.code for role, _users in roles.roles(session)]
    with pytest.raises(TenantTaken), world.database.platform() as session:
        roles.create_tenant(session, TenantPlan("silk-road", "Again"))

    with world.database.platform() as session:
        facts = find_tenant(session, slug="silk-road")
    assert codes == ["owner", "admin", "staff", "warehouse", "finance", "read-only"]
    assert (facts.name, facts.currency, facts.locale, facts.timezone) == ("Silk Road", "EUR", "en", "Europe/Rome")


def test_member_of_two_tenants_has_the_rights_of_each(world, rights):
    person, _ = make_member(world, world.tea, "both@tea.example", ["warehouse"], rights)
    make_member(world, world.gift, "both@tea.example", ["read-only"], rights)

    assert _may(world, rights, world.tea, person.user_id) == {"inventory.read", "inventory.write", "orders.read"}
    assert _may(world, rights, world.gift, person.user_id) == {"orders.read", "customers.read", "inventory.read"}


def test_right_is_gone_at_the_next_look_when_a_role_or_membership_changes(world, rights, owner):
    person, membership_id = make_member(world, world.tea, "shrinks@tea.example", ["staff"], rights)
    other_process = make_rights()
    before = [_may(world, one, world.tea, person.user_id) for one in (rights, other_process)]

    with world.database.unit(world.tea) as session:
        members.set_roles(session, rights, membership_id, role_codes=["warehouse"])
    narrowed = [_may(world, one, world.tea, person.user_id) for one in (rights, other_process)]
    with world.database.unit(world.tea) as session:
        members.switch_member(session, rights, membership_id, is_active=False)
    gone = [_may(world, one, world.tea, person.user_id) for one in (rights, other_process)]

    assert all("customers.reveal" in one and "orders.write" in one for one in before)
    assert narrowed == [{"inventory.read", "inventory.write", "orders.read"}] * 2
    assert gone == [frozenset()] * 2


def test_plugin_permissions_count_only_while_the_plugin_is_on(world, rights, switch, owner):
    person, _ = owner
    off = _may(world, rights, world.tea, person.user_id)
    switch.plugins = frozenset({"jd"})
    with world.database.unit(world.tea) as session:
        touch_rights(session)
    on = _may(world, rights, world.tea, person.user_id)
    switch.plugins = frozenset()
    with world.database.unit(world.tea) as session:
        touch_rights(session)

    assert on - off == {"jd.read", "jd.write"}
    assert off == _may(world, rights, world.tea, person.user_id)


def test_nobody_gives_what_they_lack(world, rights, owner):
    admin, admin_membership = make_member(world, world.tea, "admin@tea.example", ["admin"], rights)
    staff, staff_membership = make_member(world, world.tea, "staff@tea.example", ["staff"], rights)
    may = _may(world, rights, world.tea, admin.user_id)
    staff_may = _may(world, rights, world.tea, staff.user_id)

    with world.database.unit(world.tea) as session:
        for attempt in (
            lambda: members.set_roles(session, rights, staff_membership, role_codes=["owner"], by=may),
            lambda: members.add_member(session, rights, 999, role_codes=["owner"], by=may),
            lambda: invitations.invite(session, rights, email="x@y.example", role_codes=["owner"], now=NOON, by=may),
            lambda: roles.create_role(session, rights, code="mine", title="Mine", patterns=["members.write"], by=staff_may),
            lambda: roles.create_role(session, rights, code="mine", title="Mine", patterns=["jd.*"], by=may),
            lambda: roles.create_role(session, rights, code="mine", title="Mine", patterns=["tenant.own"], by=may),
        ):
            with pytest.raises(GrantDenied):
                attempt()
        for attempt in (
            lambda: members.switch_member(session, rights, owner[1], is_active=False, by=may),
            lambda: members.set_roles(session, rights, owner[1], role_codes=["staff"], by=may),
            lambda: members.switch_member(session, rights, admin_membership, is_active=False, by=staff_may),
        ):
            with pytest.raises(MemberAbove):
                attempt()

        assert [role.code for role in members.roles_of(session, staff_membership)] == ["staff"]
        assert [role.code for role in members.roles_of(session, owner[1])] == ["owner"]
        assert session.scalars(select(Role.code).where(Role.code == "mine")).all() == []


def test_last_owner_stays(world, rights, owner):
    with pytest.raises(LastOwner), world.database.unit(world.tea) as session:
        members.set_roles(session, rights, owner[1], role_codes=["admin"])
    with pytest.raises(LastOwner), world.database.unit(world.tea) as session:
        members.switch_member(session, rights, owner[1], is_active=False)

    assert "tenant.own" in _may(world, rights, world.tea, owner[0].user_id)


def test_one_owner_stays_when_two_remove_each_other_at_once(world, rights):
    pairs = [make_member(world, world.gift, f"pair{number}@gift.example", ["owner"], rights) for number in range(2)]
    barrier = threading.Barrier(2)
    refused = []

    def remove(membership_id):
        try:
            with world.database.unit(world.gift) as session:
                barrier.wait()
                members.switch_member(session, rights, membership_id, is_active=False)
        except LastOwner:
            refused.append(membership_id)

    threads = [threading.Thread(target=remove, args=(membership_id,)) for _person, membership_id in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with world.database.unit(world.gift) as session:
        active = session.scalars(select(Membership.id).where(Membership.id.in_([one[1] for one in pairs]), Membership.is_active)).all()
    assert (len(refused), len(active)) == (1, 1)


def test_roles_are_made_changed_and_deleted(world, rights, owner):
    with world.database.unit(world.tea) as session:
        role = roles.create_role(session, rights, code="packer", title="Packer", patterns=["orders.read", "inventory.read"])
        with pytest.raises(RoleTaken):
            roles.create_role(session, rights, code="packer", title="Packer", patterns=["orders.read"])
        roles.change_role(session, rights, role.id, title="Packers", patterns=["inventory.write"])
        seed = _role(session, "staff")
        with pytest.raises(RoleFixed):
            roles.change_role(session, rights, seed.id, title="Staff", patterns=["orders.read"])
        roles.change_role(session, rights, seed.id, title="Team", patterns=seed.patterns)
        with pytest.raises(RoleFixed):
            roles.delete_role(session, rights, seed.id)
    person, membership_id = make_member(world, world.tea, "packer@tea.example", ["packer"], rights)

    with world.database.unit(world.tea) as session:
        role = _role(session, "packer")
        with pytest.raises(RoleInUse):
            roles.delete_role(session, rights, role.id)
        members.set_roles(session, rights, membership_id, role_codes=[])
        roles.delete_role(session, rights, role.id)
        trail = [(one.action, one.changes.get("patterns")) for one in entries(session, AuditFilter("role", str(role.id)))]

    assert _may(world, rights, world.tea, person.user_id) == frozenset()
    assert trail == [
        ("deleted", [["inventory.write"], None]),
        ("updated", [["inventory.read", "orders.read"], ["inventory.write"]]),
        ("created", [None, ["inventory.read", "orders.read"]]),
    ]


def test_members_are_listed_with_roles_and_only_of_this_tenant(world, rights):
    make_member(world, world.tea, "two-roles@tea.example", ["staff", "finance"], rights, name="Ai Lin")
    make_member(world, world.gift, "elsewhere@gift.example", ["staff"], rights)

    with world.database.unit(world.tea) as session:
        listed = members.members(session)

    assert [one.role_codes for one in listed if one.email == "two-roles@tea.example"] == [("finance", "staff")]
    assert "elsewhere@gift.example" not in {one.email for one in listed}


def test_places_are_ones_own_memberships_only(world, rights):
    person, _ = make_member(world, world.tea, "places@tea.example", ["staff"], rights)
    make_member(world, world.gift, "places@tea.example", ["staff"], rights)

    with world.database.platform() as session:
        unannounced = members.places_of(session, person.user_id)
        announce_user(session, person.user_id)
        own = members.places_of(session, person.user_id)
        foreign = members.places_of(session, person.user_id - 1)

    assert (unannounced, foreign) == ([], [])
    assert [place.slug for place in own] == ["gift", "tea"]


def test_invitation_makes_a_member_once(world, rights, owner):
    may = _may(world, rights, world.tea, owner[0].user_id)
    with world.database.unit(world.tea) as session:
        _, older = invitations.invite(session, rights, email="new@tea.example", role_codes=["staff"], now=NOON, by=may)
        invitation, secret = invitations.invite(session, rights, email="New@tea.example", role_codes=["staff"], now=NOON, by=may)
        with pytest.raises(LinkGone):
            invitations.get_invitation(session, older, now=NOON)
        with pytest.raises(LinkGone):
            invitations.get_invitation(session, secret, now=NOON + timedelta(days=7))
    with world.database.unit(world.gift) as session, pytest.raises(LinkGone):
        invitations.get_invitation(session, secret, now=NOON)

    with world.database.unit(world.tea) as session:
        person = invitations.accept_with_new_account(session, rights, secret, name="Neu", password=PASSWORD, now=NOON)
    with pytest.raises(LinkGone), world.database.unit(world.tea) as session:
        invitations.accept_with_new_account(session, rights, secret, name="Neu", password=PASSWORD, now=NOON)
    with pytest.raises(MemberTaken), world.database.unit(world.tea) as session:
        invitations.invite(session, rights, email="new@tea.example", role_codes=["staff"], now=NOON)

    assert secret.encode() not in invitation.token_hash
    assert "orders.write" in _may(world, rights, world.tea, person.user_id)


def test_invitation_joins_an_account_that_exists(world, rights):
    person, other = make_person(world, "joins@tea.example"), make_person(world, "not-joins@tea.example")
    with world.database.unit(world.gift) as session:
        _, secret = invitations.invite(session, rights, email="joins@tea.example", role_codes=["finance"], now=NOON)

    with pytest.raises(InvitationForOther), world.database.unit(world.gift) as session:
        invitations.accept_as(session, rights, secret, person=other, now=NOON)
    with pytest.raises(AccountTaken), world.database.unit(world.gift) as session:
        invitations.accept_with_new_account(session, rights, secret, name="X", password=OTHER_PASSWORD, now=NOON)
    with world.database.unit(world.gift) as session:
        invitations.accept_as(session, rights, secret, person=person, now=NOON)

    assert "customers.reveal" in _may(world, rights, world.gift, person.user_id)
    assert _may(world, rights, world.gift, other.user_id) == frozenset()


def test_invitation_is_useless_when_revoked(world, rights):
    with world.database.unit(world.tea) as session:
        invitation, secret = invitations.invite(session, rights, email="late@tea.example", role_codes=["staff"], now=NOON)
        invitations.revoke_invitation(session, invitation.id, now=NOON)

        with pytest.raises(LinkGone):
            invitations.get_invitation(session, secret, now=NOON)
        assert "late@tea.example" not in {one.email for one in invitations.open_invitations(session, now=NOON)}


def test_token_acts_within_scopes_and_present_roles(world, rights):
    person, membership_id = make_member(world, world.tea, "bot@tea.example", ["staff"], rights)
    with world.database.unit(world.tea) as session:
        for scopes in (["members.write"], ["no.such"]):
            with pytest.raises(ScopeDenied):
                tokens.create_token(session, rights, NewToken("t", scopes), user_id=person.user_id, now=NOON)
        scopes = ["orders.write", "customers.reveal"]
        token, text = tokens.create_token(session, rights, NewToken("Feed", scopes), user_id=person.user_id, now=NOON)
        held = tokens.find_holder(session, rights, text, now=NOON)
    with world.database.unit(world.gift) as session:
        elsewhere = tokens.find_holder(session, rights, text, now=NOON)
    with world.database.unit(world.tea) as session:
        members.set_roles(session, rights, membership_id, role_codes=["finance"])
    with world.database.unit(world.tea) as session:
        narrowed = tokens.find_holder(session, rights, text, now=NOON)
    with world.database.unit(world.tea) as session:
        members.switch_member(session, rights, membership_id, is_active=False)
    with world.database.unit(world.tea) as session:
        off = tokens.find_holder(session, rights, text, now=NOON)

    assert tokens.tenant_in(text) == world.tea.tenant_id
    assert text.startswith(token.prefix)
    assert len(token.prefix) < len(text) - 32
    assert (held.permissions, held.user_id) == ({"orders.write", "customers.reveal"}, person.user_id)
    assert (elsewhere, off) == (None, None)
    assert narrowed.permissions == {"customers.reveal"}


def test_token_ends_when_expired_or_revoked(world, rights):
    person, _ = make_member(world, world.tea, "ends@tea.example", ["staff"], rights)
    with world.database.unit(world.tea) as session:

        def make(end):
            return tokens.create_token(session, rights, NewToken("t", ["orders.read"], end), user_id=person.user_id, now=NOON)

        short = make(NOON + timedelta(hours=1))[1]
        token, text = make(None)
        alive = tokens.find_holder(session, rights, short, now=NOON + timedelta(minutes=59))
        expired = tokens.find_holder(session, rights, short, now=NOON + timedelta(minutes=60))
        with pytest.raises(TokenUnknown):
            tokens.revoke_token(session, token.id, now=NOON, user_id=person.user_id + 1)
        tokens.revoke_token(session, token.id, now=NOON, user_id=person.user_id)
        revoked = tokens.find_holder(session, rights, text, now=NOON)
        listed = [one.title for one, _name in tokens.tokens(session, user_id=person.user_id)]

    assert alive.permissions == {"orders.read"}
    assert (expired, revoked, listed) == (None, None, ["t"])


@pytest.mark.parametrize("text", ["", "olt_", "olt_1_short", "olt_zzzzzzz_" + "a" * 43, "olt_1_" + "a" * 42 + "/", "OLT_1_" + "a" * 43])
def test_tenant_in_reads_nothing_when_the_text_is_no_token(text):
    assert tokens.tenant_in(text) is None


def test_token_use_is_written_once_a_minute(world, rights):
    person, _ = make_member(world, world.tea, "used@tea.example", ["staff"], rights)
    with world.database.unit(world.tea) as session:
        token, _text = tokens.create_token(session, rights, NewToken("t", ["orders.read"]), user_id=person.user_id, now=NOON)
        times = []
        for seconds in (0, 59, 60, 61):
            tokens.touch_token(session, token.id, now=NOON + timedelta(seconds=seconds))
            session.refresh(token)
            times.append((token.last_used_at - NOON).total_seconds())

    assert times == [0, 0, 60, 60]


def test_account_is_found_in_any_spelling(world):
    person = make_person(world, "Spelling@Tea.Example")

    with world.database.platform() as session:
        assert accounts.find_person(session, "  SPELLING@tea.example ").user_id == person.user_id
        assert accounts.find_person(session, "spelling") is None


def test_holders_are_found_by_what_their_roles_allow(world, rights, owner):
    staff, _ = make_member(world, world.tea, "holder-staff@tea.example", ["staff"], rights)
    gone, membership = make_member(world, world.tea, "holder-gone@tea.example", ["staff"], rights)
    other, _ = make_member(world, world.gift, "holder@gift.example", ["staff"], rights)
    with world.database.unit(world.tea) as session:
        members.switch_member(session, rights, membership, is_active=False)

    with world.database.unit(world.tea) as session:
        orders = members.holders_of(session, "orders.write")
        own = members.holders_of(session, "tenant.own")
        nobody = members.holders_of(session, "members.write")
    with world.database.unit(world.gift) as session:
        there = members.holders_of(session, "orders.write")

    assert {staff.user_id, owner[0].user_id} <= set(orders)
    assert not {gone.user_id, other.user_id} & set(orders)
    assert (owner[0].user_id in own, staff.user_id in own, staff.user_id in nobody) == (True, False, False)
    assert other.user_id in there
    assert staff.user_id not in there
