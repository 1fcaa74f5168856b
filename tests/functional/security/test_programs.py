"""Programs: API tokens and signed tokens, their tenants, scopes and ends."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import jwt
import pytest
from flask_jwt_extended import create_access_token

from core.kernel.ids import new_id
from core.runtime.security import accounts, members, tokens
from core.runtime.security.models import ApiToken
from core.runtime.security.tokens import NewToken
from tests.factories.security import NOON, PASSWORD

pytestmark = pytest.mark.database
LOGIN = "/api/v1/security/login"


@pytest.fixture(autouse=True)
def _noon(site):
    yield
    site.clock.advance(NOON - site.clock.now())


@pytest.fixture
def ask(site):
    client = site.app.test_client(use_cookies=False)

    def call(path="/api/v1/probe/", token="", method="GET", **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return client.open(path, method=method, headers=headers, base_url="http://orders.example.test", **options)

    return call


def _token(site, email, scopes, scope=None, **values):
    scope = scope or site.world.tea
    with site.world.database.platform() as session:
        user_id = accounts.find_person(session, email).user_id
    with site.world.database.unit(scope) as session:
        new = NewToken("Feed", scopes, values.get("expires_at"))
        return tokens.create_token(session, site.rights, new, user_id=user_id, now=site.clock.now())[1]


def _login(ask, email, **values):
    return ask(LOGIN, method="POST", json={"username": email, "password": PASSWORD, **values})


def test_api_token_works_in_its_tenant_and_scope_only(site, ask):
    site.member("feed@tea.example", ["owner"])
    token = _token(site, "feed@tea.example", ["orders.read"])

    read, inside = ask(token=token), ask("/t/tea/api/v1/probe/", token)
    write = ask(token=token, method="POST", json={})
    other, nosuch = ask("/t/gift/api/v1/probe/", token), ask("/t/nosuch/api/v1/probe/", token)

    assert [(one.status_code, one.json["tenant"]) for one in (read, inside)] == [(200, str(site.world.tea.tenant_id))] * 2
    assert write.status_code == 403
    assert [(one.status_code, one.json["code"]) for one in (other, nosuch)] == [(403, "security.wrong_tenant")] * 2


def test_api_token_opens_no_page(site, ask):
    site.member("nopage@tea.example", ["owner"])
    token = _token(site, "nopage@tea.example", ["members.read", "orders.read"])

    answer = ask("/t/tea/members/", token)

    assert (answer.status_code, answer.location) == (303, "/login/?next=/t/tea/members/")


def test_api_token_ends_when_expired_revoked_or_its_member_goes(site, ask):
    _, membership_id = site.member("ends@tea.example", ["owner"])
    site.member("ends-keeper@tea.example", ["owner"])
    short = _token(site, "ends@tea.example", ["orders.read"], expires_at=NOON + timedelta(hours=1))
    revoked, kept = (_token(site, "ends@tea.example", ["orders.read"]) for _ in range(2))
    before = [ask(token=one).status_code for one in (short, revoked, kept)]

    site.clock.advance(timedelta(hours=1))
    with site.world.database.unit(site.world.tea) as session:
        row = session.query(ApiToken).filter(ApiToken.token_hash == tokens.digest(revoked)).one()
        tokens.revoke_token(session, row.id, now=site.clock.now())
    after = [ask(token=one).status_code for one in (short, revoked, kept)]
    with site.world.database.unit(site.world.tea) as session:
        members.switch_member(session, site.rights, membership_id, is_active=False)

    assert (before, after, ask(token=kept).status_code) == ([200] * 3, [401, 401, 200], 401)


@pytest.mark.parametrize("token", ["olt_1_" + "a" * 43, "olt_zz_" + "a" * 43, "olt_", "x", "a.b.c", "'; drop table role; --"])
def test_made_up_token_is_refused(site, ask, token):
    answer = ask(token=token)

    assert (answer.status_code, answer.json["code"], answer.headers["WWW-Authenticate"]) == (401, "security.not_signed_in", "Bearer")


def test_basic_credentials_are_refused(site):
    client = site.app.test_client(use_cookies=False)

    answer = client.get("/api/v1/probe/", base_url="http://orders.example.test", headers={"Authorization": "Basic dTpw"})

    assert answer.status_code == 401


def test_sign_in_for_programs_names_one_tenant(site, ask):
    site.member("prog@tea.example", ["owner"])
    first = _login(ask, "prog@tea.example")
    site.member("prog@tea.example", ["warehouse"], site.world.gift)

    needed = _login(ask, "prog@tea.example")
    gift = _login(ask, "prog@tea.example", tenant="gift")
    foreign = _login(ask, "prog@tea.example", tenant="nosuch")
    token = gift.json["access_token"]

    assert (first.status_code, first.json["tenant"], first.json["expires_in"]) == (200, "tea", 900)
    assert (needed.status_code, needed.json["field"]) == (422, "tenant")
    assert (foreign.status_code, foreign.json["code"]) == (401, "security.sign_in_refused")
    assert ask(token=token).json["tenant"] == str(site.world.gift.tenant_id)
    assert ask(token=token, method="POST", json={}).status_code == 403
    assert ask("/t/tea/api/v1/probe/", token).status_code == 403


def test_sign_in_for_programs_is_throttled_and_says_the_same(site, ask):
    site.member("guess@tea.example", ["owner"])

    def attempt(email):
        return ask(LOGIN, method="POST", json={"username": email, "password": "wrong-wrong-wrong"})

    answers = [attempt(email) for email in ("guess@tea.example", "nobody@tea.example")]
    codes = [attempt("guess@tea.example").status_code for _ in range(4)]

    assert [(one.status_code, {**one.json, "trace": ""}) for one in answers] == [
        (401, {"type": "urn:orderloom:error:security.sign_in_refused", "title": "That name and password do not belong together.",
               "status": 401, "code": "security.sign_in_refused", "trace": ""})
    ] * 2  # fmt: skip
    assert codes == [401, 401, 401, 429]
    assert attempt("guess@tea.example").headers["Retry-After"] == "12"


@pytest.mark.parametrize("body", ["", "[]", "1", '{"username": 1, "password": "x"}', '{"username": "x"}', "{", '{"password": "x"}'])
def test_sign_in_for_programs_refuses_unfit_bodies(site, ask, body):
    assert ask(LOGIN, method="POST", data=body, content_type="application/json").status_code == 422


def test_access_token_ends_with_time_sign_out_password_and_membership(site, ask):
    person, membership_id = site.member("life@tea.example", ["owner"])
    site.member("life-keeper@tea.example", ["owner"])

    def fresh():
        return _login(ask, "life@tea.example").json["access_token"]

    signed_out = fresh()
    left = ask("/api/v1/security/logout", signed_out, "POST").status_code
    changed = fresh()
    with site.world.database.platform() as session:
        accounts.set_password(session, person.user_id, PASSWORD, now=site.clock.now())
    member = fresh()
    alive = ask(token=member).status_code
    with site.world.database.unit(site.world.tea) as session:
        members.switch_member(session, site.rights, membership_id, is_active=False)

    assert (left, alive) == (204, 200)
    assert [ask(token=one).status_code for one in (signed_out, changed, member)] == [401, 401, 401]


def test_refresh_token_gets_access_and_nothing_else(site, ask):
    site.member("refresh@tea.example", ["owner"])
    both = _login(ask, "refresh@tea.example", refresh=True).json

    as_access = ask(token=both["refresh_token"]).status_code
    as_refresh = ask("/api/v1/security/refresh", both["access_token"], "POST").status_code
    renewed = ask("/api/v1/security/refresh", both["refresh_token"], "POST")
    works = ask(token=renewed.json["access_token"]).status_code
    ask("/api/v1/security/logout", both["access_token"], "POST")
    dead = ask("/api/v1/security/refresh", both["refresh_token"], "POST").status_code

    assert (as_access, as_refresh, renewed.status_code, works, dead) == (401, 401, 200, 200, 401)


def test_forged_signed_tokens_are_refused(site, ask):
    site.member("forge@tea.example", ["owner"])
    good = _login(ask, "forge@tea.example").json["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    key = site.app.config["JWT_SECRET_KEY"]
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode()).rstrip(b"=").decode()
    forged = [
        f"{head}.{good.split('.')[1]}.",
        jwt.encode(claims, "other key other key other key 1234", "HS256"),
        jwt.encode(claims, site.app.config["SECRET_KEY"], "HS256"),
        jwt.encode({**claims, "aud": "other"}, key, "HS256"),
        jwt.encode({**claims, "iss": "other"}, key, "HS256"),
        jwt.encode({**claims, "exp": 1}, key, "HS256"),
        jwt.encode({**claims, "sid": str(new_id())}, key, "HS256"),
        jwt.encode({**claims, "sub": "1"}, key, "HS256"),
        jwt.encode({**claims, "tnt": site.world.gift.tenant_id}, key, "HS256"),
        jwt.encode(claims, key, "HS512"),
    ]
    with site.app.app_context():
        forged.append(create_access_token(identity=claims["sub"]))

    assert [ask(token=one).status_code for one in forged] == [401] * len(forged)
    assert ask(token=good).status_code == 200


def test_cookie_of_a_browser_and_token_of_a_program_do_not_stand_in_for_each_other(site, ask):
    site.member("swap@tea.example", ["owner"])
    claims = jwt.decode(_login(ask, "swap@tea.example").json["access_token"], options={"verify_signature": False})
    browser = site.browser("swap@tea.example")
    with browser.client.session_transaction(base_url=browser.base) as stored:
        secret = stored["sid"]
        stored["sid"] = claims["sid"]

    assert browser.get("/t/tea/probe/read").status_code == 303
    assert ask(token=secret).status_code == 401
