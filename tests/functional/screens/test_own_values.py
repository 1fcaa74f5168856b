"""Formulas, sums, members, files and encrypted values of a tenant's own fields, through pages, exports and REST."""

from __future__ import annotations

import base64
import io
import json

import pytest
from sqlalchemy import select

from core.engines.configuration import Change, apply_changes
from core.runtime.security.models import Membership

pytestmark = pytest.mark.database
HOST = "http://orders.example.test"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
TEA, LIST = "/t/tea/records/visit/", "/t/tea/records/visit/list/"
REST = "/t/tea/api/v1/records/visit/"


@pytest.fixture(scope="module")
def visits(floor):
    floor.member(floor.world.tea, "packer@tea.example", "warehouse")
    own = "custom.visit"
    field = {"entity": own, "type": "text"}
    changes = [
        Change("entity", {"key": "visit", "label": "Visit", "label_plural": "Visits", "title": "place"}),
        Change("entity", {"key": "stop", "label": "Stop", "label_plural": "Stops", "parent": own, "menu": ""}),
        Change("field", {**field, "key": "place", "label": "Place", "in_list": True}),
        Change("field", {**field, "key": "km", "label": "Distance", "type": "decimal", "digits": 1, "in_list": True}),
        Change("field", {**field, "key": "pin", "label": "Door code", "sealed": True, "in_list": True}),
        Change("field", {**field, "key": "photo", "label": "Photo", "type": "file", "in_list": True}),
        Change("field", {**field, "key": "driver", "label": "Driver", "type": "user", "in_list": True}),
        Change("field", {**field, "key": "days", "label": "Days", "type": "choices", "choices": [{"value": "mon", "label": "Monday"}, {"value": "tue", "label": "Tuesday"}]}),
        Change("field", {**field, "key": "miles", "label": "Miles", "type": "formula", "formula": "round(km * 0.621371, 2)", "in_list": True}),
        Change("field", {**field, "key": "stops", "label": "Number of stops", "type": "rollup", "rollup": {"entity": "custom.stop", "via": "parent_id"}, "in_list": True}),
        Change("field", {"entity": "custom.stop", "key": "what", "label": "What", "type": "text"}),
    ]
    with floor.world.database.unit(floor.world.tea) as session:
        apply_changes(session, floor.system.kinds, changes)
    return own


@pytest.fixture(scope="module")
def owner(floor, visits):
    return floor.visitor("owner@tea.example")


def add(owner, **data):
    answer = owner.post(f"{TEA}add", data, page="/t/tea/account/", content_type="multipart/form-data")
    assert answer.status_code == 302, answer.text[:3000]
    return answer.headers["Location"].rpartition("/")[2]


def rest(browser, path, method="post", **more):
    headers = {"X-CSRFToken": browser.token("/t/tea/account/")}
    return browser.client.open(path, method=method.upper(), base_url=HOST, headers=headers, **more)


def test_formula_and_sum_are_in_lists_pages_exports_and_rest(owner):
    pk = add(owner, place="Hangzhou", km="12.5")
    owner.post(f"/t/tea/records/stop/add?parent_id={pk}", {"parent_id": pk, "what": "Tea field"}, page="/t/tea/account/")

    page, shown = owner.get(LIST), owner.get(f"{TEA}show/{pk}")
    exported = owner.get(f"{TEA}export.csv?q=hangzhou")
    one = owner.get(f"{REST}{pk}").json
    found = owner.get(REST + "?filter=" + json.dumps({"all": [{"field": "miles", "op": "gt", "value": "7"}, {"field": "stops", "op": "eq", "value": 1}]}))
    by_page = owner.get(f"{LIST}?f.miles=7&op.miles=ge&sort=-miles")
    wrong = rest(owner, REST, json={"place": "x", "miles": "1"})

    assert (page.status_code, shown.status_code) == (200, 200)
    assert "7.77" in page.text
    assert "7.77" in shown.text
    assert "7.77" in exported.text
    assert (one["miles"], one["stops"]) == ("7.77", 1)
    assert [row["place"] for row in found.json["result"]] == ["Hangzhou"]
    assert "Hangzhou" in by_page.text
    assert wrong.status_code == 422


def test_member_is_chosen_by_name_and_shown_by_name(floor, owner):
    with floor.world.database.unit(floor.world.tea) as session:
        member = str(session.scalars(select(Membership.id).limit(1)).one())
    packer = floor.visitor("packer@tea.example")

    choices = {one["value"]: one["text"] for one in packer.get("/t/tea/members/lookup?q=").json["options"]}
    stranger = floor.visitor("owner@gift.example").get("/t/tea/members/lookup?q=")
    pk = add(owner, place="Suzhou", driver=member)
    page, form = owner.get(f"{LIST}?f.driver={member}"), owner.get(f"{TEA}edit/{pk}")
    exported = owner.get(f"{TEA}export.csv?q=suzhou")
    refused = rest(owner, REST, json={"place": "x", "driver": pk})

    assert member in choices
    assert stranger.status_code in (302, 403, 404)
    assert choices[member] in page.text
    assert "Suzhou" in page.text
    assert f'value="{member}"' in form.text
    assert "/t/tea/members/lookup" in form.text
    assert choices[member] in exported.text
    assert refused.status_code == 422


def test_file_is_sent_shown_downloaded_replaced_and_removed_through_forms(floor, owner):
    pk = add(owner, place="Ningbo", photo=(io.BytesIO(PNG), "门.png"))
    shown, got = owner.get(f"{TEA}show/{pk}"), owner.get(f"{TEA}file/{pk}/photo")
    picture = owner.get(f"{TEA}file/{pk}/photo?show=1")
    form = owner.get(f"{TEA}edit/{pk}")
    kept = owner.post(f"{TEA}edit/{pk}", {"place": "Ningbo", "overwrite": "1"}, page="/t/tea/account/")
    after_kept = owner.get(f"{TEA}file/{pk}/photo")
    page = {"place": "Ningbo", "overwrite": "1", "photo": (io.BytesIO(b"<script>alert(1)</script>"), "evil.html")}
    replaced = owner.post(f"{TEA}edit/{pk}", page, page="/t/tea/account/", content_type="multipart/form-data")
    other = owner.get(f"{TEA}file/{pk}/photo?show=1")
    owner.post(f"{TEA}edit/{pk}", {"place": "Ningbo", "overwrite": "1", "photo.remove": "1"}, page="/t/tea/account/")
    gone = owner.get(f"{TEA}file/{pk}/photo")
    strangers = floor.visitor("packer@tea.example").get(f"{TEA}file/{pk}/photo")

    assert "门.png" in shown.text
    assert "<img" in shown.text
    assert got.data == PNG
    assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E9%97%A8.png"
    assert (got.headers["Content-Type"], got.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert picture.headers["Content-Disposition"] == "inline"
    assert "门.png" in form.text
    assert 'name="photo.remove"' in form.text
    assert (kept.status_code, after_kept.data) == (302, PNG)
    assert replaced.status_code == 302, replaced.text[:3000]
    assert other.headers["Content-Disposition"].startswith("attachment")
    assert other.headers["Content-Type"].startswith("text/plain")
    assert gone.status_code == 404
    assert strangers.status_code in (403, 404)


def test_file_is_sent_and_fetched_through_rest(owner):
    encoded = {"name": "a.png", "data": base64.b64encode(PNG).decode()}
    sent = rest(owner, "/t/tea/api/v1/files/", json=encoded)
    posted = rest(owner, "/t/tea/api/v1/files/", data={"file": (io.BytesIO(b"plain"), "b.txt")}, content_type="multipart/form-data")
    wrong = rest(owner, "/t/tea/api/v1/files/", json={"name": "a", "data": "%%%%"})
    made = rest(owner, REST, json={"place": "Jinan", "photo": sent.json["id"]})
    again = rest(owner, REST, json={"place": "Jinan", "photo": sent.json["id"]})
    fetched = owner.get(f"{REST}{made.json['id']}/files/photo")
    document = json.loads(owner.get("/t/tea/api/v1/openapi.json").text)

    assert (sent.status_code, sent.json["media_type"], sent.json["size"]) == (201, "image/png", len(PNG))
    assert (posted.status_code, posted.json["media_type"]) == (201, "text/plain")
    assert wrong.status_code == 422
    assert made.status_code == 201, made.text
    assert made.json["photo"] == sent.json["id"]
    assert again.status_code == 422
    assert fetched.data == PNG
    assert "/files/" in document["paths"]
    assert "/records/visit/{id}/files/{field}" in document["paths"]


def test_file_is_refused_when_it_is_too_large(floor, owner):
    limit = floor.system.settings.file_max_mb * 1024 * 1024

    refused = owner.post(
        f"{TEA}add", {"place": "Big", "photo": (io.BytesIO(b"x" * (limit + 1)), "big")}, page="/t/tea/account/", content_type="multipart/form-data"
    )

    assert refused.status_code == 422
    assert "This file is too large." in refused.text


def test_encrypted_value_is_masked_everywhere_and_revealed_for_a_reason(floor, owner):
    pk = add(owner, place="Xian", pin="4711-secret")
    pages = [owner.get(LIST), owner.get(f"{TEA}show/{pk}"), owner.get(f"{TEA}edit/{pk}"), owner.get(f"{TEA}peek/{pk}"), owner.get(f"{TEA}export.csv"), owner.get(f"{REST}{pk}")]
    found = owner.get(f"{LIST}?f.pin=4711-secret")
    half = owner.get(f"{LIST}?f.pin=4711")
    saved = owner.post(f"{TEA}edit/{pk}", {"place": "Xi'an", "overwrite": "1"}, page="/t/tea/account/")
    no_reason = owner.post(f"{TEA}reveal/{pk}/pin", {"reason": ""}, page="/t/tea/account/")
    clear = owner.post(f"{TEA}reveal/{pk}/pin", {"reason": "Driver is at the door"}, page="/t/tea/account/")
    history = owner.get(f"{TEA}show/{pk}")

    assert [page.status_code for page in pages] == [200] * 6
    assert not any("4711-secret" in page.text for page in pages)
    assert "••••••" in pages[0].text
    assert pages[5].json["pin"] == "••••••"
    assert "Door code" not in pages[4].text
    assert "Xian" in found.text
    assert "Xian" not in half.text
    assert saved.status_code == 302
    assert "4711-secret" not in no_reason.text
    assert "4711-secret" in clear.text
    assert "Driver is at the door" in history.text
    assert "4711-secret" not in history.text


def test_several_choices_are_check_boxes_and_are_shown_in_words(owner):
    form = owner.get(f"{TEA}add")
    pk = add(owner, place="Wuxi", days=["mon", "tue"])
    shown, filtered = owner.get(f"{TEA}show/{pk}"), owner.get(f"{LIST}?f.days=tue")
    cleared = owner.post(f"{TEA}edit/{pk}", {"place": "Wuxi", "overwrite": "1"}, page="/t/tea/account/")
    after = owner.get(f"{REST}{pk}").json

    assert form.text.count('type="checkbox"') >= 2
    assert "Monday" in shown.text
    assert "Wuxi" in filtered.text
    assert cleared.status_code == 302
    assert after["days"] in ([], None)


def test_decimals_keep_to_their_digits(owner):
    refused = rest(owner, REST, json={"place": "x", "km": "1.25"})

    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "km"


@pytest.fixture(scope="module")
def contacts(floor):
    """Contacts with a field of every kind of text, money of one currency and JSON, in the gift shop."""
    field = {"entity": "custom.contact", "in_list": True}
    kinds = {"phone": "phone", "mail": "email", "site": "url", "home": "address", "facts": "json", "fee": "money", "since": "date", "is_vip": "boolean"}
    changes = [
        Change("entity", {"key": "contact", "label": "Contact", "label_plural": "Contacts", "title": "name"}),
        Change("field", {**field, "key": "name", "label": "Name", "type": "text"}),
        *(Change("field", {**field, "key": key, "label": key.title(), "type": kind, **({"currency": "GBP"} if kind == "money" else {})}) for key, kind in kinds.items()),
    ]
    with floor.world.database.unit(floor.world.gift) as session:
        apply_changes(session, floor.system.kinds, changes)
    return floor.visitor("owner@gift.example")


def test_each_kind_of_text_is_shown_and_exported_as_what_it_is(contacts):
    root, values = "/t/gift/records/contact/", {
        "name": "Ann",
        "phone": "+44 20 7946 0000",
        "mail": "ann@example.org",
        "site": "https://example.org/a?b=1",
        "home": "1 Tea Lane\nLondon <E1>",
        "facts": '{"size": "M"}',
        "fee": "12.5",
        "since": "2026-02-28",
        "is_vip": "y",
    }

    made = contacts.post(f"{root}add", values, page="/t/gift/account/")
    assert made.status_code == 302, made.text[:3000]
    pk = made.headers["Location"].rpartition("/")[2]
    page, shown = contacts.get(f"{root}list/?f.since=2026-02-01&op.since=ge"), contacts.get(f"{root}show/{pk}")
    exported, one = contacts.get(f"{root}export.csv"), contacts.get(f"/t/gift/api/v1/records/contact/{pk}").json

    for text in (page.text, shown.text):
        assert 'href="tel:+442079460000"' in text
        assert 'href="mailto:ann@example.org"' in text
        assert 'href="https://example.org/a?b=1" rel="noopener noreferrer nofollow"' in text
        assert "1 Tea Lane<br>London &lt;E1&gt;" in text
        assert "size: M" in text
        assert "£12.50" in text
    assert "12.50" in exported.text
    assert '"1 Tea Lane\nLondon <E1>"' in exported.text
    assert (one["facts"], one["fee"], one["since"], one["is_vip"]) == ({"size": "M"}, "12.50", "2026-02-28", True)


def test_wrong_texts_are_refused_by_name(contacts):
    wrong = {"name": "x", "phone": "call me", "mail": "nobody", "site": "javascript:alert(1)", "facts": "[1]", "fee": "1.00001", "since": "31.12.2026"}

    refused = contacts.post("/t/gift/records/contact/add", {**wrong, "facts": '"text"'}, page="/t/gift/account/")
    headers = {"X-CSRFToken": contacts.token("/t/gift/account/")}
    by_rest = contacts.client.post("/t/gift/api/v1/records/contact/", base_url=HOST, json=wrong, headers=headers)

    assert refused.status_code == 422
    assert by_rest.status_code == 422
    assert {one["field"] for one in by_rest.json["errors"]} == {"phone", "mail", "site", "facts", "fee", "since"}
