"""`/api/v1/openapi.json`: the REST interface described by itself (OpenAPI 3.1), and a page that shows it.

Everybody may read the core's part. Resources of plugins are in the document of a business in which the plugin is on, for its members only,
so that nobody else learns what a business uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, cast

from flask import Response, current_app, render_template, request
from flask_appbuilder.api import BaseApi
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext

import core
from core.delivery.api.base import API_ROOT, Described, Rest
from core.delivery.api.describe import SHARED_SCHEMAS, Schema, answer, operation, problem_responses
from core.delivery.api.describe_security import described_security
from core.delivery.web.app_builder import present_builder
from core.delivery.web.body import arguments
from core.delivery.web.guards import GATE, PluginGate
from core.delivery.web.identity import current_identity
from core.delivery.web.marks import any_tenant
from core.delivery.web.schema import schema_version
from core.delivery.web.screens.api import SecurityApi
from core.engines.metadata.tailor import reader_of
from core.kernel.jsontext import encode_json
from core.runtime.security.permissions import MEMBER

LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
METHODS = ("get", "post", "put", "patch", "delete")
DESCRIPTION = """\
Every business has its own address, `/t/<short name>/api/v1`. With an API token or an access token the short name may be left out: the token
knows its business. Errors are Problem Details (RFC 9457) and name the field. Lists are read page by page with the cursors that they give;
rows that are added meanwhile move nothing. Amounts and quantities are text, moments are ISO 8601 with their offset.
"""


def build_document(parts: Iterable[Described], *, server: str = API_ROOT) -> Schema:
    """The OpenAPI document of these parts; `server` is where the paths begin."""
    paths: dict[str, Schema] = {}
    schemas: dict[str, Schema] = dict(SHARED_SCHEMAS)
    for part in parts:
        for path, item in part.paths.items():
            paths.setdefault(path, {}).update(item)
        schemas.update(part.schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Orderloom", "version": core.__version__, "description": DESCRIPTION, "license": LICENSE},
        "servers": [{"url": server}],
        "security": [{"bearer": []}],
        "tags": [{"name": tag} for tag in _tags(paths.values())],
        "paths": {path: paths[path] for path in sorted(paths)},
        "components": {
            "schemas": {name: schemas[name] for name in sorted(schemas)},
            "responses": problem_responses(),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token (`olt_…`), or an access token from /security/login.",
                }
            },
        },
    }


def _tags(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({tag for item in items for method in METHODS for tag in item.get(method, {}).get("tags", ())})


def all_parts(plugins_on: Iterable[str]) -> list[Described]:
    """What the registered REST classes say about themselves: those of the core, and of these plugins."""
    gate: PluginGate = current_app.extensions[GATE]
    wanted = {None, *plugins_on}
    views = [view for view in present_builder().baseviews if gate.plugin_of(cast("Any", view).blueprint.name) in wanted]
    return [part for view in views if (part := _part_of(view)) is not None]


def _part_of(view: Any) -> Described | None:
    if isinstance(view, SecurityApi):
        return described_security()
    return view.described() if isinstance(view, Rest) else None


def plugins_with_rest() -> set[str]:
    """The plugins that have REST classes of their own."""
    gate: PluginGate = current_app.extensions[GATE]
    found = {gate.plugin_of(cast("Any", view).blueprint.name) for view in present_builder().baseviews if isinstance(view, Rest)}
    return {plugin for plugin in found if plugin is not None}


def _plugins_shown() -> frozenset[str]:
    identity = current_identity()
    if identity is None or identity.standing is None:
        return frozenset()
    gate: PluginGate = current_app.extensions[GATE]
    return frozenset(plugin for plugin in plugins_with_rest() if gate.is_on(plugin))


def _reader() -> tuple[Any, ...]:
    """What the document depends on of whoever asks: rights and roles."""
    identity = current_identity()
    standing = identity.standing if identity is not None else None
    return (standing.permissions, reader_of(standing)) if standing is not None else ()


@lru_cache(maxsize=64)
def _text(_app: int, plugins: frozenset[str], server: str, _schema: int, _reader: tuple[Any, ...]) -> str:
    return encode_json(build_document(all_parts(plugins), server=server))


def present_document() -> Schema:
    """The document of this request's business, as data."""
    return build_document(all_parts(_plugins_shown()), server=f"{request.script_root}{API_ROOT}")


class OpenApi(Rest, BaseApi):
    """The document itself."""

    route_base = API_ROOT
    class_permission_name = "OpenApi"
    permission_keys: ClassVar[Mapping[str, str]] = {}

    @expose("/openapi.json", methods=["GET"])
    @any_tenant
    def document(self) -> Response:
        """The REST interface in OpenAPI 3.1."""
        arguments()
        text = _text(id(present_builder()), _plugins_shown(), f"{request.script_root}{API_ROOT}", schema_version(), _reader())
        return Response(text, mimetype="application/json")

    def described(self) -> Described:
        """This address in its own document."""
        responses = {"200": answer("The document.", {"type": "object"})}
        made = operation("openapi", tag="Meta", summary="This document", security=[], responses=responses)
        return Described({"/openapi.json": {"get": made}})


class ApiPageView(BaseView):
    """The document as a page for people."""

    route_base = "/api-reference"
    default_view = "show"
    class_permission_name = "ApiPageView"
    permission_keys: ClassVar[Mapping[str, str]] = {"show": MEMBER}

    @expose("/", methods=["GET"])
    @has_access
    def show(self) -> str:
        """All operations by subject, or those that a word finds."""
        document = present_document()
        word = request.args.get("q", "").strip()[:60]
        page: str = render_template(
            "pages/api_reference.html",
            title=gettext("REST interface"),
            q=word,
            server=document["servers"][0]["url"],
            groups=_groups(document, word.lower()),
        )
        return page


def _groups(document: Mapping[str, Any], word: str) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            shown = _operation(document, path, method, item)
            if word in f"{path} {shown['summary']} {shown['tag']}".lower():
                found[shown["tag"]].append(shown)
    return [{"title": tag, "operations": operations} for tag, operations in found.items() if operations]


def _operation(document: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]) -> dict[str, Any]:
    described = item[method]
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "id": described["operationId"],
        "method": method.upper(),
        "path": path,
        "tag": described["tags"][0],
        "summary": described["summary"],
        "permission": described.get("x-permission", ""),
        "parameters": [_parameter(one) for one in (*item.get("parameters", ()), *described.get("parameters", ()))],
        "fields": _fields(document, body) if body else [],
        "answers": [(code, found.get("description", "")) for code, found in described["responses"].items() if "$ref" not in found],
    }


def _parameter(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": given["name"], "place": given["in"], "kind": _kind(given.get("schema", {})), "text": given.get("description", "")}


def _fields(document: Mapping[str, Any], schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The members of a body, those of objects and lists inside it too, each with its path."""
    return list(_walk(document, schema, "", 0))


def _walk(document: Mapping[str, Any], schema: Mapping[str, Any], path: str, depth: int) -> Iterable[dict[str, Any]]:
    schema = _resolved(document, schema)
    for name, given in schema.get("properties", {}).items():
        inner = _resolved(document, given)
        place = f"{path}.{name}" if path else name
        needed = name in schema.get("required", ())
        yield {"name": place, "kind": _kind(inner), "needed": needed, "text": given.get("description", inner.get("description", ""))}
        if depth < 3:
            items = inner.get("items")
            yield from _walk(document, items or inner, f"{place}[]" if items else place, depth + 1)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"][name] if name else schema
    return found


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value is not None)
    if "anyOf" in schema:
        return " | ".join(_kind(one) for one in schema["anyOf"])
    kind = schema.get("type", "")
    words = " | ".join(kind) if isinstance(kind, list) else kind
    return f"{words} ({schema['format']})" if "format" in schema else words
