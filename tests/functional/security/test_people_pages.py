"""Members, invitations, roles, tokens and the audit trail, through their pages."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.runtime.security import accounts
from core.runtime.security.audit import AuditFilter, entries
from core.runtime.security.models import Membership, Role
from tests.factories.security import NOON, OTHER_PASSWORD, PASSWORD, make_person

pytestmark = pytest.mark.database
NEW = {"name": "New Person", "password": OTHER_PASSWORD, "again": OTHER_PASSWORD}


@pytest.fixture(autouse=True)
def _noon(site):
    yield
    site.clock.advance(NOON - site.clock.now())


@pytest.fixture
def owner(site):
    with site.world.database.platform() as session:
        known = accounts.find_person(session, "boss@tea.example")
    if known is None:
        site.member("boss@tea.example", ["owner"], name="The Boss")
    return site.browser("boss@tea.example")


def _invite(browser, email, roles=("staff",)):
    page = browser.post("/t/tea/members/invite", {"email": email, "roles": list(roles)}, page="/t/tea/members/")
    found = re.search(r"http://orders\.example\.test(/t/tea/join/[A-Za-z0-9_-]{43})", page.text)
    return page, found[1] if found else ""


def _membership(site, email):
    with site.world.database.unit(site.world.tea) as session:
        person = accounts.find_person(session, email)
        return session.scalar(select(Membership.id).where(Membership.user_id == person.user_id))


def _role(site, code):
    with site.world.database.unit(site.world.tea) as session:
        return session.scalars(select(Role).where(Role.code == code)).one_or_none()


def test_invited_person_joins_with_a_new_account(site, owner):
    page, path = _invite(owner, "fresh@tea.example")
    visitor = site.browser()

    seen = visitor.get(path).text
    weak = visitor.post(path, {**NEW, "password": "short", "again": "short"}, page=path).text
    joined = visitor.post(path, NEW, page=path)
    again = site.browser().get(path)

    assert page.status_code == 200
    assert [word in seen for word in ("清风茶铺", "The Boss", "fresh@tea.example", "Staff")] == [True] * 4
    assert "too short" in weak
    assert (joined.status_code, joined.location) == (303, "/t/tea/")
    assert visitor.get("/t/tea/probe/read").status_code == 200
    assert again.status_code == 404
    assert site.browser().sign_in("fresh@tea.example", OTHER_PASSWORD).status_code == 303


def test_invited_person_joins_with_the_account_they_have(site, owner):
    make_person(site.world, "has@tea.example")
    make_person(site.world, "wrong@tea.example")
    _, path = _invite(owner, "has@tea.example")

    visitor = site.browser().get(path)
    other = site.browser("wrong@tea.example").get(path).status_code
    browser = site.browser("has@tea.example")
    before = browser.get("/t/tea/probe/read").status_code
    joined = browser.post(path, page=path)

    assert (visitor.status_code, visitor.location) == (303, f"/login/?next={path}")
    assert (other, before) == (403, 404)
    assert (joined.location, browser.get("/t/tea/probe/read").status_code) == ("/t/tea/", 200)


def test_invitation_link_is_useless_when_withdrawn_old_or_made_up(site, owner):
    _, withdrawn = _invite(owner, "withdrawn@tea.example")
    listed = owner.get("/t/tea/members/").text
    owner.post(re.findall(r'action="(/t/tea/members/invitations/[0-9a-f-]{36}/revoke)"', listed)[0], page="/t/tea/members/")
    _, old = _invite(owner, "old@tea.example")
    site.clock.advance(timedelta(days=7))

    answers = [site.browser().get(path) for path in (withdrawn, old, "/t/tea/join/" + "x" * 43, "/t/nosuch/join/" + "x" * 43)]

    assert [one.status_code for one in answers] == [404] * 4
    assert ["This invitation no longer works" in one.text for one in answers] == [True] * 4


def test_made_up_invitation_does_not_tell_whether_there_is_such_a_business(site):
    visitor = site.browser()
    visitor.client.delete_cookie("ol_lang", domain="orders.example.test")

    pages = [visitor.get(f"/t/{slug}/join/" + "x" * 43).text for slug in ("tea", "nosuch")]

    assert len({re.sub(r"nonce=\"[^\"]+\"|data-csrf=\"[^\"]+\"|/t/(tea|nosuch)/", "", page) for page in pages}) == 1


def test_invitation_refuses_bad_addresses_members_and_roles_above_oneself(site, owner):
    site.member("adm@tea.example", ["admin"])
    admin = site.browser("adm@tea.example")

    bad, _ = _invite(owner, "not an address")
    member, _ = _invite(owner, "adm@tea.example")
    above, link = _invite(admin, "above@tea.example", ["owner"])

    assert (bad.status_code, member.status_code, above.status_code, link) == (422, 409, 422, "")
    assert "This is not an e-mail address." in bad.text
    assert "This person is a member already." in member.text


def test_member_gets_other_roles_and_is_switched_off_and_on(site, owner):
    site.member("worker@tea.example", ["staff"])
    worker, page = site.browser("worker@tea.example"), f"/t/tea/members/{_membership(site, 'worker@tea.example')}"

    before = worker.get("/t/tea/tokens/").status_code
    changed = owner.post(f"{page}/roles", {"roles": ["warehouse"]}, page=page)
    after = worker.get("/t/tea/tokens/").status_code
    owner.post(f"{page}/switch", {"on": "0"}, page=page)
    off = worker.get("/t/tea/probe/read").status_code
    owner.post(f"{page}/switch", {"on": "1"}, page=page)

    assert (before, changed.status_code, after, off) == (200, 303, 403, 404)
    assert worker.get("/t/tea/probe/read").status_code == 200


def test_member_of_another_business_is_not_found(site, owner):
    _, foreign = site.member("foreign@gift.example", ["owner"], site.world.gift)

    codes = [
        owner.get(f"/t/tea/members/{foreign}").status_code,
        owner.post(f"/t/tea/members/{foreign}/roles", {"roles": ["staff"]}).status_code,
        owner.post(f"/t/tea/members/{foreign}/switch", {"on": "0"}).status_code,
    ]

    assert codes == [404] * 3
    assert site.browser("foreign@gift.example").get("/t/gift/probe/read").status_code == 200


def _mark(role):
    """How the matrix names a role that it shows: with its version."""
    return f"{role.id}:{role.row_version}"


def test_nobody_rises_by_sending_what_the_form_does_not_offer(site, owner):
    site.member("climber@tea.example", ["admin"])
    admin = site.browser("climber@tea.example")
    mine, boss = (f"/t/tea/members/{_membership(site, email)}" for email in ("climber@tea.example", "boss@tea.example"))
    owner_role = _role(site, "owner")

    raised = admin.post(f"{mine}/roles", {"roles": ["owner"]}, page=mine)
    deposed = admin.post(f"{boss}/roles", {"roles": ["staff"]}, page=boss)
    switched = admin.post(f"{boss}/switch", {"on": "0"}, page=boss)
    seed = admin.post("/t/tea/roles/save", {"role": _mark(_role(site, "staff")), "grant": [f"{_role(site, 'staff').id}:tenant.own"]}, page="/t/tea/roles/")
    made = admin.post("/t/tea/roles/add", {"code": "super", "title": "Super"}, page="/t/tea/roles/add")
    granted = admin.post("/t/tea/roles/save", {"role": _mark(_role(site, "super")), "grant": [f"{_role(site, 'super').id}:tenant.own"]}, page="/t/tea/roles/")
    deleted = admin.post(f"/t/tea/roles/{owner_role.id}/delete", page="/t/tea/roles/")

    assert (raised.status_code, deposed.status_code, switched.status_code) == (422, 403, 403)
    assert (seed.status_code, made.status_code, granted.status_code, deleted.status_code) == (303, 303, 403, 409)
    assert "tenant.own" not in _role(site, "staff").patterns
    assert _role(site, "super").patterns == []
    assert owner.get("/t/tea/members/").status_code == 200


def test_last_owner_cannot_leave(site):
    with site.world.database.platform() as session:
        known = accounts.find_person(session, "alone@gift.example")
    if known is None:
        site.member("alone@gift.example", ["owner"], site.world.gift)
    browser = site.browser("alone@gift.example")
    with site.world.database.unit(site.world.gift) as session:
        owners = session.scalars(select(Membership).join(Role, Role.code == "owner")).all()
        for one in owners:
            if one.user_id != accounts.find_person(session, "alone@gift.example").user_id:
                one.is_active = False
        mine = next(one.id for one in owners if one.user_id == accounts.find_person(session, "alone@gift.example").user_id)

    answer = browser.post(f"/t/gift/members/{mine}/roles", {"roles": ["staff"]}, page=f"/t/gift/members/{mine}")

    assert answer.status_code == 409
    assert "always needs an active owner" in answer.text
    assert browser.get("/t/gift/members/").status_code == 200


def test_role_matrix_gives_and_takes_permissions(site, owner):
    owner.post("/t/tea/roles/add", {"code": "packer", "title": "Packer"}, page="/t/tea/roles/add")
    role = _role(site, "packer")
    site.member("packs@tea.example", ["packer"])
    packer = site.browser("packs@tea.example")

    none = packer.get("/t/tea/probe/read").status_code
    owner.post("/t/tea/roles/save", {"role": _mark(role), "grant": [f"{role.id}:orders.read", f"{role.id}:roles.read"]}, page="/t/tea/roles/")
    some = [packer.get(f"/t/tea{page}").status_code for page in ("/probe/read", "/roles/", "/roles/add")]
    shown = packer.get("/t/tea/roles/").text
    owner.post("/t/tea/roles/save", {}, page="/t/tea/roles/")
    stale = owner.post("/t/tea/roles/save", {"role": _mark(role)}, page="/t/tea/roles/", follow_redirects=True)
    kept = packer.get("/t/tea/probe/read").status_code
    owner.post("/t/tea/roles/save", {"role": _mark(_role(site, "packer"))}, page="/t/tea/roles/")
    taken = packer.get("/t/tea/probe/read").status_code
    renamed = owner.post(f"/t/tea/roles/{role.id}", {"title": "Packers"}, page=f"/t/tea/roles/{role.id}")
    in_use = owner.post(f"/t/tea/roles/{role.id}/delete", page="/t/tea/roles/")

    assert (kept, "Somebody has changed Packer in the meantime" in stale.text) == (200, True)
    assert (none, some, taken, renamed.status_code, in_use.status_code) == (403, [200, 200, 403], 403, 303, 409)
    assert _role(site, "packer").title == "Packers"
    assert re.findall(r'<input[^>]*name="grant"[^>]*>', shown)
    assert [box for box in re.findall(r'<input[^>]*name="grant"[^>]*>', shown) if "disabled" not in box] == []


def test_role_form_refuses_codes_that_are_taken_or_unfit(site, owner):
    codes = [
        owner.post("/t/tea/roles/add", {"code": code, "title": "X"}, page="/t/tea/roles/add").status_code
        for code in ("staff", "Bad Code", "")
    ]

    assert codes == [409, 422, 200]


def test_token_is_shown_once_and_works_within_its_scopes(site, owner):
    made = owner.post("/t/tea/tokens/add", {"name": "ERP", "days": "30", "scopes": ["orders.read"]}, page="/t/tea/tokens/")
    token = re.search(r"olt_[0-9a-z]+_[A-Za-z0-9_-]{43}", made.text)[0]
    later = owner.get("/t/tea/tokens/").text
    client = site.app.test_client(use_cookies=False)

    def call():
        return client.get("/api/v1/probe/", base_url=owner.base, headers={"Authorization": f"Bearer {token}"}).status_code

    before = call()
    owner.post(re.findall(r'action="(/t/tea/tokens/[0-9a-f-]{36}/revoke)"', later)[0], page="/t/tea/tokens/")

    assert token not in later
    assert (before, call()) == (200, 401)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"name": "x", "days": "30"}, 422),
        ({"name": "", "days": "30", "scopes": ["orders.read"]}, 422),
        ({"name": "x", "days": "9999", "scopes": ["orders.read"]}, 422),
        ({"name": "x", "days": "30", "scopes": ["no.such"]}, 403),
    ],
)
def test_token_form_refuses_what_makes_no_token(site, owner, data, status):
    assert owner.post("/t/tea/tokens/add", data, page="/t/tea/tokens/").status_code == status


def test_member_sees_and_ends_only_their_own_tokens(site, owner):
    site.member("tokenless@tea.example", ["staff"])
    owner.post("/t/tea/tokens/add", {"name": "BossToken", "days": "30", "scopes": ["orders.read"]}, page="/t/tea/tokens/")
    path = re.findall(r'action="(/t/tea/tokens/[0-9a-f-]{36}/revoke)"', owner.get("/t/tea/tokens/").text)[0]
    staff = site.browser("tokenless@tea.example")

    assert "BossToken" not in staff.get("/t/tea/tokens/").text
    assert staff.post(path, page="/t/tea/tokens/").status_code == 404
    assert (
        staff.post("/t/tea/tokens/add", {"name": "x", "days": "30", "scopes": ["members.write"]}, page="/t/tea/tokens/").status_code == 403
    )


def test_audit_page_shows_who_changed_what_and_filters(site, owner):
    site.member("watched@tea.example", ["staff"])
    membership = _membership(site, "watched@tea.example")
    page = f"/t/tea/members/{membership}"
    owner.post(f"{page}/roles", {"roles": ["finance"]}, page=page)
    with site.world.database.unit(site.world.gift) as session:
        from core.runtime.security.audit import record

        record(session, "canary", "thing", "gift-canary")

    everything = owner.get("/t/tea/audit/").text
    one = owner.get(f"/t/tea/audit/?subject_type=membership&subject_id={membership}&action=roles_changed").text
    nothing = owner.get("/t/tea/audit/?since=2001-01-01&until=2001-01-02").text

    assert "gift-canary" not in everything
    assert ["The Boss" in one, "<del>staff</del>" in one, "<ins>finance</ins>" in one] == [True] * 3
    assert "Nothing was changed in this period." in nothing


def test_audit_page_turns_by_key(site, owner):
    with site.world.database.unit(site.world.tea) as session:
        from core.runtime.security.audit import record_many

        record_many(session, "counted", "page", [(f"row-{number:03}", {}) for number in range(60)])

    first = owner.get("/t/tea/audit/?action=counted").text
    following = re.search(r'href="([^"]+)" rel="next"', first)[1].replace("&amp;", "&")
    second = owner.get(following).text

    assert re.findall(r"row-\d\d\d", first)[0] == "row-059"
    assert (len(set(re.findall(r"row-\d\d\d", first))), sorted(set(re.findall(r"row-\d\d\d", second)))) == (
        50,
        [f"row-{number:03}" for number in range(10)],
    )


def test_changes_of_people_are_in_the_trail_with_their_author(site, owner):
    _, path = _invite(owner, "trail@tea.example")
    visitor = site.browser()
    visitor.post(path, NEW, page=path)

    with site.world.database.unit(site.world.tea) as session:
        invited = entries(session, AuditFilter(subject_type="invitation", action="created"))[0]
        joined = entries(session, AuditFilter(subject_type="membership", action="roles_changed"))[0]

    assert (invited.actor_label, invited.changes["token_hash"]) == ("The Boss", "changed")
    assert (joined.actor_label, joined.changes) == ("trail@tea.example", {"roles": [[], ["staff"]]})


def test_language_follows_browser_person_business_and_header(site):
    site.member("lang@tea.example", ["staff"])
    person = site.browser("lang@tea.example")

    def tongue(browser, path, header=""):
        return re.search(r'<html lang="([^"]+)"', browser.get(path, headers={"Accept-Language": header}).text)[1]

    visitor = site.browser()
    for browser in (visitor, person):
        browser.client.delete_cookie("ol_lang", domain="orders.example.test")
    by_header = [tongue(visitor, "/login/", header) for header in ("zh-CN,zh;q=0.9", "fr", "")]
    by_business = tongue(person, "/t/tea/", "en")
    person.post("/account/preferences", {"locale": "en", "timezone": "Europe/London"})
    by_person = tongue(person, "/t/tea/", "zh")
    person.client.delete_cookie("ol_lang", domain="orders.example.test")
    on_other_device = tongue(person, "/t/tea/", "zh")
    person.get("/lang/zh")
    by_browser = tongue(person, "/t/tea/")
    person.get("/lang/xx")

    assert by_header == ["zh-Hans", "en", "en"]
    assert (by_business, by_person, on_other_device, by_browser) == ("zh-Hans", "en", "en", "zh-Hans")
    assert tongue(person, "/t/tea/") == "zh-Hans"


def test_language_switch_returns_to_the_page_and_never_elsewhere(site):
    visitor = site.browser()

    back = [
        visitor.get("/lang/zh", headers={"Referer": referer}).location
        for referer in ("http://orders.example.test/t/tea/account/?x=1", "http://evil.example/", "")
    ]

    assert back == ["/t/tea/account/?x=1", "/", "/"]


def test_time_zone_of_the_person_counts(site):
    site.member("zone@tea.example", ["owner"])
    browser = site.browser("zone@tea.example", PASSWORD)
    with site.world.database.unit(site.world.tea) as session:
        from core.runtime.security.audit import record

        record(session, "zoned", "thing", "1")

    default = browser.get("/t/tea/audit/?action=zoned").text
    browser.post("/account/preferences", {"locale": "", "timezone": "America/New_York"})
    changed = browser.get("/t/tea/audit/?action=zoned").text
    wrong = browser.post("/account/preferences", {"locale": "", "timezone": "Mars/Olympus"}).status_code

    stamp = r"<time[^>]*>([^<]+)<"
    assert re.search(stamp, default)[1] != re.search(stamp, changed)[1]
    assert wrong == 422
