"""Every route of the application, called from the tea shop with the gift shop's ids: nothing is found, nothing is shown, nothing changes.

New routes are covered by themselves. One with an argument that `addresses` does not know fails here until its table is named there.
"""

from __future__ import annotations

import pytest
from flask import Flask

from core.delivery.web.crud.view import EntityView
from core.engines.metadata import FieldType
from core.runtime.plugin_host import lifecycle
from tests.fixtures.programs import token_program
from tests.functional.isolation.addresses import addresses, id_arguments, view_of
from tests.functional.isolation.conftest import MARK, leaks, rules_of
from tests.functional.isolation.walks import REFUSED, crossings, form_for, json_for, put_right

pytestmark = [pytest.mark.database, pytest.mark.timeout(900)]

def test_every_argument_of_every_route_is_known(walls):
    app: Flask = walls.floor.app
    known = [id_arguments(app, rule) for rule in app.url_map.iter_rules()]

    assert sum(1 for found in known if found) >= 150
    assert {table for found in known for table in found.values()} <= set(walls.theirs)


@pytest.mark.parametrize("who", ["owner", "staff"])
def test_their_ids_lead_nowhere_when_a_member_of_another_tenant_uses_them(walls, request, who):
    before = walls.belongings()

    found, shown, asked = crossings(walls, request.getfixturevalue(who), walls.floor.app)

    assert asked >= 400
    assert (found, shown) == ({}, [])
    assert walls.belongings() == before


@pytest.mark.parametrize("prefix", ["", "/t/tea"])
def test_their_ids_lead_nowhere_when_an_api_token_uses_them(walls, token, prefix):
    before = walls.belongings()
    found, shown, asked = {}, [], 0
    token.prefix = prefix

    for rule, method in rules_of(walls.floor.app):
        if not rule.rule.startswith("/api/v1"):
            continue
        tables = id_arguments(walls.floor.app, rule)
        for path in addresses(walls.floor.app, rule, walls.theirs):
            body = json_for(walls, next(iter(tables.values()), "")) if method != "GET" else None
            answer = token.call(method, path.removeprefix("/api/v1"), body)
            asked += 1
            if leaks(answer):
                shown.append(f"{method} {path}")
            if tables and answer.status_code not in REFUSED:
                found[f"{method} {path}"] = answer.status_code

    assert asked >= 100
    assert (found, shown) == ({}, [])
    assert walls.belongings() == before


def test_their_place_does_not_exist_for_members_of_another_tenant(walls, owner, token):
    before = walls.belongings()
    wrong, shown = {}, []
    token.prefix = "/t/gift"

    for rule, method in rules_of(walls.floor.app):
        is_rest = rule.rule.startswith("/api/v1")
        for path in addresses(walls.floor.app, rule, walls.theirs, walls.secrets):
            asked = [owner.ask(method, f"/t/gift{path}", json=json_for(walls) if is_rest and method != "GET" else None)]
            asked += [token.call(method, path.removeprefix("/api/v1"), {} if method != "GET" else None)] if is_rest else []
            for answer in asked:
                if leaks(answer) and rule.endpoint not in SHOWN_TO_WHO_HAS_THE_LINK:
                    shown.append(f"{method} {path}")
                if answer.status_code not in {403, 404} and rule.endpoint not in OPEN_EVERYWHERE:
                    wrong[f"{method} {path}"] = answer.status_code

    assert (wrong, shown) == ({}, [])
    assert walls.belongings() == before


# What answers under every short name, whoever asks, and says nothing about that business.
OPEN_EVERYWHERE = {
    "JoinView.join": "whoever holds the link of an invitation may see whose it is",
    "LocaleView.index": "the language switch sets a cookie",
    "OpenApi.document": "the description of the core's interface is the same for everybody",
    "theme_assets.file": "files of the theme",
    "theme_preferences.choose": "preferences of the browser",
    "health.healthz": "liveness",
    "health.readyz": "readiness",
    "health.metrics": "counters without names of tenants",
}
SHOWN_TO_WHO_HAS_THE_LINK = {"JoinView.join"}


def test_outside_of_every_tenant_nothing_is_shown(walls, owner, token):
    before = walls.belongings()
    shown = []
    token.prefix = ""

    for rule, method in rules_of(walls.floor.app):
        for path in addresses(walls.floor.app, rule, walls.theirs):
            answer = owner.ask(method, path, form_for(walls))
            if leaks(answer):
                shown.append(f"{method} {path}")
            put_right(walls, owner, rule)

    assert shown == []
    assert walls.belongings() == before


def test_references_to_their_records_are_refused_by_field_when_something_is_made(walls, owner, token):
    token.prefix = ""
    before, tried = walls.belongings(), 0

    for entity in walls.floor.system.entities:
        for item in entity.fields:
            if entity.create is None or item.type is not FieldType.REFERENCE or item.key not in entity.form_fields:
                continue
            target = walls.floor.system.entities.get(item.target).model.__table__.name
            answer = token.post(f"/{entity.resource}/", {item.key: str(walls.theirs[target][0])})
            messages = {one["field"]: one["message"] for one in answer.json["errors"]}
            page = owner.ask("POST", f"/t/tea/{entity.resource}/add", {item.key: str(walls.theirs[target][0])})
            assert (answer.status_code, messages[item.key]) == (422, "There is no such record."), (entity.key, item.key, answer.text)
            assert (page.status_code, leaks(page)) == (422, False), (entity.key, item.key)
            tried += 1

    assert tried >= 6
    assert walls.belongings() == before


def test_actions_find_none_of_their_records(walls, token, owner):
    token.prefix = ""
    before, tried = walls.belongings(), 0

    for entity in walls.floor.system.entities:
        for action in entity.actions:
            theirs = [str(one) for one in walls.theirs[entity.model.__table__.name]]
            params = {item.key: _param(walls, item) for item in action.fields if item.is_required}
            answer = token.post(f"/{entity.resource}/actions/{action.key}", {"ids": theirs, "params": params})
            form = {"action": action.key, "pk": theirs, "go": "1", **{f"p.{key}": value for key, value in params.items()}}
            page = owner.ask("POST", f"/t/tea/{entity.resource}/bulk", form)
            after = owner.ask("GET", f"/t/tea/{entity.resource}/list/")
            assert not leaks(answer), answer.text
            assert not leaks(page)
            assert not leaks(after)
            if answer.status_code == 200:
                assert [row["ok"] for row in answer.json["result"]] == [False] * len(theirs), (entity.key, action.key, answer.text)
                tried += 1

    assert tried >= 6
    assert walls.belongings() == before


def _param(walls, item):
    if item.type is FieldType.REFERENCE:
        return str(walls.ours[walls.floor.system.entities.get(item.target).model.__table__.name][0])
    if item.type is FieldType.TAGS:
        return ["vip"]
    return "1\n2" if item.key == "tracking_numbers" else "1"


def test_lists_searches_exports_counts_and_lookups_show_and_count_ours_only(walls, owner, token):
    token.prefix = ""
    word, shown = MARK[:6], []

    for entity in walls.floor.system.entities:
        table = entity.model.__table__.name
        base, rest = f"/t/tea/{entity.resource}", f"/{entity.resource}/"
        texts = [item.key for item in entity.fields if item.type is FieldType.TEXT and not item.is_write_only]
        pages = [f"{base}/list/?queue=all", f"{base}/list/?q={word}", f"{base}/counts", f"{base}/export.csv?queue=all", f"{base}/lookup?q={word}"]
        pages += [f"{base}/list/?f.{item.key}={word}&op.{item.key}=starts_with" for item in entity.fields if item.is_filterable]
        pages += [f"{base}/list/?f.{item.key}={walls.theirs[_target(walls, item)][0]}" for item in _references(entity)]
        shown += [path for path in pages if leaks(owner.ask("GET", path))]
        for key in texts:
            tree = f'{{"field":"{key}","op":"contains","value":"{word}"}}'
            answer = token.get(rest, query_string={"filter": tree, "size": "1000"})
            assert (answer.status_code, answer.json["result"]) == (200, []), (entity.key, key, answer.text)
        for item in _references(entity):
            tree = f'{{"field":"{item.key}","op":"eq","value":"{walls.theirs[_target(walls, item)][0]}"}}'
            answer = token.get(rest, query_string={"filter": tree})
            assert (answer.status_code, answer.json["result"]) == (200, []), (entity.key, item.key)
        found = {row["id"] for row in token.get(rest, query_string={"size": "1000"}).json["result"]}
        assert found & {str(one) for one in walls.theirs[table]} == set(), entity.key

    shown += [path for path in (f"/t/tea/search/?q={word}", "/t/tea/audit/", "/t/tea/jobs/", "/t/tea/") if leaks(owner.ask("GET", path))]
    assert shown == []


def _references(entity):
    return [item for item in entity.fields if item.type is FieldType.REFERENCE and item.is_filterable]


def _target(walls, item):
    return walls.floor.system.entities.get(item.target).model.__table__.name


def test_their_codes_are_free_for_us_and_errors_do_not_tell_that_they_exist(walls, token):
    token.prefix = ""
    taken = f"{MARK}-product-code-0"

    ours = token.post("/products/", {"code": taken, "title": "ours"})
    again = token.post("/products/", {"code": taken, "title": "ours"})
    gone = token.delete(f"/products/{ours.json['id']}")

    assert (ours.status_code, again.status_code, again.json["code"], gone.status_code) == (201, 422, "record.taken", 204)
    assert MARK not in again.text


def test_unknown_ids_and_their_ids_get_the_same_answer(walls, owner, token):
    token.prefix = ""
    differing = []

    for rule, method in rules_of(walls.floor.app):
        if not id_arguments(walls.floor.app, rule) or method != "GET":
            continue
        [theirs], [unknown] = addresses(walls.floor.app, rule, walls.theirs), addresses(walls.floor.app, rule, {})
        answers = [owner.ask("GET", f"/t/tea{path}") for path in (theirs, unknown)]
        if answers[0].status_code != answers[1].status_code or abs(len(answers[0].data) - len(answers[1].data)) > 200:
            differing.append((rule.rule, [one.status_code for one in answers]))

    assert differing == []


def test_control_the_gift_shop_itself_sees_its_words_in_every_list(walls):
    """Without this the tests above could pass because nothing shows anything."""
    program = token_program(walls.floor, walls.gift, "owner@gift.example")
    blind = []

    for entity in walls.floor.system.entities:
        rows = program.get(f"/{entity.resource}/", query_string={"size": "1000"}).json["result"]
        has_words = any(MARK in str(row) for row in rows)
        texts = [item for item in entity.fields if item.type in (FieldType.TEXT, FieldType.LONG_TEXT) and not item.is_write_only]
        if len(rows) < 2 or (texts and not has_words):
            blind.append(entity.key)

    assert blind == []


def test_plugin_of_theirs_does_not_open_ours(walls, owner):
    with walls.floor.world.database.unit(walls.tea) as session:
        lifecycle.disable(session, walls.floor.system.plugins, "outbound_webhooks")
    try:
        closed = {}
        for rule, method in rules_of(walls.floor.app):
            if getattr(view_of(walls.floor.app, rule), "plugin", "") == "outbound_webhooks":
                for path in addresses(walls.floor.app, rule, walls.theirs):
                    closed[f"{method} {path}"] = owner.ask(method, f"/t/tea{path}").status_code
    finally:
        with walls.floor.world.database.unit(walls.tea) as session:
            lifecycle.enable(session, walls.floor.system.plugins, "outbound_webhooks")

    assert len(closed) >= 15
    assert set(closed.values()) == {404}


def test_generated_views_are_among_the_routes(walls):
    views = [view for view in walls.floor.app.extensions["appbuilder"].baseviews if isinstance(view, EntityView)]

    # One view serves all kinds of records that tenants make.
    assert len(views) == len(walls.floor.system.entities) + 1
