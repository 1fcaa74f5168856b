"""Taobao trades and refunds in Orderloom's words. Pure: no clock, no network, no database.

States, holds and rules come from the official field lists and the shared reference marketplaces §2.6 and §2.7.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.sdk import ChannelState, NormalisedLine, NormalisedOrder, NormalisedRefund, Receiver, RefundState, amount_from
from plugins.taobao.amounts import ZERO, LineSums, split
from plugins.taobao.errors import UnknownState
from plugins.taobao.wire import CURRENCY, Node, parsed, rows

_TRADE_STATES = {
    "TRADE_NO_CREATE_PAY": ChannelState.AWAITING_PAYMENT,
    "WAIT_BUYER_PAY": ChannelState.AWAITING_PAYMENT,
    "PAY_PENDING": ChannelState.AWAITING_PAYMENT,
    "WAIT_PRE_AUTH_CONFIRM": ChannelState.AWAITING_PAYMENT,
    "PAID_FORBID_CONSIGN": ChannelState.LOCKED,
    "WAIT_SELLER_SEND_GOODS": ChannelState.PAID,
    "SELLER_CONSIGNED_PART": ChannelState.SHIPPED_PARTLY,
    "WAIT_BUYER_CONFIRM_GOODS": ChannelState.SHIPPED,
    "TRADE_BUYER_SIGNED": ChannelState.DELIVERED,
    "TRADE_FINISHED": ChannelState.COMPLETED,
    "TRADE_CLOSED": ChannelState.CANCELLED,
    "TRADE_CLOSED_BY_TAOBAO": ChannelState.CANCELLED,
}
_REFUND_STATES = {
    "": RefundState.NONE,
    "NO_REFUND": RefundState.NONE,
    "WAIT_SELLER_AGREE": RefundState.REQUESTED,
    "WAIT_BUYER_RETURN_GOODS": RefundState.REQUESTED,
    "WAIT_SELLER_CONFIRM_GOODS": RefundState.REQUESTED,
    "WAIT_SELLER_CONSIGN_GOODS": RefundState.REQUESTED,
    "WAIT_BUYER_CONFIRM_EXCHANGE_SELLER_SEND_GOODS": RefundState.REQUESTED,
    "WAIT_BUYER_CONFIRM_REDO_SEND_GOODS": RefundState.REQUESTED,
    "WAIT_SELLER_CONFIRM_REDO_SEND_GOODS": RefundState.REQUESTED,
    "EXCHANGE_TRANSFORM_TO_REFUND": RefundState.REQUESTED,
    "EXCHANGE_WAIT_BUYER_CONFIRM_GOODS": RefundState.REQUESTED,
    "SELLER_REFUSE_BUYER": RefundState.REFUSED,
    "CLOSED": RefundState.CLOSED,
    "SUCCESS": RefundState.DONE,
}
_STEPS = {
    "": None,
    "FRONT_NOPAID_FINAL_NOPAID": ChannelState.AWAITING_PAYMENT,
    "FRONT_PAID_FINAL_NOPAID": ChannelState.PRESALE_DEPOSIT,
    "FRONT_PAID_FINAL_PAID": None,
    "FRONT_PAID_FRONT_FORFEITED": ChannelState.CANCELLED,
}
_HOLD_FLAGS = {
    "top_hold": "platform_hold",
    "forbid_consign": "group_buy_hold",
    "team_buy_hold": "group_buy_hold",
    "share_group_hold": "group_buy_hold",
    "ofp_hold": "customs_hold",
}
_UNSHIPPED = {ChannelState.PAID, ChannelState.LOCKED, ChannelState.SHIPPED_PARTLY, ChannelState.PRESALE_DEPOSIT}
_STOPS = {ChannelState.LOCKED, ChannelState.PRESALE_DEPOSIT, ChannelState.CANCELLED}
# What intake takes; the document is kept word for word beside the order.
_LONGEST_NOTE, _LONGEST_TITLE = 2_000, 500
_PROMISE = re.compile(r"(\d{1,4})\s*(天|日|小时|个小时)")


def orders_from(payload: Any) -> list[NormalisedOrder]:
    """The orders in any order-bearing answer of Taobao, in the order of the answer.

    `payload` is the answer of trades.sold.get, .increment.get, .incrementv.get, trade.fullinfo.get or trade.get, with or without
    its root, simplified or not, or one bare trade, or a list of any of these; decoded, or JSON as text or bytes.
    Of every order the lines' `paid_amount` and `postage` add up to `paid_total`, to the cent.
    Raises: UnreadablePayload - no such answer, or a field is missing or broken (`field` is its path); UnknownState; for an
        `error_response` the error it stands for (errors.error_from).
    """
    return [_order(trade) for trade in rows(parsed(payload), "trade", "tid")]


def refunds_from(payload: Any) -> list[NormalisedRefund]:
    """The refunds in an answer of refunds.receive.get or refund.get, in any of the shapes that `orders_from` takes.

    Raises: as `orders_from`.
    """
    return [_refund(refund) for refund in rows(parsed(payload), "refund", "refund_id")]


def _order(trade: Node) -> NormalisedOrder:
    external_id, modified_at = trade.number("tid_str", "tid"), _modified(trade)
    state = _trade_state(trade)
    subs = trade.children("orders", "order")
    if not subs:
        raise trade.broken("orders", "The trade's lines are missing.")
    money = split(trade, [_sums(sub) for sub in subs])
    lines = tuple(_line(sub, share, state) for sub, share in zip(subs, money.shares, strict=True))
    paid_at, completed = trade.moment("pay_time"), state is ChannelState.COMPLETED
    list_total = sum((_list_total(sub) for sub, line in zip(subs, lines, strict=True) if line.paid_amount), ZERO)
    return NormalisedOrder(
        external_id=external_id,
        state=state,
        paid_total=money.total,
        postage=money.postage,
        currency=CURRENCY,
        modified_at=modified_at,
        lines=lines,
        placed_at=trade.moment("created"),
        paid_at=paid_at,
        ship_by=_ship_by(trade, subs, paid_at),
        completed_at=trade.moment("end_time") if completed else None,
        buyer_id=trade.word("buyer_open_uid"),
        buyer_name=trade.word("buyer_nick"),
        receiver=_receiver(trade),
        buyer_note=trade.text("buyer_message")[:_LONGEST_NOTE],
        seller_note=trade.text("seller_memo")[:_LONGEST_NOTE],
        seller_flag=trade.whole("seller_flag") or 0,
        discount_total=max(list_total - sum(money.shares, ZERO), ZERO),
        is_cash_on_delivery=trade.word("type") == "cod",
        hold_codes=_holds(trade, state),
        tags=_tags(trade, subs),
    )


def _line(sub: Node, share: Decimal, trade_state: ChannelState) -> NormalisedLine:
    quantity = sub.whole("num")
    if quantity is None or quantity <= 0:
        raise sub.broken("num", "The number of units is missing or not above zero.")
    price = sub.charge("price")
    return NormalisedLine(
        external_id=sub.number("oid_str", "oid"),
        seller_code=(sub.word("outer_sku_id") or sub.word("outer_iid")).strip(),
        quantity=Decimal(quantity),
        paid_amount=share,
        state=_line_state(sub, trade_state),
        title=sub.text("title")[:_LONGEST_TITLE],
        external_sku=sub.optional_number("sku_id"),
        external_product=sub.optional_number("num_iid"),
        unit_price=price or ZERO,
        variant=sub.text("sku_properties_name"),
        is_gift=sub.flag("is_free_gift") or price == 0,
        refund_state=_refund_state(sub, "refund_status"),
        refund_external_id=sub.optional_number("refund_id"),
    )


def _sums(sub: Node) -> LineSums:
    status, price = sub.word("status"), sub.charge("price")
    is_refunded = status == "TRADE_CLOSED" and sub.word("refund_status") == "SUCCESS"
    return LineSums(
        share=sub.charge("divide_order_fee"),
        trade_discount=sub.amount("part_mjz_discount") or ZERO,
        own_payment=sub.charge("payment"),
        list_total=_list_total(sub),
        is_free=sub.flag("is_free_gift") or price == 0,
        is_unpaid=status == "TRADE_CLOSED_BY_TAOBAO",
        is_refunded=is_refunded,
    )


def _list_total(sub: Node) -> Decimal:
    return amount_from((sub.charge("price") or ZERO) * max(sub.whole("num") or 0, 0), field=sub.at("price"))


def _trade_state(trade: Node) -> ChannelState:
    state = _looked_up(trade, "status", _TRADE_STATES)
    step = _looked_up(trade, "step_trade_status", _STEPS)
    # The step speaks only while the final payment is open: a finished or closed trade keeps its last step.
    return step if step and state in (ChannelState.AWAITING_PAYMENT, ChannelState.PAID) else state


def _line_state(sub: Node, trade_state: ChannelState) -> ChannelState:
    """The line's own state; what stops the whole trade from shipping stops each of its open lines too."""
    state = _looked_up(sub, "status", _TRADE_STATES) if sub.word("status") else trade_state
    return trade_state if trade_state in _STOPS and state in (ChannelState.AWAITING_PAYMENT, ChannelState.PAID) else state


def _looked_up(node: Node, name: str, table: Mapping[str, Any]) -> Any:
    word = node.word(name)
    if word not in table:
        raise UnknownState(field=node.at(name), value=word[:60])
    return table[word]


def _refund_state(node: Node, name: str) -> RefundState:
    state: RefundState = _looked_up(node, name, _REFUND_STATES)
    return state


def _holds(trade: Node, state: ChannelState) -> tuple[str, ...]:
    """Why the platform forbids shipping now; empty once nothing is left to ship. Refunds speak through their lines."""
    if state not in _UNSHIPPED:
        return ()
    holds = ["paid_forbid_consign"] if state is ChannelState.LOCKED else []
    if state is ChannelState.PRESALE_DEPOSIT:
        holds.append("presale_final_unpaid")
    holds += [hold for name, hold in _HOLD_FLAGS.items() if trade.flag(name)]
    if trade.flag("is_sh_ship"):
        holds.append("platform_hold")
    if trade.word("rx_audit_status") == "0":
        holds.append("prescription_unreviewed")
    return tuple(dict.fromkeys(holds))


def _tags(trade: Node, subs: list[Node]) -> tuple[str, ...]:
    tags = {
        "presale": trade.word("type") == "step" or trade.word("step_trade_status") != "",
        "oversold": any(sub.flag("is_oversold") for sub in subs),
        "drop_shipped": any(sub.flag("is_daixiao") for sub in subs),
        "address_changed": any(sub.word("modify_address") == "1" for sub in [trade, *subs]),
    }
    return tuple(tag for tag, applies in tags.items() if applies)


def _receiver(trade: Node) -> Receiver:
    mobile, phone, token = trade.word("receiver_mobile"), trade.word("receiver_phone"), trade.word("oaid")
    name, street = trade.text("receiver_name"), trade.text("receiver_address")
    return Receiver(
        name=name,
        phone=mobile or phone,
        country=trade.text("receiver_country"),
        province=trade.text("receiver_state"),
        city=trade.text("receiver_city"),
        district=trade.text("receiver_district"),
        town=trade.text("receiver_town"),
        street=street,
        postcode=trade.word("receiver_zip"),
        email=trade.word("buyer_email"),
        token=token,
        is_masked=any("*" in part for part in (name, mobile, phone, street)),
    )


def _ship_by(trade: Node, subs: list[Node], paid_at: datetime | None) -> datetime | None:
    """The earliest promised moment of shipping: a date, or so many days or hours after payment."""
    names = ("delivery_time", "send_time", "est_con_time", "estimate_con_time")
    promises = [_promise(node.text(name), node, name, paid_at) for node in [trade, *subs] for name in names if node.has(name)]
    return min((promise for promise in promises if promise), default=None)


def _promise(text: str, node: Node, name: str, paid_at: datetime | None) -> datetime | None:
    if re.match(r"\d{4}-\d{2}-\d{2}", text):
        # Some of these fields hold the day alone; the promise then lasts until the day ends.
        return Node({name: f"{text} 23:59:59" if len(text) == 10 else text}, node.path).moment(name)
    found = _PROMISE.search(text)
    if not found or not paid_at:
        return None
    unit = timedelta(hours=1) if "小时" in found[2] else timedelta(days=1)
    return paid_at + int(found[1]) * unit


def _refund(refund: Node) -> NormalisedRefund:
    channel_state, kind = refund.word("status"), refund.word("dispute_type")
    amount = refund.charge("refund_fee")
    if amount is None:
        raise refund.broken("refund_fee", "The amount of the refund is missing.")
    line = refund.optional_number("oid")
    is_exchange = "EXCHANGE" in kind or "EXCHANGE" in channel_state
    is_return = refund.flag("has_good_return") or kind == "REFUND_AND_RETURN"
    return NormalisedRefund(
        external_id=refund.number("refund_id"),
        order_external_id=refund.number("tid_str", "tid"),
        state=_refund_state(refund, "status"),
        amount=amount,
        currency=CURRENCY,
        modified_at=_required_moment(refund, "modified"),
        line_external_ids=(line,) if line else (),
        kind="exchange" if is_exchange else "return" if is_return else "refund_only",
        reason=refund.text("reason"),
        channel_state=channel_state,
    )


def _modified(trade: Node) -> datetime:
    """The moment of the last change; of a trade that was asked for without it, the latest moment that is known."""
    if trade.has("modified"):
        return _required_moment(trade, "modified")
    known = [moment for name in ("end_time", "consign_time", "pay_time", "created") if (moment := trade.moment(name)) is not None]
    return max(known) if known else _required_moment(trade, "modified")


def _required_moment(node: Node, name: str) -> datetime:
    moment = node.moment(name)
    if moment is None:
        raise node.broken(name, "This moment is missing.")
    return moment
