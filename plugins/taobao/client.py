"""One authorised Taobao shop: orders, refunds, shipments, stock, items and push messages.

Implements `core.sdk.Connection`. Every method talks to the platform and may raise Unavailable, Denied, Invalid or NotFound
(errors.py). Nothing is kept between calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.sdk import ChannelMessage, ChannelSku, Document, Invalid, PluginContext, PushResult, ShipmentPush, Stamp, StockPush, Window
from plugins.taobao import items, shipping
from plugins.taobao.errors import AppRefused, UnreadableAnswer
from plugins.taobao.gateway import Gateway, china_text
from plugins.taobao.listing import LARGEST_PAGE, PAGE_SIZE, Listing
from plugins.taobao.wire import Node, parsed

# The platform refuses a longer span of modified moments, and keeps three months of orders.
LONGEST_SPAN = timedelta(days=1)
_SECOND = timedelta(seconds=1)

# Left to itself the platform lists five of these; presale, O2O and pre-authorised orders would be missing from the rest.
TRADE_TYPES = (
    "guarantee_trade,auto_delivery,ec,cod,step,fixed,auction,independent_simple_trade,independent_shop_trade,fenxiao,"
    "game_equipment,shopex_trade,netcn_trade,external_trade,o2o_offlinetrade,nopaid,pre_auth_type"
)
REFUND_TYPES = "guarantee_trade,auto_delivery,fixed,auction,cod,step,ec,fenxiao,nopaid,pre_auth_type"
TRADE_FIELDS = (
    "tid,tid_str,type,status,seller_nick,buyer_nick,buyer_open_uid,title,created,modified,pay_time,consign_time,end_time,payment,"
    "post_fee,total_fee,discount_fee,adjust_fee,received_payment,buyer_cod_fee,shipping_type,trade_from,seller_flag,seller_memo,"
    "buyer_message,has_buyer_message,receiver_name,receiver_country,receiver_state,receiver_city,receiver_district,receiver_town,"
    "receiver_address,receiver_zip,receiver_mobile,receiver_phone,oaid,num,is_part_consign,step_trade_status,step_paid_fee,"
    "est_con_time,send_time,delivery_time,top_hold,forbid_consign,team_buy_hold,share_group_hold,ofp_hold,is_sh_ship,"
    "rx_audit_status,modify_address,orders"
)
REFUND_FIELDS = (
    "refund_id,tid,oid,title,num,total_fee,payment,refund_fee,status,order_status,good_status,has_good_return,refund_phase,"
    "refund_version,dispute_type,reason,desc,created,modified,company_name,sid,outer_id,buyer_open_uid"
)
_NEEDED = ("status", "payment", "post_fee", "modified", "created", "oaid")
_NEEDED_OF_LINE = ("oid", "num", "price", "status", "divide_order_fee")


class TaobaoConnection:
    """A shop on Taobao, reached through the Taobao Open Platform; made by the marketplace's `connect`."""

    def __init__(self, ctx: PluginContext, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._ctx = ctx
        self._gateway = Gateway(ctx, pause=pause)

    def check(self) -> str:
        """Prove that the credentials work; returns the shop's name."""
        return Node(self._gateway.read("taobao.shop.seller.get", fields="sid,title")).child("shop").text("title")

    def changed_orders(self, window: Window) -> Iterator[Document]:
        """All orders modified in the window, each with full detail; spans of more than a day are asked for in parts."""
        for start, end in _spans(window):
            params = {**_modified(start, end), "type": TRADE_TYPES, "fields": TRADE_FIELDS}
            for row in self._listing("taobao.trades.sold.increment.get", "trade", params).rows():
                whole = row.fields if _is_whole(row) else self._trade(row.number("tid_str", "tid"))
                yield _document("order", Node(whole).number("tid_str", "tid"), whole)

    def order_stamps(self, window: Window) -> Iterator[Stamp]:
        """All orders created in the window (the platform keeps three months)."""
        params = {"start_created": _start_text(window.start), "end_created": _end_text(window), "type": TRADE_TYPES}
        params |= {"fields": "tid,tid_str,created,modified", "page_size": str(LARGEST_PAGE)}
        listing = self._listing("taobao.trades.sold.get", "trade", params, sorted_by="created")
        stamps: dict[str, Stamp] = {}
        for row in listing.rows():
            stamp = Stamp(row.number("tid_str", "tid"), _modified_at(row))
            known = stamps.get(stamp.external_id)
            if not known or known.modified_at < stamp.modified_at:
                stamps[stamp.external_id] = stamp
        yield from stamps.values()

    def order(self, external_id: str) -> Document:
        """One order. Raises NotFound when the shop has no such order."""
        return _document("order", external_id, self._trade(external_id))

    def changed_refunds(self, window: Window) -> Iterator[Document]:
        """All refunds modified in the window."""
        for start, end in _spans(window):
            params = {**_modified(start, end), "type": REFUND_TYPES, "fields": REFUND_FIELDS}
            for row in self._listing("taobao.refunds.receive.get", "refund", params).rows():
                yield _document("refund", row.number("refund_id"), row.fields)

    def push_shipment(self, push: ShipmentPush) -> PushResult:
        """Report a shipment. Reads the order first, so the same push twice is harmless; sends nothing in a dry run."""
        return shipping.push(self._gateway, push, is_dry_run=self._ctx.dry_run)

    def has_shipment(self, push: ShipmentPush) -> bool:
        """Whether the platform knows this tracking number on all lines that the push names."""
        return shipping.is_known(self._gateway, push)

    def push_stock(self, levels: Sequence[StockPush]) -> list[PushResult]:
        """Set shown stock in calls of at most 20 SKUs of one item; one result per level, in the same order."""
        return items.push_levels(self._gateway, levels, is_dry_run=self._ctx.dry_run)

    def skus(self) -> Iterator[ChannelSku]:
        """Every SKU of the items on sale and in stock; an item without SKUs is one with an empty `external_sku`."""
        return items.skus(self._gateway)

    def messages(self) -> Sequence[ChannelMessage]:
        """Up to 200 waiting messages. A shop whose messages are not switched on yet is switched on, and then has none.

        Apps without the permission for messages have none either; polling does without them.
        """
        try:
            answer = self._gateway.read("taobao.tmc.messages.consume", quantity="200")
            rows = Node(answer).children("messages", "tmc_message")
            if not rows and not self._ctx.dry_run:
                self._gateway.write("taobao.tmc.user.permit")
        except AppRefused:
            return []
        return [_message(row) for row in rows]

    def confirm(self, message_ids: Sequence[str]) -> None:
        """Tell the platform that these messages are stored, at most 200 in one call."""
        if self._ctx.dry_run:
            return
        for first in range(0, len(message_ids), 200):
            # Confirming twice is harmless, so this call may be repeated like a read.
            self._gateway.read("taobao.tmc.messages.confirm", s_message_ids=",".join(message_ids[first : first + 200]))

    def _trade(self, tid: str) -> Mapping[str, Any]:
        fields = f"{TRADE_FIELDS},promotion_details,service_tags"
        answer = self._gateway.read("taobao.trade.fullinfo.get", fields=fields, tid=tid, include_oaid="include_oaid")
        return Node(answer).child("trade").fields

    def _listing(self, method: str, item: str, params: dict[str, str], *, sorted_by: str = "modified") -> Listing:
        params = {"page_size": str(PAGE_SIZE)} | params

        def fetch(page_no: int, *, use_has_next: bool) -> Mapping[str, Any]:
            return self._gateway.read(method, **params, page_no=str(page_no), use_has_next="true" if use_has_next else "false")

        return Listing(fetch, item, "tid" if item == "trade" else "refund_id", sorted_by, int(params["page_size"]))


def _spans(window: Window) -> Iterator[tuple[datetime, datetime]]:
    """The window in parts that the platform accepts, whole seconds; neighbours share their border."""
    start, end = window.start.replace(microsecond=0), _whole_second_after(window.end)
    while True:
        stop = min(start + LONGEST_SPAN, end)
        yield start, max(stop, start + _SECOND)
        if stop >= end:
            return
        start = stop


def _modified(start: datetime, end: datetime) -> dict[str, str]:
    return {"start_modified": china_text(start), "end_modified": china_text(end)}


def _start_text(moment: datetime) -> str:
    return china_text(moment.replace(microsecond=0))


def _end_text(window: Window) -> str:
    return china_text(max(_whole_second_after(window.end), window.start.replace(microsecond=0) + _SECOND))


def _whole_second_after(moment: datetime) -> datetime:
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + _SECOND


def _is_whole(row: Node) -> bool:
    """Whether a row of a list holds all that the mapping needs; the platform may leave parts out of lists."""
    if not all(row.has(name) for name in _NEEDED) or (row.flag("has_buyer_message") and not row.has("buyer_message")):
        return False
    lines = row.children("orders", "order")
    return bool(lines) and all(line.has(name) for line in lines for name in _NEEDED_OF_LINE)


def _modified_at(row: Node) -> datetime:
    moment = row.moment("modified")
    if moment is None:
        raise UnreadableAnswer(detail="A row without its modified moment.")
    return moment


def _document(kind: str, external_id: str, fields: Mapping[str, Any]) -> Document:
    modified_at = _modified_at(Node(fields))
    return Document(kind, external_id, modified_at.astimezone(UTC).isoformat(), modified_at, dict(fields))


def _message(row: Node) -> ChannelMessage:
    """What a push message is about: an order, also for refunds, as the order shows on which line the refund is.

    Its content is a snapshot in JSON that may be outdated, so only the number is taken.
    """
    topic = row.text("topic")
    try:
        content = parsed(row.text("content"))
        facts = Node(content if isinstance(content, Mapping) else {})
        external_id = facts.optional_number("tid") if "_trade_" in topic or "_refund_" in topic else ""
    except Invalid:
        # A message that cannot be read must not stop those behind it; polling finds what it meant.
        external_id = ""
    return ChannelMessage(row.number("id"), topic, "order", external_id)
