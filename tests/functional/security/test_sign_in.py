"""Signing in and out through the pages: sameness, throttle, sessions, reset links, redirects."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.runtime.security import passwords
from core.runtime.security.models import LoginSession
from tests.factories.security import NOON, OTHER_PASSWORD, PASSWORD

pytestmark = pytest.mark.database

UNSAFE = [
    "http://evil.example", "https://evil.example/t/tea/", "//evil.example", "///evil.example", "////evil.example/%2f..", "/\\evil.example",
    "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "/\x7f/evil.example",
    " //evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "ftp://evil.example", "http:evil.example", "http:/evil.example",
    "https:///evil.example", "/%5cevil.example", "/%2fevil.example", "/.//evil.example", "/..//evil.example", "/%2e%2e//evil.example", "//evil.example@orders.example.test",
    "http://orders.example.test.evil.example/", "http://orders.example.test@evil.example/", "evil.example", "//%65vil.example", "/\u2028/evil.example", "/\u00a0/evil.example",
]  # fmt: skip
SAFE = ["/t/tea/", "/t/tea/probe/read?x=1&y=/a", "/account/", "/t/tea/orders/?q=a b"]


@pytest.fixture(autouse=True)
def _noon(site):
    yield
    site.clock.advance(NOON - site.clock.now())


def test_sign_in_says_the_same_for_unknown_account_and_wrong_password(site, monkeypatch):
    site.member("same@tea.example", ["staff"])
    checked = []
    real = passwords.check_password_hash
    monkeypatch.setattr(passwords, "check_password_hash", lambda stored, given: checked.append(stored) or real(stored, given))

    answers = [site.browser().sign_in(login, "wrong-wrong-wrong") for login in ("same@tea.example", "nobody@tea.example")]

    def words(page):
        return re.sub(r"[0-9a-zA-Z_.-]{40,}|nonce=\"[^\"]+\"|value=\"[^\"]*\"", "", page)

    assert [one.status_code for one in answers] == [401, 401]
    assert words(answers[0].text) == words(answers[1].text)
    assert [stored.split("$")[0] for stored in checked] == ["scrypt:1024:1:1"] * 2


def test_sign_in_is_slowed_down_for_strangers_but_not_for_a_known_device(site):
    site.member("slowed@tea.example", ["staff"])
    known = site.browser("slowed@tea.example")
    known.post("/logout/", page="/logout/")
    stranger = site.browser()

    codes = [stranger.sign_in("slowed@tea.example", f"guess-number-{number}").status_code for number in range(6)]
    refused = stranger.sign_in("slowed@tea.example")
    owner = known.sign_in("slowed@tea.example")

    assert codes == [401] * 5 + [429]
    assert refused.status_code == 429
    assert "Wait 12 seconds" in refused.text
    assert owner.status_code == 303


def test_sign_out_of_the_menu_leads_to_the_page_that_does_it(site):
    site.member("leaving@tea.example", ["staff"])
    browser = site.browser("leaving@tea.example")
    menu = browser.get("/t/tea/account/").text

    address = re.search(r'href="([^"]*/logout/)"', menu)[1]
    page = browser.get(address)
    browser.post(address, page=address)

    assert (address, page.status_code) == ("/logout/", 200)
    assert browser.get("/t/tea/account/").status_code == 303


def test_device_cookie_of_another_account_helps_nobody(site):
    site.member("first@tea.example", ["staff"])
    site.member("second@tea.example", ["staff"])
    browser = site.browser("first@tea.example")
    browser.post("/logout/", page="/logout/")

    codes = [browser.sign_in("second@tea.example", f"guess-number-{number}").status_code for number in range(6)]

    assert codes == [401] * 5 + [429]


def test_session_changes_at_sign_in_and_ends_at_sign_out(site):
    site.member("replay@tea.example", ["staff"])
    browser = site.browser()
    browser.get("/login/")
    before = browser.client.get_cookie("oms_session", "orders.example.test").value
    browser.sign_in("replay@tea.example")
    stolen = browser.client.get_cookie("oms_session", "orders.example.test").value
    alive = browser.get("/t/tea/probe/read").status_code

    signed_out = browser.post("/logout/", page="/logout/")
    browser.client.set_cookie("oms_session", stolen, domain="orders.example.test")
    replayed = browser.get("/t/tea/probe/read")

    assert before != stolen
    assert (alive, signed_out.location) == (200, "/login/")
    assert (replayed.status_code, replayed.location) == (303, "/login/?next=/t/tea/probe/read")


def test_sign_out_needs_more_than_a_link(site):
    site.member("link@tea.example", ["staff"])
    browser = site.browser("link@tea.example")

    asked = browser.get("/logout/")
    forged = browser.client.post("/logout/", base_url=browser.base)

    assert (asked.status_code, forged.status_code) == (200, 400)
    assert browser.get("/t/tea/probe/read").status_code == 200


def test_other_devices_are_signed_out_when_the_password_changes(site):
    site.member("pw@tea.example", ["staff"])
    mine, other = site.browser("pw@tea.example"), site.browser("pw@tea.example")
    form = {"current": PASSWORD, "password": OTHER_PASSWORD, "again": OTHER_PASSWORD}

    wrong = mine.post("/account/password", {**form, "current": "wrong-wrong-wrong"}, page="/account/password")
    weak = mine.post("/account/password", {**form, "password": "passwordpassword", "again": "passwordpassword"}, page="/account/password")
    differs = mine.post("/account/password", {**form, "again": PASSWORD}, page="/account/password")
    still = other.get("/t/tea/probe/read").status_code
    changed = mine.post("/account/password", form, page="/account/password")

    assert ["present password is not right" in wrong.text, "one of the first" in weak.text, "differ" in differs.text] == [True] * 3
    assert still == 200
    assert changed.location == "/account/"
    assert [one.get("/t/tea/probe/read").status_code for one in (mine, other)] == [200, 303]
    assert site.browser().sign_in("pw@tea.example", PASSWORD).status_code == 401
    assert site.browser().sign_in("pw@tea.example", OTHER_PASSWORD).status_code == 303


def test_device_list_signs_out_one_or_all(site):
    site.member("devices@tea.example", ["staff"])
    mine, phone, desk = (site.browser("devices@tea.example") for _ in range(3))
    stranger_page = mine.get("/account/").text
    links = re.findall(r'action="(/account/sessions/[0-9a-f-]{36}/end)"', stranger_page)
    site.member("stranger@tea.example", ["staff"])

    foreign = site.browser("stranger@tea.example").post(links[0]).status_code
    ended = mine.post(links[0]).status_code
    left = [one.get("/account/").status_code for one in (phone, desk)]
    mine.post("/account/sessions/end-all")

    assert (len(links), foreign, ended) == (2, 404, 303)
    assert sorted(left) == [200, 303]
    assert [one.get("/account/").status_code for one in (mine, phone, desk)] == [303] * 3


def test_session_ends_when_idle_and_after_twelve_hours(site):
    site.member("clock@tea.example", ["staff"])
    browser = site.browser("clock@tea.example")

    site.clock.advance(timedelta(minutes=59))
    used = browser.get("/account/").status_code
    site.clock.advance(timedelta(minutes=59))
    used_again = browser.get("/account/").status_code
    site.clock.advance(timedelta(minutes=61))
    idle = browser.get("/account/").status_code
    long = site.browser("clock@tea.example")
    for _ in range(14):
        site.clock.advance(timedelta(minutes=50))
        last = long.get("/account/").status_code
    site.clock.advance(timedelta(minutes=30))

    assert (used, used_again, idle, last) == (200, 200, 303, 200)
    assert long.get("/account/").status_code == 303


def test_request_writes_last_seen_once_a_minute(site):
    person, _ = site.member("touch@tea.example", ["staff"])
    browser = site.browser("touch@tea.example")

    def seen():
        with site.world.database.platform() as session:
            return session.scalar(select(func.max(LoginSession.last_seen_at)).where(LoginSession.user_id == person.user_id))

    times = []
    for seconds in (0, 59, 1, 30):
        site.clock.advance(timedelta(seconds=seconds))
        browser.get("/account/")
        times.append((seen() - NOON).total_seconds())

    assert times == [0, 0, 60, 60]


def test_one_time_password_lets_in_only_to_change_it(site):
    site.member("fresh@tea.example", ["owner"], must_change=True)
    browser = site.browser("fresh@tea.example")

    before = [browser.get(page).location for page in ("/", "/t/tea/", "/t/tea/members/")]
    api = browser.get("/t/tea/api/v1/probe/")
    form = {"current": PASSWORD, "password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    browser.post("/account/password", form, page="/account/password")

    assert before == ["/account/password"] * 3
    assert (api.status_code, api.json["code"]) == (403, "security.must_change_password")
    assert browser.get("/t/tea/members/").status_code == 200


def test_reset_link_is_sent_to_accounts_only_and_works_once(site):
    site.member("forgot@tea.example", ["staff"])
    signed_in = site.browser("forgot@tea.example")
    site.sent.clear()

    answers = [
        site.browser().post("/forgot/", {"email": email}, page="/forgot/").text for email in ("forgot@tea.example", "nobody@x.example")
    ]
    (to, link, locale) = site.sent[0]
    path = link.removeprefix("http://orders.example.test")
    form = {"password": OTHER_PASSWORD, "again": OTHER_PASSWORD}
    weak = site.browser().post(path, {"password": "short", "again": "short"}, page=path).text
    used = site.browser().post(path, form, page=path)
    again = site.browser().get(path)

    assert len(site.sent) == 1
    assert (to, locale) == ("forgot@tea.example", "en")
    assert [("a link is on its way" in text) for text in answers] == [True, True]
    assert "too short" in weak
    assert (used.location, again.status_code) == ("/login/", 404)
    assert signed_in.get("/account/").status_code == 303
    assert site.browser().sign_in("forgot@tea.example", OTHER_PASSWORD).status_code == 303


@pytest.fixture(scope="module")
def traveller(site):
    site.member("redirect@tea.example", ["staff"])


@pytest.mark.parametrize("target", UNSAFE)
def test_sign_in_never_leads_away_from_the_site(site, traveller, target):
    browser = site.browser()

    token = browser.token("/login/")
    data = {"username": "redirect@tea.example", "password": PASSWORD, "csrf_token": token}
    answer = browser.client.post("/login/", base_url=browser.base, query_string={"next": target}, data=data)
    signed_in = browser.client.get("/login/", base_url=browser.base, query_string={"next": target})

    assert (answer.status_code, answer.location) == (303, "/")
    assert (signed_in.status_code, signed_in.location) == (303, "/")


@pytest.mark.parametrize("target", SAFE)
def test_sign_in_leads_on_to_pages_of_the_site(site, traveller, target):
    browser = site.browser()

    token = browser.token("/login/")
    data = {"username": "redirect@tea.example", "password": PASSWORD, "csrf_token": token}
    answer = browser.client.post("/login/", base_url=browser.base, query_string={"next": target}, data=data)

    assert (answer.status_code, answer.location.replace("%20", " ")) == (303, target)
