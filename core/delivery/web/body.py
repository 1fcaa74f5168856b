"""JSON in and out: bounded, exact, refused with the place's name."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from core.kernel.errors import Invalid
from core.kernel.jsontext import decode_json, encode_json

MAX_BODY = 5 * 1024 * 1024
JSON_TYPE = "application/json"


class UnsupportedType(Invalid):
    """The body must be application/json, in UTF-8 and not compressed."""

    code = "api.unsupported_type"
    status = 415


class TooLarge(Invalid):
    """The body is larger than this address takes."""

    code = "api.too_large"
    status = 413


def raw_body(*, max_bytes: int = MAX_BODY) -> bytes:
    """The request's body as it came; may be asked for again. Raises TooLarge, before more than `max_bytes` have been read."""
    request.max_content_length = min(max_bytes, request.max_content_length or max_bytes)
    try:
        data = request.get_data()
    except RequestEntityTooLarge as error:
        raise TooLarge(limit=max_bytes) from error
    if len(data) > max_bytes:
        raise TooLarge(limit=max_bytes)
    return data


def json_body(*, max_bytes: int = MAX_BODY) -> dict[str, Any]:
    """The request's body as an object; numbers with a point are Decimals.

    Raises: UnsupportedType; TooLarge; Invalid with the field `body` - not JSON, a key twice in one object, not an object.
    """
    if request.mimetype != JSON_TYPE or request.content_encoding not in (None, "", "identity"):
        raise UnsupportedType(given=request.mimetype[:60])
    data = raw_body(max_bytes=max_bytes)
    try:
        body = decode_json(data, max_bytes=max_bytes, unique_keys=True)
    except Invalid as error:
        error.field = "body"
        raise
    if not isinstance(body, dict):
        raise Invalid("The body is a JSON object.", field="body")
    return body


def arguments(*known: str) -> MultiDict[str, str]:
    """The query's arguments. Raises Invalid with the argument's name - one that is not known, or given twice."""
    for name, values in request.args.lists():
        if name not in known:
            raise Invalid("This argument is not known.", field=name[:60])
        if len(values) > 1:
            raise Invalid("Give this argument once.", field=name)
    return request.args


def json_response(value: Any, *, status: int = 200) -> Response:
    """An answer with exact numbers."""
    return Response(encode_json(value), status=status, mimetype=JSON_TYPE)


def nothing() -> Response:
    """204: done, and there is nothing to say."""
    answer = Response(status=204)
    del answer.headers["Content-Type"]
    return answer
