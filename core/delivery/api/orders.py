"""Order endpoints beyond the generated ones: bulk intake, entry by hand, shipping, holds explained, notes, personal data in clear."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from flask import Response, request
from flask_appbuilder.api import BaseApi, expose, protect
from flask_appbuilder.security.decorators import permission_name
from marshmallow import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.api.base import API_ROOT, Described, Rest
from core.delivery.api.describe_orders import MAX_BULK, described_orders
from core.delivery.api.idempotency import once
from core.delivery.api.schemas import (
    BulkOrdersSchema,
    ManualOrderSchema,
    NoteSchema,
    RefundOwnSchema,
    RevealSchema,
    ShipSchema,
    flat_errors,
    order_from,
)
from core.delivery.web.body import arguments, json_body, json_response
from core.delivery.web.errors import field_errors
from core.delivery.web.schema import seen_id
from core.delivery.web.unit import db
from core.domain.channels.models import Shop
from core.domain.channels.own_refunds import OwnRefund, refund_own
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.fulfilment.stuck import why_stuck
from core.domain.orders.errors import OrderUnknown
from core.domain.orders.intake import REFUSED, Outcome, ShopFacts, accept
from core.domain.orders.manual import enter, manual_from
from core.domain.orders.receivers import reveal_receiver
from core.domain.orders.service import write_note
from core.engines.metadata.values import ValuesRefused
from core.kernel.errors import Invalid

MAX_BULK_BYTES = 20 * 1024 * 1024


class OrderApi(Rest, BaseApi):
    """Order endpoints that are no plain record keeping."""

    resource_name = "orders"
    class_permission_name = "OrderApi"
    openapi_spec_tag = "Orders"
    permission_keys: ClassVar[Mapping[str, str]] = {
        "bulk": "orders.import",
        "enter": "orders.write",
        "ship": "fulfilment.ship",
        "refund": "orders.refund",
        "stuck": "orders.read",
        "note": "orders.write",
        "reveal": "customers.reveal",
    }

    def described(self) -> Described:
        """The endpoints in the OpenAPI document."""
        return described_orders(self.permission_keys)

    @expose("/bulk", methods=["POST"])
    @protect()
    @permission_name("bulk")
    def bulk(self) -> Response:
        """Take up to 1,000 normalised orders of one shop in; each is answered for itself."""
        arguments()
        return once(db(), self._bulk, max_bytes=MAX_BULK_BYTES)

    def _bulk(self) -> Response:
        body = json_body(max_bytes=MAX_BULK_BYTES)
        raw = body.get("orders")
        if not isinstance(raw, list) or not raw:
            raise Invalid("Give a list of orders.", field="orders")
        if len(raw) > MAX_BULK:
            raise Invalid(f"At most {MAX_BULK} orders at a time.", field="orders")
        unknown = sorted(set(body) - {"shop", "orders"})
        if unknown:
            raise Invalid("This field is not known.", field=unknown[0])
        shop = _shop(db(), body.get("shop"))
        schema = BulkOrdersSchema()
        read = [_read(schema, item, index) for index, item in enumerate(raw)]
        sound = [(index, order) for index, order in enumerate(read) if not isinstance(order, Invalid)]
        outcomes = accept(db(), shop, [order for _index, order in sound], now=datetime.now(UTC))
        by_index = {index: outcome for (index, _order), outcome in zip(sound, outcomes, strict=True)}
        rows = [_row(index, item, by_index.get(index), read[index]) for index, item in enumerate(raw)]
        return json_response({"result": rows, "counts": _counts(rows)})

    @expose("/enter", methods=["POST"])
    @protect()
    @permission_name("enter")
    def enter(self) -> Response:
        """Enter one order by hand."""
        arguments()
        return once(db(), self._enter)

    def _enter(self) -> Response:
        values = _checked(ManualOrderSchema(), json_body())
        shop = _shop(db(), values.pop("shop"))
        order_id = enter(db(), shop, manual_from(values), now=datetime.now(UTC))
        return _made({"id": str(order_id)}, f"{request.script_root}{self.route_base}/{order_id}")

    @expose("/<pk>/ship", methods=["POST"])
    @protect()
    @permission_name("ship")
    def ship(self, pk: str) -> Response:
        """Ship an order, wholly or in part."""
        arguments()
        return once(db(), lambda: self._ship(pk))

    def _ship(self, pk: str) -> Response:
        values = _checked(ShipSchema(), json_body())
        order_id = _order_id(pk)
        lines = {line["line_id"]: line["quantity"] for line in values["lines"]}
        wanted = ShipmentOrder(order_id, values["carrier_id"], values["tracking_number"], lines, values["weight_g"], values["note"])
        shipment_id = ship(db(), wanted, now=datetime.now(UTC))
        return _made({"shipment_id": str(shipment_id)}, f"{request.script_root}{API_ROOT}/shipments/{shipment_id}")

    @expose("/<pk>/refund", methods=["POST"])
    @protect()
    @permission_name("refund")
    def refund(self, pk: str) -> Response:
        """Record a refund or return of an order of an own shop."""
        arguments()
        return once(db(), lambda: self._refund(pk))

    def _refund(self, pk: str) -> Response:
        values = _checked(RefundOwnSchema(), json_body())
        wanted = OwnRefund(_order_id(pk), values["reason"], values["amount"], tuple(values["lines"]), values["warehouse_id"])
        refund_id = refund_own(db(), wanted, now=datetime.now(UTC))
        return _made({"refund_id": str(refund_id)}, f"{request.script_root}{API_ROOT}/refunds/{refund_id}")

    @expose("/<pk>/stuck", methods=["GET"])
    @protect()
    @permission_name("stuck")
    def stuck(self, pk: str) -> Response:
        """Why the order does not move."""
        arguments()
        reasons = why_stuck(db(), _order_id(pk))
        rows = [
            {"code": one.code, "text": one.text, "since": one.since, "cure": one.cure, "by": one.by, "facts": dict(one.facts)}
            for one in reasons
        ]
        return json_response({"result": rows})

    @expose("/<pk>/notes", methods=["POST"])
    @protect()
    @permission_name("note")
    def note(self, pk: str) -> Response:
        """Add a note to the order."""
        arguments()
        return once(db(), lambda: self._note(pk))

    def _note(self, pk: str) -> Response:
        values = _checked(NoteSchema(), json_body())
        return json_response({"id": str(write_note(db(), _order_id(pk), values["text"]))}, status=201)

    @expose("/<pk>/reveal", methods=["POST"])
    @protect()
    @permission_name("reveal")
    def reveal(self, pk: str) -> Response:
        """The receiver in clear; the reason is put on record. Takes no idempotency key: the stored answer would hold personal data."""
        arguments()
        values = _checked(RevealSchema(), json_body())
        return json_response({"result": reveal_receiver(db(), _order_id(pk), reason=values["reason"])})


def _order_id(pk: str) -> UUID:
    return seen_id("orders.order", pk, OrderUnknown, order=pk[:60])


def _made(body: Mapping[str, Any], location: str) -> Response:
    answer = json_response(body, status=201)
    answer.headers["Location"] = location
    return answer


def _shop(session: Session, code: Any) -> ShopFacts:
    if not isinstance(code, str) or not code:
        raise Invalid("Give the code of the shop.", field="shop")
    row = session.execute(select(Shop.id, Shop.currency, Shop.is_active).where(Shop.code == code)).one_or_none()
    if row is None or not row.is_active:
        raise Invalid("There is no such shop.", field="shop")
    return ShopFacts(row.id, row.currency, "api")


def _checked(schema: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        values: dict[str, Any] = schema.load(body)
    except ValidationError as error:
        raise ValuesRefused(flat_errors(error.messages)) from error
    return values


def _read(schema: Any, item: Any, index: int) -> Any:
    """One order of the bulk as a NormalisedOrder, or the error that refuses it."""
    try:
        return order_from(schema.load(item))
    except ValidationError as error:
        problems = flat_errors(error.messages)
        return ValuesRefused({_placed(key, index): text for key, text in problems.items()})
    except Invalid as error:
        error.field = _placed(error.field, index)
        return error


def _row(index: int, item: Any, outcome: Outcome | None, read: Any) -> dict[str, Any]:
    external_id = item.get("external_id") if isinstance(item, dict) else None
    row: dict[str, Any] = {"index": index, "external_id": external_id if isinstance(external_id, str) else None}
    error = read if isinstance(read, Invalid) else (outcome.error if outcome else None)
    if error is not None:
        error.field = _placed(error.field, index)
        return {**row, "result": REFUSED, "code": error.code, "errors": field_errors(error)}
    assert outcome is not None
    return {**row, "result": outcome.result, "id": str(outcome.order_id), "number": outcome.number}


def _placed(field: str | None, index: int) -> str:
    return field if field and field.startswith("orders[") else f"orders[{index}].{field or ''}".rstrip(".")


def _counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["result"]] = counts.get(row["result"], 0) + 1
    return counts
