"""The REST interface of webhooks as the OpenAPI document tells it, tried with generated requests."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from core.delivery.api.base import API_ROOT
from tests.fixtures.floor import HOST
from tests.fixtures.programs import token_program

pytestmark = pytest.mark.database
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SEED = 20261122


@pytest.fixture
def program(desk):
    return token_program(desk.floor, desk.tea, "owner@tea.example", "outbound_webhooks.see", "outbound_webhooks.manage")


def test_document_tells_every_endpoint_when_the_plugin_is_on(program):
    document = program.get("/openapi.json").json

    assert {path: sorted(item) for path, item in document["paths"].items() if path.startswith("/webhooks")} == {
        "/webhooks/": ["get", "post"],
        "/webhooks/{hook_id}": ["delete", "get", "patch"],
        "/webhooks/{hook_id}/deliveries": ["get"],
        "/webhooks/{hook_id}/deliveries/{message_id}/replay": ["post"],
        "/webhooks/{hook_id}/replay": ["post"],
        "/webhooks/{hook_id}/rotate": ["post"],
        "/webhooks/{hook_id}/test": ["post"],
    }
    assert document["paths"]["/webhooks/"]["post"]["x-permission"] == "outbound_webhooks.manage"


def test_every_answer_is_as_described_when_requests_are_generated(desk, program, receiver):
    hooks = [str(desk.subscribe(receiver, name=f"hook {number}")[0]) for number in range(3)]
    schema = schemathesis.openapi.from_wsgi(f"{API_ROOT}/openapi.json", desk.floor.app, base_url=HOST, headers=program.headers)
    failed = {}

    for operation in [result.ok() for result in schema.include(path_regex="^/webhooks").get_all_operations()]:
        @seed(SEED)
        @settings(max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def run(case):
            if case.path_parameters and "hook_id" in case.path_parameters:
                case.path_parameters["hook_id"] = hooks[0 if case.method == "DELETE" else 1]
            case.call_and_validate(base_url=HOST + API_ROOT, headers=program.headers, checks=CHECKS)

        try:
            run()
        except (Exception, BaseExceptionGroup) as error:  # containment: all operations are tried, all failures told together
            failed[operation.label] = str(error)[:2000]

    assert failed == {}
