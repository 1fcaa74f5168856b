"""An entity type in OpenAPI's words: its schemas for reading, making and changing, and an operation for each thing it offers."""

from __future__ import annotations

from collections.abc import Mapping

from core.delivery.api.base import Described
from core.delivery.api.describe import (
    AMOUNT_PATTERN,
    IDEMPOTENCY_KEY,
    READ_PROBLEMS,
    WRITE_PROBLEMS,
    Schema,
    answer,
    body_of,
    content,
    id_parameter,
    operation,
    problems,
    ref,
)
from core.engines.metadata import queries
from core.engines.metadata.entity import TEXTS, Action, EntityType, Field, FieldType
from core.engines.metadata.values import MAX_INTEGER, MAX_TAG, MAX_TAGS, MIN_INTEGER
from core.kernel.conditions import Op
from core.kernel.paging import MAX_CURSOR_LENGTH
from core.runtime.db.base import Extensible
from core.runtime.db.keyset import MAX_PAGE_SIZE

_NUMBERS = (FieldType.MONEY, FieldType.QUANTITY, FieldType.DECIMAL)
_OUT: Mapping[FieldType, Schema] = {
    FieldType.TEXT: {"type": "string"},
    FieldType.LONG_TEXT: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.DECIMAL: {"type": "string", "pattern": AMOUNT_PATTERN},
    FieldType.MONEY: {"type": "string", "pattern": AMOUNT_PATTERN},
    FieldType.QUANTITY: {"type": "string", "pattern": AMOUNT_PATTERN},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.DATETIME: {"type": "string", "format": "date-time"},
    FieldType.CHOICE: {"type": "string"},
    FieldType.TAGS: {"type": "array", "items": {"type": "string"}},
    FieldType.CHOICES: {"type": "array", "items": {"type": "string"}},
    FieldType.REFERENCE: {"type": "string", "format": "uuid"},
    FieldType.USER: {"type": "string", "format": "uuid"},
    FieldType.FILE: {"type": "string", "format": "uuid"},
    FieldType.PHONE: {"type": "string"},
    FieldType.EMAIL: {"type": "string"},
    FieldType.URL: {"type": "string"},
    FieldType.ADDRESS: {"type": "string"},
    FieldType.JSON: {"type": "object"},
}


def schema_name(entity_key: str) -> str:
    """The name of an entity's schema in the document: `orders.order` is `OrdersOrder`."""
    return "".join(part.capitalize() for part in entity_key.replace(".", "_").split("_"))


def described_entity(entity: EntityType, permissions: Mapping[str, str], *, root: str = "") -> Described:
    """Paths and schemas of one entity's resource below `root`; `permissions` maps get, post, put and delete to the keys needed."""
    name = schema_name(entity.key)
    writable = [entity.by_key[key] for key in entity.form_fields if entity.by_key[key].is_writable]
    schemas = {name: _read_schema(entity), f"{name}Page": _page_schema(name), f"{name}Filter": _filter_schema(entity, name)}
    if entity.create is not None:
        schemas[f"{name}New"] = _write_schema(entity, writable, is_new=True)
    if is_changeable(entity):
        changeable = [item for item in writable if not item.create_only and (entity.update is not None or item.slot)]
        schemas[f"{name}Change"] = _write_schema(entity, changeable, is_new=False)
    base = f"{root}/{entity.resource}"
    paths = {f"{base}/": _collection(entity, name, permissions), f"{base}/{{id}}": _single(entity, name, permissions)}
    paths[f"{base}/{{id}}/files/{{field}}"] = _file(entity, permissions)
    paths |= {f"{base}/actions/{action.key}": {"post": _action(entity, action)} for action in entity.actions}
    return Described(paths, schemas)


def is_changeable(entity: EntityType) -> bool:
    """Whether records can be changed by hand: their own fields, or those that the tenant has added."""
    return entity.update is not None or issubclass(entity.model, Extensible)


def _collection(entity: EntityType, name: str, permissions: Mapping[str, str]) -> Schema:
    made = {
        "get": operation(
            f"{entity.key.replace('.', '_')}_list",
            tag=entity.label_plural,
            summary=f"List: {entity.label_plural}",
            permission=permissions["get"],
            parameters=_list_parameters(entity, name),
            responses={"200": answer("One page.", ref(f"{name}Page")), **problems(READ_PROBLEMS)},
        )
    }
    if entity.create is not None:
        made["post"] = operation(
            f"{entity.key.replace('.', '_')}_add",
            tag=entity.label_plural,
            summary=f"Add: {entity.label}",
            permission=permissions["post"],
            parameters=[IDEMPOTENCY_KEY],
            requestBody=body_of(ref(f"{name}New")),
            responses={"201": answer("It was made.", ref(name), location=True), **problems(WRITE_PROBLEMS)},
        )
    return made


def _single(entity: EntityType, name: str, permissions: Mapping[str, str]) -> Schema:
    stem, tag = entity.key.replace(".", "_"), entity.label_plural
    made: Schema = {"parameters": [id_parameter("id", entity.label)]}
    made["get"] = operation(
        f"{stem}_get",
        tag=tag,
        summary=f"Get: {entity.label}",
        permission=permissions["get"],
        responses={"200": answer("The record.", ref(name)), **problems((*READ_PROBLEMS, "404"))},
    )
    if is_changeable(entity):
        responses = {"200": answer("The record as it is now.", ref(name)), **problems((*WRITE_PROBLEMS, "404"))}
        for method, words in (("patch", "Change the given fields"), ("put", "Change, with every required field given")):
            made[method] = operation(
                f"{stem}_{'change' if method == 'patch' else 'replace'}",
                tag=tag,
                summary=f"{words}: {entity.label}",
                permission=permissions["put"],
                requestBody=body_of(ref(f"{name}Change")),
                responses=responses,
            )
    if entity.delete is not None:
        made["delete"] = operation(
            f"{stem}_delete",
            tag=tag,
            summary=f"Delete: {entity.label}",
            permission=permissions["delete"],
            responses={"204": answer("It is gone."), **problems((*READ_PROBLEMS, "404", "409"))},
        )
    return made


def _file(entity: EntityType, permissions: Mapping[str, str]) -> Schema:
    """Files are in fields that tenants have added; where there is none, every field answers 404."""
    keys = [item.key for item in entity.fields if item.type is FieldType.FILE]
    schema: Schema = {"type": "string", **({"enum": keys} if keys else {})}
    field = {"name": "field", "in": "path", "required": True, "description": "The key of a field of type file.", "schema": schema}
    found = {"description": "The file.", "content": content({"type": "string", "format": "binary"}, "*/*")}
    read = operation(
        f"{entity.key.replace('.', '_')}_file",
        tag=entity.label_plural,
        summary=f"Get a file: {entity.label}",
        permission=permissions["get"],
        responses={"200": found, **problems((*READ_PROBLEMS, "404"))},
    )
    return {"parameters": [id_parameter("id", entity.label), field], "get": read}


def _action(entity: EntityType, action: Action) -> Schema:
    params: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {item.key: _input(item, nullable=not item.is_required) for item in action.fields},
    }
    required = [item.key for item in action.fields if item.is_required and item.default is None]
    if required:
        params["required"] = required
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["ids", "params"] if required else ["ids"],
        "properties": {
            "ids": {"type": "array", "items": {"type": "string", "format": "uuid"}, "minItems": 1, "maxItems": 1000},
            "params": params,
        },
    }
    return operation(
        f"{entity.key.replace('.', '_')}_do_{action.key}",
        tag=entity.label_plural,
        summary=f"{action.label}: {entity.label_plural}",
        permission=action.permission,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body_of(schema),
        responses={"200": answer("One outcome per record.", ref("ActionOutcomes")), **problems(WRITE_PROBLEMS)},
    )


def _list_parameters(entity: EntityType, name: str) -> list[Schema]:
    readable = [item.key for item in queries.readable_fields(entity)]
    sortable = ["id", *(item.key for item in entity.fields if item.is_sortable)]
    fields: Schema = {"type": "array", "items": {"enum": ["id", *readable]}}
    found: list[Schema] = [
        _query("q", "What to search for.", {"type": "string", "maxLength": 500}),
        {
            "name": "filter",
            "in": "query",
            "description": "A condition tree as JSON (docs/reference/conditions.md).",
            "content": {"application/json": {"schema": ref(f"{name}Filter")}},
        },
        _query("sort", "A field, descending with `-` before it.", {"enum": [sign + key for key in sortable for sign in ("", "-")]}),
        _query("cursor", "`next` or `previous` of an earlier page.", {"type": "string", "maxLength": MAX_CURSOR_LENGTH}),
        _query("size", "Rows of a page.", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": 25}),
        {**_query("fields", "The fields to give, all if left out.", fields), "style": "form", "explode": False},
    ]
    if entity.queues:
        found.insert(0, _query("queue", "One of the named queues.", {"enum": [queue.key for queue in entity.queues]}))
    return found


def _query(name: str, what: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": what, "schema": schema}


def _nullable(entity: EntityType, key: str) -> bool:
    item = entity.by_key.get(key)
    if item is not None and (item.slot or item.is_computed):
        return True
    column = entity.model.__table__.c.get(key)  # type: ignore[attr-defined]
    return bool(column is not None and column.nullable)


def _or_null(schema: Schema) -> Schema:
    if "type" in schema:
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {**schema, "type": [*kinds, "null"], **({"enum": [*schema["enum"], None]} if "enum" in schema else {})}
    return {"anyOf": [schema, {"type": "null"}]}


def _read_schema(entity: EntityType) -> Schema:
    properties: Schema = {"id": {"type": "string", "format": "uuid"}}
    for item in queries.readable_fields(entity):
        schema: Schema = {**_OUT[item.type], "description": item.label}
        if item.choices:
            schema["examples"] = [choice.value for choice in item.choices]
        properties[item.key] = _or_null(schema) if _nullable(entity, item.key) else schema
    if hasattr(entity.model, "row_version"):
        properties["row_version"] = {"type": "integer", "description": "Send it along with a change to notice somebody else's."}
    return {"type": "object", "required": ["id"], "properties": properties}


def _page_schema(name: str) -> Schema:
    place = {"type": ["string", "null"]}
    properties = {"result": {"type": "array", "items": ref(name)}, "next": place, "previous": place}
    return {"type": "object", "required": list(properties), "properties": properties}


def _filter_schema(entity: EntityType, name: str) -> Schema:
    """The condition tree over this entity; which value goes with which operation is left to the server."""
    several = {"type": "array", "items": ref(f"{name}Filter")}
    comparison: Schema = {
        "type": "object",
        "required": ["field", "op"],
        "additionalProperties": False,
        "properties": {"field": {"enum": sorted(queries.filter_catalogue(entity))}, "op": {"enum": [op.value for op in Op]}, "value": {}},
    }
    groups = [
        {"type": "object", "required": [key], "additionalProperties": False, "properties": {key: inner}}
        for key, inner in (("all", several), ("any", several), ("not", ref(f"{name}Filter")))
    ]
    return {"anyOf": [comparison, *groups]}


def _write_schema(entity: EntityType, fields: list[Field], *, is_new: bool) -> Schema:
    properties: Schema = {}
    for item in fields:
        schema = _input(item, nullable=_nullable(entity, item.key) and not item.is_required)
        schema["description"] = item.help or item.label
        if is_new and item.default is not None and not callable(item.default):
            schema["default"] = item.default
        properties[item.key] = schema
    if not is_new and hasattr(entity.model, "row_version"):
        text = "The version that is being changed; 409 when it is not the present one."
        properties["row_version"] = {"type": "integer", "description": text}
    made: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    required = [item.key for item in fields if item.is_required and item.default is None]
    if is_new and required:
        made["required"] = required
    return made


def _input(item: Field, *, nullable: bool) -> Schema:
    schema = _plain_input(item)
    return _or_null(schema) if nullable else schema


def _plain_input(item: Field) -> Schema:
    if item.type in TEXTS:
        made: Schema = {"type": "string", "maxLength": item.max_length}
        if item.pattern:
            made["pattern"] = f"^(?:{item.pattern})$" if item.is_required else f"^(?:{item.pattern})?$"
        elif item.is_required:
            made["pattern"] = r"\S"
        return made
    if item.type in _NUMBERS:
        return {"anyOf": [{"type": "string", "pattern": AMOUNT_PATTERN}, _bounded(item, {"type": "number"})]}
    if item.type is FieldType.INTEGER:
        return {"minimum": MIN_INTEGER, "maximum": MAX_INTEGER, **_bounded(item, {"type": "integer"})}
    if item.type is FieldType.CHOICE:
        return {"type": "string", "enum": [choice.value for choice in item.choices]}
    if item.type is FieldType.CHOICES:
        return {"type": "array", "items": {"enum": [choice.value for choice in item.choices]}}
    if item.type is FieldType.TAGS:
        return {"type": "array", "items": {"type": "string", "maxLength": MAX_TAG}, "maxItems": MAX_TAGS}
    return dict(_OUT[item.type])


def _bounded(item: Field, schema: Schema) -> Schema:
    bounds = {"minimum": item.minimum, "maximum": item.maximum}
    return {**schema, **{name: value for name, value in bounds.items() if value is not None}}
