"""Layouts and words for choices in the web, and how forms and pages follow them, for the role and the tenant that they are for."""

from __future__ import annotations

import re

import pytest

from core.engines.configuration import Change, apply_changes
from core.engines.configuration.queries import item as stored_item

pytestmark = pytest.mark.database
OWN = "custom.visit"
HOME = "/t/tea/account/"
DESIGNER = f"/t/tea/customise/{OWN}/layouts/everybody"


@pytest.fixture(scope="module")
def owner(floor):
    return floor.visitor("owner@tea.example")


@pytest.fixture(scope="module", autouse=True)
def visits(floor):
    """Visits with five fields, lines that belong to them, and a link to orders."""
    fields = [
        {"key": "subject", "label": "Subject", "type": "text", "required": True, "position": 10},
        {"key": "state", "label": "State", "type": "choice", "choices": [{"value": "open"}, {"value": "done"}], "position": 20},
        {"key": "result", "label": "Result", "type": "text", "visible_if": {"field": "state", "op": "eq", "value": "done"}, "position": 30},
        {"key": "place", "label": "Place", "type": "text", "required": True, "position": 40},
        {"key": "order_id", "label": "Order", "type": "reference", "target": "orders.order", "position": 50},
    ]
    changes = [
        Change("entity", {"key": "visit", "label": "Visit", "label_plural": "Visits", "title": "subject"}),
        Change("entity", {"key": "visit_part", "label": "Visit part", "label_plural": "Visit parts", "parent": OWN, "menu": ""}),
        *(Change("field", {"entity": OWN, **body}) for body in fields),
        Change("field", {"entity": "custom.visit_part", "key": "what", "label": "What", "type": "text"}),
    ]
    with floor.world.database.unit(floor.world.tea) as session:
        apply_changes(session, floor.system.kinds, changes)


def layout(floor, role=""):
    with floor.world.database.unit(floor.world.tea) as session:
        found = stored_item(session, "layout", f"{OWN}/{role}")
        return dict(found.body) if found is not None else None


def state_of(text):
    """The designer's form as a browser would send it."""
    form = {}
    body = text[text.index('id="designer"') :]
    for name, value in re.findall(r'<input[^>]* name="((?:t\d|l\.|base)[^"]*)" value="([^"]*)"', body):
        form.setdefault(name, []).append(value)
    for name, options in re.findall(r'<select[^>]* name="(t\d[^"]*)"[^>]*>(.*?)</select>', body):
        form[name] = [re.search(r'value="(\d)" selected', options)[1]]
    return form


def test_layout_is_arranged_by_plain_requests_and_saved_for_everybody(floor, owner):
    first = owner.get(DESIGNER)
    moved = owner.post(DESIGNER, {**state_of(first.text), "do": "down:subject"}, page=HOME)
    with_tab = owner.post(DESIGNER, {**state_of(moved.text), "do": "tab-add"}, page=HOME)
    placed = owner.post(DESIGNER, {**state_of(with_tab.text), "do": "after:order_id"}, page=HOME)
    named = {**state_of(placed.text), "t0.title": "Story", "t1.title": "Order", "t1.s0.columns": "1"}
    untouched = layout(floor)
    dragged = owner.post(DESIGNER, {**named, "do": "place:place:out"}, page=HOME)
    saved = owner.post(DESIGNER, {**state_of(dragged.text), "do": "save"}, page=HOME)

    assert "Subject is at place 2 of 5 in Section 1." in moved.text
    assert (untouched, saved.status_code) == (None, 303)
    assert layout(floor) == {
        "entity": OWN,
        "tabs": [
            {"title": "Story", "sections": [{"title": "", "columns": 2, "fields": ["state", "subject", "result"]}]},
            {"title": "Order", "sections": [{"title": "", "columns": 1, "fields": ["order_id"]}]},
        ],
        "columns": ["title", "state", "result", "place", "order_id", "updated_at"],
    }


def test_form_and_page_follow_the_layout_and_parts_are_added_on_the_page(floor, owner):
    page = owner.get("/t/tea/records/visit/add")
    added = owner.post("/t/tea/records/visit/add", {"subject": "Farm", "place": "Hangzhou", "state": "open"}, page=HOME)
    shown = owner.get(added.headers["Location"])
    pk = added.headers["Location"].rpartition("/")[2]
    part = owner.post(f"/t/tea/records/visit-part/add?parent_id={pk}", {"parent_id": pk, "what": "Tea garden"}, page=HOME)

    assert re.findall(r'data-tab="([^"]+)"', page.text) == ["Story", "Order"]
    assert page.text.index('name="state"') < page.text.index('name="subject"') < page.text.index('name="place"')
    assert "&#34;visible_if&#34;" in page.text
    assert re.findall(r'data-tab="([^"]+)"', shown.text) == ["Story", "Order"]
    assert f"/records/visit-part/add?parent_id={pk}" in shown.text
    assert part.headers["Location"] == added.headers["Location"]
    assert "Tea garden" in owner.get(added.headers["Location"]).text


def test_layout_of_a_role_is_for_its_people_alone_and_goes_again(floor, owner):
    path = f"/t/tea/customise/{OWN}/layouts/staff"
    form = {"base": "0", "t0.title": "", "t0.s0.title": "Staff only", "t0.s0.columns": "1", "t0.s0.f": ["subject", "place"], "do": "save"}
    saved = owner.post(path, form, page=HOME)
    for_staff = floor.visitor("staff@tea.example").get("/t/tea/records/visit/list/")
    listed = owner.get(f"/t/tea/customise/{OWN}/layouts/")
    base = re.search(r'layouts/staff/delete".*?name="base" value="(\d+)"', listed.text)[1]
    deleted = owner.post(f"{path}/delete", {"base": base}, page=HOME)

    assert (saved.status_code, for_staff.status_code, deleted.status_code) == (303, 200, 303)
    assert "Staff" in listed.text
    assert layout(floor, "staff") is None
    assert layout(floor)["tabs"][0]["title"] == "Story"
    assert owner.get(f"/t/tea/customise/{OWN}/layouts/nosuch").status_code == 404


def test_layout_that_somebody_else_saved_meanwhile_is_not_overwritten_unasked(floor, owner):
    form = state_of(owner.get(DESIGNER).text)
    with floor.world.database.unit(floor.world.tea) as session:
        body = {**layout(floor), "cards": ["subject"]}
        apply_changes(session, floor.system.kinds, [Change("layout", body, f"{OWN}/")])

    told = owner.post(DESIGNER, {**form, "t0.title": "Mine", "do": "save"}, page=HOME)

    assert told.status_code == 409
    assert "Somebody changed this while you were at it." in told.text
    assert layout(floor)["tabs"][0]["title"] == "Story"


def test_words_for_choices_are_shown_everywhere_and_only_here(floor, owner):
    path = "/t/tea/customise/orders.order/words/"
    form = {"label:state/picking": "Being packed", "kind:state/picking": "warn", "base:state/picking": "0"}

    saved = owner.post(path, form, page=HOME)
    wrong = owner.post(path, {"label:state/paid": "x" * 90, "base:state/paid": "0"}, page=HOME)
    page = owner.get(path)
    back = owner.post(path, {"label:state/picking": "", "kind:state/picking": ""}, page=HOME)

    assert (saved.status_code, wrong.status_code, back.status_code) == (303, 422, 303)
    assert "At most 80 characters." in wrong.text
    assert 'value="Being packed"' in page.text
    assert "Being packed" not in owner.get(path).text
    assert "Being packed" not in floor.visitor("owner@gift.example").get("/t/gift/customise/orders.order/words/").text
