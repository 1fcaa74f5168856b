"""The simulator's control paths `/_sim/…`: let things happen in the shop, look at what clients sent, switch faults.

They are no part of the platform. Callers send the app secret in the header X-Simulator-Key.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from plugins.taobao.simulator.faults import FAULTS, Faults, UnknownFault
from plugins.taobao.simulator.gateway import SimGateway
from plugins.taobao.simulator.shop import Shop

Facts = Mapping[str, Any]


def control(gateway: SimGateway, verb: str, body: bytes) -> tuple[int, dict[str, Any]]:
    """The HTTP status and JSON answer to one control request; `body` is a JSON object, or empty."""
    run = _VERBS.get(verb)
    if run is None:
        return 404, {"error": f"unknown verb; there are {', '.join(sorted(_VERBS))}"}
    try:
        facts = json.loads(body) if body.strip() else {}
        return 200, run(gateway, facts)
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration, UnknownFault) as error:
        return 400, {"error": f"{type(error).__name__}: {error}"}


def _state(gateway: SimGateway, _: Facts) -> dict[str, Any]:
    shop = gateway.shop
    return {
        "orders": len(shop.trades),
        "refunds": len(shop.refunds),
        "shipments": len(shop.shipments),
        "stock_updates": len(shop.stock_updates),
        "waiting_messages": shop.messages.waiting(),
        "faults_struck": dict(gateway.faults.struck),
        "faults": list(FAULTS),
    }


def _orders(gateway: SimGateway, _: Facts) -> dict[str, Any]:
    names = ("tid", "type", "status", "payment", "created", "modified")
    with gateway.shop.locked():
        return {"orders": [{name: trade[name] for name in names} for trade in gateway.shop.trades.values()]}


def _place(gateway: SimGateway, facts: Facts) -> dict[str, Any]:
    tid = gateway.shop.place(facts.get("codes"), kind=facts.get("kind", "fixed"))
    if facts.get("pay"):
        gateway.shop.pay(tid)
    return {"tid": tid}


def _faults(gateway: SimGateway, facts: Facts) -> dict[str, Any]:
    """Switch faults: a name with its rate, null for its usual rate, 0 to end it. An empty object ends all."""
    faults: Faults = gateway.faults
    if not facts:
        faults.switch_off()
    for name, rate in facts.items():
        faults.switch_on(name, rate)
    return {"faults": dict(facts)}


def _session(gateway: SimGateway, facts: Facts) -> dict[str, Any]:
    gateway.renew_session(str(facts["session"]))
    return {}


def _refund(gateway: SimGateway, facts: Facts) -> dict[str, Any]:
    return {"refund_id": gateway.shop.ask_refund(int(facts["tid"]), facts.get("oid"))}


def _settle(gateway: SimGateway, facts: Facts) -> dict[str, Any]:
    gateway.shop.settle_refund(str(facts["refund_id"]), status=facts.get("status", "SUCCESS"))
    return {}


def _status(gateway: SimGateway, facts: Facts) -> dict[str, Any]:
    gateway.shop.set_status(int(facts["tid"]), str(facts["status"]))
    return {}


def _on_trade(happen: Callable[[Shop, int], None]) -> Callable[[SimGateway, Facts], dict[str, Any]]:
    def run(gateway: SimGateway, facts: Facts) -> dict[str, Any]:
        happen(gateway.shop, int(facts["tid"]))
        return {}

    return run


_VERBS: dict[str, Callable[[SimGateway, Facts], dict[str, Any]]] = {
    "state": _state,
    "orders": _orders,
    "shipments": lambda gateway, _: {"shipments": list(gateway.shop.shipments)},
    "stock": lambda gateway, _: {"stock": list(gateway.shop.stock_updates)},
    "place": _place,
    "pay": _on_trade(Shop.pay),
    "modify": _on_trade(Shop.modify),
    "close": _on_trade(Shop.close),
    "finish": _on_trade(Shop.finish),
    "refund": _refund,
    "settle": _settle,
    "status": _status,
    "faults": _faults,
    "session": _session,
}
