"""Reporting shipments to Taobao: look first, then send, so that a repeated push does nothing twice.

Source: taobao.logistics.offline.send, online.send and consign.resend in the official documents (shared reference §2.5).
"""

from __future__ import annotations

from core.sdk import Invalid, NotFound, PushResult, ShipmentPush
from plugins.taobao.errors import RequestRefused, Unknown
from plugins.taobao.gateway import Gateway
from plugins.taobao.wire import Node

# Orderloom's carrier codes and what Taobao calls them; a shop may change each. J&T and JD have no code here that a public source confirms.
CARRIERS = {
    "sf": "SF",
    "zto": "ZTO",
    "yto": "YTO",
    "sto": "STO",
    "yunda": "YUNDA",
    "ems": "EMS",
    "china_post": "POSTB",
    "deppon": "DBKD",
    "best": "HTKY",
    "zjs": "ZJS",
}
_FIELDS = "tid,type,status,orders.oid,orders.oid_str,orders.status,orders.invoice_no"
_CLOSED = {"TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"}
_OPEN = {"WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART"}
_SHIPPED = {"WAIT_BUYER_CONFIRM_GOODS", "TRADE_BUYER_SIGNED", "TRADE_FINISHED"}


def push(gateway: Gateway, shipment: ShipmentPush, *, is_dry_run: bool) -> PushResult:
    """Report `shipment`, or change the tracking number of one reported before.

    Returns a refusal as a result that is not ok; a number that the platform already knows is ok and sends nothing.
    Raises: Unavailable - unknown whether it was taken (ask `is_known`); Denied.
    """
    reference = shipment.order_external_id
    try:
        lines, trade = _lines(gateway, shipment)
        if all(_carries(line, shipment) for line in lines):
            return PushResult(reference, is_ok=True, code="already_known")
        refusal = _refusal(lines, shipment)
        if refusal:
            return PushResult(reference, is_ok=False, code=refusal)
        if not is_dry_run:
            _send(gateway, shipment, trade, lines)
    except (Invalid, NotFound) as error:
        code, detail = str(error.facts.get("sub_code") or error.code), str(error.facts.get("detail") or error.message)
        return PushResult(reference, is_ok=False, code=code, message=detail)
    return PushResult(reference, is_ok=True, code="dry_run" if is_dry_run else "")


def is_known(gateway: Gateway, shipment: ShipmentPush) -> bool:
    """Whether every line that `shipment` names (or every open one) carries its tracking number on the platform."""
    try:
        lines, _ = _lines(gateway, shipment)
    except NotFound:
        return False
    return all(_carries(line, shipment) for line in lines)


def _lines(gateway: Gateway, shipment: ShipmentPush) -> tuple[list[Node], Node]:
    """The lines that the shipment is about, and the trade. Closed lines never ship, so a whole order leaves them out."""
    answer = gateway.read("taobao.trade.fullinfo.get", fields=_FIELDS, tid=shipment.order_external_id)
    trade = Node(answer).child("trade")
    lines = {line.number("oid_str", "oid"): line for line in trade.children("orders", "order")}
    if shipment.line_external_ids:
        unknown = [oid for oid in shipment.line_external_ids if oid not in lines]
        if unknown:
            raise Unknown(detail=f"The order has no line {unknown[0]}.", sub_code="taobao.unknown_line")
        return [lines[oid] for oid in shipment.line_external_ids], trade
    return [line for line in lines.values() if line.word("status") not in _CLOSED] or list(lines.values()), trade


def _carries(line: Node, shipment: ShipmentPush) -> bool:
    return line.word("status") in _SHIPPED and line.word("invoice_no") == shipment.tracking_number


def _refusal(lines: list[Node], shipment: ShipmentPush) -> str:
    """Why the platform would refuse, or what must not be overwritten; empty when sending makes sense."""
    states = {line.word("status") for line in lines}
    if states & _CLOSED:
        return "taobao.line_closed"
    if shipment.is_change:
        return "" if states <= _SHIPPED else "taobao.not_shipped_yet"
    if any(line.word("status") in _SHIPPED and not _carries(line, shipment) for line in lines):
        return "taobao.shipped_otherwise"
    return "" if states <= _OPEN | _SHIPPED else "taobao.not_ready_to_ship"


def _send(gateway: Gateway, shipment: ShipmentPush, trade: Node, lines: list[Node]) -> None:
    params = {
        "tid": shipment.order_external_id,
        "company_code": shipment.carrier_on_channel,
        "out_sid": shipment.tracking_number,
    }
    open_lines = [line for line in lines if not _carries(line, shipment)]
    everything = [line for line in trade.children("orders", "order") if line.word("status") not in _CLOSED]
    if len(open_lines) < len(everything):
        params |= {"sub_tid": ",".join(line.number("oid_str", "oid") for line in open_lines), "is_split": "1"}
    if shipment.is_change:
        method = "taobao.logistics.consign.resend"
    else:
        # Cash on delivery needs the carrier to collect, which the platform arranges; offline.send refuses such orders.
        method = "taobao.logistics.online.send" if trade.word("type") == "cod" else "taobao.logistics.offline.send"
    if not Node(gateway.write(method, **params)).child("shipping").flag("is_success"):
        raise RequestRefused(detail="The platform did not take the shipment.")
