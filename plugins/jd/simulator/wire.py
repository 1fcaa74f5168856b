"""Reading a JOS request in all the placements that client libraries use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qsl

PARAM_JSON = "360buy_param_json"
# Its name on JD's newer router.
_NEW_PARAM_JSON = "param_json"
_MOST_FIELDS = 2000
# Since 2026 the documents wrap the search fields in this container; client libraries still send them flat.
_CONTAINER = "paramOrderJSFQuery"


class UnreadableRequest(ValueError):
    """The parameters cannot be told."""


def _pairs(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise UnreadableRequest(str(error)) from error


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        # Files take no part in the signature.
        if isinstance(name, str) and part.get_filename() is None:
            payload = part.get_payload(decode=True)
            fields[name] = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return fields


def _json_fields(body: bytes) -> dict[str, str]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableRequest("no JSON") from error
    if not isinstance(value, dict):
        raise UnreadableRequest("no JSON object")
    return {
        str(name): part if isinstance(part, str) else json.dumps(part, ensure_ascii=False, separators=(",", ":"))
        for name, part in value.items()
        if part is not None
    }


def parameters_of(query: str, content_type: str, body: bytes) -> dict[str, str]:
    """The union of URL parameters and body fields, values decoded; a body field wins over a URL parameter of the same name.

    The body may be urlencoded, multipart/form-data or a JSON object; without a known content type it is taken by its looks.
    Raises: UnreadableRequest - JSON that is none, or thousands of fields.
    """
    parameters = _pairs(query)
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        return parameters
    if kind.startswith("multipart/"):
        return {**parameters, **_multipart(content_type, body)}
    if kind.endswith("json") or body.lstrip().startswith(b"{"):
        return {**parameters, **_json_fields(body)}
    return {**parameters, **_pairs(body.decode("utf-8", "replace"))}


def business_of(parameters: Mapping[str, str]) -> dict[str, Any]:
    """The business parameters of a request; fields sent as null are left out.

    Raises: ValueError - not JSON; TypeError - not an object.
    """
    value = json.loads(parameters.get(PARAM_JSON) or parameters.get(_NEW_PARAM_JSON) or "{}")
    if not isinstance(value, dict):
        raise TypeError(PARAM_JSON)
    wrapped = value.pop(_CONTAINER, None)
    if isinstance(wrapped, dict):
        value.update(wrapped)
    return {name: part for name, part in value.items() if part is not None}
