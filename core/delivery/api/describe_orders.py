"""The order endpoints and the sign-in of programs in OpenAPI's words; their schemas are made from the marshmallow ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import fields

from core.delivery.api.base import Described
from core.delivery.api.describe import (
    AMOUNT_PATTERN,
    FIELD_ERROR,
    IDEMPOTENCY_KEY,
    READ_PROBLEMS,
    WRITE_PROBLEMS,
    Schema,
    answer,
    body_of,
    id_parameter,
    operation,
    problems,
    ref,
)
from core.delivery.api.schemas import (
    Amount,
    BulkOrdersSchema,
    ManualOrderSchema,
    Moment,
    NoteSchema,
    Quantity,
    RefundOwnSchema,
    RevealSchema,
    ShipSchema,
)
from core.domain.orders.intake import CREATED, REFUSED, STALE, UNCHANGED, UPDATED
from core.kernel.jsontext import encode_json

MAX_BULK = 1_000
TAG = "Orders"
_ORDER_SCHEMAS: Mapping[str, type] = {
    "BulkOrder": BulkOrdersSchema,
    "ManualOrder": ManualOrderSchema,
    "OrderNote": NoteSchema,
    "OwnRefund": RefundOwnSchema,
    "Reveal": RevealSchema,
    "ShipOrder": ShipSchema,
}
_RECEIVER_KEYS = ("name", "phone", "country", "province", "city", "district", "town", "street", "postcode", "email")


def schemas_from_marshmallow(named: Mapping[str, type]) -> dict[str, Schema]:
    """Marshmallow schemas as JSON Schema, nested ones by reference."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda schema: _class_of(schema).__name__.removesuffix("Schema"))
    spec = APISpec(title="", version="", openapi_version="3.1.0", plugins=[plugin])
    assert plugin.converter is not None
    plugin.converter.add_attribute_function(_own_fields)
    for name, schema in named.items():
        spec.components.schema(name, schema=schema)
    found: dict[str, Schema] = json.loads(encode_json(spec.to_dict()["components"]["schemas"]))  # defaults are Decimals
    # The schemas refuse what they do not know; apispec does not tell.
    return {name: {**schema, "additionalProperties": False} for name, schema in found.items()}


def _class_of(schema: Any) -> type:
    return schema if isinstance(schema, type) else type(schema)


def _own_fields(_converter: Any, item: fields.Field[Any], **_more: Any) -> Schema:
    """What apispec cannot know of our own kinds of fields."""
    if isinstance(item, Amount | Quantity):
        return {"type": ["string", "number", "null"] if item.allow_none else ["string", "number"], "pattern": AMOUNT_PATTERN}
    if isinstance(item, Moment):
        return {"type": ["string", "null"] if item.allow_none else "string", "format": "date-time"}
    return {}


def described_orders(permissions: Mapping[str, str]) -> Described:
    """Paths and schemas of the order endpoints; `permissions` maps their names to the keys that are needed."""
    order = [id_parameter("id", "Order")]
    keyed = [*order, IDEMPOTENCY_KEY]
    writes = problems((*WRITE_PROBLEMS, "404"))
    paths: dict[str, Schema] = {
        "/orders/bulk": {"post": _bulk(permissions["bulk"])},
        "/orders/enter": {"post": _enter(permissions["enter"])},
        "/orders/{id}/ship": {
            "post": operation(
                "orders_ship",
                tag=TAG,
                summary="Ship an order, wholly or in part",
                permission=permissions["ship"],
                parameters=keyed,
                requestBody=body_of(ref("ShipOrder")),
                responses={"201": answer("The shipment; the first one when it is known.", _ids("shipment_id"), location=True), **writes},
            )
        },
        "/orders/{id}/refund": {
            "post": operation(
                "orders_refund",
                tag=TAG,
                summary="Record a refund or return of an order of an own shop",
                permission=permissions["refund"],
                parameters=keyed,
                requestBody=body_of(ref("OwnRefund")),
                responses={"201": answer("The refund.", _ids("refund_id"), location=True), **writes},
            )
        },
        "/orders/{id}/stuck": {
            "get": operation(
                "orders_stuck",
                tag=TAG,
                summary="Why the order does not move",
                permission=permissions["stuck"],
                parameters=order,
                responses={"200": answer("The reasons; none when it moves.", ref("StuckReasons")), **problems((*READ_PROBLEMS, "404"))},
            )
        },
        "/orders/{id}/notes": {
            "post": operation(
                "orders_note",
                tag=TAG,
                summary="Add a note",
                permission=permissions["note"],
                parameters=keyed,
                requestBody=body_of(ref("OrderNote")),
                responses={"201": answer("The note.", _ids("id")), **writes},
            )
        },
        "/orders/{id}/reveal": {
            "post": operation(
                "orders_reveal",
                tag=TAG,
                summary="The receiver in clear; the reason is put on record",
                permission=permissions["reveal"],
                parameters=order,
                requestBody=body_of(ref("Reveal")),
                responses={"200": answer("The receiver.", ref("ClearReceiver")), **writes},
            )
        },
    }
    return Described(paths, {**schemas_from_marshmallow(_ORDER_SCHEMAS), **_ANSWERS})


def rows_body(key: str, schema: str, *, is_of_shop: bool) -> Schema:
    """A body with up to 1,000 rows of one kind."""
    shop: Schema = {"shop": {"type": "string", "minLength": 1, "description": "The code of the shop."}} if is_of_shop else {}
    properties = {**shop, key: {"type": "array", "items": ref(schema), "minItems": 1, "maxItems": MAX_BULK}}
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


def _bulk(permission: str) -> Schema:
    return operation(
        "orders_bulk",
        tag=TAG,
        summary="Take up to 1,000 orders of one shop in; each is answered for itself",
        permission=permission,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body_of(rows_body("orders", "BulkOrder", is_of_shop=True)),
        responses={"200": answer("One result per order, in the order given.", ref("BulkResult")), **problems(WRITE_PROBLEMS)},
    )


def _enter(permission: str) -> Schema:
    return operation(
        "orders_enter",
        tag=TAG,
        summary="Enter one order by hand",
        permission=permission,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body_of(ref("ManualOrder")),
        responses={
            "201": answer("The order; the first one when the reference is known.", _ids("id"), location=True),
            **problems(WRITE_PROBLEMS),
        },
    )


def _ids(name: str) -> Schema:
    return {"type": "object", "required": [name], "properties": {name: {"type": "string", "format": "uuid"}}}


_ANSWERS: Mapping[str, Schema] = {
    "BulkResult": {
        "type": "object",
        "required": ["result", "counts"],
        "properties": {
            "result": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["index", "external_id", "result"],
                    "properties": {
                        "index": {"type": "integer"},
                        "external_id": {"type": ["string", "null"]},
                        "result": {"enum": [CREATED, UPDATED, UNCHANGED, STALE, REFUSED]},
                        "id": {"type": "string", "format": "uuid"},
                        "number": {"type": "string"},
                        "code": {"type": "string"},
                        "errors": {"type": "array", "items": FIELD_ERROR},
                    },
                },
            },
            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
    },
    "StuckReasons": {
        "type": "object",
        "required": ["result"],
        "properties": {
            "result": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["code", "text", "since", "cure", "by", "facts"],
                    "properties": {
                        "code": {"type": "string"},
                        "text": {"type": "string"},
                        "since": {"type": ["string", "null"], "format": "date-time"},
                        "cure": {"type": "string"},
                        "by": {"type": "string"},
                        "facts": {"type": "object"},
                    },
                },
            }
        },
    },
    "ClearReceiver": {
        "type": "object",
        "required": ["result"],
        "properties": {"result": {"type": "object", "properties": {key: {"type": "string"} for key in _RECEIVER_KEYS}}},
    },
}
