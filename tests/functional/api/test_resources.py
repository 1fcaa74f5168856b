"""Generated resources: made, read, changed and deleted; lists that stay stable while rows are added."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from core.delivery.api.describe_entity import is_changeable
from core.delivery.api.resource import EntityApi
from core.domain.all_entities import core_entities
from core.domain.orders.intake import accept
from core.runtime.security.audit import AuditFilter, entries
from tests.factories.orders import NOON, make_shop, order
from tests.fixtures.programs import PROBLEM, token_program

pytestmark = pytest.mark.database
ENTITIES = list(core_entities())


def test_record_goes_its_way_from_making_to_deleting(floor, owner):
    made = owner.post("/products/", {"code": " P-1 ", "title": "Tea 茶 🍵"})
    address = made.headers["Location"]
    path = address.removeprefix("/api/v1")
    read = owner.get(path).json
    changed = owner.patch(path, {"title": "Green tea", "row_version": 1}).json
    stale = owner.patch(path, {"title": "Black tea", "row_version": 1})
    replaced = owner.put(path, {"code": "P-2", "title": "White tea"}).json
    partial = owner.put(path, {"title": "Red tea"})
    gone = owner.delete(path)

    assert (made.status_code, address) == (201, f"/api/v1/products/{made.json['id']}")
    assert (read, read["code"], read["title"], read["row_version"]) == (made.json, "P-1", "Tea 茶 🍵", 1)
    assert (changed["title"], changed["row_version"]) == ("Green tea", 2)
    assert (stale.status_code, stale.json["code"], stale.json["field"]) == (409, "record.stale_version", "row_version")
    assert (replaced["code"], replaced["title"], replaced["row_version"]) == ("P-2", "White tea", 3)
    assert (partial.status_code, partial.json["field"]) == (422, "code")
    assert (gone.status_code, gone.data, gone.content_type) == (204, b"", None)
    assert owner.get(path).status_code == 404
    with floor.world.database.unit(floor.world.tea) as session:
        wanted = AuditFilter(subject_type="product", subject_id=made.json["id"])
        found = [(one.action, one.actor_kind) for one in entries(session, wanted)]
    assert found == [("deleted", "token"), ("updated", "token"), ("updated", "token"), ("created", "token")]


def test_record_made_under_a_short_name_has_its_address_there(floor, owner):
    owner.prefix = "/t/tea"
    try:
        made = owner.post("/products/", {"code": "P-9", "title": "Tea"})
    finally:
        owner.prefix = ""

    assert made.headers["Location"] == f"/t/tea/api/v1/products/{made.json['id']}"


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.key)
def test_every_resource_answers_only_what_its_entity_offers(floor, owner, entity):
    one = f"/{entity.resource}/0190a1b2-0000-7000-8000-000000000000"
    every = owner.get(f"/{entity.resource}/?size=1")
    sorts = [owner.get(f"/{entity.resource}/?sort={item.key}").status_code for item in entity.fields if item.is_sortable]
    queues = [owner.get(f"/{entity.resource}/?queue={queue.key}").status_code for queue in entity.queues]

    assert (every.status_code, sorted(every.json)) == (200, ["next", "previous", "result"])
    assert set(sorts + queues) <= {200}
    assert owner.get(one).status_code == 404
    assert owner.post(f"/{entity.resource}/", {"nosuch": 1}).status_code == (422 if entity.create else 405)
    # Fields that a business has added are changed wherever there can be any.
    assert owner.patch(one, {}).status_code == (404 if is_changeable(entity) else 405)
    assert owner.put(one, {}).status_code == (404 if is_changeable(entity) else 405)
    assert owner.delete(one).status_code == (404 if entity.delete else 405)
    for action in entity.actions:
        assert owner.post(f"/{entity.resource}/actions/{action.key}", {}).json["field"] == "ids"


def test_write_only_values_are_never_given_back(owner):
    made = owner.post("/customers/", {"name": "Wang Xiaoming", "phone": "13800138000", "email": "wang@example.test"})
    read = owner.get(f"/customers/{made.json['id']}")
    asked = owner.get("/customers/?fields=phone")

    assert made.status_code == 201
    assert [word for word in ("Xiaoming", "13800138000", "wang@example.test") if word in made.text + read.text] == []
    assert (asked.status_code, asked.json["field"]) == (422, "fields")


def test_list_gives_the_fields_asked_for_and_finds_by_filter_and_word(owner):
    owner.post("/products/", {"code": "F-1", "title": "Oolong", "brand": "X"})
    owner.post("/products/", {"code": "F-2", "title": "Sencha", "brand": "Y"})
    tree = quote(json.dumps({"all": [{"field": "brand", "op": "eq", "value": "Y"}, {"field": "code", "op": "starts_with", "value": "F-"}]}))

    only = owner.get(f"/products/?fields=title,%20code&filter={tree}").json["result"]
    bare = owner.get(f"/products/?fields=id&filter={tree}").json["result"]
    found = owner.get("/products/?q=oolo&fields=code").json["result"]

    assert [{key: row[key] for key in row if key != "id"} for row in only] == [{"title": "Sencha", "code": "F-2"}]
    assert [sorted(row) for row in bare] == [["id"]]
    assert [row["code"] for row in found] == []  # prefixes are searched as they are written, and as upper case
    assert [row["code"] for row in owner.get("/products/?q=Oolo&fields=code").json["result"]] == ["F-1"]


@pytest.mark.parametrize("sort", ["", "placed_at", "-number", "id"])
def test_paging_shows_every_row_once_when_rows_are_added_meanwhile(floor, owner, sort):
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session, code=f"pages{sort or 'x'}".replace("-", "d").replace("_", ""))
        ids = [str(one.order_id) for one in accept(session, shop, [order(f"G{number}") for number in range(23)], now=NOON)]
    tree = quote(json.dumps({"field": "shop_id", "op": "eq", "value": str(shop.id)}))

    seen, cursor, rounds = [], "", 0
    while rounds < 20:
        page = owner.get(f"/orders/?size=5&fields=number&sort={sort}&filter={tree}&cursor={cursor}").json
        seen += [row["id"] for row in page["result"]]
        with floor.world.database.unit(floor.world.tea) as session:
            accept(session, shop, [order(f"N{rounds}-{at}") for at in range(7)], now=NOON)
        cursor, rounds = page["next"], rounds + 1
        if not cursor:
            break

    assert len(seen) == len(set(seen))
    assert set(ids) <= set(seen)


def test_paging_goes_back_to_the_same_rows(floor, owner):
    first = owner.get("/orders/?size=4&fields=id&sort=id").json
    second = owner.get(f"/orders/?size=4&fields=id&sort=id&cursor={first['next']}").json
    back = owner.get(f"/orders/?size=4&fields=id&sort=id&cursor={second['previous']}").json
    crossed = owner.get(f"/orders/?size=4&sort=number&cursor={first['next']}")

    assert (first["previous"], back["result"]) == (None, first["result"])
    assert {row["id"] for row in first["result"]} & {row["id"] for row in second["result"]} == set()
    assert (crossed.status_code, crossed.mimetype, crossed.json["code"]) == (422, PROBLEM, "paging.cursor")


def test_cursor_of_another_tenant_only_chooses_a_place(floor, owner):
    cursor = owner.get("/orders/?size=1").json["next"]
    stranger = token_program(floor, floor.world.gift, "owner@gift.example")

    answer = stranger.get(f"/orders/?cursor={cursor}")

    assert (answer.status_code, answer.json["result"]) == (200, [])


def test_actions_answer_each_record_for_itself(floor, owner):
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session, code="acts")
        ids = [str(one.order_id) for one in accept(session, shop, [order("A1"), order("A2")], now=NOON)]
    nobody = "0190a1b2-0000-7000-8000-000000000000"

    held = owner.post("/orders/actions/hold", {"ids": [ids[0], nobody, ids[0]], "params": {"reason": "check"}})
    without = owner.post("/orders/actions/hold", {"ids": [ids[0]], "params": {}})
    wrong = owner.post("/orders/actions/hold", {"ids": [ids[0], "x"], "params": {"reason": "check"}})
    unknown = owner.post("/orders/actions/hold", {"ids": [ids[0]], "params": {"reason": "check"}, "all": True})

    assert held.status_code == 200
    assert [(row["id"], row["ok"], row.get("code")) for row in held.json["result"]] == [(ids[0], True, None), (nobody, False, "orders.unknown")]
    assert [(one.status_code, one.json["field"]) for one in (without, wrong, unknown)] == [(422, "reason"), (422, "ids[1]"), (422, "all")]


def test_reader_can_read_and_nothing_else(reader, goods):
    assert reader.get(f"/skus/{goods.sku}").status_code == 200
    refused = [
        reader.post("/skus/", {"code": "R-1", "title": "x"}),
        reader.patch(f"/skus/{goods.sku}", {"title": "x"}),
        reader.delete(f"/skus/{goods.sku}"),
        reader.post("/orders/actions/hold", {"ids": [str(goods.sku)], "params": {"reason": "x"}}),
        reader.post("/orders/bulk", {"shop": "tb", "orders": [{}]}),
    ]
    assert [one.status_code for one in refused] == [403] * 5


def test_moments_that_the_database_could_not_give_back_are_refused(floor, owner):
    for moment in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1899-12-31T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01"):
        answer = owner.post("/orders/actions/hold", {"ids": ["0190a1b2-0000-7000-8000-000000000000"], "params": {"reason": "x", "release_at": moment}})

        assert (answer.status_code, answer.json["field"]) == (422, "release_at"), moment


def test_hostile_tracking_patterns_are_refused_when_a_carrier_is_written(owner, goods):
    for pattern in ("[", "(a+)+$", "(?=a)", "(a|b)\\1", "a*b*c*d*"):
        made = owner.post("/carriers/", {"code": "evil", "name": "x", "tracking_pattern": pattern})
        changed = owner.patch(f"/carriers/{goods.carrier}", {"tracking_pattern": pattern})

        assert [(one.status_code, one.json["field"]) for one in (made, changed)] == [(422, "tracking_pattern")] * 2


def test_every_generated_resource_has_a_class_of_the_kit(floor):
    views = {view.resource_name for view in floor.app.extensions["appbuilder"].baseviews if isinstance(view, EntityApi)}

    assert views == {entity.resource for entity in floor.system.entities} | {"records/<own_entity>"}
