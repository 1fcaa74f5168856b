"""The platform's methods on the seller's account: shop, user, clock, push messages and receivers' privacy.

Source: official pages of taobao.tmc.*, taobao.top.oaid.*, taobao.shop.seller.get, taobao.user.seller.get, taobao.time.get.
"""

from __future__ import annotations

import json
from typing import Any

from plugins.taobao.simulator.arguments import Arguments, wrapped
from plugins.taobao.simulator.generator import SELLER_NICK, SHOP_TITLE
from plugins.taobao.simulator.messages import USER_ID
from plugins.taobao.simulator.protocol import invalid
from plugins.taobao.simulator.shop import Shop

_CREATED = "2025-03-01 10:00:00"


def time_get(shop: Shop, args: Arguments) -> dict[str, Any]:  # noqa: ARG001 - every method takes its arguments
    """taobao.time.get: the platform's clock."""
    return {"time": shop.now_text()}


def shop_seller_get(shop: Shop, args: Arguments) -> dict[str, Any]:  # noqa: ARG001 - every method takes the shop
    """taobao.shop.seller.get: the seller's shop."""
    return {"shop": args.fields().of({"sid": 62_000_001, "title": SHOP_TITLE, "pic_path": "/x.jpg", "nick": SELLER_NICK})}


def user_seller_get(shop: Shop, args: Arguments) -> dict[str, Any]:  # noqa: ARG001 - every method takes the shop
    """taobao.user.seller.get: the seller."""
    user = {"user_id": USER_ID, "nick": SELLER_NICK, "type": "C", "status": "normal", "has_shop": True}
    return {"user": args.fields().of(user)}


def tmc_user_permit(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.tmc.user.permit: switch the seller's push messages on; the topics replace those of before."""
    shop.messages.permit(frozenset(topic.strip() for topic in args.text("topics").split(",") if topic.strip()))
    return {"is_success": True}


def tmc_user_get(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.tmc.user.get: which messages a seller gets; nothing before they were switched on."""
    fields, nick = args.fields(), args.required("nick")
    if not shop.messages.is_permitted or nick != SELLER_NICK:
        return {}
    user = {"user_id": USER_ID, "user_nick": nick, "is_valid": True, "group_name": "default"}
    user |= {"created": _CREATED, "modified": _CREATED}
    return {"tmc_user": fields.of(user) | {"topics": {"string": sorted(shop.messages.topics)}}}


def tmc_messages_consume(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.tmc.messages.consume: 10 to 200 waiting messages, in no order."""
    quantity = args.number("quantity", 100, low=1, high=200)
    rows = shop.messages.consume(max(quantity, 10), app_key=args.required("app_key"), nick=SELLER_NICK)
    return wrapped("messages", "tmc_message", rows)


def tmc_messages_confirm(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.tmc.messages.confirm: at most 200 messages need not come again."""
    args.required("s_message_ids")
    shop.messages.confirm(args.numbers("s_message_ids", most=200))
    return {"is_success": True}


def oaid_decrypt(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.top.oaid.decrypt: receivers in clear text, at most 20; an OAID of another receiver does not match."""
    rows = []
    for query in _queries(args, "query_list", most=20):
        trade = shop.trades.get(query["tid"])
        is_matched = trade is not None and trade["oaid"] == query["oaid"]
        row: dict[str, Any] = {"tid": str(query["tid"]), "oaid": query["oaid"], "matched": is_matched}
        if is_matched:
            receiver = shop.receivers[query["tid"]]
            row |= {
                "name": receiver.name,
                "mobile": receiver.mobile,
                "phone": "",
                "country": "中国",
                "state": receiver.state,
                "city": receiver.city,
                "district": receiver.district,
                "town": receiver.town,
                "address_detail": receiver.address,
                "privacy_protection": False,
            }
        rows.append(row)
    return wrapped("receiver_list", "receiver", rows)


def oaid_merge(shop: Shop, args: Arguments) -> dict[str, Any]:
    """taobao.top.oaid.merge: which of at most 100 orders go to the same receiver, groups of numbers between commas."""
    groups: dict[Any, list[str]] = {}
    for query in _queries(args, "merge_list", most=100):
        trade = shop.trades.get(query["tid"])
        is_known = trade is not None and trade["oaid"] == query["oaid"]
        groups.setdefault(shop.receivers[query["tid"]] if is_known else query["tid"], []).append(str(query["tid"]))
    return wrapped("tid_list", "string", (",".join(dict.fromkeys(group)) for group in groups.values()))


def _queries(args: Arguments, name: str, *, most: int) -> list[dict[str, Any]]:
    """A JSON list of objects with `oaid` and `tid`."""
    try:
        queries = json.loads(args.required(name))
        found = [{"oaid": str(one["oaid"]), "tid": int(str(one["tid"])[:19])} for one in queries]
    except (ValueError, TypeError, KeyError) as error:
        raise invalid(name, "a JSON list of objects with oaid and tid") from error
    if not 1 <= len(found) <= most:
        raise invalid(name, f"one to {most} objects")
    return found
