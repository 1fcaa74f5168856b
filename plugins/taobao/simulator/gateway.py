"""The simulated gateway: from the parameters of one request to its answer, transport left aside."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from plugins.taobao.gateway import root_of
from plugins.taobao.simulator import account, goods, logistics, trades
from plugins.taobao.simulator.arguments import Arguments
from plugins.taobao.simulator.faults import SLOW_S, Faults, Limiter
from plugins.taobao.simulator.protocol import Credentials, TopError, check_envelope, check_session, rendered
from plugins.taobao.simulator.shop import Shop

Handler = Callable[[Shop, Arguments], dict[str, Any]]


@dataclass(frozen=True)
class Method:
    """One method of the platform. `lists` names the list whose rows the faults of lists disturb, and their key."""

    run: Handler
    needs_session: bool = True
    is_write: bool = False
    lists: tuple[str, str, str] | None = None


_TRADES = ("trades", "trade", "tid")
METHODS: dict[str, Method] = {
    "taobao.time.get": Method(account.time_get, needs_session=False),
    "taobao.shop.seller.get": Method(account.shop_seller_get),
    "taobao.user.seller.get": Method(account.user_seller_get),
    "taobao.trades.sold.get": Method(trades.sold_get, lists=_TRADES),
    "taobao.trades.sold.increment.get": Method(trades.sold_increment_get, lists=_TRADES),
    "taobao.trades.sold.incrementv.get": Method(trades.sold_incrementv_get, lists=_TRADES),
    "taobao.trade.fullinfo.get": Method(trades.fullinfo_get),
    "taobao.trade.get": Method(trades.fullinfo_get),
    "taobao.trade.memo.add": Method(trades.memo_add, is_write=True),
    "taobao.trade.memo.update": Method(trades.memo_update, is_write=True),
    "taobao.trade.invoice.amount.get": Method(trades.invoice_amount_get),
    "taobao.refunds.receive.get": Method(trades.refunds_receive_get, lists=("refunds", "refund", "refund_id")),
    "taobao.refund.get": Method(trades.refund_get),
    "taobao.logistics.offline.send": Method(logistics.offline_send, is_write=True),
    "taobao.logistics.online.send": Method(logistics.online_send, is_write=True),
    "taobao.logistics.online.confirm": Method(logistics.online_confirm, is_write=True),
    "taobao.logistics.dummy.send": Method(logistics.dummy_send, is_write=True),
    "taobao.logistics.consign.resend": Method(logistics.consign_resend, is_write=True),
    "taobao.logistics.companies.get": Method(logistics.companies_get, needs_session=False),
    "taobao.items.onsale.get": Method(goods.items_onsale_get),
    "taobao.items.inventory.get": Method(goods.items_inventory_get),
    "taobao.items.seller.list.get": Method(goods.items_seller_list_get),
    "taobao.item.seller.get": Method(goods.item_seller_get),
    "taobao.item.skus.get": Method(goods.item_skus_get),
    "taobao.skus.quantity.update": Method(goods.skus_quantity_update, is_write=True),
    "taobao.item.quantity.update": Method(goods.item_quantity_update, is_write=True),
    "taobao.tmc.user.permit": Method(account.tmc_user_permit, is_write=True),
    "taobao.tmc.user.get": Method(account.tmc_user_get, needs_session=False),
    "taobao.tmc.messages.consume": Method(account.tmc_messages_consume, needs_session=False),
    "taobao.tmc.messages.confirm": Method(account.tmc_messages_confirm, needs_session=False, is_write=True),
    "taobao.top.oaid.decrypt": Method(account.oaid_decrypt),
    "taobao.top.oaid.merge": Method(account.oaid_merge),
}


@dataclass(frozen=True)
class Answer:
    """What goes back over HTTP. With `is_lost` the connection breaks instead, after the effect; `delay_s` passes first."""

    status: int
    media_type: str
    text: str
    is_lost: bool = False
    delay_s: float = 0.0


class SimGateway:
    """Answers requests for one app and one shop."""

    def __init__(self, shop: Shop, credentials: Credentials, *, faults: Faults | None = None) -> None:
        self.shop = shop
        self.credentials = credentials
        self.faults = faults or Faults()
        self.limiter = Limiter(shop.clock)
        self._requests = itertools.count(1)

    def renew_session(self, session: str) -> None:
        """Let the present session expire in favour of `session`."""
        old = self.credentials
        self.credentials = replace(old, session=session, expired_sessions=old.expired_sessions | {old.session} - {session})

    def answer(self, params: Mapping[str, str]) -> Answer:
        """The answer to one request; `params` are all of its parameters but files."""
        faults = self.faults
        delay_s = SLOW_S if faults.strikes("slow") else 0.0
        if faults.strikes("http-5xx"):
            return Answer(502, "text/plain", "Bad Gateway", delay_s=delay_s)
        if faults.strikes("html-error"):
            page = "<!DOCTYPE html><html><head><title>error</title></head><body><h1>系统繁忙</h1></body></html>"
            return Answer(200, "text/html;charset=UTF-8", page, delay_s=delay_s)
        method = METHODS.get(params.get("method", ""))
        root, content = self._outcome(params, method)
        media_type, text = rendered(root, content | {"request_id": f"15rsim{next(self._requests):08x}"}, params)
        if faults.strikes("truncated-json"):
            text = text[: len(text) // 2]
        is_lost = method is not None and method.is_write and root != "error_response" and faults.strikes("answer-lost")
        return Answer(200, media_type, text, is_lost=is_lost, delay_s=delay_s)

    def _outcome(self, params: Mapping[str, str], method: Method | None) -> tuple[str, dict[str, Any]]:
        name = params.get("method", "")
        if method is None:
            error = TopError(22, "Invalid method", "isv.invalid-method") if name else TopError(21, "Missing method")
            return "error_response", error.content
        try:
            self._check(params, method)
            return root_of(name), self._run(method, params)
        except TopError as error:
            return "error_response", error.content

    def _check(self, params: Mapping[str, str], method: Method) -> None:
        """Everything but the method's own rules. Raises TopError."""
        check_envelope(params, self.credentials, self.shop.clock.now())
        if method.needs_session:
            check_session(params, self.credentials)
            if self.faults.strikes("expired-session"):
                raise TopError(27, "Invalid session", "session-expired", "session-expired")
        self.limiter.count(params["method"])
        if self.faults.strikes("throttle"):
            raise self.limiter.ban(params["method"])

    def _run(self, method: Method, params: Mapping[str, str]) -> dict[str, Any]:
        with self.shop.locked():
            content = method.run(self.shop, Arguments(params))
            if method.lists:
                self._disturb(content, *method.lists)
        return content

    def _disturb(self, content: dict[str, Any], name: str, item: str, key: str) -> None:
        """Rows that move while a client turns pages, and pages that come out wrong."""
        if name in content:
            content[name] = {item: self.faults.disturbed(content[name][item], key)}
        if self.faults.strikes("moving-rows"):
            self.shop.move_one()
