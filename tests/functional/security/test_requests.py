"""What every request and every answer must hold: forged forms, headers, hosts, leaks, limits. Routes are taken from the application itself."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text

pytestmark = pytest.mark.database

SAFE = {"GET", "HEAD", "OPTIONS"}
STATELESS = {"SecurityApi.login", "SecurityApi.refresh", "SecurityApi.logout", "ProbeView.door", "PluginView.hook"}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _routes(app):
    for rule in app.url_map.iter_rules():
        values = {name: _value(rule._converters[name]) for name in rule.arguments}
        with app.test_request_context(base_url="http://orders.example.test"):
            path = app.url_map.bind("orders.example.test").build(rule.endpoint, values, method=next(iter(rule.methods)))
        yield rule, path


def _value(converter):
    return uuid.UUID(int=7) if type(converter).__name__ == "UUIDConverter" else "x"


@pytest.fixture(scope="module")
def owner(site):
    site.switch.plugins = frozenset({"jd"})
    site.member("everything@tea.example", ["owner"])
    site.forget_attempts()
    return site.browser("everything@tea.example")


def _contents(site):
    """A checksum of every table but those that note requests, as the tenant sees them."""
    noted = {"login_session", "security_event", "login_throttle", "audit_entry"}
    readable = text(
        "select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace "
        "and has_table_privilege(oid, 'select')"
    )
    with site.world.database.unit(site.world.tea) as session:
        names = set(session.execute(readable).scalars()) - noted
        return {
            name: session.execute(text(f"select count(*), sum(hashtextextended(t::text, 0)::numeric) from {name} t")).one()
            for name in sorted(names)
        }


def test_every_unsafe_route_refuses_a_form_without_its_token(site, owner):
    asked = {}
    for rule, path in _routes(site.app):
        for method in sorted(rule.methods - SAFE):
            if rule.endpoint not in STATELESS:
                for place in ("", "/t/tea"):
                    answer = owner.client.open(place + path, method=method, base_url=owner.base)
                    asked[f"{method} {place}{rule.rule}"] = answer.status_code

    assert len(asked) >= 30
    assert {name: code for name, code in asked.items() if code != 400} == {name: 404 for name in asked if asked[name] == 404}
    inside = {name for name, code in asked.items() if code == 404}
    assert all("/t/tea/login" in name or "/t/tea/logout" in name or "/t/tea/forgot" in name or "/t/tea/reset" in name
               or name.split(" ")[1].startswith(("/members", "/roles", "/tokens", "/join")) for name in inside)  # fmt: skip


def test_stateless_routes_take_nothing_from_the_cookie(site, owner):
    for path in ("/api/v1/security/refresh", "/api/v1/security/logout"):
        assert owner.client.post(path, base_url=owner.base).status_code == 401
    assert owner.get("/t/tea/probe/read").status_code == 200


def test_cookie_does_not_pass_for_api_credentials_without_the_token(site, owner):
    forged = owner.client.post("/t/tea/api/v1/probe/", base_url=owner.base, json={})
    asked = owner.client.post("/t/tea/api/v1/probe/", base_url=owner.base, json={}, headers={"X-CSRFToken": owner.token("/account/")})
    read = owner.get("/t/tea/api/v1/probe/")

    assert (forged.status_code, forged.json["code"]) == (400, "http.csrf")
    assert (asked.status_code, read.status_code) == (201, 200)


def test_no_get_changes_anything(site, owner):
    owner.get("/t/tea/")
    before = _contents(site)

    for rule, path in _routes(site.app):
        if "GET" in rule.methods:
            for place in ("", "/t/tea"):
                owner.get(place + path)

    assert _contents(site) == before


def test_every_answer_carries_the_headers(site, owner):
    visitor = site.browser()
    answers = []
    for rule, path in _routes(site.app):
        for method in sorted(rule.methods - {"OPTIONS"}):
            answers += [
                who.client.open(place + path, method=method, base_url=who.base) for who in (owner, visitor) for place in ("", "/t/tea")
            ]
    asset = "/assets/theme/" + site.app.jinja_env.globals["asset"].__self__.build + "/theme.css"
    answers += [owner.get(path) for path in (asset, "/t/tea/nosuch", "/nosuch", "/t/tea/probe/fail/boom", "/t/BAD/..%2f", "/%00", "/a%5cb")]
    answers += [
        visitor.client.open("/login/", method="TRACE", base_url=visitor.base),
        visitor.get("/login/", headers={"Host": "evil.example"}),
    ]

    wrong = [
        (answer.request.path, answer.status_code, name)
        for answer in answers
        for name, value in HEADERS.items()
        if answer.headers.get(name) != value
    ]
    bare = [answer.request.path for answer in answers if "frame-ancestors 'none'" not in answer.headers.get("Content-Security-Policy", "")]
    loose = [answer.request.path for answer in answers if "unsafe-inline" in answer.headers.get("Content-Security-Policy", "")]
    stored = [
        answer.request.path
        for answer in answers
        if "no-store" not in answer.headers.get("Cache-Control", "no-store") and answer.request.path != asset
    ]
    assert (wrong, bare, loose, stored) == ([], [], [], [])
    assert {answer.status_code for answer in answers} >= {200, 303, 400, 401, 404, 405, 500}


def test_signed_in_pages_are_never_stored(site, owner):
    for path in ("/t/tea/", "/account/", "/t/tea/api/v1/probe/", "/t/tea/nosuch", "/login/"):
        assert owner.get(path).headers["Cache-Control"] == "no-store"


def test_foreign_host_is_refused_and_never_repeated(site):
    visitor = site.browser()

    for path in ("/login/", "/t/tea/", "/forgot/", "/nosuch", "/api/v1/security/login"):
        answer = visitor.get(path, headers={"Host": "evil.example"})
        assert answer.status_code == 400
        assert "evil.example" not in answer.text + str(answer.headers)


def test_no_answer_leads_to_the_host_that_the_request_named(site, owner, monkeypatch):
    monkeypatch.setitem(site.app.config, "TRUSTED_HOSTS", None)
    visitor = site.browser()
    wrong = []

    for _rule, path in _routes(site.app):
        for place in (path, path.rstrip("/"), "/" + path, "/t/tea" + path, "/t/tea" + path.rstrip("/")):
            answer = visitor.get(place or "/", headers={"Host": "evil.example", "Referer": "http://evil.example/x"})
            if "evil" in (answer.location or ""):
                wrong.append((place, answer.location))

    assert wrong == []


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "FOO"])
def test_unneeded_methods_are_refused(site, method):
    visitor = site.browser()

    answer = visitor.client.open("/login/", method=method, base_url=visitor.base)

    assert (answer.status_code, answer.text) == (405, "")


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ("invalid", 422, "invalid"),
        ("conflict", 409, "conflict"),
        ("sql", 500, "http.internal"),
        ("data", 400, "http.bad_request"),
        ("boom", 500, "http.internal"),
    ],
)
def test_errors_say_what_is_wrong_and_nothing_else(site, owner, how, status, code):
    page = owner.get(f"/t/tea/probe/fail/{how}")
    problem = owner.get(f"/t/tea/probe/fail/{how}", headers={"Accept": "application/json"})

    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert (problem.status_code, problem.mimetype, problem.json["code"]) == (status, "application/problem+json", code)
    for body in (page.text, problem.text):
        assert [word for word in ("secret", "Traceback", "select ", "psycopg", "sqlalchemy") if word in body] == []


def test_problem_names_field_facts_and_trace(site, owner):
    problem = owner.get("/t/tea/probe/fail/invalid", headers={"Accept": "application/json"}).json

    assert len(problem.pop("trace")) == 32
    assert problem == {
        "type": "urn:orderloom:error:invalid",
        "title": "Not good.",
        "status": 422,
        "code": "invalid",
        "field": "sku",
        "errors": [{"field": "sku", "message": "Not good."}],
        "facts": {"hint": "x"},
    }


def test_next_request_works_after_an_error(site, owner):
    owner.get("/t/tea/probe/fail/sql")

    assert owner.get("/t/tea/probe/read").status_code == 200


@pytest.mark.parametrize(
    "query", ["psize_X=1000000", "psize_X=0", "psize_X=-1", "page_X=abc", "page_X=-1", "page_X=99999999999999999999", "q=%00"]
)
def test_unfit_arguments_are_refused(site, owner, query):
    assert owner.get(f"/t/tea/probe/read?{query}").status_code == 400


def test_fitting_arguments_pass(site, owner):
    assert owner.get("/t/tea/probe/read?psize_X=200&page_X=0&page=x").status_code == 200


def test_fab_views_for_users_and_roles_do_not_exist(site, owner):
    paths = [
        "/users/list/",
        "/roles/list/",
        "/resetpassword/form",
        "/resetmypassword/form",
        "/userinfoeditview/form",
        "/groups/list/",
        "/back",
    ]
    paths += [
        "/permissions/list/",
        "/userstatschartview/chart/",
        "/static/appbuilder/js/ab.js",
        "/swagger/v1",
        "/api/v1/menu/",
        "/register/form",
    ]

    assert {path: owner.get(path).status_code for path in paths} == dict.fromkeys(paths, 404)
