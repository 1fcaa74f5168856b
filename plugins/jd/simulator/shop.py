"""The simulated shop: its orders, refunds, shipments and stock, and what buyers and JD do to them."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.sdk import Clock, SystemClock
from plugins.jd.simulator.catalog import Sku, catalog
from plugins.jd.times import wire_time

VENDER_ID = "10000001"
SHOP_ID = "20000001"
SHOP_NAME = "云上茶铺京东旗舰店"
STATE_TEXTS = {
    "NOT_PAY": "等待付款",
    "WAIT_SELLER_STOCK_OUT": "等待出库",
    "WAIT_SELLER_DELIVERY": "等待发货",
    "WAIT_GOODS_RECEIVE_CONFIRM": "等待确认收货",
    "FINISHED_L": "完成",
    "TRADE_CANCELED": "取消",
    "LOCKED": "锁定",
    "PAUSE": "暂停",
    "POP_ORDER_PAUSE": "POP业务暂停",
    "DELIVERY_RETURN": "配送退货",
}
_START_STOCK = 500


class NoSuchThing(LookupError):
    """The shop has no such order, refund or SKU."""


class NotNow(ValueError):
    """The state of the order or refund does not allow this."""


@dataclass(slots=True)
class Order:
    """An order as JD stores it; `info` is its OrderInfo. A parent that was split is no longer `is_listed`."""

    info: dict[str, Any]
    created: datetime
    modified: datetime
    is_listed: bool = True

    @property
    def number(self) -> str:
        """The order's number, as text."""
        return str(self.info["orderId"])

    @property
    def state(self) -> str:
        """The order's state in JD's words."""
        return str(self.info["orderState"])


@dataclass(slots=True)
class Application:
    """A buyer's request to cancel a paid order; `info` is an entry of refundapply.queryPageList."""

    info: dict[str, Any]
    applied: datetime
    modified: datetime
    checked: datetime | None = None


@dataclass(slots=True)
class Service:
    """An after-sale service; `info` is an entry of asc.serviceAndRefund.view."""

    info: dict[str, Any]
    applied: datetime
    approved: datetime | None = None


class Shop:
    """All state in memory; hold `lock` around every use."""

    def __init__(self, *, clock: Clock | None = None, seed: int = 1) -> None:
        self.clock = clock or SystemClock()
        self.seed = seed
        self.lock = threading.RLock()
        self.skus: tuple[Sku, ...] = catalog()
        self.stock = {sku.sku_id: _START_STOCK for sku in self.skus}
        self.orders: dict[str, Order] = {}
        self.applications: dict[str, Application] = {}
        self.services: dict[str, Service] = {}
        self.shipments: list[dict[str, str]] = []
        self._by_created: list[tuple[datetime, str]] = []
        self._by_modified: list[tuple[datetime, str]] = []
        self._last_number = 300_000_000_000 + seed % 90_000 * 1_000_000
        self._last_application = 500_000_000 + seed % 9_000 * 10_000
        self._last_service = 1_200_000_000 + seed % 9_000 * 10_000

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, number: object) -> Order:
        """Raises: NoSuchThing - unknown, or a parent that was split."""
        order = self.orders.get(str(number).strip())
        if order is None or not order.is_listed:
            raise NoSuchThing(str(number))
        return order

    def between(self, start: datetime, end: datetime, *, by_created: bool, states: frozenset[str] | None) -> list[str]:
        """Numbers of the listed orders created or modified from `start` to `end`, both included, oldest first; None means all states."""
        index = self._by_created if by_created else self._by_modified
        low = bisect.bisect_left(index, (start, ""))
        high = bisect.bisect_left(index, (end + timedelta(seconds=1), ""))
        numbers = [number for _, number in index[low:high]]
        return numbers if states is None else [number for number in numbers if self.orders[number].state in states]

    def in_state(self, *states: str) -> Iterator[Order]:
        """The listed orders in these states, oldest first."""
        return (order for order in self.orders.values() if order.is_listed and order.state in states)

    def sku(self, *, code: str = "", sku_id: str = "") -> Sku:
        """Raises: NoSuchThing - the shop has no such SKU."""
        for sku in self.skus:
            if (sku_id and sku.sku_id == sku_id) or (not sku_id and code and sku.code == code):
                return sku
        raise NoSuchThing(code or sku_id)

    # -- writing -------------------------------------------------------------------------------------------------------

    def next_number(self) -> str:
        """A fresh order number; numbers grow."""
        self._last_number += 7
        return str(self._last_number)

    def next_application(self) -> int:
        """A fresh number for a refund application."""
        self._last_application += 1
        return self._last_application

    def next_service(self) -> int:
        """A fresh number for an after-sale service."""
        self._last_service += 1
        return self._last_service

    def now(self) -> datetime:
        """The present moment to the second, as JD stores it."""
        return self.clock.now().replace(microsecond=0)

    def add(self, info: dict[str, Any], *, created: datetime, modified: datetime) -> Order:
        """Store a new order."""
        order = Order(info, created.replace(microsecond=0), modified.replace(microsecond=0))
        info["orderStartTime"], info["modified"] = wire_time(order.created), wire_time(order.modified)
        self.orders[order.number] = order
        bisect.insort(self._by_created, (order.created, order.number))
        bisect.insort(self._by_modified, (order.modified, order.number))
        return order

    def withdraw(self, order: Order) -> None:
        """Take the order off all lists; JD no longer tells of it."""
        del self._by_created[bisect.bisect_left(self._by_created, (order.created, order.number))]
        del self._by_modified[bisect.bisect_left(self._by_modified, (order.modified, order.number))]
        order.is_listed = False

    def touch(self, order: Order, **changes: Any) -> Order:
        """Change fields of a listed order's OrderInfo and move its modified moment to now."""
        order.info.update(changes)
        if "orderState" in changes:
            order.info["orderStateRemark"] = STATE_TEXTS[changes["orderState"]]
        del self._by_modified[bisect.bisect_left(self._by_modified, (order.modified, order.number))]
        order.modified = self.now()
        order.info["modified"] = wire_time(order.modified)
        bisect.insort(self._by_modified, (order.modified, order.number))
        return order
