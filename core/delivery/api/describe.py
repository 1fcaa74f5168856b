"""Parts that every description in the OpenAPI document is made of (OpenAPI 3.1). Plain data; nothing here asks Flask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
AMOUNT_PATTERN = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$"

Schema = dict[str, Any]

_PROBLEMS = {
    "400": "The request cannot be read.",
    "401": "No valid credentials.",
    "403": "The permission is missing.",
    "404": "There is no such thing in this business.",
    "409": "The present state does not allow this.",
    "413": "The body is too large.",
    "415": "The body is not application/json.",
    "422": "The input is not valid; `errors` names each field.",
    "429": "Too many attempts; `Retry-After` says how long to wait.",
}
READ_PROBLEMS = ("400", "401", "403", "422")
WRITE_PROBLEMS = ("400", "401", "403", "409", "413", "415", "422")

FIELD_ERROR: Schema = {
    "type": "object",
    "required": ["field", "message"],
    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
}
PROBLEM: Schema = {
    "type": "object",
    "description": "Problem Details (RFC 9457). `code` is stable; `title` is in the language of the request.",
    "required": ["type", "title", "status", "code", "trace"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "trace": {"type": "string", "description": "The id under which logs know this request."},
        "field": {"type": "string", "description": "The first wrong field."},
        "errors": {"type": "array", "items": FIELD_ERROR},
        "facts": {"type": "object"},
    },
}
ACTION_OUTCOMES: Schema = {
    "type": "object",
    "required": ["result"],
    "properties": {
        "result": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "ok"],
                "properties": {
                    "id": {"type": "string", "format": "uuid"},
                    "ok": {"type": "boolean"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "errors": {"type": "array", "items": FIELD_ERROR},
                },
            },
        }
    },
}
SHARED_SCHEMAS: Mapping[str, Schema] = {"Problem": PROBLEM, "ActionOutcomes": ACTION_OUTCOMES}
IDEMPOTENCY_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request with the same key gets the stored answer for a week; the key with another request is refused.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


def ref(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def id_parameter(name: str, what: str) -> Schema:
    """The id of a record in the address."""
    return {"name": name, "in": "path", "required": True, "description": what, "schema": {"type": "string", "format": "uuid"}}


def content(schema: Schema, media: str = JSON_TYPE) -> Schema:
    """A body of one kind."""
    return {media: {"schema": schema}}


def answer(what: str, schema: Schema | None = None, *, location: bool = False) -> Schema:
    """One response; without a schema it has no body."""
    made: Schema = {"description": what}
    if schema is not None:
        made["content"] = content(schema)
    if location:
        made["headers"] = {"Location": {"description": "The address of what was made.", "schema": {"type": "string"}}}
    return made


def problems(codes: Iterable[str]) -> Schema:
    """The responses for what can go wrong, `default` for the rest."""
    named = {code: {"$ref": f"#/components/responses/Problem{code}"} for code in codes}
    return {**named, "default": {"$ref": "#/components/responses/Problem"}}


def problem_responses() -> Schema:
    """The components that `problems` refers to."""
    body = content(ref("Problem"), PROBLEM_TYPE)
    named = {f"Problem{code}": {"description": text, "content": body} for code, text in _PROBLEMS.items()}
    return {**named, "Problem": {"description": "Something else went wrong.", "content": body}}


def operation(
    operation_id: str,
    *,
    tag: str,
    summary: str,
    responses: Schema,
    permission: str = "",
    **more: Any,
) -> Schema:
    """One operation; `more` are its other members, such as `parameters` and `requestBody`; empty ones are left out."""
    made: Schema = {"operationId": operation_id, "tags": [tag], "summary": summary}
    if permission:
        made["description"] = f"Needs the permission `{permission}`."
        made["x-permission"] = permission
    made.update({name: value for name, value in more.items() if value or name == "security"})
    made["responses"] = responses
    return made


def body_of(schema: Schema) -> Schema:
    """A JSON body that has to be there."""
    return {"required": True, "content": content(schema)}
