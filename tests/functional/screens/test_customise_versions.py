"""Versions of the configuration, and the configuration as a file, in the web."""

from __future__ import annotations

import io
import re

import pytest

from core.engines.configuration import Change, apply_changes
from core.engines.configuration.queries import item as stored_item
from core.engines.configuration.queries import present_version

pytestmark = pytest.mark.database
HOME = "/t/tea/account/"
PRODUCT = "catalog.product"


@pytest.fixture(scope="module")
def owner(floor):
    return floor.visitor("owner@tea.example")


def change(floor, *changes, note=""):
    with floor.world.database.unit(floor.world.tea) as session:
        apply_changes(session, floor.system.kinds, changes, note=note)
        return present_version(session)


def label(floor, key):
    with floor.world.database.unit(floor.world.tea) as session:
        found = stored_item(session, "field", f"{PRODUCT}/{key}")
        return found.body["label"] if found is not None else None


def version(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        return present_version(session)


def field(key, text, **more):
    return Change("field", {"entity": PRODUCT, "key": key, "label": text, "type": "text", **more}, f"{PRODUCT}/{key}")


def test_versions_tell_what_changed_and_are_taken_back_after_a_look(floor, owner):
    change(floor, field("cf_grade", "Grade"), note="Grades")
    second = change(floor, field("cf_grade", "Quality", required=True), note="Better word")
    page = owner.get("/t/tea/customise/versions/")

    asked = owner.post(f"/t/tea/customise/versions/{second}/undo", page=HOME)
    kept = label(floor, "cf_grade")
    done = owner.post(f"/t/tea/customise/versions/{second}/undo", {"agreed": "1"}, page=HOME)

    assert "Better word" in page.text
    assert re.search(r"<del>Grade</del>.*?<ins>Quality</ins>", page.text)
    assert (asked.status_code, kept, done.status_code) == (200, "Quality", 303)
    assert re.search(r"<del>Quality</del>.*?<ins>Grade</ins>", asked.text)
    assert (label(floor, "cf_grade"), version(floor)) == ("Grade", second + 1)


def test_version_whose_work_was_changed_again_says_by_which_version(floor, owner):
    first = change(floor, field("cf_maker", "Maker"))
    change(floor, field("cf_maker", "Producer"), note="Another word")

    answer = owner.post(f"/t/tea/customise/versions/{first}/undo", {"agreed": "1"}, page=HOME)

    assert answer.status_code == 409
    assert "has been changed again since version" in answer.text
    assert "Another word" in answer.text
    assert label(floor, "cf_maker") == "Producer"


def test_whole_configuration_of_a_version_is_brought_back(floor, owner):
    good = change(floor, field("cf_batch", "Batch"))
    change(floor, field("cf_batch", "Lot"))
    change(floor, Change("field", None, f"{PRODUCT}/cf_batch"))

    asked = owner.post(f"/t/tea/customise/versions/{good}/restore", page=HOME)
    kept = label(floor, "cf_batch")
    done = owner.post(f"/t/tea/customise/versions/{good}/restore", {"agreed": "1"}, page=HOME)
    unknown = owner.post("/t/tea/customise/versions/99999/restore", page=HOME)

    assert "Batch" in asked.text
    assert (asked.status_code, kept, done.status_code, unknown.status_code) == (200, None, 303, 404)
    assert label(floor, "cf_batch") == "Batch"


def test_versions_are_paged(floor, owner):
    for number in range(31):
        change(floor, field("cf_counter", f"Counter {number}"))

    first = owner.get("/t/tea/customise/versions/")
    older = owner.get(re.search(r'href="([^"]+\?before=\d+)"', first.text)[1])

    assert first.text.count('id="version-') == 30
    assert "Counter 30" in first.text
    assert "Counter 30" not in older.text
    assert owner.get("/t/tea/customise/versions/?before=x").status_code == 200


def test_export_is_compared_with_what_is_and_applied_with_a_note(floor, owner):
    change(floor, field("cf_origin", "Origin"))
    toml = owner.get("/t/tea/customise/file/configuration.toml")
    text = toml.text.replace('label = "Origin"', 'label = "Provenance"')

    same = owner.post("/t/tea/customise/file/", {"text": toml.text}, page=HOME)
    compared = owner.post("/t/tea/customise/file/", {"file": (io.BytesIO(text.encode()), "c.toml")}, page=HOME, content_type="multipart/form-data")
    kept = label(floor, "cf_origin")
    shown = re.search(r'name="version" value="(\d+)"', compared.text)[1]
    done = owner.post("/t/tea/customise/file/apply", {"text": text, "note": "From staging", "version": shown}, page=HOME)

    assert toml.headers["Content-Disposition"].startswith('attachment; filename="configuration-')
    assert "nothing would change" in same.text
    assert re.search(r"<del>Origin</del>.*?<ins>Provenance</ins>", compared.text)
    assert (kept, done.status_code) == ("Origin", 303)
    assert label(floor, "cf_origin") == "Provenance"
    assert "From staging" in owner.get("/t/tea/customise/versions/").text


def test_file_is_compared_once_more_when_somebody_changed_the_configuration_meanwhile(floor, owner):
    text = owner.get("/t/tea/customise/file/configuration.json").text
    change(floor, field("cf_late", "Late"))

    answer = owner.post("/t/tea/customise/file/apply", {"text": text, "version": "1"}, page=HOME)

    assert answer.status_code == 200
    assert "Look at the comparison once more." in answer.text
    assert label(floor, "cf_late") == "Late"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = 2", "This file is not of format 1."),
        ("[", "This is not TOML"),
        ("{", "This is not JSON"),
        ('{"format": 1, "field": [{"entity": "catalog.product", "key": "cf_x", "label": "X", "type": "nosuch"}]}', "Choose one of"),
    ],
)
def test_wrong_file_is_refused_with_its_places(floor, owner, text, said):
    before = version(floor)

    answer = owner.post("/t/tea/customise/file/", {"text": text}, page=HOME)

    assert answer.status_code == 422
    assert said in answer.text
    assert version(floor) == before


def test_history_and_files_of_one_tenant_stay_its_own(floor, owner):
    change(floor, field("cf_secret", "Only for tea"))

    strangers = floor.visitor("owner@gift.example")

    assert "Only for tea" not in strangers.get("/t/gift/customise/versions/").text
    assert strangers.get("/t/gift/customise/file/configuration.json").json == {"format": 1}
