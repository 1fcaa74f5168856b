"""How the configuration items of low-code are written down: one marshmallow schema each, for files, forms, REST and storage alike."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields, validate

KEY = r"[a-z][a-z0-9_]{0,39}"
ENTITY_KEY = rf"{KEY}\.{KEY}"
#: Fields that tenants add to entity types of the code begin like this, so that later releases never collide with them.
PREFIX = "cf_"
TYPES = (
    "text",
    "long_text",
    "integer",
    "decimal",
    "money",
    "date",
    "datetime",
    "boolean",
    "choice",
    "choices",
    "reference",
    "user",
    "file",
    "phone",
    "address",
    "url",
    "email",
    "json",
    "formula",
    "rollup",
    "number",
)
COLOURS = ("neutral", "info", "progress", "warn", "ok", "bad")
USES = ("count", "sum", "min", "max", "avg")


class Shape(Schema):
    """Unknown names are refused, order is kept."""

    class Meta:
        unknown = RAISE


def name_of(pattern: str, **more: Any) -> fields.String:
    """A name of a given form."""
    return fields.String(validate=[validate.Regexp(rf"\A{pattern}\Z", error="This name is not of the right form.")], **more)


def words(length: int = 200, **more: Any) -> fields.String:
    """A text of at most `length` characters, empty where it is left out."""
    if not more.get("required"):
        more.setdefault("load_default", "")
    return fields.String(validate=validate.Length(max=length, min=1 if more.get("required") else None), **more)


def flag(*, default: bool = False) -> fields.Boolean:
    """True or false."""
    return fields.Boolean(load_default=default, truthy={True}, falsy={False})


def condition() -> fields.Dict:
    """A condition tree; what it says is checked with the whole configuration."""
    return fields.Dict(load_default=None, allow_none=True)


class ChoiceShape(Shape):
    """One value of a choice field."""

    value = fields.String(required=True, validate=validate.Length(min=1, max=60))
    label = words(80)
    kind = fields.String(load_default="neutral", validate=validate.OneOf(COLOURS))


class RollupShape(Shape):
    """What a rollup sums up."""

    entity = name_of(ENTITY_KEY, required=True)
    via = name_of(KEY, required=True)
    use = fields.String(load_default="count", validate=validate.OneOf(USES))
    of = words(40)
    where = condition()


class FieldShape(Shape):
    """A field of a tenant."""

    entity = name_of(ENTITY_KEY, required=True)
    key = name_of(KEY, required=True)
    label = words(80, required=True)
    type = fields.String(required=True, validate=validate.OneOf(TYPES))
    help = words(300)
    position = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 10_000))
    required = flag()
    unique = flag()
    filterable = flag(default=True)
    in_list = flag()
    personal = flag()
    sealed = flag()
    archived = flag()
    default = fields.Raw(load_default=None, allow_none=True)
    minimum = fields.Integer(load_default=None, allow_none=True, strict=True)
    maximum = fields.Integer(load_default=None, allow_none=True, strict=True)
    max_length = fields.Integer(load_default=200, strict=True, validate=validate.Range(1, 20_000))
    pattern = words(200)
    digits = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, 6))
    currency = name_of("[A-Z]{3}", load_default=None, allow_none=True)
    choices = fields.List(fields.Nested(ChoiceShape), load_default=list, validate=validate.Length(max=200))
    target = name_of(ENTITY_KEY, load_default=None, allow_none=True)
    formula = words(1_000)
    result = fields.String(
        load_default="", validate=validate.OneOf(("", "text", "integer", "decimal", "money", "date", "datetime", "boolean"))
    )
    rollup = fields.Nested(RollupShape, load_default=None, allow_none=True)
    series = words(60)
    visible_if = condition()
    required_if = condition()


class EntityShape(Shape):
    """An entity type of a tenant."""

    key = name_of(KEY, required=True)
    label = words(60, required=True)
    label_plural = words(60, required=True)
    resource = name_of(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*", load_default=None, allow_none=True)
    help = words(300)
    icon = fields.String(load_default="table", validate=validate.Regexp(r"\A[a-z][a-z0-9-]{0,40}\Z"))
    menu = fields.String(load_default="records", validate=validate.OneOf(("", "orders", "catalog", "customers", "inventory", "records")))
    title = words(40)
    parent = name_of(ENTITY_KEY, load_default=None, allow_none=True)
    series = words(60)
    archived = flag()
    position = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 10_000))


class RuleShape(Shape):
    """Which records people of some roles see. Where an entity type has rules, whoever fits none sees none of its records."""

    key = name_of(KEY, required=True)
    entity = name_of(ENTITY_KEY, required=True)
    label = words(120, required=True)
    roles = fields.List(name_of(r"[a-z][a-z0-9_-]{0,39}"), load_default=list, validate=validate.Length(max=50))
    condition = condition()
    archived = flag()


class AccessShape(Shape):
    """What people of a role may do with a field; `*` stands for every role that is not named."""

    entity = name_of(ENTITY_KEY, required=True)
    field = name_of(KEY, required=True)
    role = name_of(r"(?:\*|[a-z][a-z0-9_-]{0,39})", required=True)
    may = fields.String(required=True, validate=validate.OneOf(("none", "read", "write")))


class SectionShape(Shape):
    """A part of a form: a heading and its fields, in one to three columns."""

    title = words(80)
    columns = fields.Integer(load_default=2, strict=True, validate=validate.Range(1, 3))
    fields_ = fields.List(name_of(KEY), load_default=list, data_key="fields", attribute="fields", validate=validate.Length(max=200))


class TabShape(Shape):
    """A tab of a form, with its sections."""

    title = words(60)
    sections = fields.List(fields.Nested(SectionShape), load_default=list, validate=validate.Length(max=30))


class LayoutShape(Shape):
    """How people of a role see an entity type's forms, pages and lists; without a role, everybody who has no layout of their own."""

    entity = name_of(ENTITY_KEY, required=True)
    role = fields.String(load_default="", validate=validate.Regexp(r"\A(?:[a-z][a-z0-9_-]{0,39})?\Z"))
    tabs = fields.List(fields.Nested(TabShape), load_default=list, validate=validate.Length(max=10))
    columns = fields.List(name_of(KEY), load_default=list, validate=validate.Length(max=40))
    cards = fields.List(name_of(KEY), load_default=list, validate=validate.Length(max=8))


class ViewShape(Shape):
    """A saved view of a list that a business shares: which rows, in which order, with which columns, for which roles."""

    entity = name_of(ENTITY_KEY, required=True)
    key = name_of(KEY, required=True)
    label = words(60, required=True)
    condition = condition()
    sort = fields.String(load_default="", validate=validate.Regexp(rf"\A(?:-?{KEY})?\Z"))
    columns = fields.List(name_of(KEY), load_default=list, validate=validate.Length(max=40))
    roles = fields.List(name_of(r"[a-z][a-z0-9_-]{0,39}"), load_default=list, validate=validate.Length(max=50))
    position = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, 10_000))
    is_tab = flag(default=True)


class LabelShape(Shape):
    """What a business calls a value of one of the code's choices, and in which colour it stands."""

    entity = name_of(ENTITY_KEY, required=True)
    field = name_of(KEY, required=True)
    value = fields.String(required=True, validate=validate.Length(min=1, max=60))
    label = words(80)
    kind = fields.String(load_default="", validate=validate.OneOf(("", *COLOURS)))
