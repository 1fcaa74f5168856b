"""JSON in and out: bounded, exact, refused with the field's name."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from core.kernel.errors import Invalid
from core.kernel.jsontext import decode_json, encode_json

MAX_BODY = 5 * 1024 * 1024


def json_body(*, max_bytes: int = MAX_BODY) -> dict[str, Any]:
    """The request's body as an object; numbers with a point are Decimals. Raises Invalid - not JSON, too large, not an object."""
    if request.mimetype not in ("application/json", "application/problem+json"):
        raise UnsupportedType(given=request.mimetype[:60])
    data = request.get_data(cache=False)
    body = decode_json(data, max_bytes=max_bytes)
    if not isinstance(body, dict):
        raise Invalid("The body is a JSON object.", field="body")
    return body


class UnsupportedType(Invalid):
    """The body must be application/json."""

    code = "api.unsupported_type"
    status = 415


def json_response(value: Any, *, status: int = 200) -> Response:
    """An answer with exact numbers."""
    return Response(encode_json(value), status=status, mimetype="application/json")
