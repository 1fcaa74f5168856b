"""Bulk intake of refunds and stock corrections in OpenAPI's words."""

from __future__ import annotations

from typing import Any

from core.delivery.api.base import Described
from core.delivery.api.describe import AMOUNT_PATTERN, IDEMPOTENCY_KEY, WRITE_PROBLEMS, Schema, answer, body_of, operation, problems, ref
from core.delivery.api.describe_orders import MAX_BULK
from core.domain.orders.normalised import RefundState

_AMOUNT: Schema = {"type": ["string", "number"], "pattern": AMOUNT_PATTERN}


def _text(length: int, least: int = 0) -> Schema:
    return {"type": "string", "minLength": least, "maxLength": length}


_REFUND: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["external_id", "state", "amount", "currency", "modified_at"],
    "properties": {
        "external_id": _text(128, 1),
        "order_external_id": _text(128),
        "state": {"enum": [state.value for state in RefundState if state is not RefundState.NONE]},
        "kind": {"enum": ["refund_only", "return", "exchange"]},
        "amount": _AMOUNT,
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "modified_at": {"type": "string", "format": "date-time"},
        "reason": _text(500),
        "lines": {"type": "array", "items": _text(128, 1), "maxItems": 1000},
    },
}
_ADJUSTMENT: Schema = {
    "type": "object",
    "additionalProperties": False,
    "required": ["sku", "warehouse", "delta", "reference"],
    "properties": {"sku": _text(64, 1), "warehouse": _text(40, 1), "delta": _AMOUNT, "reference": _text(128, 1), "note": _text(300)},
}
_RESULT: Schema = {
    "type": "object",
    "required": ["result"],
    "properties": {"result": {"type": "array", "items": {"type": "object", "required": ["index", "result"]}}},
}


def _described(path: str, name: str, *, tag: str, summary: str, permission: str, body: Schema) -> Described:
    post: dict[str, Any] = operation(
        name,
        tag=tag,
        summary=summary,
        permission=permission,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body_of(body),
        responses={"200": answer("One result per row, in the order given.", ref("IntakeResult")), **problems((*WRITE_PROBLEMS, "404"))},
    )
    return Described({path: {"post": post}}, {"IntakeResult": _RESULT})


def described_refunds(permission: str) -> Described:
    """Refunds and returns in bulk."""
    body: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["shop", "refunds"],
        "properties": {
            "shop": {"type": "string", "minLength": 1},
            "refunds": {"type": "array", "items": _REFUND, "minItems": 1, "maxItems": MAX_BULK},
        },
    }
    summary = "Take up to 1,000 refunds of one shop in; each is answered for itself"
    return _described("/refunds/bulk", "refunds_bulk", tag="Orders", summary=summary, permission=permission, body=body)


def described_adjustments(permission: str) -> Described:
    """Corrections of stock in bulk."""
    body: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["adjustments"],
        "properties": {"adjustments": {"type": "array", "items": _ADJUSTMENT, "minItems": 1, "maxItems": MAX_BULK}},
    }
    summary = "Book up to 1,000 corrections of stock; each is answered for itself"
    return _described("/stock/adjust", "stock_adjust", tag="Stock", summary=summary, permission=permission, body=body)
