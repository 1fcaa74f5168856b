"""Bulk intake of what goes with orders: refunds and returns, and corrections of stock. Each row is answered for itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

from flask import Response
from flask_appbuilder.api import BaseApi, expose, protect
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext
from marshmallow import Schema, ValidationError
from sqlalchemy import select

from core.delivery.api.base import Described, Rest
from core.delivery.api.describe_intake import described_adjustments, described_refunds
from core.delivery.api.describe_orders import MAX_BULK
from core.delivery.api.idempotency import once
from core.delivery.api.orders import MAX_BULK_BYTES
from core.delivery.api.schemas import flat_errors
from core.delivery.api.schemas_intake import AdjustmentRowSchema, RefundRowSchema
from core.delivery.web.body import arguments, json_body, json_response
from core.delivery.web.unit import db
from core.domain.catalog.matching import skus_by_code
from core.domain.channels.models import Shop
from core.domain.inventory.models import Warehouse
from core.domain.inventory.service import Movement, post
from core.domain.orders.normalised import NormalisedRefund
from core.domain.orders.refunds import accept_refunds
from core.kernel.errors import Invalid, OrderloomError
from core.kernel.messages import N_
from core.runtime.tenancy.scope import require_scope

REFUNDS, ADJUSTMENTS = "refunds", "adjustments"
AMOUNT_NEGATIVE = N_("An amount of a refund is not negative.")
SKU_UNKNOWN = N_("There is no such SKU.")
WAREHOUSE_UNKNOWN = N_("There is no such warehouse.")


def _rows(body: Mapping[str, Any], key: str, *beside: str) -> list[Any]:
    unknown = sorted(set(body) - {key, *beside})
    if unknown:
        raise Invalid("This field is not known.", field=unknown[0])
    raw = body.get(key)
    if not isinstance(raw, list) or not raw:
        raise Invalid("Give a list of rows.", field=key)
    if len(raw) > MAX_BULK:
        raise Invalid(f"At most {MAX_BULK} rows at a time.", field=key)
    return raw


def _load(schema: Schema, item: Any) -> tuple[dict[str, Any] | None, dict[str, str]]:
    try:
        return schema.load(item), {}
    except ValidationError as error:
        return None, flat_errors(error.messages)


def _refused(key: str, index: int, problems: Mapping[str, str], code: str = "record.values_refused") -> dict[str, Any]:
    errors = [{"field": f"{key}[{index}].{name}".rstrip("."), "message": gettext(text)} for name, text in problems.items()]
    return {"index": index, "result": "refused", "code": code, "errors": errors}


class RefundIntakeApi(Rest, BaseApi):
    """Refunds and returns in bulk."""

    resource_name = "refunds"
    class_permission_name = "RefundIntakeApi"
    openapi_spec_tag = "Orders"
    permission_keys: ClassVar[Mapping[str, str]] = {"bulk": "orders.import"}

    def described(self) -> Described:
        """The endpoint in the OpenAPI document."""
        return described_refunds(self.permission_keys["bulk"])

    @expose("/bulk", methods=["POST"])
    @protect()
    @permission_name("bulk")
    def bulk(self) -> Response:
        """Take up to 1,000 refunds of one shop in."""
        arguments()
        return once(db(), self._bulk, max_bytes=MAX_BULK_BYTES)

    def _bulk(self) -> Response:
        body = json_body(max_bytes=MAX_BULK_BYTES)
        raw = _rows(body, REFUNDS, "shop")
        code = body.get("shop")
        shop = db().execute(select(Shop.id).where(Shop.code == code)).scalar_one_or_none() if isinstance(code, str) else None
        if shop is None:
            raise Invalid("There is no such shop.", field="shop")
        schema = RefundRowSchema()
        rows: list[dict[str, Any]] = []
        sound: list[NormalisedRefund] = []
        for index, item in enumerate(raw):
            values, problems = _load(schema, item)
            if values is not None and values["amount"] < 0:
                problems = {"amount": AMOUNT_NEGATIVE}
            if values is None or problems:
                rows.append(_refused(REFUNDS, index, problems))
                continue
            lines = tuple(values.pop("lines"))
            sound.append(NormalisedRefund(**values, line_external_ids=lines))
            rows.append({"index": index, "result": "accepted", "external_id": values["external_id"]})
        orders = accept_refunds(db(), shop, sound, now=datetime.now(UTC))
        for row in rows:
            if row["result"] == "accepted":
                order = orders.get(row["external_id"])
                row["order_id"] = str(order) if order else None
        return json_response({"result": rows})


class StockIntakeApi(Rest, BaseApi):
    """Corrections of stock in bulk."""

    resource_name = "stock"
    class_permission_name = "StockIntakeApi"
    openapi_spec_tag = "Stock"
    permission_keys: ClassVar[Mapping[str, str]] = {"adjust": "inventory.write"}

    def described(self) -> Described:
        """The endpoint in the OpenAPI document."""
        return described_adjustments(self.permission_keys["adjust"])

    @expose("/adjust", methods=["POST"])
    @protect()
    @permission_name("adjust")
    def adjust(self) -> Response:
        """Book up to 1,000 corrections; what would go below what is reserved is refused with its reason."""
        arguments()
        return once(db(), self._adjust, max_bytes=MAX_BULK_BYTES)

    def _adjust(self) -> Response:
        raw = _rows(json_body(max_bytes=MAX_BULK_BYTES), ADJUSTMENTS)
        schema = AdjustmentRowSchema()
        loaded = [_load(schema, item) for item in raw]
        skus = skus_by_code(db(), {values["sku"] for values, _problems in loaded if values})
        houses = {row.code: row.id for row in db().execute(select(Warehouse.code, Warehouse.id))}
        rows = []
        for index, (values, problems) in enumerate(loaded):
            if values is None:
                rows.append(_refused(ADJUSTMENTS, index, problems))
                continue
            if values["sku"] not in skus:
                rows.append(_refused(ADJUSTMENTS, index, {"sku": SKU_UNKNOWN}))
                continue
            if values["warehouse"] not in houses:
                rows.append(_refused(ADJUSTMENTS, index, {"warehouse": WAREHOUSE_UNKNOWN}))
                continue
            rows.append(self._book(index, values, skus[values["sku"]], houses[values["warehouse"]]))
        return json_response({"result": rows})

    @staticmethod
    def _book(index: int, values: Mapping[str, Any], sku: UUID, house: UUID) -> dict[str, Any]:
        movement = Movement(sku, house, values["delta"], "correction", values["reference"], values["note"])
        try:
            with db().begin_nested():
                done = post(db(), [movement], actor=require_scope().actor.label)
            return {"index": index, "result": "booked" if done else "unchanged"}
        except OrderloomError as error:
            return _refused(ADJUSTMENTS, index, {"delta": error.message}, error.code)
