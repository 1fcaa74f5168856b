"""Who may open what: roles, tenants, revocation, plugins, and refusal by default."""

from __future__ import annotations

import pytest
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access

from core.delivery.web.app_builder import check_views
from core.delivery.web.security_manager import ViewUnprotected
from core.runtime.security import accounts, members
from core.runtime.security.audit import AuditFilter, entries
from core.runtime.security.permissions import SEED_ROLES, expand, touch_rights

pytestmark = pytest.mark.database

PAGES = {
    "/probe/read": "orders.read",
    "/members/": "members.read",
    "/roles/": "roles.read",
    "/roles/add": "roles.write",
    "/tokens/": "tokens.own",
    "/audit/": "audit.read",
    "/account/": None,
    "/": None,
}


@pytest.mark.parametrize("seed", SEED_ROLES, ids=lambda seed: seed.code)
def test_page_opens_only_when_the_role_holds_its_permission(site, seed):
    email = f"{seed.code}@matrix.example"
    site.member(email, [seed.code])
    browser = site.browser(email)
    held = expand(seed.patterns, [one.key for one in site.rights.registry if one.plugin is None])

    seen = {page: browser.get(f"/t/tea{page}").status_code for page in PAGES}
    wrote = browser.post("/t/tea/probe/write?status=422", page="/t/tea/account/").status_code

    assert seen == {page: 200 if key is None or key in held else 403 for page, key in PAGES.items()}
    assert wrote == (422 if "orders.write" in held else 403)


def test_visitor_is_sent_to_the_sign_in_page_whether_the_tenant_exists_or_not(site):
    browser = site.browser()

    answers = [browser.get(f"/t/{slug}/probe/read?x=1") for slug in ("tea", "nosuch")]
    api = [browser.get(f"/t/{slug}/api/v1/probe/") for slug in ("tea", "nosuch")]

    assert [(one.status_code, one.location) for one in answers] == [
        (303, "/login/?next=/t/tea/probe/read%3Fx%3D1"),
        (303, "/login/?next=/t/nosuch/probe/read%3Fx%3D1"),
    ]
    assert [one.status_code for one in api] == [401, 401]
    assert api[0].json["code"] == "security.not_signed_in"
    assert {name: value for name, value in api[0].json.items() if name != "trace"} == {
        name: value for name, value in api[1].json.items() if name != "trace"
    }


def test_fragment_leads_the_whole_page_to_the_sign_in_when_the_session_is_over(site):
    answer = site.browser().get("/t/tea/probe/read", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Redirect"], answer.text) == (401, "/login/?next=/t/tea/", "")


def test_member_gets_404_for_other_tenants_and_unknown_ones(site):
    site.member("only-tea@tea.example", ["owner"])
    browser = site.browser("only-tea@tea.example")

    codes = [browser.get(f"/t/{slug}/probe/read").status_code for slug in ("tea", "gift", "nosuch")]
    posts = [browser.post(f"/t/{slug}/probe/write").status_code for slug in ("gift", "nosuch")]

    assert codes == [200, 404, 404]
    assert posts == [404, 404]


def test_member_of_two_tenants_has_different_rights_at_the_same_time(site):
    site.member("two@tea.example", ["owner"])
    site.member("two@tea.example", ["warehouse"], site.world.gift)
    browser = site.browser("two@tea.example")

    seen = [browser.get(f"/t/{slug}{page}").status_code for slug in ("tea", "gift") for page in ("/probe/read", "/members/")]
    pages = [browser.get(f"/t/{slug}/probe/read").text for slug in ("tea", "gift", "tea")]

    assert seen == [200, 200, 200, 403]
    assert pages == [f"read {scope.tenant_id}" for scope in (site.world.tea, site.world.gift, site.world.tea)]


def test_right_is_gone_at_the_next_request_when_the_role_is_taken(site):
    _, membership_id = site.member("demoted@tea.example", ["admin"])
    site.member("keeper@tea.example", ["owner"])
    browser = site.browser("demoted@tea.example")
    before = browser.get("/t/tea/members/").status_code

    with site.world.database.unit(site.world.tea) as session:
        members.set_roles(session, site.rights, membership_id, role_codes=["warehouse"])
    demoted = [browser.get(f"/t/tea{page}").status_code for page in ("/members/", "/probe/read")]
    with site.world.database.unit(site.world.tea) as session:
        members.switch_member(session, site.rights, membership_id, is_active=False)
    gone = browser.get("/t/tea/probe/read").status_code

    assert (before, demoted, gone) == (200, [403, 200], 404)


def test_sign_in_is_gone_at_the_next_request_when_the_account_is_switched_off(site):
    person, _ = site.member("switched@tea.example", ["staff"])
    browser = site.browser("switched@tea.example")

    with site.world.database.platform() as session:
        accounts.switch_account(session, person.user_id, is_active=False)

    assert browser.get("/t/tea/probe/read").location == "/login/?next=/t/tea/probe/read"


def test_plugin_pages_do_not_exist_while_the_plugin_is_off(site):
    site.member("plugins@tea.example", ["owner"])
    browser = site.browser("plugins@tea.example")

    def flip(*plugins):
        site.switch.plugins = frozenset(plugins)
        with site.world.database.unit(site.world.tea) as session:
            touch_rights(session)

    def look():
        hook = browser.client.post("/t/tea/jd/hook", base_url=browser.base)
        return browser.get("/t/tea/jd/shops").status_code, hook.status_code, browser.get("/jd/shops").status_code

    off = look()
    flip("jd")
    on = look()
    flip()

    assert off == (404, 404, 404)
    assert on == (200, 200, 404)
    assert look() == (404, 404, 404)


def test_refused_request_changes_nothing_and_leaves_a_trace(site):
    site.member("refused@tea.example", ["warehouse"])
    browser = site.browser("refused@tea.example")

    answer = browser.post("/t/tea/probe/write", page="/t/tea/account/")

    with site.world.database.unit(site.world.tea) as session:
        noted = entries(session, AuditFilter(action="access_denied"))
        made = entries(session, AuditFilter(subject_type="role", action="created"))
    assert answer.status_code == 403
    assert (noted[0].subject_id, noted[0].actor_label, noted[0].address) == ("ProbeView.write", "Wei Chen", "127.0.0.1")
    assert [one for one in made if "made-by-probe" in str(one.changes)] == []


def test_view_that_answers_with_an_error_is_rolled_back(site):
    site.member("rollback@tea.example", ["owner"])
    browser = site.browser("rollback@tea.example")

    answer = browser.post("/t/tea/probe/write?status=409", page="/t/tea/account/")

    assert answer.status_code == 409
    assert "Probe" not in browser.get("/t/tea/roles/").text


def test_public_page_runs_in_its_tenant_without_rights(site):
    browser = site.browser()

    inside = browser.get("/t/tea/probe/door")
    unknown = browser.get("/t/nosuch/probe/door")
    outside = browser.get("/probe/door")

    assert inside.text == f"door {site.world.tea.tenant_id}"
    assert unknown.status_code == 404
    assert outside.text in ("door ", "door None")


class _Open(BaseView):
    @expose("/open")
    def nothing_said(self):
        return ""


class _Unmapped(BaseView):
    permission_keys = {"other": "orders.read"}

    @expose("/unmapped")
    @has_access
    def show(self):
        return ""


class _Unknown(BaseView):
    permission_keys = {"show": "no.such"}

    @expose("/unknown")
    @has_access
    def show(self):
        return ""


@pytest.mark.parametrize("view", [_Open, _Unmapped, _Unknown])
def test_application_does_not_start_when_a_view_is_open_by_accident(site, view):
    builder = site.app.extensions["appbuilder"]
    made = view()
    made.blueprint = type("Blueprint", (), {"name": view.__name__})
    builder.baseviews.append(made)
    try:
        with site.app.app_context(), pytest.raises(ViewUnprotected):
            check_views(site.app, site.rights.registry)
    finally:
        builder.baseviews.remove(made)


def test_menu_shows_only_what_one_may_open(site):
    site.member("menu-owner@tea.example", ["owner"])
    site.member("menu-house@tea.example", ["warehouse"])

    owner = site.browser("menu-owner@tea.example").get("/t/tea/").text
    house = site.browser("menu-house@tea.example").get("/t/tea/").text

    links = ["/t/tea/members/", "/t/tea/roles/", "/t/tea/tokens/", "/t/tea/audit/"]
    assert [f'href="{link}"' in owner for link in links] == [True] * 4
    assert [f'href="{link}"' in house for link in links] == [False] * 4


def test_switcher_lists_all_businesses_of_the_person(site):
    site.member("switcher@tea.example", ["staff"])
    site.member("switcher@tea.example", ["staff"], site.world.gift)
    browser = site.browser("switcher@tea.example")

    page = browser.get("/t/gift/").text
    chooser = browser.get("/").text

    assert [f'href="/t/{slug}/"' in page for slug in ("tea", "gift")] == [True, True]
    assert [f'href="/t/{slug}/"' in chooser for slug in ("tea", "gift")] == [True, True]
