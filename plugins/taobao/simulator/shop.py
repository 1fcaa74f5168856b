"""The simulated shop: its trades, refunds, goods, waiting messages and what clients sent, all in memory.

`Shop` is what the platform's methods read and change, and what tests and demos steer. It is safe to call from several threads:
every change takes the shop's lock, and `locked` lends it to callers that do several steps.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from core.sdk import Clock, SystemClock
from plugins.taobao.gateway import china_text
from plugins.taobao.simulator import lifecycle, profiles
from plugins.taobao.simulator.catalog import SimItem, SimSku, tea_shop
from plugins.taobao.simulator.generator import Made, TradeMaker, Wanted
from plugins.taobao.simulator.lifecycle import Line, Refund, Trade
from plugins.taobao.simulator.messages import MessageQueue
from plugins.taobao.simulator.receivers import SimReceiver


class Index:
    """Numbers in the order of a moment; finds a span without looking at the rest. `changes` counts what was put."""

    def __init__(self) -> None:
        self.changes = 0
        self._entries: list[tuple[str, int]] = []
        self._moments: dict[int, str] = {}

    def put(self, number: int, moment: str) -> None:
        """Place `number` at `moment`, wherever it stood before."""
        self.changes += 1
        before = self._moments.get(number)
        if before == moment:
            return
        if before is not None:
            del self._entries[bisect_left(self._entries, (before, number))]
        self._moments[number] = moment
        insort(self._entries, (moment, number))

    def newest_first(self, start: str = "", end: str = "9") -> list[int]:
        """The numbers from `start` to `end`, both included, the newest first."""
        low, high = bisect_left(self._entries, (start, 0)), bisect_right(self._entries, (end, 2**63))
        return [number for _, number in reversed(self._entries[low:high])]


class Shop:
    """One shop with `orders` invented orders; the same `seed` makes the same ones, relative to the clock's now."""

    def __init__(self, *, app_key: str, orders: int = 0, seed: int = 1, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.items: dict[int, SimItem] = {item.num_iid: item for item in tea_shop()}
        self.trades: dict[int, Trade] = {}
        self.receivers: dict[int, SimReceiver] = {}
        self.refunds: dict[int, Refund] = {}
        self.by_modified, self.by_created, self.refunds_by_modified = Index(), Index(), Index()
        self.shipments: list[dict[str, Any]] = []
        self.stock_updates: list[dict[str, Any]] = []
        self.messages = MessageQueue(self.clock, seed)
        self._maker = TradeMaker(seed, list(self.items.values()), app_key)
        self._lock = threading.RLock()
        self._listed: tuple[Any, list[int]] = (None, [])
        now = self.clock.now()
        for position in range(orders):
            self._take(profiles.history(self._maker, profiles.profile_at(self._maker, position), now))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the shop still for several steps."""
        with self._lock:
            yield

    def listed(self, index: Index, span: tuple[str, str], types: frozenset[str], statuses: frozenset[str]) -> list[int]:
        """The trades of a span, newest first, of these types and (unless empty) statuses.

        The list is kept until something changes, since clients ask for one page of it after the other.
        """
        key = (id(index), index.changes, self.by_modified.changes, span, types, statuses)
        if key != self._listed[0]:
            trades = ((number, self.trades[number]) for number in index.newest_first(*span))
            found = [n for n, trade in trades if trade["type"] in types and (not statuses or trade["status"] in statuses)]
            self._listed = (key, found)
        return self._listed[1]

    def now_text(self) -> str:
        """The shop's present moment as the platform writes it."""
        return china_text(self.clock.now())

    def place(self, codes: dict[str, int] | None = None, *, kind: str = "fixed", created: datetime | None = None) -> int:
        """A buyer orders `codes` (seller's code to number of units; some everyday goods if None); returns the trade's number."""
        with self._lock:
            wanted: Sequence[Wanted] = (
                [self._maker.by_code(code, num) for code, num in codes.items()]
                if codes
                else self._maker.some_goods(self._maker.random.choice((1, 1, 2, 3)))
            )
            made = self._maker.order(wanted, created or self.clock.now(), kind=kind)
            self._take(made)
            self._tell("taobao_trade_TradeCreate", made.trade)
            return int(made.trade["tid"])

    def pay(self, tid: int) -> None:
        """The buyer pays the order, or the next part of a presale."""
        with self.changing(tid, "taobao_trade_TradeBuyerPay") as trade:
            lifecycle.pay(trade, self.now_text())

    def modify(self, tid: int) -> None:
        """Something about the order changes that moves it in the lists."""
        with self.changing(tid, "taobao_trade_TradeChanged") as trade:
            trade["modified"] = self.now_text()

    def set_status(self, tid: int, status: str) -> None:
        """Give the order and its open lines any status of the platform."""
        with self.changing(tid, "taobao_trade_TradeChanged") as trade:
            lifecycle.set_status(trade, status, self.now_text())

    def close(self, tid: int) -> None:
        """Close the order: before payment by the platform, after it by a refund."""
        with self.changing(tid, "taobao_trade_TradeClose") as trade:
            is_unpaid = trade["status"] in lifecycle.UNPAID
            lifecycle.close(trade, self.now_text(), status="TRADE_CLOSED_BY_TAOBAO" if is_unpaid else "TRADE_CLOSED")

    def finish(self, tid: int) -> None:
        """The buyer confirms that the goods have come."""
        with self.changing(tid, "taobao_trade_TradeSuccess") as trade:
            lifecycle.finish(trade, self.now_text())

    def ask_refund(self, tid: int, oid: int | None = None, *, reason: str = "不想要了") -> str:
        """The buyer asks for the money of one line (the first if None) back; returns the refund's number."""
        with self.changing(tid, "") as trade:
            line = next(line for line in lifecycle.lines_of(trade) if oid in (None, line["oid"]))
            refund = lifecycle.ask_refund(trade, line, self._maker.new_refund_id(), self.now_text(), reason=reason)
            self._keep_refund(refund)
            self.messages.put("taobao_refund_RefundCreated", _about_refund(refund))
            return str(refund["refund_id"])

    def settle_refund(self, refund_id: str, *, status: str = "SUCCESS") -> None:
        """Move a refund on to any status of the platform."""
        refund = self.refunds[int(refund_id)]
        with self.changing(int(refund["tid"]), "") as trade:
            lifecycle.settle_refund(trade, refund, self.now_text(), status=status)
            self._keep_refund(refund)
            topic = {"SUCCESS": "RefundSuccess", "CLOSED": "RefundClosed"}.get(status, "RefundSellerAgreeAgreement")
            self.messages.put(f"taobao_refund_{topic}", _about_refund(refund))

    def ship(self, tid: int, lines: list[Line], company_code: str, out_sid: str) -> None:
        """Take a seller's report that `lines` are on their way."""
        with self.changing(tid, "taobao_trade_TradeSellerShip") as trade:
            lifecycle.ship(trade, lines, company_code, out_sid, self.now_text())
            self.note_shipment(tid, lines, company_code, out_sid)

    def note_shipment(self, tid: int, lines: list[Line], company_code: str, out_sid: str) -> None:
        """Keep what a client reported, in the order of the reports."""
        oids = [line["oid"] for line in lines]
        self.shipments.append({"tid": tid, "oids": oids, "company_code": company_code, "out_sid": out_sid})

    def set_stock(self, item: SimItem, sku: SimSku | None, quantity: int) -> None:
        """Show `quantity` as the stock of a SKU, or of an item without SKUs."""
        with self._lock:
            target = sku or item
            target.quantity = quantity
            target.modified = item.modified = self.now_text()
            number, code = (sku.sku_id if sku else 0), target.outer_id
            self.stock_updates.append({"num_iid": item.num_iid, "sku_id": number, "outer_id": code, "quantity": quantity})

    @contextmanager
    def changing(self, tid: int, topic: str) -> Iterator[Trade]:
        """Lend the trade for a change; then put it right in the lists and let a message on `topic` (if not empty) wait."""
        with self._lock:
            trade = self.trades[tid]
            yield trade
            self.by_modified.put(tid, trade["modified"])
            if topic:
                self._tell(topic, trade)

    def live_step(self) -> None:
        """Let a little happen: a new order comes in, an unpaid one is paid, now and then one is finished or refunded."""
        random = self._maker.random
        with self._lock:
            self.place()
            newest = self.by_modified.newest_first()[:200]
            unpaid = [tid for tid in newest if self.trades[tid]["status"] == "WAIT_BUYER_PAY"]
            if unpaid:
                self.pay(random.choice(unpaid))
            shipped = [tid for tid in newest if self.trades[tid]["status"] == "WAIT_BUYER_CONFIRM_GOODS"]
            if shipped and random.random() < 0.2:
                self.finish(random.choice(shipped))
            waiting = [tid for tid in newest if self.trades[tid]["status"] == "WAIT_SELLER_SEND_GOODS"]
            if waiting and random.random() < 0.05:
                self.ask_refund(random.choice(waiting))

    def move_one(self) -> None:
        """Change an order picked at random, so that it jumps to the front of the lists."""
        with self._lock:
            if self.trades:
                self.modify(self._maker.random.choice(list(self.trades)))

    def _take(self, made: Made) -> None:
        tid = int(made.trade["tid"])
        self.trades[tid], self.receivers[tid] = made.trade, made.receiver
        self.by_created.put(tid, made.trade["created"])
        self.by_modified.put(tid, made.trade["modified"])
        for refund in made.refunds:
            self._keep_refund(refund)

    def _keep_refund(self, refund: Refund) -> None:
        number = int(refund["refund_id"])
        self.refunds[number] = refund
        self.refunds_by_modified.put(number, refund["modified"])

    def _tell(self, topic: str, trade: Trade) -> None:
        names = ("tid", "status", "payment", "post_fee", "type", "buyer_nick", "seller_nick", "modified")
        facts = {name: trade[name] for name in names}
        self.messages.put(topic, facts | {"oid": lifecycle.lines_of(trade)[0]["oid"]})


def _about_refund(refund: Refund) -> dict[str, Any]:
    names = ("refund_fee", "tid", "oid", "seller_nick", "buyer_nick", "refund_phase", "modified")
    return {name: refund[name] for name in names} | {"refund_id": int(refund["refund_id"]), "bill_type": "refund_bill"}
