"""Sending files for records' file fields: first the file, then its id as the field's value. They are read back through the record."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, ClassVar

from flask import Response, request
from flask_appbuilder.api import BaseApi, expose, protect
from flask_appbuilder.security.decorators import permission_name

from core.delivery.api.base import API_ROOT, Described, Rest
from core.delivery.api.describe import JSON_TYPE, WRITE_PROBLEMS, Schema, answer, content, operation, problems, ref
from core.delivery.web.body import arguments, json_body, json_response
from core.delivery.web.crud.kept import limits
from core.delivery.web.unit import db
from core.engines.metadata.files import MIB, StoredFile, receive
from core.kernel.errors import Invalid
from core.runtime.security.permissions import MEMBER

MULTIPART = "multipart/form-data"
_FILE: Schema = {
    "type": "object",
    "required": ["id", "name", "size", "media_type", "sha256"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "name": {"type": "string"},
        "size": {"type": "integer"},
        "media_type": {"type": "string", "description": "As the bytes say, whatever the name is."},
        "sha256": {"type": "string"},
    },
}


class FilesApi(Rest, BaseApi):
    """Where files are sent."""

    route_base = f"{API_ROOT}/files"
    class_permission_name = "FilesApi"
    permission_keys: ClassVar[Mapping[str, str]] = {"post": MEMBER}

    @expose("/", methods=["POST"])
    @protect()
    @permission_name("post")
    def send(self) -> Response:
        """Keep a file for a day, until a field of a record takes it: multipart with `file`, or JSON with its bytes in base64."""
        arguments()
        name, data = _posted() if request.mimetype == MULTIPART else _encoded()
        return json_response(_told(receive(db(), name=name, data=data, limits=limits(), field="file")), status=201)

    def described(self) -> Described:
        """The address in the OpenAPI document."""
        encoded: Schema = {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "data"],
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "data": {"type": "string", "contentEncoding": "base64", "minLength": 4},
            },
        }
        parts: Schema = {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "binary"}}}
        sending = operation(
            "files_send",
            tag="Files",
            summary="Send a file for a field of a record",
            permission=MEMBER,
            requestBody={"required": True, "content": {**content(encoded, JSON_TYPE), **content(parts, MULTIPART)}},
            responses={"201": answer("The file; give its id to a field of type file.", ref("StoredFile")), **problems(WRITE_PROBLEMS)},
        )
        return Described({"/files/": {"post": sending}}, {"StoredFile": _FILE})


def _posted() -> tuple[str, bytes]:
    sent = request.files.get("file")
    if sent is None:
        raise Invalid("This is needed.", field="file")
    return sent.filename or "", sent.stream.read(limits().each + 1)


def _encoded() -> tuple[str, bytes]:
    body = json_body(max_bytes=limits().each // 3 * 4 + MIB)
    unknown = sorted(set(body) - {"name", "data"})
    if unknown:
        raise Invalid("This field is not known.", field=unknown[0])
    for key in ("name", "data"):
        if not isinstance(body.get(key), str) or not body[key]:
            raise Invalid("This is needed.", field=key)
    try:
        return body["name"], base64.b64decode(body["data"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("This is not base64.", field="data") from error


def _told(stored: StoredFile) -> dict[str, Any]:
    return {"id": str(stored.id), "name": stored.name, "size": stored.size, "media_type": stored.media_type, "sha256": stored.sha256}
