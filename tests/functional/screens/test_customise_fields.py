"""Fields and records in the web: kinds and fields made, changed, put in order, archived; with permissions, and for one tenant alone."""

from __future__ import annotations

import re

import pytest

from core.engines.configuration import Change, apply_changes
from core.engines.configuration.queries import item as stored_item
from core.engines.configuration.queries import versions

pytestmark = pytest.mark.database
OWN = "custom.sample"
HOME = "/t/tea/account/"


@pytest.fixture(scope="module")
def owner(floor):
    return floor.visitor("owner@tea.example")


def stored(floor, kind, key, scope=None):
    with floor.world.database.unit(scope or floor.world.tea) as session:
        found = stored_item(session, kind, key)
        return dict(found.body) if found is not None else None


def change(floor, *changes):
    with floor.world.database.unit(floor.world.tea) as session:
        apply_changes(session, floor.system.kinds, changes)


def newest(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        rows = versions(session, limit=1)
        return rows[0].number if rows else 0


def base_of(text):
    return re.search(r'name="base" value="(\d+)"', text)[1]


@pytest.fixture(scope="module")
def samples(floor):
    """Samples with a name, an amount and a state, and one record of them."""
    change(
        floor,
        Change("entity", {"key": "sample", "label": "Sample", "label_plural": "Samples", "title": "name"}),
        Change("field", {"entity": OWN, "key": "name", "label": "Name", "type": "text", "required": True, "position": 10}),
        Change("field", {"entity": OWN, "key": "weight", "label": "Weight", "type": "text", "position": 20}),
        Change("field", {"entity": OWN, "key": "note", "label": "Note", "type": "text", "position": 30}),
    )
    floor.visitor("owner@tea.example").post("/t/tea/records/sample/add", {"name": "S1", "weight": "heavy", "note": "n"}, page=HOME)
    return OWN


PAGES = (
    "/customise/",
    "/customise/orders.order/",
    "/customise/orders.order/layouts/",
    "/customise/orders.order/words/",
    "/customise/versions/",
    "/customise/file/",
)
WRITING = ("/customise/new", "/customise/orders.order/fields/add", "/customise/orders.order/layouts/everybody")


def test_pages_answer_by_permission_and_to_members_only(floor):
    floor.member(floor.world.tea, "packer@tea.example", "warehouse")
    people = ("owner@tea.example", "reader@tea.example", "packer@tea.example", "owner@gift.example")
    browsers = [floor.visitor(email) for email in people]

    answers = {path: tuple(browser.get(f"/t/tea{path}").status_code for browser in browsers) for path in (*PAGES, *WRITING)}

    assert answers == {**dict.fromkeys(PAGES, (200, 200, 403, 404)), **dict.fromkeys(WRITING, (200, 403, 403, 404))}


def test_reader_of_the_configuration_sees_it_but_changes_nothing(floor, samples):
    floor.member(floor.world.tea, "auditor@tea.example", "read-only")
    reader, before = floor.visitor("auditor@tea.example"), newest(floor)

    seen = reader.get(f"/t/tea/customise/{OWN}/")
    denied = [
        reader.post("/t/tea/customise/new", {"label": "X"}, page=HOME).status_code,
        reader.post(f"/t/tea/customise/{OWN}/fields/note/archive", {"agreed": "1"}, page=HOME).status_code,
        reader.post(f"/t/tea/customise/{OWN}/order", {"move": "note:up"}, page=HOME).status_code,
        reader.post("/t/tea/customise/file/apply", {"text": "format = 1\nfield = []"}, page=HOME).status_code,
        reader.post("/t/tea/customise/versions/1/undo", {"agreed": "1"}, page=HOME).status_code,
    ]

    assert seen.status_code == 200
    assert "Weight" in seen.text
    assert "Add a field" not in seen.text
    assert denied == [403] * 5
    assert newest(floor) == before


def test_new_kind_gets_a_key_in_pinyin_and_the_field_that_names_its_records(floor, owner):
    form = {"label": "合同", "called": "number", "series": "HT-{yyyy}-{n:3}", "icon": "file-text", "menu": "orders", "base": "0"}

    answer = owner.post("/t/tea/customise/new", form, page=HOME)
    again = owner.post("/t/tea/customise/new", {**form, "key": "hetong"}, page=HOME)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/t/tea/customise/custom.hetong/")
    assert stored(floor, "entity", "hetong") == {
        "key": "hetong", "label": "合同", "label_plural": "合同", "icon": "file-text", "menu": "orders", "title": "number",
    }  # fmt: skip
    assert stored(floor, "field", "custom.hetong/number") == {
        "entity": "custom.hetong", "key": "number", "label": "Number", "type": "number", "series": "HT-{yyyy}-{n:3}", "position": 10,
    }  # fmt: skip
    assert again.status_code == 422
    assert "This name is taken." in again.text
    assert stored(floor, "entity", "hetong", floor.world.gift) is None


def test_new_kind_is_refused_beside_its_inputs_when_something_is_wrong(floor, owner):
    before = newest(floor)

    empty = owner.post("/t/tea/customise/new", {"label": "", "base": "0"}, page=HOME)
    series = owner.post("/t/tea/customise/new", {"label": "Zebra", "called": "number", "series": "Z", "base": "0"}, page=HOME)

    assert (empty.status_code, series.status_code) == (422, 422)
    assert re.search(r'id="label-errors".*This is needed\.', empty.text)
    assert "The pattern of a number holds {n} once, such as SC-{yyyy}-{n:4}." in series.text
    assert newest(floor) == before


def test_kind_is_changed_archived_and_restored(floor, owner):
    change(
        floor,
        Change("entity", {"key": "crate", "label": "Crate", "label_plural": "Crates"}),
        Change("field", {"entity": "custom.crate", "key": "name", "label": "Name", "type": "text"}),
        Change("layout", {"entity": "custom.crate", "role": "", "columns": ["name"]}),
    )
    base = base_of(owner.get("/t/tea/customise/custom.crate/edit").text)

    changed = owner.post(
        "/t/tea/customise/custom.crate/edit",
        {"label": "Box", "label_plural": "Boxes", "icon": "box", "menu": "records", "base": base},
        page=HOME,
    )
    asked = owner.post("/t/tea/customise/custom.crate/archive", page=HOME)
    archived = owner.post("/t/tea/customise/custom.crate/archive", {"agreed": "1"}, page=HOME)
    gone = owner.get("/t/tea/records/crate/list/").status_code
    owner.post("/t/tea/customise/custom.crate/archive", page=HOME)

    assert (changed.status_code, asked.status_code, archived.status_code, gone) == (303, 200, 303, 404)
    assert "Its records and fields are no longer shown; they stay stored." in asked.text
    assert stored(floor, "entity", "crate") == {"key": "crate", "label": "Box", "label_plural": "Boxes", "icon": "box"}
    assert owner.get("/t/tea/records/crate/list/").status_code == 200


def test_kind_that_others_lead_to_is_not_archived(floor, owner):
    change(
        floor,
        Change("entity", {"key": "shelf", "label": "Shelf", "label_plural": "Shelves"}),
        Change("field", {"entity": "catalog.product", "key": "cf_shelf_id", "label": "Shelf", "type": "reference", "target": "custom.shelf"}),
    )

    answer = owner.post("/t/tea/customise/custom.shelf/archive", {"agreed": "1"}, page=HOME)

    assert answer.status_code == 422
    assert "Field “Products · Shelf”: This kind of record is archived." in answer.text
    assert stored(floor, "entity", "shelf").get("archived") is None


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("text", {"max_length": "40", "unique": "y", "filterable": "y"}, {"max_length": 40, "unique": True}),
        ("text", {"pattern": "[A-Z]{2}", "max_length": "200"}, {"pattern": "[A-Z]{2}", "max_length": 64, "filterable": False}),
        ("integer", {"minimum": "1", "maximum": "9", "default": "3"}, {"minimum": 1, "maximum": 9, "default": 3, "filterable": False}),
        ("decimal", {"digits": "2", "default": "1.25"}, {"digits": 2, "default": "1.25", "filterable": False}),
        ("money", {"currency": "CNY"}, {"currency": "CNY", "filterable": False}),
        ("boolean", {"default": "true", "in_list": "y"}, {"default": True, "in_list": True, "filterable": False}),
        ("reference", {"target": "orders.order", "required": "y"}, {"target": "orders.order", "required": True, "filterable": False}),
        ("formula", {"formula": "1 + 2", "result": "integer", "in_list": "y"}, {"formula": "1 + 2", "result": "integer", "in_list": True}),
        ("user", {}, {"filterable": False}),
        ("file", {"required": "y"}, {"required": True}),
        ("phone", {"sealed": "y", "help": "To call"}, {"sealed": True, "help": "To call", "filterable": False}),
    ],
)
def test_field_of_each_type_keeps_what_its_form_says(floor, owner, samples, kind, given, expected):
    label = f"F {kind} {len(given)} {'p' if 'pattern' in given else ''}".strip()
    key = re.sub(r"[^a-z0-9]+", "_", label.lower())

    answer = owner.post(f"/t/tea/customise/{OWN}/fields/add?type={kind}", {"type": kind, "label": label, "base": "0", **given}, page=HOME)

    assert answer.status_code == 303, answer.text[-3000:]
    found = stored(floor, "field", f"{OWN}/{key}")
    assert {name: value for name, value in found.items() if name not in ("entity", "key", "label", "type", "position")} == expected


def test_sum_over_records_is_described_by_plain_inputs(floor, owner):
    path = "/t/tea/customise/orders.order/fields/add?type=rollup"
    form = {"type": "rollup", "label": "Lines", "base": "0", "rollup.entity": "orders.line", "rollup.via": "order_id", "rollup.use": "count"}

    wrong = owner.post(path, {**form, "rollup.entity": ""}, page=HOME)
    saved = owner.post(path, form, page=HOME)

    assert (wrong.status_code, saved.status_code) == (422, 303), saved.text[-2000:]
    assert "This is needed." in wrong.text
    assert stored(floor, "field", "orders.order/cf_lines")["rollup"] == {
        "entity": "orders.line", "via": "order_id", "use": "count", "of": "", "where": None,
    }  # fmt: skip


def test_choices_are_kept_in_order_with_values_made_of_labels(floor, owner):
    rows = {"choices.label": ["红", "Blue", ""], "choices.value": ["", "b", ""], "choices.kind": ["bad", "info", "neutral"]}
    path, form = "/t/tea/customise/orders.order/fields/add?type=choice", {"type": "choice", "label": "颜色", "filterable": "y", "base": "0"}

    moved = owner.post(path, {**form, **rows, "row": "down:0"}, page=HOME)
    more = owner.post(path, {**form, **rows, "row": "more"}, page=HOME)
    none = owner.post(path, form, page=HOME)
    saved = owner.post(path, {**form, **rows}, page=HOME)

    assert (moved.status_code, more.status_code, none.status_code, saved.status_code) == (200, 200, 422, 303)
    assert re.findall(r'name="choices.label" value="([^"]*)"', moved.text) == ["Blue", "红", ""]
    assert more.text.count('name="choices.label"') == 6
    assert "This is needed." in none.text
    assert stored(floor, "field", "orders.order/cf_yanse")["choices"] == [
        {"value": "hong", "label": "红", "kind": "bad"},
        {"value": "b", "label": "Blue", "kind": "info"},
    ]
    assert "颜色" not in floor.visitor("owner@gift.example").get("/t/gift/customise/orders.order/").text


def test_wrong_inputs_of_a_field_are_told_where_they_stand(floor, owner, samples):
    before = newest(floor)
    path = f"/t/tea/customise/{OWN}/fields/add?type=integer"

    answer = owner.post(
        path, {"type": "integer", "label": "N", "key": "Not a key", "minimum": "x", "visible_if": '{"field": "nosuch"}', "base": "0"}, page=HOME
    )
    broken = owner.post(path, {"type": "integer", "label": "N", "visible_if": "{", "base": "0"}, page=HOME)
    unknown = owner.post(path, {"type": "integer", "label": "N", "visible_if": '{"field": "nosuch", "op": "eq", "value": 1}', "base": "0"}, page=HOME)

    assert (answer.status_code, broken.status_code, unknown.status_code) == (422, 422, 422)
    assert re.search(r'id="key-errors">.*?This name is not of the right form\.', answer.text)
    assert re.search(r'id="minimum-errors">.*?This is a whole number\.', answer.text)
    assert re.search(r'id="visible_if-errors">.*?This is not JSON', broken.text)
    assert 'id="visible_if-errors"' in unknown.text
    assert newest(floor) == before


def test_field_is_renamed_with_the_layouts_that_name_it(floor, owner, samples):
    change(floor, Change("field", {"entity": OWN, "key": "old_key", "label": "Old", "type": "text", "position": 90}))
    sections = [{"fields": ["name", "old_key"]}]
    change(floor, Change("layout", {"entity": OWN, "role": "staff", "tabs": [{"sections": sections}], "columns": ["old_key"]}))
    base = base_of(owner.get(f"/t/tea/customise/{OWN}/fields/old_key").text)

    answer = owner.post(f"/t/tea/customise/{OWN}/fields/old_key", {"type": "text", "label": "New", "key": "new_key", "base": base}, page=HOME)
    layout = stored(floor, "layout", f"{OWN}/staff")
    archived = owner.post(f"/t/tea/customise/{OWN}/fields/new_key/archive", {"agreed": "1"}, page=HOME)

    assert answer.status_code == 303, answer.text[-2000:]
    assert (layout["tabs"][0]["sections"][0]["fields"], layout["columns"]) == (["name", "new_key"], ["new_key"])
    assert archived.status_code == 303
    assert stored(floor, "layout", f"{OWN}/staff")["tabs"][0]["sections"][0]["fields"] == ["name"]
    assert stored(floor, "field", f"{OWN}/new_key")["archived"] is True
    assert stored(floor, "field", f"{OWN}/old_key") is None


def test_other_type_is_shown_with_the_values_that_it_loses_and_asked_before_it_comes(floor, owner, samples):
    path = f"/t/tea/customise/{OWN}/fields/weight"
    preview = owner.get(f"{path}?type=integer")
    form = {"type": "integer", "label": "Weight", "key": "weight", "base": base_of(preview.text)}

    asked = owner.post(f"{path}?type=integer", form, page=HOME)
    unchanged = stored(floor, "field", f"{OWN}/weight")["type"]
    done = owner.post(f"{path}?type=integer", {**form, "agreed": "1"}, page=HOME)

    assert "1 value cannot be read as the new type" in preview.text
    assert "heavy" in preview.text
    assert (asked.status_code, unchanged) == (200, "text")
    assert "These values cannot be read as the new type; they stay stored, but are not shown." in asked.text
    assert done.status_code == 303
    assert stored(floor, "field", f"{OWN}/weight")["type"] == "integer"


def test_stale_edit_shows_who_changed_what_and_offers_both_ways(floor, owner, samples):
    change(floor, Change("field", {"entity": OWN, "key": "shared", "label": "Shared", "type": "text", "position": 95}))
    path = f"/t/tea/customise/{OWN}/fields/shared"
    base = base_of(owner.get(path).text)
    change(floor, Change("field", {"entity": OWN, "key": "shared", "label": "Theirs", "type": "text", "position": 95}, f"{OWN}/shared"))
    form = {"type": "text", "label": "Mine", "key": "shared", "filterable": "y", "max_length": "200"}

    told = owner.post(path, {**form, "base": base}, page=HOME)
    kept = stored(floor, "field", f"{OWN}/shared")["label"]
    mine = owner.post(path, {**form, "base": base_of(told.text)}, page=HOME)

    assert told.status_code == 409
    assert "Theirs" in told.text
    assert "Save mine over theirs" in told.text
    assert (kept, mine.status_code) == ("Theirs", 303)
    assert stored(floor, "field", f"{OWN}/shared")["label"] == "Mine"


def test_fields_are_put_in_order_by_button_and_by_drag(floor, owner):
    own = "custom.stamp"
    change(
        floor,
        Change("entity", {"key": "stamp", "label": "Stamp", "label_plural": "Stamps"}),
        *(Change("field", {"entity": own, "key": key, "label": key, "type": "text"}) for key in ("a", "b", "c")),
    )

    def order():
        return re.findall(r'form="order" name="order" value="([^"]+)"', owner.get(f"/t/tea/customise/{own}/").text)

    owner.post(f"/t/tea/customise/{own}/order", {"order": ["a", "b", "c"], "move": "a:down"}, page=HOME)
    by_button = order()
    owner.post(f"/t/tea/customise/{own}/order", {"order": ["c", "nosuch", "a", "b"]}, page=HOME)

    assert by_button == ["b", "a", "c"]
    assert order() == ["c", "a", "b"]


def test_words_while_typing(floor, owner):
    base = "/t/tea/customise"

    answers = [
        owner.get(f"{base}/key", query_string={"label": "重量", "entity": "orders.order"}).json,
        owner.get(f"{base}/say/series", query_string={"series": "SC-{yyyy}-{n:4}"}).text,
        owner.get(f"{base}/say/series", query_string={"series": "SC"}).text,
        owner.get(f"{base}/say/pattern", query_string={"pattern": "[A-Z]{2}", "try_text": "AB"}).text,
        owner.get(f"{base}/say/pattern", query_string={"pattern": "[A-Z]{2}", "try_text": "ABC"}).text,
        owner.get(
            f"{base}/say/condition",
            query_string={"name": "v", "entity": "orders.order", "v": '{"field": "state", "op": "eq", "value": "paid"}'},
        ).text,
        owner.get(f"{base}/say/condition", query_string={"name": "v", "entity": "orders.order", "v": '{"field": "nosuch"}'}).text,
    ]

    assert answers[0] == {"key": "cf_zhongliang"}
    assert re.search(r"SC-\d{4}-0042", answers[1])
    assert "say-bad" in answers[2]
    assert ("This fits." in answers[3], "This does not fit." in answers[4]) == (True, True)
    assert "State is Paid" in answers[5]
    assert "say-bad" in answers[6]
