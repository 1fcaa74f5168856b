"""The configuration through REST: read, compared, applied, its versions and the way back. The same door as screens and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

from flask import Response, current_app
from flask_appbuilder.api import BaseApi, expose, protect
from flask_appbuilder.security.decorators import permission_name

from core.delivery.api.base import API_ROOT, Described, Rest
from core.delivery.api.describe_config import described_config
from core.delivery.web.body import arguments, json_body, json_response
from core.delivery.web.schema import forget_schema
from core.delivery.web.unit import db
from core.engines.configuration import ChangeSet, Impact, KindRegistry, propose, roll_back, undo
from core.engines.configuration.described import document_schema
from core.engines.configuration.document import apply_document, changes_of, export_document
from core.engines.configuration.queries import present_version, steps_of, versions
from core.kernel.errors import Invalid

PAGE = 50
READ, WRITE = "config.read", "config.write"


def present_kinds() -> KindRegistry:
    """The kinds of configuration of this installation."""
    found: KindRegistry = current_app.extensions["oms.system"].kinds
    return found


class ConfigApi(Rest, BaseApi):
    """A tenant's configuration as one document."""

    route_base = f"{API_ROOT}/config"
    class_permission_name = "ConfigApi"
    permission_keys: ClassVar[Mapping[str, str]] = {"get": READ, "put": WRITE}

    @expose("/", methods=["GET"])
    @protect()
    @permission_name("get")
    def document(self) -> Response:
        """The whole configuration, or some kinds of it."""
        only = [key for key in arguments("only").get("only", "").split(",") if key]
        kinds = present_kinds()
        found = export_document(db(), kinds, only=[kinds.get(key).key for key in only])
        return json_response({"version": present_version(db()), "document": found})

    @expose("/", methods=["PUT"])
    @protect()
    @permission_name("put")
    def apply(self) -> Response:
        """Make the configuration what the document says; the same document again changes nothing."""
        arguments()
        body = json_body()
        document = _document(body, "note", "version")
        made = apply_document(db(), present_kinds(), document, note=_note(body), base=_base(body))
        return _changed(made)

    @expose("/diff", methods=["POST"])
    @protect()
    @permission_name("get")
    def diff(self) -> Response:
        """What applying the document would change."""
        arguments()
        made, impacts = propose(db(), present_kinds(), changes_of(db(), present_kinds(), _document(json_body())))
        return json_response(_told(made, impacts))

    @expose("/versions", methods=["GET"])
    @protect()
    @permission_name("get")
    def versions(self) -> Response:
        """The changes so far, newest first."""
        before = arguments("before").get("before", "")
        if before and not before.isdecimal():
            raise Invalid("This is a whole number.", field="before")
        rows = versions(db(), before=int(before[:9]) if before else None, limit=PAGE)
        found = [
            {
                "number": row.number,
                "note": row.note,
                "changed_at": row.changed_at.isoformat(),
                "by": row.actor_label,
                "changes": [step.document() for step in steps_of(row)],
            }
            for row in rows
        ]
        return json_response({"result": found})

    @expose("/versions/<int:number>/restore", methods=["POST"])
    @protect()
    @permission_name("put")
    def restore(self, number: int) -> Response:
        """Bring back the configuration of a version."""
        arguments()
        return _changed(roll_back(db(), present_kinds(), number))

    @expose("/versions/<int:number>/undo", methods=["POST"])
    @protect()
    @permission_name("put")
    def undo(self, number: int) -> Response:
        """Take back what one version changed."""
        arguments()
        return _changed(undo(db(), present_kinds(), number))

    @expose("/schema", methods=["GET"])
    @protect()
    @permission_name("get")
    def schema(self) -> Response:
        """The JSON Schema of the document."""
        arguments()
        return json_response(document_schema(present_kinds()))

    def described(self) -> Described:
        """The endpoints in the OpenAPI document."""
        return described_config(READ, WRITE)


def _document(body: Mapping[str, Any], *beside: str) -> Mapping[str, Any]:
    unknown = sorted(set(body) - {"document", *beside})
    if unknown:
        raise Invalid("This field is not known.", field=unknown[0])
    document = body.get("document")
    if not isinstance(document, dict):
        raise Invalid("This is a table of names and values.", field="document")
    return document


def _base(body: Mapping[str, Any]) -> int | None:
    base = body.get("version")
    if base is not None and type(base) is not int:
        raise Invalid("This is a whole number.", field="version")
    return base


def _note(body: Mapping[str, Any]) -> str:
    note = body.get("note", "")
    if not isinstance(note, str):
        raise Invalid("This is text.", field="note")
    return note


def _changed(made: ChangeSet) -> Response:
    forget_schema()
    return json_response({"version": present_version(db()), **_told(made, ())})


def _told(made: ChangeSet, impacts: Sequence[Impact]) -> dict[str, Any]:
    return {"changes": [step.document() for step in made.steps], "impacts": [asdict(one) for one in impacts]}
