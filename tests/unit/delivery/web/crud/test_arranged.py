"""Forms and pages in the order of a layout."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from flask import Flask
from flask_babel import Babel

from core.delivery.web.crud.arranged import form_tabs, page_panels, ruled
from core.engines.metadata.entity import Choice, EntityType, Field, FieldType, FormSection, Tab

FIELDS = (
    Field("subject", "Subject", is_required=True),
    Field("state", "State", FieldType.CHOICE, choices=(Choice("open", "Open"), Choice("closed", "Closed"))),
    Field("solution", "Solution", visible_if={"field": "state", "op": "eq", "value": "closed"}),
    Field("cost", "Cost", FieldType.MONEY, required_if={"field": "phone", "op": "is_not_empty"}),
    Field("phone", "Phone", FieldType.PHONE, is_personal=True),
)
TABS = (
    Tab("Story", (FormSection("What", ("subject", "solution"), 1),)),
    Tab("", (FormSection("", ("cost",), 3), FormSection("Nothing", ("gone",), 2))),
)


@pytest.fixture
def spoken():
    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        yield


def kind(tabs=()):
    return EntityType("x.y", "ys", object, "Y", "Ys", "x", FIELDS, ("subject",), tabs=tabs)


def test_form_is_one_part_when_there_is_no_layout():
    tabs = form_tabs(kind(), FIELDS[:2])

    assert tabs == [{"title": "", "fieldsets": [{"title": "", "fields": ["subject", "state"]}]}]


def test_form_follows_the_layout_and_keeps_what_it_forgot(spoken):
    tabs = form_tabs(kind(TABS), FIELDS[:4])

    assert tabs == [
        {
            "title": "Story",
            "fieldsets": [
                {"title": "What", "columns": 1, "fields": ["subject", "solution"]},
                {"title": "More", "fields": ["state"]},
            ],
        },
        {"title": "Tab 2", "fieldsets": [{"title": "", "columns": 3, "fields": ["cost"]}]},
    ]


def test_page_shows_what_the_layout_places(spoken):
    panels = page_panels(kind(TABS), FIELDS, lambda item: {"label": item.label})

    assert panels == [
        {"tab": "Story", "panels": [{"title": "What", "columns": 1, "fields": [{"label": "Subject"}, {"label": "Solution"}]}]},
        {"tab": "Tab 2", "panels": [{"title": "", "columns": 3, "fields": [{"label": "Cost"}]}]},
    ]


def test_browser_gets_the_rules_but_no_values_of_people():
    record = SimpleNamespace(state="closed", phone="13800000000")

    told = json.loads(ruled(kind(), [FIELDS[2], FIELDS[3]], record))

    assert told == {
        "rules": {
            "solution": {"visible_if": {"field": "state", "op": "eq", "value": "closed"}},
            "cost": {"required_if": {"field": "phone", "op": "is_not_empty"}},
        },
        "types": {"state": "choice", "phone": "text"},
        "values": {"state": "closed"},
    }
    assert ruled(kind(), [FIELDS[0]], record) == ""
