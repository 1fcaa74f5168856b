from __future__ import annotations

import time
from decimal import Decimal
from enum import Enum

import pytest
from marshmallow import Schema, fields, validate, validates_schema

from core.runtime.plugin_host import forms
from core.runtime.plugin_host.errors import ConfigInvalid
from core.runtime.plugin_host.forms import SchemaUnfit, Secret, form_of, load_values, secret_names, storable


class Speed(Enum):
    SLOW = "Slowly"
    FAST = "Fast"


class Everything(Schema):
    """One field of each kind."""

    name = fields.String(required=True, validate=validate.Length(min=2, max=20), metadata={"label": "Name", "help": "Yours."})
    key = Secret(required=True, metadata={"group": "Access"})
    old_key = fields.String(metadata={"secret": True})
    site = fields.Url(load_default="https://example.com")
    copies = fields.Integer(load_default=1, validate=validate.Range(min=1, max=9))
    rate = fields.Decimal(load_default=Decimal("0.15"))
    is_on = fields.Boolean(load_default=True)
    kind = fields.String(validate=validate.OneOf(["a", "b"], labels=["First", "Second"]))
    speed = fields.Enum(Speed, metadata={"order": -1})
    tags = fields.List(fields.String(validate=validate.OneOf(["x", "y"])))
    codes = fields.List(fields.String())
    names = fields.Dict(keys=fields.String(), values=fields.String())
    shop = fields.String(metadata={"options": lambda _ctx: [("1", "One")], "visible_if": {"field": "is_on", "op": "eq", "value": True}})
    code = fields.String(validate=validate.Regexp(r"^[A-Z]+$"))


def entry(name):
    return next(entry for entry in form_of(Everything()) if entry["name"] == name)


def test_form_says_type_and_widget_of_each_field_when_described():
    assert [(field["name"], field["type"], field["widget"]) for field in form_of(Everything())] == [
        ("speed", "choice", "select"),
        ("name", "text", "text"),
        ("key", "text", "password"),
        ("old_key", "text", "password"),
        ("site", "url", "url"),
        ("copies", "integer", "number"),
        ("rate", "decimal", "decimal"),
        ("is_on", "boolean", "switch"),
        ("kind", "choice", "select"),
        ("tags", "choices", "checkboxes"),
        ("codes", "list", "lines"),
        ("names", "mapping", "pairs"),
        ("shop", "choice", "select"),
        ("code", "text", "text"),
    ]


def test_form_carries_limits_choices_and_defaults_when_the_schema_has_them():
    assert entry("name") == {
        "name": "name",
        "type": "text",
        "widget": "text",
        "label": "Name",
        "help": "Yours.",
        "group": "",
        "required": True,
        "secret": False,
        "min_length": 2,
        "max_length": 20,
    }
    assert (entry("copies")["min"], entry("copies")["max"], entry("copies")["default"]) == (1, 9, 1)
    assert entry("rate")["default"] == "0.15"
    assert entry("kind")["choices"] == [["a", "First"], ["b", "Second"]]
    assert entry("speed")["choices"] == [["SLOW", "Slowly"], ["FAST", "Fast"]]
    assert entry("tags")["choices"] == [["x", "x"], ["y", "y"]]
    assert entry("code")["pattern"] == "^[A-Z]+$"
    assert (entry("shop")["options"], entry("shop")["visible_if"]) == (True, {"field": "is_on", "op": "eq", "value": True})
    assert secret_names(Everything()) == ("key", "old_key")


def test_form_refuses_when_a_field_cannot_be_shown():
    class Nested(Schema):
        inner = fields.Nested(Everything)

    class Renamed(Schema):
        inner = fields.String(data_key="other")

    class Dangling(Schema):
        inner = fields.String(metadata={"visible_if": {"all": [{"field": "gone", "op": "eq", "value": 1}]}})

    for schema in (Nested, Renamed, Dangling):
        with pytest.raises(SchemaUnfit):
            form_of(schema())


def test_values_are_typed_and_stored_without_secrets_and_defaults_when_valid():
    given = {"name": "Tea", "key": "k", "old_key": "o", "copies": "3", "rate": "0.2", "tags": ["x"]}

    loaded = load_values(Everything(), given)

    assert (loaded["copies"], loaded["rate"], loaded["is_on"]) == (3, Decimal("0.2"), True)
    assert storable(Everything(), loaded, given) == {"name": "Tea", "copies": 3, "rate": "0.2", "tags": ["x"]}


def test_values_are_refused_by_field_when_they_do_not_fit():
    with pytest.raises(ConfigInvalid) as caught:
        load_values(Everything(), {"name": "T", "key": "k", "copies": 10, "tags": ["x", "z"], "codes": ["a", 5]})

    assert caught.value.facts["errors"] == {
        "name": ["Length must be between 2 and 20."],
        "copies": ["Must be greater than or equal to 1 and less than or equal to 9."],
        "tags": ["1: Must be one of: x, y."],
        "codes": ["1: Not a valid string."],
    }


class Failing(Schema):
    """Fails in its own check, as the value says."""

    how = fields.String(required=True)

    @validates_schema
    def check(self, values, **_options):
        if values["how"] == "exit":
            raise SystemExit(3)
        if values["how"] == "raise":
            raise LookupError("hunter2")
        if values["how"] == "hang":
            time.sleep(1.0)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("exit", "The plugin failed to check these settings."),
        ("raise", "The plugin failed to check these settings."),
        ("hang", "The plugin did not check these settings in time."),
    ],
)
def test_values_are_refused_when_the_schema_itself_fails(monkeypatch, how, told):
    monkeypatch.setattr(forms, "SCHEMA_BUDGET_S", 0.1)

    with pytest.raises(ConfigInvalid) as caught:
        load_values(Failing(), {"how": how})

    assert caught.value.facts["errors"] == {"_schema": [told]}
