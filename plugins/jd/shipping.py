"""Telling JD that an order is on its way, and reading back whether it knows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.sdk import OrderloomError, PushResult, ShipmentPush
from plugins.jd.answers import raise_for_failure
from plugins.jd.calls import Gateway
from plugins.jd.errors import PayloadInvalid, RequestRefused
from plugins.jd.fields import Fields

# JD numbers the carriers; a shop may map them differently. Source: JOS, "get the shop's carriers", as used by public clients.
CARRIERS = {
    "sf": "467",
    "yto": "463",
    "zto": "1499",
    "sto": "470",
    "yunda": "1327",
    "ems": "465",
    "zjs": "1409",
    "jd": "2087",
}
_SHIP = "jingdong.pop.order.shipment"
_CHANGE = "360buy.order.sop.waybill.update"
# JD joins the carriers of one order with "|" and the numbers of one carrier with ",".
_SEPARATORS = re.compile(r"[|,;\s]+")
_CARRIER_ID = re.compile(r"\d{1,12}", re.ASCII)


def _parts(text: str) -> list[str]:
    return [part for part in _SEPARATORS.split(text) if part]


def order_number(external_id: str) -> int | str:
    """The order's id as JD's services want it: a number where it is one."""
    return int(external_id) if external_id.isdecimal() and external_id.isascii() else external_id


def _carriers(push: ShipmentPush) -> list[str]:
    chosen = push.carrier_on_channel.strip() or CARRIERS.get(push.carrier.strip().lower(), "")
    ids = _parts(chosen)
    if not ids or not all(_CARRIER_ID.fullmatch(one) for one in ids):
        raise RequestRefused(
            "The carrier has no JD company number yet; map it in the shop.", vendor_code="carrier_unmapped", carrier=push.carrier
        )
    return ids


def _numbers(push: ShipmentPush) -> tuple[list[str], list[str]]:
    carriers, numbers = _carriers(push), _parts(push.tracking_number)
    if len(carriers) == 1:
        carriers *= len(numbers)
    if not numbers or len(carriers) != len(numbers):
        raise RequestRefused("Each tracking number needs its carrier.", vendor_code="tracking_incomplete")
    earlier = [(carrier, number) for carrier, number in push.earlier if number not in numbers]
    return [carrier for carrier, _ in earlier] + carriers, [number for _, number in earlier] + numbers


def send_shipment(gateway: Gateway, push: ShipmentPush) -> None:
    """Ship the whole order with its tracking numbers, or replace them when `push.is_change`.

    Raises: RequestRefused - JD refuses, or carrier or number are missing (nothing is sent then); else as `Gateway.write`.
    """
    carriers, numbers = _numbers(push)
    order = order_number(push.order_external_id)
    if push.is_change:
        business = {"order_id": str(order), "logistics_id": "|".join(carriers), "waybill": "|".join(numbers)}
        gateway.write(_CHANGE, business)
        return
    root = gateway.write(_SHIP, {"orderId": order, "logiCoprId": "|".join(carriers), "logiNo": "|".join(numbers)})
    result = root.get("sopjosshipment_result")
    if not isinstance(result, Mapping):
        raise PayloadInvalid("An object is needed here.", field="sopjosshipment_result")
    raise_for_failure(result, "sopjosshipment_result")


def knows_numbers(order: Mapping[str, Any], push: ShipmentPush) -> bool:
    """Whether JD's `order` (an orderInfo) already carries every tracking number of `push`."""
    known = set(_parts(Fields(order).text("waybill")))
    numbers = _parts(push.tracking_number) + [number for _, number in push.earlier]
    return bool(numbers) and known.issuperset(numbers)


def refused(push: ShipmentPush, error: OrderloomError) -> PushResult:
    """The result of a push that JD refused for good."""
    code = error.facts.get("vendor_code")
    return PushResult(push.order_external_id, is_ok=False, code=f"jd.{code}" if code else error.code, message=error.message)
