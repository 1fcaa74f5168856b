"""The gateway: who calls, is the call sound, and which service answers."""

from __future__ import annotations

import collections
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from plugins.jd.signing import is_signed
from plugins.jd.simulator import aftersale_methods, goods_methods, order_methods
from plugins.jd.simulator.answering import GatewayError, root_of
from plugins.jd.simulator.faults import Faults
from plugins.jd.simulator.shop import Shop
from plugins.jd.simulator.wire import business_of
from plugins.jd.times import moment_from

_TOLERANCE = timedelta(minutes=6)
_VERSION = "2.0"
_ORDER_LISTS = frozenset(("jingdong.pop.order.search", "jingdong.pop.order.enSearch", "360buy.order.search"))
_Service = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class App:
    """The one app that the gateway knows, and its token for the shop."""

    key: str
    secret: str
    session: str


class Limiter:
    """At most `per_second` calls in any second, in all and for each method."""

    def __init__(self, per_second: int) -> None:
        self.per_second = per_second
        self._lock = threading.Lock()
        self._calls: dict[str, collections.deque[float]] = collections.defaultdict(collections.deque)

    def admits(self, method: str) -> bool:
        """Whether one more call of the method is allowed now."""
        now = time.monotonic()
        with self._lock:
            lanes = [self._calls[""], self._calls[method]]
            for lane in lanes:
                while lane and lane[0] <= now - 1:
                    lane.popleft()
            if any(len(lane) >= self.per_second for lane in lanes):
                return False
            for lane in lanes:
                lane.append(now)
        return True


class Gateway:
    """Answers JOS calls for one app and one shop."""

    def __init__(self, app: App, shop: Shop, faults: Faults, *, calls_per_second: int) -> None:
        self.app = app
        self.shop = shop
        self.faults = faults
        self.limiter = Limiter(calls_per_second)
        self.is_session_valid = True
        self.calls: collections.Counter[str] = collections.Counter()
        self._dice = random.Random(f"{shop.seed}/moving")  # noqa: S311 - repeatable chance, no secret
        self._services = self._table()

    def _table(self) -> dict[str, _Service]:
        shop, faults = self.shop, self.faults
        return {
            "jingdong.pop.order.search": partial(order_methods.search, shop, faults),
            "jingdong.pop.order.enSearch": partial(order_methods.search, shop, faults, encrypted=True),
            "jingdong.pop.order.get": partial(order_methods.detail, shop),
            "jingdong.pop.order.enGet": partial(order_methods.detail, shop, encrypted=True),
            "jingdong.pop.order.shipment": partial(order_methods.shipment, shop),
            "jingdong.pop.order.modifyVenderRemark": partial(order_methods.remark, shop),
            "360buy.order.search": partial(order_methods.old_search, shop, faults),
            "360buy.order.get": partial(order_methods.old_detail, shop),
            "360buy.order.sop.outstorage": partial(order_methods.outstorage, shop),
            "360buy.order.sop.waybill.update": partial(order_methods.waybill_update, shop),
            "jingdong.pop.afs.soa.refundapply.queryPageList": partial(aftersale_methods.applications, shop, faults),
            "jingdong.pop.afs.soa.refundapply.replyRefund": partial(aftersale_methods.reply, shop),
            "jingdong.asc.serviceAndRefund.view": partial(aftersale_methods.services, shop, faults),
            "jingdong.b2c.shop.aftersales.refund.get": partial(aftersale_methods.service_money, shop),
            "jingdong.seller.vender.info.get": partial(goods_methods.vender, shop),
            "jingdong.vender.shop.query": partial(goods_methods.shop_query, shop),
            "jingdong.sku.read.searchSkuList": partial(goods_methods.skus, shop, faults),
            "jingdong.sku.read.findSkuById": partial(goods_methods.one_sku, shop),
            "jingdong.ware.read.searchWare4Valid": partial(goods_methods.wares, shop, faults),
            "jingdong.ware.stock.sku.set": partial(goods_methods.set_stock, shop),
            "jingdong.stock.write.updateSkuStock": partial(goods_methods.set_stock_old, shop),
        }

    def remove(self, method: str) -> None:
        """Withdraw a service, as JD does with outdated ones."""
        del self._services[method]

    def _check_clock(self, timestamp: str) -> None:
        try:
            moment = moment_from(timestamp) if not timestamp.isdecimal() else None
        except (ValueError, OverflowError) as error:
            raise GatewayError("8") from error
        if moment is None or abs(moment - self.shop.clock.now()) > _TOLERANCE:
            raise GatewayError("8")

    def _check(self, parameters: Mapping[str, str]) -> str:
        """The wanted method of a sound call. Raises: GatewayError."""
        if not parameters.get("method"):
            raise GatewayError("14")
        if not parameters.get("v"):
            raise GatewayError("4")
        if parameters["v"] != _VERSION:
            raise GatewayError("5")
        if not parameters.get("timestamp"):
            raise GatewayError("7")
        self._check_clock(parameters["timestamp"])
        if not parameters.get("app_key"):
            raise GatewayError("20")
        if parameters["app_key"] != self.app.key:
            raise GatewayError("21")
        if not parameters.get("sign"):
            raise GatewayError("11")
        if not is_signed(parameters, self.app.secret):
            raise GatewayError("12")
        if parameters["method"] not in self._services:
            raise GatewayError("15")
        if parameters.get("access_token") != self.app.session or not self.is_session_valid or self.faults.strikes("expired-session"):
            raise GatewayError("19")
        return parameters["method"]

    def answer(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """The JSON value that answers a call; every refusal of the gateway is one too."""
        try:
            method = self._check(parameters)
            return {root_of(method): {"code": "0", **self._served(method, parameters)}}
        except GatewayError as error:
            return error.answer()

    def _served(self, method: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        if self.faults.strikes("throttle") or not self.limiter.admits(method):
            raise GatewayError("2")
        try:
            business = business_of(parameters)
        except (ValueError, TypeError, RecursionError) as error:
            raise GatewayError("63") from error
        with self.shop.lock:
            self.calls[method] += 1
            content = self._services[method](business)
            if method in _ORDER_LISTS and self.faults.strikes("moving-rows"):
                self._move_a_row()
        return content

    def _move_a_row(self) -> None:
        numbers = [order.number for order in self.shop.in_state("WAIT_SELLER_STOCK_OUT", "WAIT_GOODS_RECEIVE_CONFIRM")]
        if numbers:
            self.shop.touch(self.shop.get(self._dice.choice(numbers)))
