"""The simulator's own controls under `/_sim/`, for whoever knows the app secret."""

from __future__ import annotations

import hmac
import json
import random
from collections.abc import Callable, Mapping
from typing import Any

from plugins.jd.simulator import deeds
from plugins.jd.simulator.gateway import Gateway
from plugins.jd.simulator.generator import place
from plugins.jd.simulator.shop import STATE_TEXTS, NoSuchThing, NotNow, Order, Shop

PREFIX = "/_sim/"
SECRET_HEADER = "X-Sim-Secret"  # noqa: S105 - the name of a header
_MOST_AT_ONCE = 10_000
_Deed = Callable[[Mapping[str, Any]], Any]


class Control:
    """Carries out `POST /_sim/<deed>` with a JSON object, and answers with the state it led to."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._dice = random.Random(f"{gateway.shop.seed}/control")  # noqa: S311 - repeatable chance, no secret
        shop = gateway.shop
        simple = (deeds.pay, deeds.lock, deeds.unlock, deeds.cancel, deeds.finish)
        self._deeds: dict[str, _Deed] = {
            **{deed.__name__: self._simple(deed) for deed in simple},
            "place": self._place,
            "split": lambda wish: [_told(child) for child in deeds.split(shop, _number(wish), wish["parts"])],
            "refund": lambda wish: deeds.apply_refund(shop, _number(wish)).info,
            "decide_refund": lambda wish: deeds.decide_refund(shop, str(wish["refund"]), is_granted=wish["granted"] is True).info,
            "service": lambda wish: deeds.open_service(shop, _number(wish), expects=int(wish.get("expects", 10))).info,
            "touch": lambda wish: _told(shop.touch(shop.get(_number(wish)))),
            "order": lambda wish: shop.get(_number(wish)).info,
            "orders": self._orders,
            "shipments": lambda _wish: shop.shipments,
            "stock": lambda _wish: {sku.code or sku.sku_id: shop.stock[sku.sku_id] for sku in shop.skus},
            "faults": self._faults,
            "session": self._session,
            "stats": lambda _wish: {"orders": sum(order.is_listed for order in shop.orders.values()), "calls": dict(gateway.calls)},
        }

    def _simple(self, deed: Callable[[Shop, str], Order]) -> _Deed:
        return lambda wish: _told(deed(self._gateway.shop, _number(wish)))

    def is_allowed(self, secret: str) -> bool:
        """Whether the caller knows the app secret."""
        return hmac.compare_digest(secret.encode("utf-8", "replace"), self._gateway.app.secret.encode())

    def carry_out(self, name: str, body: bytes) -> tuple[int, Any]:
        """HTTP status and JSON value: 404 for an unknown deed or number, 409 where the state forbids it, 422 for a wrong wish."""
        deed = self._deeds.get(name)
        if deed is None:
            return 404, {"error": f"no such deed; there are {', '.join(sorted(self._deeds))}"}
        try:
            wish = json.loads(body or b"{}")
            with self._gateway.shop.lock:
                return 200, deed(wish)
        except NoSuchThing as error:
            return 404, {"error": f"there is no {error}"}
        except NotNow as error:
            return 409, {"error": str(error)}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return 422, {"error": f"the wish is wrong: {error}"}

    def _place(self, wish: Mapping[str, Any]) -> list[dict[str, str]]:
        shop = self._gateway.shop
        lines = [(shop.sku(code=line["code"]), int(line.get("quantity", 1))) for line in wish.get("lines", ())]
        state, count = wish.get("state", "WAIT_SELLER_STOCK_OUT"), int(wish.get("count", 1))
        if state not in STATE_TEXTS or not 1 <= count <= _MOST_AT_ONCE or any(quantity < 1 for _, quantity in lines):
            raise ValueError("state, count or quantity")
        return [_told(place(shop, self._dice, lines=lines, state=state)) for _ in range(count)]

    def _orders(self, wish: Mapping[str, Any]) -> list[dict[str, str]]:
        states = wish.get("states") or list(STATE_TEXTS)
        return [_told(order) for order in self._gateway.shop.in_state(*states)]

    def _faults(self, wish: Mapping[str, Any]) -> dict[str, float]:
        if "names" in wish:
            self._gateway.faults.set(wish["names"])
        return self._gateway.faults.rates

    def _session(self, wish: Mapping[str, Any]) -> dict[str, bool]:
        if "valid" in wish:
            self._gateway.is_session_valid = wish["valid"] is True
        return {"valid": self._gateway.is_session_valid}


def _number(wish: Mapping[str, Any]) -> str:
    return str(wish["order"])


def _told(order: Order) -> dict[str, str]:
    names = ("orderId", "orderState", "modified", "parentOrderId", "waybill", "logisticsId", "orderPayment")
    return {name: order.info[name] for name in names}
