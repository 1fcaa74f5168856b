"""The OpenAPI document: valid, complete, for whom it is, and shown as a page."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator

from core.delivery.api.base import API_ROOT
from core.delivery.cli.main import run
from core.runtime.security.permissions import MEMBER
from tests.fixtures.programs import Program, switch_on, token_program

pytestmark = pytest.mark.database

PLUGIN = "outbound_webhooks"


@pytest.fixture(scope="module")
def document(owner) -> dict:
    return owner.get("/openapi.json").json


def _operations(document):
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def _routes(app):
    """Method and path of every REST route, in the document's spelling; actions one by one."""
    views = {view.blueprint.name: view for view in app.extensions["appbuilder"].baseviews}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(API_ROOT):
            continue
        view = views[rule.endpoint.split(".")[0]]
        if getattr(view, "plugin", "") or "<own_entity>" in rule.rule:
            continue
        path = re.sub(r"<(?:[a-z]+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(API_ROOT)).replace("{pk}", "{id}")
        keys = [action.key for action in view.base_entity.actions] if path.endswith("/actions/{key}") else [""]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            yield from ((method, path.replace("{key}", key)) for key in keys)


def test_document_names_every_route_and_no_other(floor, document):
    assert set(_operations(document)) == set(_routes(floor.app))


def test_operation_ids_are_unique_and_every_operation_says_what_it_needs(document):
    operations = _operations(document)
    without = {path for (_method, path), one in operations.items() if "x-permission" not in one}

    assert len({one["operationId"] for one in operations.values()}) == len(operations)
    assert without == {"/openapi.json", "/security/login", "/security/logout", "/security/refresh"}
    assert {one["x-permission"] for one in operations.values() if "x-permission" in one} <= {str(key) for key in _permissions(document)}


def _permissions(document):
    areas = ("orders", "catalog", "customers", "inventory", "channels", "fulfilment", "config")
    verbs = ("read", "write", "delete", "hold", "release", "cancel", "import", "refund", "ship", "reveal", "sync")
    return [MEMBER, *(f"{area}.{verb}" for area in areas for verb in verbs)]


def test_every_schema_is_json_schema_and_every_reference_leads_somewhere(document):
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    text = json.dumps(document)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        found = document
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_every_operation_promises_problem_details(document):
    for (_method, path), operation in _operations(document).items():
        if path != "/openapi.json":
            assert operation["responses"]["default"] == {"$ref": "#/components/responses/Problem"}
    for response in document["components"]["responses"].values():
        assert list(response["content"]) == ["application/problem+json"]


def test_records_fit_their_schemas_when_they_are_made_from_the_examples_of_the_schema(owner, document):
    body = {"code": "DOC-1", "title": "x", "price": "1.50", "weight_g": None, "is_active": True}
    schema = {**document["components"]["schemas"]["CatalogSkuNew"], "components": document["components"]}
    shown = {**document["components"]["schemas"]["CatalogSku"], "components": document["components"]}

    made = owner.post("/skus/", body)

    assert list(Draft202012Validator(schema).iter_errors(body)) == []
    assert (made.status_code, list(Draft202012Validator(shown).iter_errors(made.json))) == (201, [])


def test_everybody_reads_the_document_of_the_core_and_learns_nothing_about_tenants(floor, owner):
    stranger = Program(floor)

    plain = stranger.get("/openapi.json")
    places = {}
    for slug in ("tea", "gift", "nosuch"):
        answer = Program(floor, f"/t/{slug}").get("/openapi.json")
        places[slug] = (answer.status_code, answer.text.replace(f"/t/{slug}/", "/t/x/"))

    assert (plain.status_code, plain.json["servers"]) == (200, [{"url": "/api/v1"}])
    assert plain.json["paths"] == owner.get("/openapi.json").json["paths"]
    assert len(set(places.values())) == 1


def test_resources_of_a_plugin_are_told_to_members_only_and_only_while_it_is_on(floor, goods):
    scope = floor.world.gift
    member = token_program(floor, scope, "owner@gift.example")
    before = member.get("/openapi.json").json["paths"]

    switch_on(floor, scope, PLUGIN)
    member = token_program(floor, scope, "owner@gift.example")
    after = member.get("/openapi.json").json
    others = [Program(floor, "/t/gift"), Program(floor), token_program(floor, floor.world.tea, "owner@tea.example")]

    assert set(after["paths"]) - set(before) == {path for path in after["paths"] if path.startswith("/webhooks/")}
    assert len(set(after["paths"]) - set(before)) == 7
    assert after["paths"]["/webhooks/"]["post"]["x-permission"] == f"{PLUGIN}.manage"
    assert [set(one.get("/openapi.json").json["paths"]) == set(before) for one in others] == [True] * 3
    assert floor.visitor("owner@tea.example").get("/t/gift/api/v1/openapi.json").json["paths"] == before


def test_page_shows_all_operations_and_finds_by_word(floor, document):
    browser = floor.visitor("reader@tea.example")

    page = browser.get("/t/tea/api-reference/")
    found = browser.get("/t/tea/api-reference/?q=orders/bulk")
    nothing = browser.get("/t/tea/api-reference/?q=<script>alert(1)</script>")

    assert (page.status_code, page.text.count('class="op-method')) == (200, len(_operations(document)))
    assert (found.text.count('class="op-method'), "lines[].quantity" in found.text) == (1, True)
    assert ("<script>alert" in nothing.text, nothing.text.count('class="op-method')) == (False, 0)
    assert floor.visitor().get("/t/tea/api-reference/").status_code == 303


def test_command_writes_the_same_document(floor, document, tmp_path, monkeypatch):
    monkeypatch.setenv("OMS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("OMS_ENVIRONMENT", "test")
    target = tmp_path / "openapi.json"

    done = run(["openapi", "--output", str(target)])
    with_plugins = run(["openapi", "--all-plugins", "--output", str(tmp_path / "all.json")])
    wrong = run(["openapi", "--plugin", "nosuch"])

    assert (done, with_plugins, wrong) == (0, 0, 2)
    assert json.loads(target.read_text())["paths"] == document["paths"]
    assert "/webhooks/" in json.loads((tmp_path / "all.json").read_text())["paths"]
