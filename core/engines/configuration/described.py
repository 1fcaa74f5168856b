"""The configuration file as JSON Schema (draft 2020-12), made from the very schemas that read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import Schema, fields, validate

from core.engines.configuration.document import FORMAT, RENAMED
from core.engines.configuration.kinds import KindRegistry

Described = dict[str, Any]
_PLAIN: tuple[tuple[type[fields.Field[Any]], Described], ...] = (
    (fields.Boolean, {"type": "boolean"}),
    (fields.Integer, {"type": "integer"}),
    (fields.String, {"type": "string"}),
    (fields.Dict, {"type": "object"}),
    (fields.Raw, {}),
)


def document_schema(kinds: KindRegistry) -> Described:
    """The JSON Schema of a whole configuration file."""
    sections = {kind.key: {"type": "array", "title": kind.label, "items": schema_of(kind.schema, may_rename=True)} for kind in kinds}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Orderloom configuration",
        "type": "object",
        "required": ["format"],
        "additionalProperties": False,
        "properties": {"format": {"const": FORMAT}, **sections},
    }


def schema_of(schema: Schema, *, may_rename: bool = False) -> Described:
    """One body as JSON Schema."""
    properties = {item.data_key or name: field_schema(item) for name, item in schema.fields.items()}
    if may_rename:
        properties[RENAMED] = {"type": "string"}
    required = [item.data_key or name for name, item in schema.fields.items() if item.required]
    made: Described = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**made, "required": required} if required else made


def field_schema(item: fields.Field[Any]) -> Described:
    """One field of a body."""
    made: Described
    if isinstance(item, fields.Nested):
        made = schema_of(item.schema)
    elif isinstance(item, fields.List):
        made = {"type": "array", "items": field_schema(item.inner)}
    else:
        made = dict(next((plain for kind, plain in _PLAIN if isinstance(item, kind)), {}))
    for check in item.validators:
        made.update(_checked(item, check))
    if item.allow_none and "type" in made:
        made["type"] = [made["type"], "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    return made


def _checked(item: fields.Field[Any], check: Callable[[Any], Any]) -> Described:
    if isinstance(check, validate.OneOf):
        return {"enum": list(check.choices)}
    if isinstance(check, validate.Regexp):
        return {"pattern": str(check.regex.pattern).replace(r"\A", "^").replace(r"\Z", "$")}
    if isinstance(check, validate.Range):
        return {name: bound for name, bound in (("minimum", check.min), ("maximum", check.max)) if bound is not None}
    if isinstance(check, validate.Length):
        name = "Items" if isinstance(item, fields.List) else "Length"
        return {f"{end}{name}": bound for end, bound in (("min", check.min), ("max", check.max)) if bound is not None}
    return {}
