"""Every refusal is a Problem Details document with a stable code, and names the field where there is one."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from sqlalchemy import delete

from core.domain.catalog.models import Sku
from core.runtime.security.models import LoginThrottle
from tests.fixtures.floor import HOST
from tests.fixtures.programs import PROBLEM, Program, count_rows, signed_in_program, token_program

pytestmark = pytest.mark.database

SKU = {"code": "NEW-1", "title": "New"}


def told(answer):
    """What of a problem counts: status, code, first field; after checking its form."""
    body = json.loads(answer.text)
    assert (answer.mimetype, body["status"], body["type"]) == (PROBLEM, answer.status_code, f"urn:orderloom:error:{body['code']}"), answer.text
    assert body["title"]
    assert [one["field"] for one in body.get("errors", [])][:1] == ([body["field"]] if "field" in body else [])
    return answer.status_code, body["code"], body.get("field")


def test_missing_credentials_are_refused_with_a_challenge_when_any_resource_is_asked(floor):
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer olt_1_x"}):
        answer = Program(floor, headers=headers).get("/orders/")

        assert told(answer) == (401, "security.not_signed_in", None)
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_token_is_refused_when_the_scope_lacks_the_permission(floor, goods):
    program = token_program(floor, floor.world.tea, "owner@tea.example", "catalog.read")

    assert program.get("/skus/").status_code == 200
    assert told(program.get("/orders/")) == (403, "denied", None)
    assert told(program.post("/skus/", SKU)) == (403, "denied", None)
    assert count_rows(floor, floor.world.tea, Sku) == 1


def test_token_is_refused_when_the_address_names_another_business(floor, owner):
    for slug in ("gift", "nosuch"):
        assert told(Program(floor, f"/t/{slug}", owner.headers).get("/orders/")) == (403, "security.wrong_tenant", None)


@pytest.mark.parametrize("slug", ["", "/t/tea"])
def test_access_token_works_like_an_api_token_with_and_without_the_short_name(floor, goods, slug):
    program = signed_in_program(floor, "staff@tea.example")
    program.prefix = slug

    assert program.get("/orders/").status_code == 200
    assert told(program.post("/skus/", SKU)) == (403, "denied", None)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nosuch", 404, "http.not_found"),
        ("GET", "/orders/nosuch", 404, "not_found"),
        ("GET", "/orders/0190a1b2-0000-7000-8000-000000000000", 404, "not_found"),
        ("GET", "/orders/nosuch/stuck", 404, "orders.unknown"),
        ("POST", "/orders/", 405, "http.method_not_allowed"),
        ("DELETE", "/orders/0190a1b2-0000-7000-8000-000000000000", 405, "http.method_not_allowed"),
        ("TRACE", "/orders/", 405, "http.method_not_allowed"),
        ("POST", "/orders/actions/nosuch", 404, "not_found"),
        ("POST", "/shipment-lines/actions/any", 404, "http.not_found"),
        ("GET", "/skus/a%00b", 400, "http.bad_request"),
        ("GET", "/skus/a%5Cb", 400, "http.bad_request"),
    ],
)
def test_address_is_refused_when_nothing_answers_there(owner, method, path, status, code):
    answer = owner.call(method, path)

    assert told(answer) == (status, code, None)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("size=0", 422, "size"),
        ("size=-1", 422, "size"),
        ("size=1001", 422, "size"),
        ("size=1e3", 422, "size"),
        ("size=٣", 422, "size"),
        ("size=000001" + "0" * 5000, 422, "size"),
        ("size=5&size=6", 422, "size"),
        ("page=2", 422, "page"),
        ("queue=nosuch", 422, "queue"),
        ("sort=nosuch", 422, "sort"),
        ("sort=--code", 422, "sort"),
        ("sort=title", 422, "sort"),
        ("fields=nosuch", 422, "fields"),
        ("cursor=nosuch", 422, "cursor"),
        ("q=" + "x" * 501, 422, "q"),
        ("q=%00", 400, None),
        ("filter=nosuch", 422, "filter"),
        ("filter=[]", 422, "filter"),
        ("filter=" + quote("[" * 5000), 422, "filter"),
        ("filter=" + quote('{"field":"code","op":"eq","value":"\\ud800"}'), 422, "filter"),
        ("filter=" + quote('{"field":"code","op":"eq","value":"\\u0000"}'), 422, "filter"),
        ("filter=" + quote('{"field":"code","field":"title","op":"eq","value":"a"}'), 422, "filter"),
        ("filter=" + quote('{"field":"nosuch","op":"eq","value":"a"}'), 422, "filter.field"),
        ("filter=" + quote('{"all":[{"field":"price","op":"eq","value":NaN}]}'), 422, "filter"),
        ("filter=" + quote('{"all":[{"field":"price","op":"gt","value":1e99}]}'), 422, "filter.all[0].value"),
        ("filter=" + quote('{"field":"weight_g","op":"gt","value":' + "9" * 400 + "}"), 422, "filter.value"),
    ],
)
def test_list_argument_is_refused_by_name_when_it_is_wrong(owner, query, status, field):
    answer = owner.get(f"/skus/?{query}")

    assert told(answer)[::2] == (status, field)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "field"),
    [
        (b"", "application/json", 422, "body"),
        (b"[]", "application/json", 422, "body"),
        (b"1", "application/json", 422, "body"),
        (b"{", "application/json", 422, "body"),
        (b"\xff", "application/json", 422, "body"),
        (b'{"code":"a","code":"b","title":"c"}', "application/json", 422, "body"),
        (b'{"code":"a\\u0000","title":"c"}', "application/json", 422, "body"),
        (b'{"code":"\\ud83d","title":"c"}', "application/json", 422, "body"),
        (b'{"code":"a","title":"c","price":NaN}', "application/json", 422, "body"),
        (b'{"code":"a","title":"c","price":1e999}', "application/json", 422, "body"),
        (b'{"code":"a","title":"c","weight_g":' + b"9" * 5000 + b"}", "application/json", 422, "body"),
        (b'{"code":"a","title":"c","weight_g":' + b"9" * 4000 + b"}", "application/json", 422, "weight_g"),
        (b'{"code":"a","title":"c","weight_g":1.5}', "application/json", 422, "weight_g"),
        (b'{"code":"a","title":"c","weight_g":true}', "application/json", 422, "weight_g"),
        (b'{"code":"a","title":"c","price":"NaN"}', "application/json", 422, "price"),
        (b'{"code":"a","title":"c","price":"-1"}', "application/json", 422, "price"),
        (b'{"code":"a","title":"c","price":1.23456}', "application/json", 422, "price"),
        (b'{"code":"a","title":"c","price":"1e15"}', "application/json", 422, "price"),
        (b'{"code":"a","title":"c","kind":"nosuch"}', "application/json", 422, "kind"),
        (b'{"code":"a","title":"c","kind":["kit"]}', "application/json", 422, "kind"),
        (b'{"code":"a","title":"c","product_id":"nosuch"}', "application/json", 422, "product_id"),
        (b'{"code":"a","title":"c","product_id":{"a":1}}', "application/json", 422, "product_id"),
        (b'{"code":"a","title":"c","is_active":"perhaps"}', "application/json", 422, "is_active"),
        (b'{"code":"a","title":"c","nosuch":1}', "application/json", 422, "nosuch"),
        (b'{"code":"a","title":"c","id":"0190a1b2-0000-7000-8000-000000000000"}', "application/json", 422, "id"),
        (b'{"code":"a","title":"c","tenant_id":2}', "application/json", 422, "tenant_id"),
        (b'{"code":7,"title":"c"}', "application/json", 422, "code"),
        (b'{"code":"   ","title":"c"}', "application/json", 422, "code"),
        (b'{"code":"' + b"x" * 65 + b'","title":"c"}', "application/json", 422, "code"),
        (b'{"title":"c"}', "application/json", 422, "code"),
        (b"[" * 200_000, "application/json", 422, "body"),
        (b'{"code":"' + b"x" * 6_000_000 + b'"}', "application/json", 413, None),
        (b"code=a", "application/x-www-form-urlencoded", 415, None),
        (b"{}", "text/json", 415, None),
        (b"{}", "application/problem+json", 415, None),
        (b"{}", "", 415, None),
    ],
)
def test_body_is_refused_when_it_is_wrong(floor, owner, body, content_type, status, field):
    before = count_rows(floor, floor.world.tea, Sku)

    answer = owner.post("/skus/", data=body, headers={"Content-Type": content_type})

    assert told(answer)[::2] == (status, field), answer.text[:500]
    assert count_rows(floor, floor.world.tea, Sku) == before


def test_packed_body_is_refused_rather_than_unpacked(owner):
    answer = owner.post("/skus/", data=b"{}", headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})

    assert told(answer) == (415, "api.unsupported_type", None)


def test_all_wrong_fields_are_named_at_once_and_no_more_than_a_hundred(owner):
    two = owner.post("/skus/", {"price": "x", "kind": "y"}).json
    many = owner.post("/skus/", {f"field{number}" * 50: 1 for number in range(200)}).json

    assert sorted(one["field"] for one in two["errors"]) == ["code", "kind", "price", "title"]
    assert len(many["errors"]) == 100
    assert {len(one["field"]) <= 200 for one in many["errors"]} == {True}


def test_arguments_are_refused_when_an_endpoint_takes_none(owner, goods):
    for method, path, body in (("GET", f"/skus/{goods.sku}?x=1", None), ("POST", "/skus/?x=1", SKU), ("DELETE", f"/skus/{goods.sku}?x=1", None)):
        assert told(owner.call(method, path, body)) == (422, "invalid", "x")


def test_duplicate_is_refused_with_the_field_when_a_code_is_taken(owner, goods):
    assert told(owner.post("/skus/", {"code": "TEA-100", "title": "Again"})) == (422, "record.taken", "code")


def test_deleting_is_refused_with_409_when_others_refer_to_the_record(owner, goods):
    assert told(owner.delete(f"/skus/{goods.sku}")) == (409, "record.in_use", None)


@pytest.mark.parametrize("body", [{}, {"username": "a"}, {"username": 1, "password": "b"}, {"username": "a", "password": "b", "refresh": 1}])
def test_sign_in_of_a_program_names_the_field_when_it_is_wrong(floor, body):
    wanted = next((name for name in ("username", "password", "refresh") if not isinstance(body.get(name), str)), "refresh")

    assert told(Program(floor).post("/security/login", body))[::2] == (422, wanted)


def test_sign_in_of_a_program_is_slowed_down_with_429(floor):
    answers = [Program(floor).post("/security/login", {"username": "slow@tea.example", "password": "wrong"}) for _ in range(12)]
    with floor.world.database.platform() as session:
        session.execute(delete(LoginThrottle))

    assert told(answers[0])[0] == 401
    assert told(answers[-1])[0] == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_unexpected_error_says_nothing_but_its_trace(floor, owner, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError("secret inside")

    monkeypatch.setattr("core.delivery.api.resource.queries.fetch", broken)
    answer = owner.get("/skus/")

    assert told(answer) == (500, "http.internal", None)
    assert "secret" not in answer.text


def test_host_that_is_not_ours_is_refused_as_a_problem(floor, owner):
    floor.app.config["TRUSTED_HOSTS"] = ["orders.example.test"]
    try:
        answer = floor.app.test_client().get("/api/v1/orders/", base_url=HOST.replace("orders", "evil"), headers=owner.headers)
    finally:
        floor.app.config["TRUSTED_HOSTS"] = None

    assert told(answer) == (400, "http.bad_request", None)
    assert "evil" not in answer.text


def test_browser_needs_its_csrf_token_for_writes_and_none_for_reads(floor, goods):
    browser = floor.visitor("owner@tea.example")

    read = browser.get("/t/tea/api/v1/skus/")
    forged = browser.client.post("/t/tea/api/v1/skus/", base_url=HOST, json=SKU)
    sent = browser.client.post("/t/tea/api/v1/skus/", base_url=HOST, json=SKU, headers={"X-CSRFToken": browser.token("/t/tea/account/")})
    outside = browser.get("/api/v1/skus/")

    assert (read.status_code, sent.status_code) == (200, 201)
    assert told(forged) == (400, "http.csrf", None)
    assert told(outside) == (403, "denied", None)


def test_head_and_options_answer_like_get_without_a_body(owner):
    head, options = owner.call("HEAD", "/orders/"), owner.call("OPTIONS", "/skus/")

    assert (head.status_code, head.mimetype, head.text) == (200, "application/json", "")
    assert (options.status_code, sorted(options.headers["Allow"].split(", "))) == (200, ["GET", "HEAD", "OPTIONS", "POST"])
