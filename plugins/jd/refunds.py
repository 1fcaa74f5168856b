"""From JD's refund documents to the normalised refund; pure, no I/O.

JD keeps two kinds apart: requests to cancel a paid order that has not left yet (refund applications), and services after delivery (return,
exchange, repair). Their numbers come from different series, so a service's id is prefixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.sdk import NormalisedRefund, RefundState, rounded
from plugins.jd.documents import found_in
from plugins.jd.errors import PayloadInvalid, StateUnknown
from plugins.jd.fields import CURRENCY, ZERO, Fields

SERVICE_PREFIX = "afs-"
_BILL = "sameOrderServiceBill"

# 1 and 5: approved by the shop or by JD, the money has not moved. 6, 7, 10, 27: a parcel is being stopped. 3: JD's finance has
# paid; 9: closed by force and paid. 4: finance refused. 8: the parcel could not be stopped, so the request lapses. 11: withdrawn.
# 16, 17: waits for the goods. 18: settled between the two. 19: in dispute.
_APPLICATION_STATES = {
    **dict.fromkeys(("0", "1", "5", "6", "7", "10", "16", "17", "19", "27"), RefundState.REQUESTED),
    **dict.fromkeys(("3", "9"), RefundState.DONE),
    **dict.fromkeys(("2", "4"), RefundState.REFUSED),
    **dict.fromkeys(("8", "11", "18"), RefundState.CLOSED),
}
# Review, with the customer, to receive, to process, to be confirmed; refused; done; cancelled.
_SERVICE_STATES = {
    **dict.fromkeys(("10001", "10002", "10005", "10007", "10009"), RefundState.REQUESTED),
    "10004": RefundState.REFUSED,
    "10010": RefundState.DONE,
    "10011": RefundState.CLOSED,
}
_REFUND_PAID = "13"
# What the customer expects: 10 return, 20 exchange, 30 repair. A repair comes and goes like an exchange: goods for goods, no money.
_KINDS = {"10": "return", "20": "exchange", "30": "exchange"}
_CONTAINERS = frozenset(("queryResult", "pageResult", "result", "data"))


def _state(fields: Fields, name: str, states: dict[str, RefundState]) -> RefundState:
    code = fields.text(name, None)
    if code not in states:
        raise StateUnknown(f"JD's refund state {code[:40]} is not known.", field=fields.at(name), value=code[:40])
    return states[code]


def _latest(fields: Sequence[tuple[Fields, str]], path: str) -> datetime:
    moments = [moment for part, name in fields if (moment := part.moment(name)) is not None]
    if not moments:
        raise PayloadInvalid("The moment of the last change is missing.", field=path)
    return max(moments)


def _applied_sum(fields: Fields) -> Decimal:
    """JD counts `applyRefundSum` in fen, whole; some answers carry yuan with decimals. A figure without a decimal point is fen."""
    amount = fields.figure("applyRefundSum", ZERO)
    value = fields.raw("applyRefundSum")
    is_whole = isinstance(value, int) or (isinstance(value, str) and "." not in value)
    return rounded(amount / 100, CURRENCY) if is_whole else amount


def _application(fields: Fields) -> NormalisedRefund:
    return NormalisedRefund(
        external_id=fields.text("id", None),
        order_external_id=fields.text("orderId", None),
        state=_state(fields, "status", _APPLICATION_STATES),
        amount=_applied_sum(fields),
        currency=CURRENCY,
        modified_at=_latest([(fields, "modified"), (fields, "checkTime"), (fields, "applyTime")], fields.at("applyTime")),
        kind="refund_only",
        reason=fields.text("reason"),
        channel_state=fields.text("status"),
    )


def _service(fields: Fields) -> NormalisedRefund:
    bill = fields.child(_BILL)
    money_state = fields.text("status")
    state = RefundState.DONE if money_state == _REFUND_PAID else _state(bill, "serviceStatus", _SERVICE_STATES)
    sku = bill.text("skuId")
    times = [(fields, "completeTime"), (fields, "modified"), (bill, "approveTime"), (bill, "applyTime"), (fields, "applyTime")]
    return NormalisedRefund(
        external_id=SERVICE_PREFIX + bill.text("serviceId", None),
        order_external_id=bill.text("orderId", None),
        state=state,
        # The first name is how JD spells it.
        amount=fields.figure("refoundAmount", fields.figure("refundAmount", ZERO)),
        currency=CURRENCY,
        modified_at=_latest(times, bill.at("applyTime")),
        line_external_ids=(sku,) if sku not in ("", "0") else (),
        kind=_KINDS.get(bill.text("customerExpect"), "return"),
        reason=bill.text("questionDesc"),
        channel_state=f"{bill.text('serviceStatus')}/{money_state}",
    )


def refunds_from(payload: Any) -> list[NormalisedRefund]:
    """The refunds in an answer of refundapply.queryPageList or asc.serviceAndRefund.view, or in parts of one.

    `payload` is what `orders_from` takes. Services get the id `afs-<serviceId>`.
    Raises: PayloadInvalid - a field is missing or wrong, its path is in `field`; StateUnknown; or what a failed answer stands for.
    Source: JOS, jingdong.pop.afs.soa.refundapply.queryPageList and jingdong.asc.serviceAndRefund.view.
    """
    found = found_in(payload, marks=(_BILL, "applyRefundSum", "id", "orderId"), containers=_CONTAINERS)
    return [_service(fields) if fields.raw(_BILL) is not None else _application(fields) for fields in found]
