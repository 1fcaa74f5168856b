"""What bulk intake of refunds and stock corrections takes, as marshmallow schemas."""

from __future__ import annotations

from marshmallow import fields, validate

from core.delivery.api.schemas import Amount, Moment, Quantity, StrictSchema, Text, text_of
from core.domain.orders.normalised import RefundState


class RefundRowSchema(StrictSchema):
    """A refund or return. `order_external_id` is empty when nobody knows the order; `lines` name what came back."""

    external_id = Text(required=True, validate=validate.Length(min=1, max=128))
    order_external_id = text_of(128)
    state = fields.Enum(RefundState, by_value=True, required=True, validate=validate.NoneOf([RefundState.NONE]))
    kind = fields.String(load_default="refund_only", validate=validate.OneOf(["refund_only", "return", "exchange"]))
    amount = Amount(required=True)
    currency = Text(required=True, validate=validate.Regexp("^[A-Z]{3}$"))
    modified_at = Moment(required=True)
    reason = text_of(500)
    lines = fields.List(Text(validate=validate.Length(min=1, max=128)), load_default=list, validate=validate.Length(max=1000))


class AdjustmentRowSchema(StrictSchema):
    """A correction of stock; the same reference for the same SKU and warehouse counts once."""

    sku = Text(required=True, validate=validate.Length(min=1, max=64))
    warehouse = Text(required=True, validate=validate.Length(min=1, max=40))
    delta = Quantity(required=True)
    reference = Text(required=True, validate=validate.Length(min=1, max=128))
    note = text_of(300)
