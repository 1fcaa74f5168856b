"""A plugin's REST resource in OpenAPI's words, from what stands at its endpoints."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.delivery.api.base import Described
from core.delivery.api.describe import READ_PROBLEMS, WRITE_PROBLEMS, Schema, answer, body_of, id_parameter, operation, problems

TOLD = "oms_told"
_VARIABLE = re.compile(r"<(?:(?P<kind>[a-z]+)(?:\([^)]*\))?:)?(?P<name>[a-z_]+)>")
_KINDS: Mapping[str, Schema] = {"uuid": {"type": "string", "format": "uuid"}, "int": {"type": "integer", "minimum": 0}}
_ANYTHING: Schema = {"type": "object"}


@dataclass(frozen=True, slots=True)
class Told:
    """What an endpoint says about itself."""

    url: str
    methods: tuple[str, ...]
    permission: str
    takes: Mapping[str, Any] | None
    gives: Mapping[str, Any] | None
    status: int


def described_plugin(view: Any, *, plugin: str, tag: str, base: str) -> Described:
    """Paths of all endpoints of a plugin's class; `base` is where its addresses begin, below `/api/v1`."""
    paths: dict[str, Schema] = {}
    for name, told in _endpoints(view):
        path = base + _VARIABLE.sub(r"{\g<name>}", told.url)
        item = paths.setdefault(path, {"parameters": list(_variables(told.url))})
        for method in told.methods:
            item[method.lower()] = _operation(f"{plugin}_{name}", tag, inspect.getdoc(getattr(view, name)) or name, method, told)
    return Described(paths)


def _endpoints(view: Any) -> Iterator[tuple[str, Told]]:
    for name in dir(type(view)):
        told = getattr(getattr(view, name, None), TOLD, None)
        if isinstance(told, Told):
            yield name, told


def _variables(url: str) -> Iterator[Schema]:
    for found in _VARIABLE.finditer(url):
        made = id_parameter(found["name"], found["name"].replace("_", " "))
        yield {**made, "schema": _KINDS.get(found["kind"] or "", {"type": "string", "minLength": 1})}


def _operation(operation_id: str, tag: str, doc: str, method: str, told: Told) -> Schema:
    is_read = method == "GET"
    responses = {
        str(told.status): answer("Done.", None if told.status == 204 else dict(told.gives or _ANYTHING)),
        **problems((*(READ_PROBLEMS if is_read else WRITE_PROBLEMS), "404")),
    }
    more: Schema = {}
    if is_read and told.takes:
        needed = told.takes.get("required", ())
        more["parameters"] = [
            {"name": name, "in": "query", "required": name in needed, "schema": schema} for name, schema in told.takes["properties"].items()
        ]
    elif not is_read and told.takes:
        more["requestBody"] = body_of(dict(told.takes))
    summary = doc.split("\n", 1)[0].rstrip(".")
    return operation(operation_id, tag=tag, summary=summary, permission=told.permission, responses=responses, **more)
