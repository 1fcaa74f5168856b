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
