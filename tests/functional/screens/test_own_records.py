"""A tenant's own kinds of records and fields through pages and REST: live at once, for that tenant alone, confined by roles."""

from __future__ import annotations

import json

import pytest

from core.engines.configuration import Change, apply_changes

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def complaints(floor):
    floor.member(floor.world.tea, "packer@tea.example", "warehouse")
    """Supplier complaints with lines, in the tea shop."""
    own = "custom.complaint"
    changes = [
        Change("entity", {"key": "complaint", "label": "Complaint", "label_plural": "Complaints", "title": "number"}),
        Change("entity", {"key": "complaint_line", "label": "Complaint line", "label_plural": "Complaint lines", "parent": own, "menu": ""}),
        Change("field", {"entity": own, "key": "number", "label": "Number", "type": "number", "series": "SC-{yyyy}-{n:4}", "in_list": True}),
        Change("field", {"entity": own, "key": "subject", "label": "Subject", "type": "text", "required": True, "in_list": True}),
        Change("field", {"entity": own, "key": "order_id", "label": "Order", "type": "reference", "target": "orders.order"}),
        Change("field", {"entity": own, "key": "cost", "label": "Cost", "type": "money", "currency": "CNY", "in_list": True}),
        Change("field", {"entity": "custom.complaint_line", "key": "what", "label": "What", "type": "text"}),
    ]
    with floor.world.database.unit(floor.world.tea) as session:
        apply_changes(session, floor.system.kinds, changes)
    return own


def test_record_of_an_own_kind_is_added_shown_found_changed_and_deleted_through_pages(floor, complaints):
    browser = floor.visitor("owner@tea.example")
    empty = browser.get("/t/tea/records/complaint/list/")

    refused = browser.post("/t/tea/records/complaint/add", {"subject": "", "cost": "x"}, page="/t/tea/account/")
    added = browser.post("/t/tea/records/complaint/add", {"subject": "Damp tea", "cost": "12.5"}, page="/t/tea/account/")
    shown = browser.get(added.headers["Location"])
    found = browser.get("/t/tea/records/complaint/list/?q=damp")
    pk = added.headers["Location"].rpartition("/")[2]
    line = browser.post(f"/t/tea/records/complaint-line/add?parent_id={pk}", {"parent_id": pk, "what": "Two bags"}, page="/t/tea/account/")
    with_line = browser.get(added.headers["Location"])
    blocked = browser.post(f"/t/tea/records/complaint/delete/{pk}", page="/t/tea/account/", follow_redirects=True)

    assert empty.status_code == 200
    assert "Complaints" in empty.text
    assert refused.status_code == 422
    assert "This is needed." in refused.text
    assert "This is not an amount of money." in refused.text
    assert added.status_code == 302, added.text[:2000]
    assert "SC-2026-0001" in shown.text
    assert "Damp tea" in found.text
    assert line.status_code == 302, line.text[:2000]
    assert "Two bags" in with_line.text
    assert "is still in use" in blocked.text


def test_own_kind_is_not_there_for_the_other_tenant_nor_without_the_permission(floor, complaints):
    other, reader = floor.visitor("owner@gift.example"), floor.visitor("packer@tea.example")

    pages = [other.get("/t/gift/records/complaint/list/"), reader.get("/t/tea/records/complaint/list/")]

    assert [page.status_code for page in pages] == [404, 404]
    assert "Complaints" not in other.get("/t/gift/").text
    assert "Complaints" in floor.visitor("owner@tea.example").get("/t/tea/").text


def test_rest_resource_of_an_own_kind_is_described_and_works(floor, complaints):
    browser = floor.visitor("owner@tea.example")
    token = browser.token("/t/tea/account/")
    headers = {"X-CSRFToken": token}
    root = "/t/tea/api/v1/records/complaint/"

    made = browser.client.post(root, base_url="http://orders.example.test", json={"subject": "Late", "cost": "7.10"}, headers=headers)
    wrong = browser.client.post(root, base_url="http://orders.example.test", json={"subject": "Late", "colour": "red"}, headers=headers)
    listed = browser.get(root + "?filter=" + json.dumps({"field": "cost", "op": "lt", "value": "8"}))
    document = json.loads(browser.get("/t/tea/api/v1/openapi.json").text)
    strangers = json.loads(floor.visitor("owner@gift.example").get("/t/gift/api/v1/openapi.json").text)

    assert made.status_code == 201, made.text
    assert made.json["cost"] == "7.10"
    assert made.json["number"].startswith("SC-2026-")
    assert wrong.status_code == 422
    assert [one["subject"] for one in listed.json["result"]] == ["Late"]
    assert "/records/complaint/" in document["paths"]
    assert not any("complaint" in path for path in strangers["paths"])


def test_field_on_orders_is_edited_through_its_own_form_and_rest(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        body = {"entity": "orders.order", "key": "cf_gift", "label": "Gift wrap", "type": "boolean", "in_list": True}
        apply_changes(session, floor.system.kinds, [Change("field", body)])
    browser = floor.visitor("owner@tea.example")
    page = browser.get("/t/tea/orders/list/")

    assert page.status_code == 200
    assert "Gift wrap" in page.text
    assert "Gift wrap" not in floor.visitor("owner@gift.example").get("/t/gift/orders/list/").text
