"""The REST interface under generated requests: whatever is sent, no answer is an unhandled 5xx, and each answer is one that the document promises.

The number of requests per operation is bounded so that the suite stays quick; OMS_FUZZ_EXAMPLES asks for more, OMS_FUZZ_SEED for others.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from core.delivery.api.base import API_ROOT
from core.domain.channels.models import UnmappedValue
from core.domain.customers.models import Address, Customer
from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from core.kernel.ids import new_id
from tests.factories.orders import NOON, make_shop, make_sku, order
from tests.fixtures.floor import HOST
from tests.fixtures.programs import Program, switch_on, token_program

pytestmark = [pytest.mark.database, pytest.mark.timeout(900)]

EXAMPLES = int(os.environ.get("OMS_FUZZ_EXAMPLES", "5"))
SEED = int(os.environ.get("OMS_FUZZ_SEED", "20261120"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def stocked(floor, goods) -> None:
    """A record of most kinds, so that requests get past the search for it."""
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session, code="fuzz")
        outcomes = accept(session, shop, [order(f"F{number}") for number in range(3)], now=NOON)
        advance(session, [one.order_id for one in outcomes], now=NOON)
        customer = Customer(id=new_id(), name_masked="W*")
        session.add(customer)
        session.flush()
        session.add_all([Address(customer_id=customer.id), UnmappedValue(shop_id=shop.id, kind="carrier", value="YT")])
        make_sku(session, "KIT-1", kind="kit")


def _known_ids(owner: Program, document: dict) -> dict[str, list[str]]:
    """Ids of what there is, by the resource's path."""
    found = {}
    for path, item in document["paths"].items():
        if path.endswith("/") and "get" in item and path != "/config/":
            query = f"?size=5&fields=id&{'queue=all' if _has_all(item) else ''}" if "parameters" in item["get"] else ""
            rows = owner.get(f"{path}{query}").json["result"]
            found[path.strip("/")] = [row["id"] for row in rows]
    return found


def _has_all(item: dict) -> bool:
    return any("all" in one["schema"].get("enum", ()) for one in item["get"]["parameters"] if one["name"] == "queue")


@pytest.fixture(scope="module")
def subject(floor, stocked) -> Iterator[SimpleNamespace]:
    switch_on(floor, floor.world.tea, "outbound_webhooks")
    owner = token_program(floor, floor.world.tea, "owner@tea.example")
    hook = owner.post("/webhooks/", {"name": "fuzz", "url": "https://hooks.example.test/x", "events": ["order."]})
    assert hook.status_code == 201, hook.text
    document = owner.get("/openapi.json").json
    schema = schemathesis.openapi.from_wsgi(f"{API_ROOT}/openapi.json", floor.app, base_url=HOST, headers=owner.headers)
    return SimpleNamespace(owner=owner, document=document, schema=schema, ids=_known_ids(owner, document), random=random.Random(SEED))


def _enrich(case, subject) -> None:
    """Put ids of existing records where the case has invented ones, most of the time."""
    chance = subject.random
    resource = case.operation.path.strip("/").split("/")[0]
    every = [one for ids in subject.ids.values() for one in ids]
    for name in case.path_parameters or ():
        if chance.random() < 0.8:
            case.path_parameters[name] = chance.choice(subject.ids.get(resource) or every)
    if not isinstance(case.body, dict) or chance.random() < 0.3:
        return
    for name, value in list(case.body.items()):
        if name == "ids" and subject.ids.get(resource):
            case.body[name] = chance.sample(subject.ids[resource], 1)
        elif name == "shop":
            case.body[name] = "fuzz"
        elif name.endswith("_id") and isinstance(value, str):
            kinds = subject.ids.get({"sku_id": "skus", "carrier_id": "carriers", "customer_id": "customers", "kit_id": "skus"}.get(name, ""))
            case.body[name] = chance.choice(kinds or every)


def test_no_answer_is_an_unhandled_error_when_requests_are_generated(subject):
    operations = [result.ok() for result in subject.schema.get_all_operations()]
    failed: dict[str, str] = {}

    for operation in operations:
        @seed(SEED)
        @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def run(case):
            _enrich(case, subject)
            case.call_and_validate(base_url=HOST + API_ROOT, headers=subject.owner.headers, checks=CHECKS)

        try:
            run()
        except (Exception, BaseExceptionGroup) as error:  # containment: all operations are tried, all failures told together
            failed[operation.label] = str(error)[:3000]

    described = {f"{method.upper()} {path}" for path, item in subject.document["paths"].items() for method in set(item) - {"parameters"}}
    assert described - {operation.label for operation in operations} == {"GET /openapi.json"}
    assert failed == {}, "\n\n".join(f"{label}\n{text}" for label, text in failed.items())
