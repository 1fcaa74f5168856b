"""The platform's methods on trades and refunds.

Source: the official pages of taobao.trades.sold.*, taobao.trade.*, taobao.refund*, (shared reference marketplaces §2.5 to §2.8).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from plugins.taobao.simulator.arguments import Arguments, Fields, page_of, wrapped
from plugins.taobao.simulator.lifecycle import UNPAID, Refund, Trade, lines_of
from plugins.taobao.simulator.protocol import business_error, invalid
from plugins.taobao.simulator.shop import Index, Shop

LONGEST_SPAN = timedelta(days=1)
KEPT = timedelta(days=92)
_DEFAULT_TYPES = "guarantee_trade,auto_delivery,ec,cod,step"
_REFUND_TYPES = "guarantee_trade,auto_delivery"
_TRADE_LISTS = {"orders": "order", "promotion_details": "promotion_detail"}
# Lists hold part of a trade only; the rest comes with the full trade.
_LIST_LISTS = {"orders": "order", "promotion_details": None}
_STATUS_GROUPS = {
    "ALL_WAIT_PAY": ("WAIT_BUYER_PAY", "TRADE_NO_CREATE_PAY"),
    "ALL_CLOSED": ("TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"),
}
_STATUSES = {
    *UNPAID,
    "WAIT_SELLER_SEND_GOODS",
    "SELLER_CONSIGNED_PART",
    "WAIT_BUYER_CONFIRM_GOODS",
    "TRADE_BUYER_SIGNED",
    "TRADE_FINISHED",
    "TRADE_CLOSED",
    "TRADE_CLOSED_BY_TAOBAO",
    "PAID_FORBID_CONSIGN",
}


def sold_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.trades.sold.get: by moment of creation, the last three months."""
    fields = args.fields()
    oldest = (datetime.fromisoformat(shop.now_text()) - KEPT).isoformat(" ")
    start, end = args.moment("start_created", oldest), args.moment("end_created", "9999-12-31 23:59:59")
    if end < start:
        raise invalid("end_created", "end_created is before start_created")
    return _trade_page(shop, args, fields, shop.by_created, (max(start, oldest), end))


def sold_increment_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.trades.sold.increment.get: by moment of change, a day at most."""
    return _increment(shop, args, "start_modified", "end_modified")


def sold_incrementv_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.trades.sold.incrementv.get: by moment of arrival in the seller's database; here no row arrives late."""
    return _increment(shop, args, "start_create", "end_create")


def fullinfo_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.trade.fullinfo.get and taobao.trade.get: one trade with everything that is asked for."""
    fields = args.fields()
    trade = trade_of(shop, args)
    picked = fields.of(trade, _TRADE_LISTS)
    if args.text("include_oaid"):
        picked["oaid"] = trade["oaid"]
    return {"trade": picked}


def memo_add(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.trade.memo.add: only once for a trade."""
    trade = trade_of(shop, args)
    if trade.get("seller_memo"):
        raise business_error("isv.trade-memo-exist", "交易备注已存在，请使用taobao.trade.memo.update")
    _set_memo(shop, args, trade, args.required("memo"))
    return {"trade": {"tid": trade["tid"], "created": trade["created"]}}


def memo_update(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.trade.memo.update: the seller's note and flag; `reset` empties the note."""
    trade = trade_of(shop, args)
    _set_memo(shop, args, trade, "" if args.flag("reset") else args.text("memo", trade.get("seller_memo", "")))
    return {"trade": {"tid": trade["tid"], "modified": trade["modified"]}}


def invoice_amount_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.trade.invoice.amount.get: what the seller has to invoice, in fen; refunded lines are taken off."""
    trade = trade_of(shop, args)
    refunded = sum(Decimal(line["divide_order_fee"]) for line in lines_of(trade) if line["refund_status"] == "SUCCESS")
    fen = max(int((Decimal(trade["payment"]) - refunded) * 100), 0)
    return {"consumer_invoice_amount": str(fen), "platform_invoice_amount": "0"}


def refunds_receive_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.refunds.receive.get: by moment of change, the newest first."""
    fields = args.fields()
    start, end = args.moment("start_modified", "0001-01-01"), args.moment("end_modified", "9999-12-31 23:59:59")
    if end < start:
        raise invalid("end_modified", "end_modified is before start_modified")
    status, types = args.text("status"), _types(args, _REFUND_TYPES)
    refunds = [shop.refunds[number] for number in shop.refunds_by_modified.newest_first(start, end)]
    found = [one for one in refunds if status in ("", one["status"]) and shop.trades[one["tid"]]["type"] in types]
    return _page(args, found, "refund", fields.of)


def refund_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.refund.get: one refund."""
    fields = args.fields()
    refund: Refund | None = shop.refunds.get(args.number("refund_id"))
    if refund is None:
        raise business_error("isv.refund-not-exist", "退款不存在")
    return {"refund": fields.of(refund)}


def trade_of(shop: Shop, args: Arguments) -> Trade:
    """The trade that `tid` names. Raises TopError."""
    trade = shop.trades.get(args.number("tid", low=1))
    if trade is None:
        raise business_error("isv.trade-not-exist", "交易不存在")
    return trade


def _increment(shop: Shop, args: Arguments, start_name: str, end_name: str) -> dict[str, Any]:
    fields = args.fields()
    start, end = args.moment(start_name), args.moment(end_name)
    if end <= start:
        raise invalid(end_name, f"{end_name} is not after {start_name}")
    if datetime.fromisoformat(end) - datetime.fromisoformat(start) > LONGEST_SPAN:
        raise invalid(end_name, f"{end_name} - {start_name} is more than a day")
    oldest = (datetime.fromisoformat(shop.now_text()) - KEPT).isoformat(" ")
    return _trade_page(shop, args, fields, shop.by_modified, (max(start, oldest), end))


def _trade_page(shop: Shop, args: Arguments, fields: Fields, index: Index, span: tuple[str, str]) -> dict[str, Any]:
    status, types = args.text("status"), _types(args, _DEFAULT_TYPES)
    if status and status not in _STATUSES | set(_STATUS_GROUPS):
        raise invalid("status")
    wanted = _STATUS_GROUPS.get(status, (status,) if status else ())
    found = shop.listed(index, span, types, frozenset(wanted))
    return _page(args, found, "trade", lambda tid: fields.of(shop.trades[tid], _LIST_LISTS))


def _page(args: Arguments, found: list[Any], item: str, shown: Any) -> dict[str, Any]:
    """One page of what was found, with has_next or the count as the request wants."""
    page_no, page_size = args.page()
    rows, has_next = page_of(found, page_no, page_size)
    answer = wrapped(f"{item}s", item, (shown(row) for row in rows))
    return answer | ({"has_next": has_next} if args.flag("use_has_next") else {"total_results": len(found)})


def _types(args: Arguments, default: str) -> frozenset[str]:
    """The types of trades to list; guarantee_trade is the old name of those with a fixed price or an auction."""
    names = frozenset(name.strip() for name in args.text("type", default).split(","))
    return names | {"fixed", "auction"} if "guarantee_trade" in names else names


def _set_memo(shop: Shop, args: Arguments, trade: Trade, memo: str) -> None:
    if len(memo.encode()) > 1000:
        raise invalid("memo", "at most 1000 bytes")
    flag = args.number("flag", trade["seller_flag"], high=5)
    with shop.changing(trade["tid"], "taobao_trade_TradeMemoModified"):
        trade |= {"seller_memo": memo, "seller_flag": flag, "modified": shop.now_text()}
