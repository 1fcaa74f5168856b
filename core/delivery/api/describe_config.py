"""The configuration's endpoints in OpenAPI's words."""

from __future__ import annotations

from typing import Any

from core.delivery.api.base import Described
from core.delivery.api.describe import READ_PROBLEMS, WRITE_PROBLEMS, Schema, answer, body_of, operation, problems

TAG = "Configuration"
_DOCUMENT: Schema = {"type": "object", "required": ["format"], "properties": {"format": {"type": "integer", "const": 1}}}
_NOTE: Schema = {"type": "string", "maxLength": 500}
_VERSION: Schema = {"type": ["integer", "null"], "description": "The version that it was compared with; 409 when it is another one now."}
_NUMBER: Schema = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 0}}
_CHANGED: Schema = {
    "type": "object",
    "properties": {
        "version": {"type": "integer"},
        "changes": {"type": "array", "items": {"type": "object"}},
        "impacts": {"type": "array", "items": {"type": "object"}},
    },
}


def described_config(read: str, write: str) -> Described:
    """The paths of the configuration; `read` and `write` are the permissions that they need."""
    reads, writes = problems(READ_PROBLEMS), problems((*WRITE_PROBLEMS, "409"))
    changed = {"200": answer("What was changed, and the version that it is now.", _CHANGED), **writes}
    back = {"200": changed["200"], **problems((*WRITE_PROBLEMS, "404", "409"))}
    found = {"200": answer("The configuration.", {"type": "object"}), **problems((*READ_PROBLEMS, "404"))}
    plain = {"200": answer("It.", {"type": "object"}), **reads}
    compared = {"200": answer("The changes and what they do to stored data.", _CHANGED), **writes}
    only = _query("only", "Kinds, with commas between.", {"type": "string"})
    before = _query("before", "The last number of the page before.", {"type": "integer", "minimum": 0})
    wanted = _body(note=_NOTE, version=_VERSION)
    whole = {
        "get": _operation("get", "The configuration as one document", read, parameters=[only], responses=found),
        "put": _operation("apply", "Make the configuration what a document says", write, requestBody=wanted, responses=changed),
    }
    return Described(
        {
            "/config/": whole,
            "/config/diff": {"post": _operation("diff", "What a document would change", read, requestBody=_body(), responses=compared)},
            "/config/versions": {"get": _operation("versions", "The changes so far", read, parameters=[before], responses=plain)},
            "/config/versions/{number}/restore": _back("restore", "Bring back the configuration of a version", write, back),
            "/config/versions/{number}/undo": _back("undo", "Take back what one version changed", write, back),
            "/config/schema": {"get": _operation("schema", "The JSON Schema of the document", read, responses=plain)},
        }
    )


def _body(**more: Schema) -> Schema:
    properties = {"document": _DOCUMENT, **more}
    return body_of({"type": "object", "additionalProperties": False, "required": ["document"], "properties": properties})


def _back(name: str, summary: str, permission: str, responses: Schema) -> Schema:
    return {"parameters": [_NUMBER], "post": _operation(name, summary, permission, responses=responses)}


def _query(name: str, what: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "description": what, "schema": schema}


def _operation(name: str, summary: str, permission: str, **more: Any) -> Schema:
    return operation(f"config_{name}", tag=TAG, summary=summary, permission=permission, **more)
