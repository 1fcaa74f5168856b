"""From JD's order documents to the normalised order; pure, no I/O. Refunds are in `refunds`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from core.sdk import ChannelState, NormalisedLine, NormalisedOrder, Receiver
from plugins.jd.documents import found_in
from plugins.jd.errors import PayloadInvalid, StateUnknown
from plugins.jd.fields import CURRENCY, MAX_FIGURE, ZERO, Fields
from plugins.jd.refunds import refunds_from
from plugins.jd.settlement import Coupon, Settlement, Stated, settle

__all__ = ["ORDER_STATES", "orders_from", "refunds_from"]

# DELIVERY_RETURN: the parcel is on its way back, so the goods have left; it stays shipped (cancelling would free stock that is not
# back yet) and is held. WAIT_SELLER_DELIVERY: an overseas order that the seller still has to deliver inside China; paid.
# LBP and SOPL shops know four further states, LOC orders WAIT_SEND_CODE (a voucher is due, the order is paid).
_STATES = {
    "NOT_PAY": ChannelState.AWAITING_PAYMENT,
    "WAIT_SELLER_STOCK_OUT": ChannelState.PAID,
    "WAIT_SELLER_DELIVERY": ChannelState.PAID,
    "WAIT_SEND_CODE": ChannelState.PAID,
    "LOCKED": ChannelState.LOCKED,
    "PAUSE": ChannelState.LOCKED,
    "POP_ORDER_PAUSE": ChannelState.LOCKED,
    "WAIT_GOODS_RECEIVE_CONFIRM": ChannelState.SHIPPED,
    "SEND_TO_DISTRIBUTION_CENER": ChannelState.SHIPPED,
    "SEND_TO_DISTRIBUTION_CENTER": ChannelState.SHIPPED,
    "DISTRIBUTION_CENTER_RECEIVED": ChannelState.SHIPPED,
    "DELIVERY_RETURN": ChannelState.SHIPPED,
    "RECEIPTS_CONFIRM": ChannelState.COMPLETED,
    "FINISHED_L": ChannelState.COMPLETED,
    "TRADE_CANCELED": ChannelState.CANCELLED,
}
# The documents also list these older spellings.
ALIASES = {
    "DengDaiChuKu": "WAIT_SELLER_STOCK_OUT",
    "DengDaiFaHuo": "WAIT_SELLER_DELIVERY",
    "DengDaiQueRenShouHuo": "WAIT_GOODS_RECEIVE_CONFIRM",
    "WanCheng": "FINISHED_L",
    "PeiSongTuiHuo": "DELIVERY_RETURN",
    "ZanTing": "PAUSE",
    "POP": "POP_ORDER_PAUSE",
}
_HOLDS = {
    "LOCKED": "jd.locked",
    "PAUSE": "jd.paused",
    "POP_ORDER_PAUSE": "jd.paused",
    "DELIVERY_RETURN": "jd.delivery_return",
}
# The states of a POP (SOP) shop; what a search for everything asks for.
ORDER_STATES = (
    "NOT_PAY",
    "WAIT_SELLER_STOCK_OUT",
    "WAIT_SELLER_DELIVERY",
    "WAIT_GOODS_RECEIVE_CONFIRM",
    "FINISHED_L",
    "TRADE_CANCELED",
    "LOCKED",
    "PAUSE",
    "POP_ORDER_PAUSE",
    "DELIVERY_RETURN",
)
_CONTAINERS = frozenset(
    (
        "searchorderinfo_result",
        "searchorderinfoResult",
        "orderSearch",
        "order",
        "orderDetailInfo",
        "orderInfo",
        "orderInfoList",
        "result",
        "data",
    )
)
_NONE = frozenset(("", "0", "null"))
_SOP = "22"
_CASH_ON_DELIVERY = "1"
# enSearch and enGet send ciphertext: one long run of base64 characters, which no name, address or phone number is.
_CIPHERTEXT = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9+/=_-]{24,}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Item:
    sku: str
    price: Decimal
    quantity: Decimal
    fields: Fields

    @property
    def gross(self) -> Decimal:
        return self.price * self.quantity


def _item(fields: Fields) -> _Item:
    item = _Item(fields.text("skuId", None), fields.figure("jdPrice"), fields.count("itemTotal"), fields)
    if item.gross >= MAX_FIGURE:
        raise PayloadInvalid("Price times number is too large.", field=fields.at("jdPrice"))
    return item


def _items(order: Fields) -> list[_Item]:
    items = [_item(fields) for fields in order.children("itemInfoList")]
    if not items:
        raise PayloadInvalid("An order without items cannot be taken in.", field=order.at("itemInfoList"))
    if sum(item.gross for item in items) >= MAX_FIGURE:
        raise PayloadInvalid("The items together are too dear.", field=order.at("itemInfoList"))
    return items


def _line_ids(items: Sequence[_Item]) -> list[str]:
    """One id per line: the SKU, and `SKU#2` onwards where a SKU stands on several lines (JD has no line ids).

    The dearer and then the larger line keeps the plain id, so that the ids do not depend on the order in which JD lists the lines.
    """
    ranked = sorted(range(len(items)), key=lambda place: (-items[place].price, -items[place].quantity, place))
    seen: dict[str, int] = {}
    ids = [""] * len(items)
    for place in ranked:
        sku = items[place].sku
        seen[sku] = seen.get(sku, 0) + 1
        ids[place] = sku if seen[sku] == 1 else f"{sku}#{seen[sku]}"
    return ids


def _coupon(fields: Fields) -> Coupon:
    sku = fields.text("skuId")
    return Coupon("" if sku in _NONE else sku, fields.figure("couponPrice", ZERO))


def _settlement(order: Fields, items: Sequence[_Item]) -> Settlement:
    stated = Stated(
        payment=order.figure("orderPayment", ZERO) if order.raw("orderPayment") not in (None, "") else None,
        balance=order.figure("balanceUsed", ZERO),
        seller_discount=order.figure("sellerDiscount", ZERO),
        freight=order.figure("freightPrice", ZERO),
        extras=order.figure("taxFee", ZERO) + order.figure("serviceFee", ZERO),
    )
    coupons = [_coupon(fields) for fields in order.children("couponDetailList")]
    return settle([item.gross for item in items], [item.sku for item in items], coupons, stated)


def _lines(items: Sequence[_Item], shares: Sequence[Decimal], state: ChannelState) -> tuple[NormalisedLine, ...]:
    return tuple(
        NormalisedLine(
            external_id=line_id,
            seller_code=item.fields.text("outerSkuId"),
            quantity=item.quantity,
            paid_amount=share,
            state=state,
            title=item.fields.text("skuName"),
            external_sku=item.sku,
            external_product=item.fields.text("wareId"),
            unit_price=item.price,
            is_gift=item.price == 0,
        )
        for line_id, item, share in zip(_line_ids(items), items, shares, strict=True)
    )


def _shown(*values: str) -> str:
    return next((value for value in values if value and not _CIPHERTEXT.fullmatch(value)), "")


def _street(full: str, areas: Sequence[str]) -> str:
    """The full address without the area names that it starts with."""
    for area in areas:
        full = full.removeprefix(area).lstrip() if area else full
    return full


def _receiver(order: Fields) -> Receiver:
    fields = order.child("consigneeInfo")
    areas = [fields.text(name) for name in ("province", "city", "county", "town")]
    name, address = fields.text("fullname"), fields.text("fullAddress")
    phones = [fields.text(key) for key in ("mobile", "telephone", "desen_mobile", "desen_telephone")]
    hidden = [name, address, *phones]
    return Receiver(
        name=_shown(name, fields.text("desen_fullname")),
        phone=_shown(*phones),
        country="CN" if fields.values else "",
        province=areas[0],
        city=areas[1],
        district=areas[2],
        town=areas[3],
        street=_street(_shown(address, fields.text("desen_fullAddress")), areas),
        token=fields.text("oaid") or order.text("oaid"),
        is_masked=any("*" in value or _CIPHERTEXT.fullmatch(value) is not None for value in hidden),
    )


def _replaced(order: Fields, own_id: str) -> list[str]:
    """The orders whose place this one took in platform splits: the direct parent, then the first of all when the parent was a part too."""
    parents = [order.text(name) for name in ("directParentOrderId", "parentOrderId")]
    return list(dict.fromkeys(parent for parent in parents if parent not in _NONE and parent != own_id))


def _modified(order: Fields) -> datetime:
    moments = [order.moment(name) for name in ("modified", "orderEndTime", "paymentConfirmTime", "orderStartTime")]
    known = [moment for moment in moments if moment is not None]
    if not known:
        raise PayloadInvalid("The moment of the last change is missing.", field=order.at("modified"))
    return (moments[0] or max(known)).astimezone(UTC)


def _tags(order: Fields, state: str) -> tuple[str, ...]:
    kind, returned = order.text("orderType"), order.text("returnOrder")
    tags = {
        "jd.overseas": state == "WAIT_SELLER_DELIVERY",
        f"jd.order_type_{kind}": kind not in _NONE | {_SOP},
        "jd.exchange_order": returned not in _NONE,
    }
    return tuple(tag for tag, holds in tags.items() if holds)


def _order(order: Fields) -> NormalisedOrder:
    external_id = order.text("orderId", None)
    jd_state = order.text("orderState", None)
    jd_state = ALIASES.get(jd_state, jd_state)
    state = _STATES.get(jd_state)
    if state is None:
        raise StateUnknown(f"JD's order state {jd_state[:40]} is not known.", field=order.at("orderState"), value=jd_state[:40])
    items = _items(order)
    settled, replaced = _settlement(order, items), _replaced(order, external_id)
    return NormalisedOrder(
        external_id=external_id,
        state=state,
        paid_total=settled.paid_total,
        postage=settled.postage,
        currency=CURRENCY,
        modified_at=_modified(order),
        lines=_lines(items, settled.shares, state),
        replaces=replaced[0] if replaced else None,
        ancestors=tuple(replaced[1:]),
        placed_at=order.moment("orderStartTime"),
        paid_at=order.moment("paymentConfirmTime"),
        completed_at=order.moment("orderEndTime"),
        buyer_id=order.text("open_id_buyer") or order.text("xid_buyer") or order.text("pin"),
        buyer_name=order.text("pin"),
        receiver=_receiver(order),
        buyer_note=order.text("orderRemark"),
        seller_note=order.text("venderRemark"),
        discount_total=settled.discount_total,
        is_cash_on_delivery=order.text("payType").split("-", 1)[0].strip() == _CASH_ON_DELIVERY,
        hold_codes=(_HOLDS[jd_state],) if jd_state in _HOLDS else (),
        tags=_tags(order, jd_state),
    )


def orders_from(payload: Any) -> list[NormalisedOrder]:
    """The orders in any JOS answer that carries orders: search, get, enSearch, enGet, the 360buy services, or parts of them.

    `payload` is JSON text, bytes, or the decoded value: a whole answer (`_responce`, `_response` or no root), a page, a list of
    orders, or one bare `orderInfo`. Figures may be text or numbers. Each order adds up: the paid amounts of its lines plus postage are
    the total, to the fen.
    Raises: PayloadInvalid - a field is missing or wrong, its path is in `field`; StateUnknown; or what a failed answer stands for
    (see plugins.jd.errors).
    Source: JOS, jingdong.pop.order.search and jingdong.pop.order.get.
    """
    return [_order(fields) for fields in found_in(payload, marks=("orderId", "orderState", "itemInfoList"), containers=_CONTAINERS)]
