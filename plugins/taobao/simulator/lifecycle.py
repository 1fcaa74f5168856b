"""What happens to a simulated trade: paid, shipped, signed for, finished, closed, refunded.

Trades, their lines and refunds are dicts in the platform's own form, so an answer is a selection of their fields. Each function
moves one trade on and sets `modified`; the caller keeps the lists in order. Moments are text in China time.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Trade = dict[str, Any]
Line = dict[str, Any]
Refund = dict[str, Any]

CLOSED = ("TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO")
UNPAID = ("TRADE_NO_CREATE_PAY", "WAIT_BUYER_PAY", "PAY_PENDING", "WAIT_PRE_AUTH_CONFIRM")
SHIPPED = ("WAIT_BUYER_CONFIRM_GOODS", "TRADE_BUYER_SIGNED", "TRADE_FINISHED")
COMPANIES = {
    "SF": "顺丰速运",
    "ZTO": "中通快递",
    "YTO": "圆通速递",
    "STO": "申通快递",
    "YUNDA": "韵达快递",
    "EMS": "EMS",
    "POSTB": "邮政快递包裹",
    "DBKD": "德邦快递",
    "HTKY": "百世快递",
    "ZJS": "宅急送",
}


def lines_of(trade: Trade) -> list[Line]:
    """The trade's lines."""
    lines: list[Line] = trade["orders"]["order"]
    return lines


def set_status(trade: Trade, status: str, at: str) -> None:
    """Give the trade and all its open lines one status."""
    trade["status"], trade["modified"] = status, at
    for line in lines_of(trade):
        if line["status"] not in CLOSED:
            line["status"] = status


def pay(trade: Trade, at: str) -> None:
    """The buyer pays: all of it, or the next part of a presale."""
    step = trade.get("step_trade_status")
    if step == "FRONT_NOPAID_FINAL_NOPAID":
        trade["step_trade_status"], trade["modified"] = "FRONT_PAID_FINAL_NOPAID", at
        return
    if step:
        trade["step_trade_status"], trade["step_paid_fee"] = "FRONT_PAID_FINAL_PAID", trade["payment"]
    trade["pay_time"] = at
    set_status(trade, "WAIT_SELLER_SEND_GOODS", at)


def ship(trade: Trade, lines: list[Line], company_code: str, out_sid: str, at: str) -> None:
    """The seller ships `lines`; the trade counts as shipped once no open line is left."""
    for line in lines:
        line |= {
            "status": "WAIT_BUYER_CONFIRM_GOODS",
            "invoice_no": out_sid,
            "logistics_company": COMPANIES.get(company_code, company_code),
            "consign_time": at,
        }
    is_partial = any(line["status"] == "WAIT_SELLER_SEND_GOODS" for line in lines_of(trade))
    trade["is_part_consign"] = bool(trade.get("is_part_consign")) or is_partial
    trade["status"] = "SELLER_CONSIGNED_PART" if is_partial else "WAIT_BUYER_CONFIRM_GOODS"
    trade["modified"] = at
    trade.setdefault("consign_time", at)


def finish(trade: Trade, at: str) -> None:
    """The buyer confirms the goods."""
    set_status(trade, "TRADE_FINISHED", at)
    trade["end_time"], trade["received_payment"] = at, trade["payment"]
    for line in lines_of(trade):
        line.setdefault("end_time", at)


def close(trade: Trade, at: str, *, status: str) -> None:
    """Close the trade: TRADE_CLOSED_BY_TAOBAO before payment, TRADE_CLOSED after it."""
    set_status(trade, status, at)
    trade["end_time"] = at


def ask_refund(trade: Trade, line: Line, refund_id: str, at: str, *, reason: str) -> Refund:
    """The buyer asks for the money of one line back; with the goods when they are on their way."""
    is_shipped = line["status"] in SHIPPED
    line["refund_status"], line["refund_id"], trade["modified"] = "WAIT_SELLER_AGREE", refund_id, at
    fee = Decimal(line["divide_order_fee"])
    return {
        "refund_id": refund_id,
        "tid": trade["tid"],
        "oid": line["oid"],
        "title": line["title"],
        "num": line["num"],
        "num_iid": line["num_iid"],
        "price": line["price"],
        "total_fee": line["divide_order_fee"],
        "payment": "0.00",
        "refund_fee": f"{fee:.2f}",
        "status": "WAIT_SELLER_AGREE",
        "order_status": line["status"],
        "good_status": "BUYER_RECEIVED" if is_shipped else "BUYER_NOT_RECEIVED",
        "has_good_return": is_shipped,
        "refund_phase": "aftersale" if line["status"] == "TRADE_FINISHED" else "onsale",
        "refund_version": int(refund_id[-12:]),
        "dispute_type": "REFUND_AND_RETURN" if is_shipped else "REFUND",
        "reason": reason,
        "desc": "",
        "created": at,
        "modified": at,
        "seller_nick": trade["seller_nick"],
        "outer_id": line.get("outer_sku_id") or line.get("outer_iid") or "",
        "operation_contraint": "null",
        "buyer_nick": trade["buyer_nick"],
        "buyer_open_uid": trade["buyer_open_uid"],
    }


def settle_refund(trade: Trade, refund: Refund, at: str, *, status: str) -> None:
    """Move a refund on; SUCCESS closes its line, and the trade when no open line is left."""
    refund["status"], refund["modified"], trade["modified"] = status, at, at
    for line in lines_of(trade):
        if line["oid"] != refund["oid"]:
            continue
        line["refund_status"] = status
        if status == "SUCCESS" and line["status"] != "TRADE_FINISHED":
            line["status"], line["end_time"] = "TRADE_CLOSED", at
    open_states = {line["status"] for line in lines_of(trade)} - set(CLOSED)
    if not open_states:
        trade["status"], trade["end_time"] = "TRADE_CLOSED", at
    elif trade["status"] == "SELLER_CONSIGNED_PART" and "WAIT_SELLER_SEND_GOODS" not in open_states:
        trade["status"] = "WAIT_BUYER_CONFIRM_GOODS"
