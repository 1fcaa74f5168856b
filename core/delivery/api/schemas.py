"""What the order endpoints take, as marshmallow schemas; the OpenAPI description is made from the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from core.domain.orders.normalised import ChannelState, NormalisedLine, NormalisedOrder, Receiver, RefundState
from core.engines.metadata.values import moment_from
from core.kernel.errors import Invalid
from core.kernel.money import amount_from
from core.kernel.quantity import quantity_from


class Amount(fields.Field[Decimal]):
    """An exact amount of money: text such as "12.50", or a JSON number."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Decimal:
        try:
            return amount_from(value)
        except Invalid as error:
            raise ValidationError(error.message) from error


class Quantity(fields.Field[Decimal]):
    """An exact quantity: text such as "1.5", or a JSON number."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Decimal:
        try:
            return quantity_from(value)
        except Invalid as error:
            raise ValidationError(error.message) from error


class Moment(fields.Field[datetime]):
    """An aware moment as ISO 8601 text."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> datetime:
        try:
            return moment_from(value)
        except Invalid as error:
            raise ValidationError(error.message) from error


class Flag(fields.Boolean):
    """True or false, and nothing that only resembles them."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, *args, **kwargs)


class Text(fields.String):
    """Text without white space around it."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value.strip() if isinstance(value, str) else value, *args, **kwargs)


class StrictSchema(Schema):
    """Unknown fields are refused by name."""

    class Meta:
        unknown = RAISE


def text_of(length: int, **more: Any) -> Text:
    """An optional text of at most `length` characters, empty when it is left out."""
    return Text(validate=validate.Length(max=length), load_default="", **more)


def _moment() -> Moment:
    return Moment(load_default=None, allow_none=True)


class ReceiverSchema(StrictSchema):
    """Who gets the parcel."""

    name = text_of(120)
    phone = text_of(40)
    country = text_of(60)
    province = text_of(60)
    city = text_of(60)
    district = text_of(60)
    town = text_of(60)
    street = text_of(300)
    postcode = text_of(20)
    email = text_of(254)


class BulkLineSchema(StrictSchema):
    """One line of a normalised order."""

    external_id = Text(required=True, validate=validate.Length(min=1, max=128))
    seller_code = text_of(128)
    title = text_of(500)
    variant = text_of(200)
    external_sku = text_of(128)
    external_product = text_of(128)
    quantity = Quantity(required=True)
    unit_price = Amount(load_default=Decimal(0))
    paid_amount = Amount(required=True)
    state = fields.Enum(ChannelState, by_value=True, load_default=None, allow_none=True)
    refund_state = fields.Enum(RefundState, by_value=True, load_default=RefundState.NONE)
    is_gift = Flag(load_default=False)


class BulkOrdersSchema(StrictSchema):
    """One normalised order of a bulk intake; the sum of the lines' `paid_amount` plus `postage` equals `paid_total`."""

    external_id = Text(required=True, validate=validate.Length(min=1, max=128))
    state = fields.Enum(ChannelState, by_value=True, required=True)
    paid_total = Amount(required=True)
    postage = Amount(load_default=Decimal(0))
    discount_total = Amount(load_default=Decimal(0))
    currency = Text(required=True, validate=validate.Regexp("^[A-Z]{3}$"))
    modified_at = Moment(required=True)
    placed_at = _moment()
    paid_at = _moment()
    ship_by = _moment()
    completed_at = _moment()
    replaces = Text(load_default=None, allow_none=True, validate=validate.Length(min=1, max=128))
    buyer_id = text_of(128)
    buyer_name = text_of(120)
    receiver = fields.Nested(ReceiverSchema, load_default=dict)
    buyer_note = text_of(2000)
    seller_note = text_of(2000)
    is_cash_on_delivery = Flag(load_default=False)
    tags = fields.List(Text(validate=validate.Length(min=1, max=40)), load_default=list, validate=validate.Length(max=20))
    lines = fields.List(fields.Nested(BulkLineSchema), required=True, validate=validate.Length(min=1, max=1000))


class ManualLineSchema(StrictSchema):
    """One line of an order entered by hand."""

    code = Text(required=True, validate=validate.Length(min=1, max=64))
    title = text_of(200)
    quantity = Quantity(required=True)
    unit_price = Amount(required=True)


class ManualOrderSchema(StrictSchema):
    """An order entered by hand."""

    shop = Text(required=True)
    lines = fields.List(fields.Nested(ManualLineSchema), required=True, validate=validate.Length(min=1, max=1000))
    receiver = fields.Nested(ReceiverSchema, load_default=dict)
    postage = Amount(load_default=Decimal(0))
    discount = Amount(load_default=Decimal(0))
    is_paid = Flag(load_default=True)
    is_on_delivery = Flag(load_default=False)
    reference = text_of(100)
    buyer_note = text_of(2000)
    seller_note = text_of(2000)
    tags = fields.List(Text(validate=validate.Length(min=1, max=40)), load_default=list, validate=validate.Length(max=20))


class ShipLineSchema(StrictSchema):
    """How many units of a line ship."""

    line_id = fields.UUID(required=True)
    quantity = Quantity(required=True)


class ShipSchema(StrictSchema):
    """A shipment; without lines all that is reserved ships."""

    carrier_id = fields.UUID(required=True)
    tracking_number = Text(required=True, validate=validate.Length(min=1, max=64))
    lines = fields.List(fields.Nested(ShipLineSchema), load_default=list, validate=validate.Length(max=1000))
    weight_g = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(0, 1_000_000), strict=True)
    note = text_of(500)


class RefundOwnSchema(StrictSchema):
    """A refund or return of an order of one's own shop.

    `lines` are given back whole; without `amount` what was paid for them goes back. With a `warehouse_id` their shipped goods lie there
    again.
    """

    reason = Text(required=True, validate=validate.Length(min=1, max=200))
    amount = Amount(load_default=None, allow_none=True)
    lines = fields.List(fields.UUID(), load_default=list, validate=validate.Length(max=1000))
    warehouse_id = fields.UUID(load_default=None, allow_none=True)


class NoteSchema(StrictSchema):
    """A note on an order."""

    text = Text(required=True, validate=validate.Length(min=1, max=2000))


class RevealSchema(StrictSchema):
    """Why personal data is needed in clear."""

    reason = Text(required=True, validate=validate.Length(min=4, max=300))


def order_from(values: Mapping[str, Any]) -> NormalisedOrder:
    """A loaded bulk order as the domain takes it; lines without a state have the order's."""
    state: ChannelState = values["state"]
    lines = tuple(NormalisedLine(**{**line, "state": line["state"] or state}) for line in values["lines"])
    rest = {key: value for key, value in values.items() if key not in ("lines", "receiver", "tags")}
    return NormalisedOrder(**rest, lines=lines, receiver=Receiver(**values["receiver"]), tags=tuple(values["tags"]))


def flat_errors(messages: Any, path: str = "") -> dict[str, str]:
    """marshmallow's nested messages as one message per field, named `lines[0].quantity`."""
    found: dict[str, str] = {}
    if isinstance(messages, dict):
        for key, value in messages.items():
            if key == "_schema":
                place = path
            elif isinstance(key, int):
                place = f"{path}[{key}]"
            else:
                place = f"{path}.{key}" if path else str(key)
            found.update(flat_errors(value, place))
    elif isinstance(messages, list) and messages:
        found[path] = str(messages[0])
    return found
