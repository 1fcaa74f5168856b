"""Bulk intake of refunds and stock corrections in OpenAPI's words."""

from __future__ import annotations

from core.delivery.api.base import Described
from core.delivery.api.describe import FIELD_ERROR, IDEMPOTENCY_KEY, WRITE_PROBLEMS, Schema, answer, body_of, operation, problems
from core.delivery.api.describe_orders import TAG, rows_body, schemas_from_marshmallow
from core.delivery.api.schemas_intake import AdjustmentRowSchema, RefundRowSchema


def described_refunds(permission: str) -> Described:
    """The bulk intake of refunds."""
    result = _rows_result({"external_id": {"type": "string"}, "order_id": {"type": ["string", "null"], "format": "uuid"}}, "accepted")
    made = operation(
        "refunds_bulk",
        tag=TAG,
        summary="Take up to 1,000 refunds or returns of one shop in; each is answered for itself",
        permission=permission,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body_of(rows_body("refunds", "RefundRow", is_of_shop=True)),
        responses={"200": answer("One result per row, in the order given.", result), **problems(WRITE_PROBLEMS)},
    )
    return Described({"/refunds/bulk": {"post": made}}, schemas_from_marshmallow({"RefundRow": RefundRowSchema}))


def described_adjustments(permission: str) -> Described:
    """The bulk correction of stock."""
    result = _rows_result({}, "booked", "unchanged")
    made = operation(
        "stock_adjust",
        tag="Stock",
        summary="Book up to 1,000 corrections of stock; each is answered for itself",
        permission=permission,
        parameters=[IDEMPOTENCY_KEY],
        requestBody=body_of(rows_body("adjustments", "AdjustmentRow", is_of_shop=False)),
        responses={"200": answer("One result per row, in the order given.", result), **problems(WRITE_PROBLEMS)},
    )
    return Described({"/stock/adjust": {"post": made}}, schemas_from_marshmallow({"AdjustmentRow": AdjustmentRowSchema}))


def _rows_result(more: Schema, *good: str) -> Schema:
    properties = {
        "index": {"type": "integer"},
        "result": {"enum": [*good, "refused"]},
        "code": {"type": "string"},
        "errors": {"type": "array", "items": FIELD_ERROR},
        **more,
    }
    row = {"type": "object", "required": ["index", "result"], "properties": properties}
    return {"type": "object", "required": ["result"], "properties": {"result": {"type": "array", "items": row}}}
