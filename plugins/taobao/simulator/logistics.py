"""The platform's methods with which a seller reports shipments.

Source: official pages of taobao.logistics.*; the sub codes B01, B04, B60, P38 as public clients name them.
"""

from __future__ import annotations

import re
from typing import Any

from plugins.taobao.simulator.arguments import Arguments, wrapped
from plugins.taobao.simulator.lifecycle import CLOSED, COMPANIES, SHIPPED, Line, Trade, lines_of
from plugins.taobao.simulator.protocol import TopError, business_error, invalid
from plugins.taobao.simulator.shop import Shop

_WAYBILL = re.compile(r"[A-Za-z0-9-]{4,40}", re.ASCII)
_COMPANY = re.compile(r"[A-Z][A-Z0-9_]{1,29}", re.ASCII)
_OK = {"shipping": {"is_success": True}}


def offline_send(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.logistics.offline.send: the order is on its way with a carrier of the seller's own."""
    return _send(shop, args, "offline", out_sid=args.required("out_sid"))


def online_send(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.logistics.online.send: the platform calls the carrier; without a waybill the order waits for online.confirm."""
    return _send(shop, args, "online", out_sid=args.text("out_sid"))


def online_confirm(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.logistics.online.confirm: the waybill of an order sent online without one."""
    trade = _trade_of(shop, args, "online")
    company, oids = trade.get("sim_online_send", ("", []))
    if not company:
        raise business_error("isv.logistics-online-service-error:B02", "订单没有待确认的在线下单")
    out_sid = _checked_waybill(args.required("out_sid"), "online")
    shop.ship(trade["tid"], [line for line in lines_of(trade) if line["oid"] in oids], company, out_sid)
    del trade["sim_online_send"]
    return _OK


def dummy_send(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.logistics.dummy.send: nothing travels, the order counts as shipped."""
    trade = _trade_of(shop, args, "dummy")
    lines = _to_ship(trade, args, "dummy")
    shop.ship(trade["tid"], lines, "", "")
    return _OK


def consign_resend(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.logistics.consign.resend: another waybill for what was shipped before."""
    company, out_sid = _company(args), _checked_waybill(args.required("out_sid"), "resend")
    trade = _trade_of(shop, args, "resend")
    lines = _chosen(trade, args, "resend")
    if not lines or any(line["status"] != "WAIT_BUYER_CONFIRM_GOODS" for line in lines):
        raise business_error("isv.logistics-resend-service-error:B04", "订单未发货或已完成，不能修改运单号")
    with shop.changing(trade["tid"], "taobao_trade_TradeLogisticsAddressChanged"):
        for line in lines:
            line |= {"invoice_no": out_sid, "logistics_company": COMPANIES.get(company, company)}
        trade["modified"] = shop.now_text()
        shop.note_shipment(trade["tid"], lines, company, out_sid)
    return _OK


def companies_get(shop: Shop, args: Arguments) -> dict[str, Any]:  # noqa: ARG001 - every method takes the shop
    """taobao.logistics.companies.get: carriers and their codes."""
    fields = args.fields()
    rows = ({"id": 500 + place, "code": code, "name": name} for place, (code, name) in enumerate(COMPANIES.items()))
    return wrapped("logistics_companies", "logistics_company", (fields.of(row) for row in rows))


def _send(shop: Shop, args: Arguments, way: str, *, out_sid: str) -> dict[str, Any]:
    company = _company(args)
    trade = _trade_of(shop, args, way)
    lines = _to_ship(trade, args, way)
    if out_sid:
        shop.ship(trade["tid"], lines, company, _checked_waybill(out_sid, way))
    else:
        with shop.changing(trade["tid"], ""):
            trade["sim_online_send"] = (company, [line["oid"] for line in lines])
    return _OK


def _trade_of(shop: Shop, args: Arguments, way: str) -> Trade:
    trade = shop.trades.get(args.number("tid", low=1))
    if trade is None:
        raise _refused(way, "B01", "订单不存在")
    return trade


def _to_ship(trade: Trade, args: Arguments, way: str) -> list[Line]:
    """The lines that can ship now. Raises TopError when one of the chosen ones cannot."""
    if trade["status"] in SHIPPED + CLOSED:
        raise _refused(way, "B04", "订单状态不对，该物流订单已经发货或者已关闭，不能重复发货")
    if trade["status"] not in ("WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART"):
        raise _refused(way, "B02", "订单状态不对，不能发货")
    chosen = _chosen(trade, args, way)
    if args.text("sub_tid"):
        if any(line["status"] != "WAIT_SELLER_SEND_GOODS" for line in chosen):
            raise _refused(way, "B04", "子订单已经发货或者已关闭，不能重复发货")
        return chosen
    return [line for line in chosen if line["status"] == "WAIT_SELLER_SEND_GOODS"]


def _chosen(trade: Trade, args: Arguments, way: str) -> list[Line]:
    """The lines that `sub_tid` names, or all that are not closed."""
    oids = args.numbers("sub_tid", most=50)
    lines = {line["oid"]: line for line in lines_of(trade)}
    if args.number("is_split", 0, high=1) and not oids:
        raise invalid("sub_tid", "is_split needs sub_tid")
    if any(oid not in lines for oid in oids):
        raise _refused(way, "P38", "拆单校验未通过")
    return [lines[oid] for oid in dict.fromkeys(oids)] or [line for line in lines.values() if line["status"] not in CLOSED]


def _company(args: Arguments) -> str:
    company = args.required("company_code")
    if not _COMPANY.fullmatch(company):
        raise invalid("company_code", "物流公司代码不存在")
    return company


def _checked_waybill(out_sid: str, way: str) -> str:
    if not _WAYBILL.fullmatch(out_sid.strip()):
        raise _refused(way, "B60", "运单号不符合规则")
    return out_sid.strip()


def _refused(way: str, code: str, why: str) -> TopError:
    return business_error(f"isv.logistics-{way}-service-error:{code}", why)
