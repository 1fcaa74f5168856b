"""The pages and endpoints of webhooks over HTTP."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

import pytest
from sqlalchemy import select, update

from core.runtime.plugin_host.lifecycle import disable
from core.runtime.security.audit import AuditFilter, entries
from plugins.outbound_webhooks import service
from plugins.outbound_webhooks.models import Hook, Message
from tests.fixtures.programs import Program, token_program
from tests.plugins.outbound_webhooks.conftest import PLUGIN
from tests.plugins.outbound_webhooks.test_delivery import held

pytestmark = pytest.mark.database
BASE = "/t/tea/webhooks/"
SCOPES = ("outbound_webhooks.see", "outbound_webhooks.manage")


@dataclass
class Client:
    """A program that manages webhooks."""

    program: Program

    def __call__(self, method, path="", body=None):
        return self.program.call(method, f"/webhooks/{path}", body)


@pytest.fixture
def owner(desk):
    browser = desk.floor.visitor("owner@tea.example")
    browser.get("/lang/en")
    return browser


def post(browser, path, data=None):
    return browser.post(path, data or {}, page="/t/tea/account/")


def secrets_in(page):
    return re.findall(r"whsec_[A-Za-z0-9_-]{40,}", html.unescape(page.text))


@pytest.fixture
def program(desk):
    return Client(token_program(desk.floor, desk.tea, "owner@tea.example", *SCOPES))


def test_secret_is_shown_once_when_a_webhook_is_added(desk, owner, receiver):
    made = post(owner, f"{BASE}add", {"name": "ERP", "url": receiver.url("/in?key=hidden"), "events": ["order.", "stock.low"]})
    [hook] = desk.unit_rows(Hook)
    listed, shown = owner.get(BASE), owner.get(f"{BASE}{hook.id}/")

    assert (made.status_code, listed.status_code, shown.status_code) == (200, 200, 200), made.text[:1000]
    [secret] = set(secrets_in(made))
    assert (hook.events, hook.secret_hint) == (["order.", "stock.low"], secret[-4:])
    assert secret not in listed.text + shown.text
    assert "key=hidden" not in listed.text
    desk.happen(held())
    assert receiver.calls[0].is_signed_by(secret)


def test_form_says_what_is_wrong_when_the_address_cannot_be_called(desk, owner):
    page = post(owner, f"{BASE}add", {"name": "ERP", "url": "https://192.168.1.7/hook", "events": ["order."]})

    assert page.status_code == 422
    assert "This address lies in a private network." in page.text
    assert desk.unit_rows(Hook) == []


def test_name_cannot_be_used_twice_when_a_webhook_is_added(desk, owner, receiver):
    desk.subscribe(receiver)

    page = post(owner, f"{BASE}add", {"name": "ERP", "url": receiver.url(), "events": ["order."]})

    assert (page.status_code, len(desk.unit_rows(Hook))) == (409, 1)
    assert "Another webhook has this name." in page.text


def test_log_shows_every_attempt_when_a_delivery_was_repeated(desk, owner, receiver):
    hook, _ = desk.subscribe(receiver)
    receiver.answers = [(500, {}, b"<script>boom</script>")]
    desk.happen(held(number="SO-77"))
    desk.floor.hurry(desk.tea)

    page = owner.get(f"{BASE}{hook}/")

    assert page.status_code == 200
    assert "2 attempts" in page.text
    assert "<b>500</b>" in page.text
    assert "<b>204</b>" in page.text
    assert "SO-77" in page.text
    assert "<script>boom" not in page.text


def test_log_is_paged_and_told_apart_by_state_when_it_is_long(desk, owner, receiver):
    hook, _ = desk.subscribe(receiver)
    desk.happen(*(held() for _ in range(30)))
    with desk.unit() as session:
        oldest = session.scalars(select(Message.id).order_by(Message.id).limit(1)).one()
        session.execute(update(Message).where(Message.id == oldest).values(state="failed"))

    first, failed = owner.get(f"{BASE}{hook}/"), owner.get(f"{BASE}{hook}/?tab=failed")
    following = html.unescape(re.search(r'href="([^"]*before=[^"]*)"', first.text)[1])
    second = owner.get(following)

    assert [page.text.count('class="cause attempt"') for page in (first, second, failed)] == [25, 5, 1]


def test_webhook_is_changed_paused_rotated_and_deleted_when_the_owner_says_so(desk, owner, receiver):
    hook, old = desk.subscribe(receiver)
    other = type(receiver)()

    edited = post(owner, f"{BASE}{hook}/edit", {"name": "DW", "url": other.url("/in"), "events": ["order.held"]})
    rotated = post(owner, f"{BASE}{hook}/rotate")
    desk.happen(held())
    paused = post(owner, f"{BASE}{hook}/switch")
    desk.happen(held())
    resumed = post(owner, f"{BASE}{hook}/switch")
    desk.floor.settle(desk.tea)
    deleted = post(owner, f"{BASE}{hook}/delete")
    desk.happen(held())
    other.stop()

    assert [page.status_code for page in (edited, rotated, paused, resumed, deleted)] == [303, 200, 303, 303, 303]
    [new] = set(secrets_in(rotated))
    assert [(call.path, call.is_signed_by(new), call.is_signed_by(old)) for call in other.calls] == [("/in", True, True)] * 2
    assert (receiver.calls, desk.unit_rows(Hook), desk.unit_rows(Message)) == ([], [], [])
    with desk.unit() as session:
        hosts = [entry.action for entry in entries(session, AuditFilter(subject_type="plugin")) if entry.action.startswith("plugin.host_")]
        trail = [entry.changes for entry in entries(session, AuditFilter(subject_type="webhook", subject_id=str(hook)))]
    assert hosts[:3] == ["plugin.host_withdrawn", "plugin.host_allowed", "plugin.host_allowed"]
    assert any(changes.get("secret") == "changed" for changes in trail)
    assert new not in str(trail)


def test_failed_deliveries_are_sent_again_when_the_owner_asks(desk, owner, receiver):
    hook, _ = desk.subscribe(receiver)
    desk.happen(held(), held())
    first, second = desk.messages()
    with desk.unit() as session:
        session.execute(update(Message).values(state="failed"))
    receiver.calls.clear()

    one = post(owner, f"{BASE}{hook}/replay", {"message": str(first.id)})
    desk.floor.settle(desk.tea)
    all_failed = post(owner, f"{BASE}{hook}/replay", {"since": ""})
    desk.floor.settle(desk.tea)
    test = post(owner, f"{BASE}{hook}/test")
    desk.floor.settle(desk.tea)

    assert (one.status_code, all_failed.status_code, test.status_code) == (303, 303, 303)
    ids = [call.headers["orderloom-delivery-id"] for call in receiver.calls]
    assert ids[:2] == [str(first.id), str(second.id)]
    assert receiver.calls[2].event["kind"] == "webhook.test"


@pytest.mark.parametrize("email", ["staff@tea.example", "reader@tea.example"])
def test_pages_are_refused_when_somebody_is_no_administrator(desk, receiver, email):
    hook, _ = desk.subscribe(receiver)
    browser = desk.floor.visitor(email)

    assert browser.get(BASE).status_code == 403
    assert browser.get(f"{BASE}{hook}/").status_code == 403
    assert post(browser, f"{BASE}{hook}/delete").status_code == 403
    assert "Webhooks" not in browser.get("/t/tea/account/").text
    assert len(desk.unit_rows(Hook)) == 1


def test_other_tenant_finds_no_such_webhook(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    stranger = desk.floor.visitor("owner@gift.example")

    for path in ("", "edit"):
        assert stranger.get(f"/t/gift/webhooks/{hook}/{path}").status_code == 404
    for path in ("delete", "rotate", "switch", "test", "replay"):
        assert stranger.post(f"/t/gift/webhooks/{hook}/{path}", {}, page="/t/gift/account/").status_code == 404
    assert str(hook) not in stranger.get("/t/gift/webhooks/").text
    assert desk.hook(hook).paused == ""


def test_everything_is_gone_when_the_plugin_is_off(desk, owner, program, receiver):
    hook, _ = desk.subscribe(receiver)
    on = (owner.get(BASE).status_code, program("GET").status_code)
    with desk.unit() as session:
        disable(session, desk.floor.system.plugins, PLUGIN)
    desk.floor.system.plugins.enablement.forget()

    assert on == (200, 200)
    assert [owner.get(path).status_code for path in (BASE, f"{BASE}{hook}/")] == [404, 404]
    assert [program("GET").status_code, program("GET", f"{hook}").status_code] == [404, 404]
    assert "/webhooks/" not in owner.get("/t/tea/account/").text


def test_webhook_lives_over_rest_when_a_program_manages_it(desk, program, receiver):
    made = program("POST", body={"name": "BI", "url": receiver.url(), "events": ["order."]})
    hook = made.json["id"]
    changed = program("PATCH", hook, {"events": ["order.held"], "is_active": False})
    paused = desk.hook(hook).paused
    program("PATCH", hook, {"is_active": True})
    rotated = program("POST", f"{hook}/rotate", {})
    desk.happen(held())
    log = program("GET", f"{hook}/deliveries")
    again = program("POST", f"{hook}/deliveries/{log.json['result'][0]['id']}/replay", {})
    tested = program("POST", f"{hook}/test", {})
    all_again = program("POST", f"{hook}/replay", {"since": "2026-01-01T00:00:00+00:00"})
    listed = program("GET")
    gone = program("DELETE", hook)

    assert [answer.status_code for answer in (made, changed, rotated, again, tested, all_again, gone)] == [201, 200, 200, 202, 202, 202, 204]
    assert (changed.json["events"], changed.json["is_active"], paused) == (["order.held"], False, "by_hand")
    assert receiver.calls[0].is_signed_by(rotated.json["secret"])
    assert receiver.calls[0].is_signed_by(made.json["secret"])
    assert made.headers["Location"].endswith(f"/api/v1/webhooks/{hook}")
    assert [one["status"] for one in log.json["result"][0]["attempts"]] == [204]
    assert [sorted(one) == sorted(changed.json) and "secret" not in one for one in listed.json["result"]] == [True]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://example.com/", "events": ["order."]}, "name"),
        ({"name": "A", "events": ["order."]}, "url"),
        ({"name": "A", "url": "https://example.com/", "events": []}, "events"),
        ({"name": "A", "url": "https://example.com/", "events": ["schedule."]}, "events"),
        ({"name": "A", "url": "https://example.com/", "events": ["outbound_webhooks.paused"]}, "events"),
        ({"name": "A", "url": "https://example.com/", "events": "order."}, "events"),
        ({"name": "A", "url": "https://169.254.169.254/latest/", "events": ["order."]}, "url"),
        ({"name": "A", "url": "https://[::ffff:10.0.0.1]/", "events": ["order."]}, "url"),
        ({"name": "A", "url": "https://2130706433/", "events": ["order."]}, "url"),
        ({"name": "A", "url": "https://me@example.com/", "events": ["order."]}, "url"),
        ({"name": "A", "url": 7, "events": ["order."]}, "url"),
        ({"name": "A", "url": "https://example.com/", "events": ["order."], "is_active": "yes"}, "is_active"),
        ({"name": "A", "url": "https://example.com/", "events": ["order."], "secret": "mine"}, "secret"),
    ],
)
def test_field_is_named_when_a_program_sends_nonsense(desk, program, body, field):
    answer = program("POST", body=body)

    assert (answer.status_code, answer.json["field"], answer.mimetype) == (422, field, "application/problem+json")
    assert desk.unit_rows(Hook) == []


def test_rest_is_refused_when_the_token_may_only_see(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    reader = Client(token_program(desk.floor, desk.tea, "owner@tea.example", "outbound_webhooks.see"))

    assert reader("GET", str(hook)).status_code == 200
    assert reader("POST", f"{hook}/rotate", {}).status_code == 403
    assert reader("DELETE", str(hook)).status_code == 403
    assert desk.hook(hook).former_secret is None


def test_rest_finds_nothing_when_the_webhook_is_another_tenants(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    stranger = Client(token_program(desk.floor, desk.gift, "owner@gift.example", *SCOPES))

    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"), ("GET", "/deliveries")):
        assert stranger(method, f"{hook}{path}", {} if method != "GET" else None).status_code == 404
    assert stranger("GET").json == {"result": []}


def test_plugin_says_so_when_a_receiver_was_given_up(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    with desk.unit() as session:
        before = service.health(desk.context(session))
        service.pause_for(desk.context(session), hook, "gone", failures=1)
        after = service.health(desk.context(session))

    assert (before.state, after.state, after.message) == ("ok", "degraded", "Paused because of its receiver: ERP")
