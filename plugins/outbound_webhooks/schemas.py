"""What the REST endpoints take and give, as JSON Schema for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from plugins.outbound_webhooks.models import PAUSES, STATES
from plugins.outbound_webhooks.queries import TABS

Schema = dict[str, Any]

_MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
_ID: Schema = {"type": "string", "format": "uuid"}
_WRITABLE: Schema = {
    "name": {"type": "string", "minLength": 1, "maxLength": 80},
    "url": {"type": "string", "format": "uri", "maxLength": 2000, "description": "https, port 443 or 8443, no private address"},
    "events": {
        "type": "array",
        "items": {"type": "string", "maxLength": 100, "description": "A kind, or the beginning of kinds that ends in a dot"},
        "minItems": 1,
        "maxItems": 50,
    },
    "is_active": {"type": "boolean"},
}
_SHOWN: Schema = {
    "id": _ID,
    "name": {"type": "string"},
    "url": {"type": "string"},
    "events": {"type": "array", "items": {"type": "string"}},
    "is_active": {"type": "boolean"},
    "paused": {"enum": [None, *(reason for reason in PAUSES if reason)]},
    "failures": {"type": "integer"},
    "secret_hint": {"type": "string"},
    "former_until": _MOMENT,
    "last_at": _MOMENT,
}
_ATTEMPT: Schema = {
    "number": {"type": "integer"},
    "at": {"type": "string", "format": "date-time"},
    "took_ms": {"type": ["integer", "null"]},
    "status": {"type": ["integer", "null"], "description": "null: there was no answer"},
    "code": {"type": "string"},
    "answer": {"type": "string", "description": "The first kilobyte"},
}
_SECRET: Schema = {"secret": {"type": "string", "description": "Shown this once"}}


def _object(properties: Schema, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, **more}


def _all(properties: Schema) -> Schema:
    return _object(properties, required=list(properties))


NEW_HOOK = _object(_WRITABLE, required=["name", "url", "events"], additionalProperties=False)
HOOK_CHANGE = _object(_WRITABLE, additionalProperties=False)
HOOK = _all(_SHOWN)
HOOK_WITH_SECRET = _all(_SHOWN | _SECRET)
HOOKS = _all({"result": {"type": "array", "items": HOOK}})
DELIVERY = _all(
    {
        "id": _ID,
        "event_id": _ID,
        "kind": {"type": "string"},
        "subject": {"type": "string"},
        "state": {"enum": list(STATES)},
        "made_at": {"type": "string", "format": "date-time"},
        "next_at": _MOMENT,
        "attempts": {"type": "array", "items": _all(_ATTEMPT)},
    }
)
DELIVERIES = _all({"result": {"type": "array", "items": DELIVERY}, "next_cursor": {"type": ["string", "null"]}})
REPLAY = _object({"since": {"type": "string", "format": "date-time"}}, additionalProperties=False)
ASKED = _all({"asked": {"type": "boolean"}})
LOG_QUERY: dict[str, Schema] = {
    "state": {"enum": list(TABS)},
    "size": {"type": "integer", "minimum": 1, "maximum": 100},
    "cursor": {"type": "string", "format": "uuid"},
}
