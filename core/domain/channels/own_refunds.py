"""Refunds and returns of orders of own shops, recorded by people: money to the cent, lines, goods back on the shelf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.catalog.kits import recipes
from core.domain.channels.errors import NothingPaid, PlatformDecides
from core.domain.channels.models import Shop
from core.domain.inventory.models import Warehouse
from core.domain.inventory.service import Movement, post
from core.domain.orders import closing, service
from core.domain.orders.errors import OrderUnknown
from core.domain.orders.models import Order, OrderLine, Refund
from core.domain.orders.refunds import settle
from core.domain.orders.rules import REDUCTION
from core.kernel.errors import Invalid
from core.kernel.ids import new_id
from core.kernel.money import amount_from, minor_digits, money_text
from core.kernel.text import clean_text
from core.runtime.db.bulk import insert_rows
from core.runtime.security.audit import record
from core.runtime.tenancy.scope import require_scope

ZERO = Decimal(0)
REFUNDABLE = ("paid", "partly_refunded")
_OPEN = ("placed", "paid", "approved", "allocated", "picking")


@dataclass(frozen=True, slots=True)
class OwnRefund:
    """What people say of a refund.

    `line_ids` are the lines given back whole; none means that the buyer keeps the goods and only gets money. `amount` is in the order's
    currency; None means what was paid for the lines, or all that is left when these are the last ones. Goods of the lines that have
    shipped go to `warehouse_id`, or nowhere when it is None. The same `key` for the same shop again is the same refund.
    """

    order_id: UUID
    reason: str
    amount: Decimal | None = None
    line_ids: tuple[UUID, ...] = ()
    warehouse_id: UUID | None = None
    key: str = ""


def refund_own(session: Session, wanted: OwnRefund, *, now: datetime) -> UUID:
    """Record a refund or return; returns its id, of a repeated `key` the first one's. Locks the order, does not commit.

    Lines given back are not delivered any more: what is reserved for them becomes free, and an order of which nothing has left and
    nothing remains is cancelled.
    Raises: OrderUnknown; PlatformDecides; NothingPaid; Invalid with the field's name - no reason, an amount above what is left of the
    payment or finer than a coin, an unknown or refunded line, a warehouse where nothing can come back to.
    Emits: `order.refunded`, and `order.cancelled`, `order.shipped` or `stock.increased`.
    """
    reason = clean_text(wanted.reason, max_length=200, field="reason")
    if not reason:
        raise Invalid("Say why the money goes back.", field="reason")
    order = _locked(session, wanted.order_id)
    external_id = f"R-{(wanted.key or new_id().hex)[-16:].upper()}"
    same = (Refund.shop_id == order.shop_id, Refund.order_id == order.id, Refund.external_id == external_id)
    known = session.scalar(select(Refund.id).where(*same))
    if known is not None:
        return known
    if order.payment not in REFUNDABLE:
        raise NothingPaid(number=order.number, payment=order.payment)
    statement = select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.position)
    lines = list(session.scalars(statement.execution_options(populate_existing=True)))  # a page may have read them before the lock
    chosen = _chosen(lines, wanted.line_ids)
    amount = _amount(order, lines, chosen, wanted.amount)
    refund_id = new_id()
    _take_back(session, refund_id, chosen, wanted.warehouse_id)
    kind = REDUCTION if not chosen else "return" if wanted.warehouse_id is not None else "refund_only"
    row = {"id": refund_id, "shop_id": order.shop_id, "order_id": order.id, "order_external_id": order.external_id}
    row |= {"external_id": external_id, "kind": kind, "state": "done", "amount": amount, "currency": order.currency, "reason": reason}
    row |= {"line_external_ids": [line.external_id for line in chosen], "channel_modified_at": now}
    insert_rows(session, Refund, [row])
    totals = tuple(money_text(total, order.currency) for total in (order.refunded_total, order.refunded_total + amount))
    record(session, "orders.refund_recorded", "order", order.id, {"refunded_total": totals})
    settle(session, [order.id], now=now)
    _end(session, order, lines, chosen, reason=reason, now=now)
    return refund_id


def _locked(session: Session, order_id: UUID) -> Any:
    statement = (
        select(
            Order.id, Order.number, Order.shop_id, Order.external_id, Order.state, Order.payment, Order.fulfilment, Order.currency,
            Order.paid_total, Order.refunded_total, Shop.marketplace,
        )
        .join(Shop, Shop.id == Order.shop_id)
        .where(Order.id == order_id)
        .with_for_update(of=Order)
    )  # fmt: skip
    order = session.execute(statement).one_or_none()
    if order is None:
        raise OrderUnknown(order=str(order_id))
    if order.marketplace:
        raise PlatformDecides(number=order.number)
    return order


def _chosen(lines: Sequence[OrderLine], line_ids: Sequence[UUID]) -> list[OrderLine]:
    by_id = {line.id: line for line in lines}
    found = []
    for key in dict.fromkeys(line_ids):
        line = by_id.get(key)
        if line is None:
            raise Invalid("This line is not of that order.", field="lines")
        if line.refund_state == "done":
            raise Invalid("This line is refunded already.", field="lines")
        found.append(line)
    return found


def _amount(order: Any, lines: Sequence[OrderLine], chosen: Sequence[OrderLine], given: Decimal | None) -> Decimal:
    left = order.paid_total - order.refunded_total
    if given is None:
        if not chosen:
            raise Invalid("Give an amount, or choose lines.", field="amount")
        is_last = all(line in chosen or line.refund_state == "done" for line in lines)
        return Decimal(left if is_last else min(sum((line.paid_amount for line in chosen), ZERO), left))
    amount = amount_from(given, field="amount")
    if amount < 0 or (amount == 0 and not chosen):
        raise Invalid("An amount that goes back is more than zero.", field="amount")
    if amount > left:
        raise Invalid("This is more than is left of what was paid.", field="amount", left=money_text(left, order.currency))
    if amount % Decimal(1).scaleb(-minor_digits(order.currency)):
        raise Invalid("This amount is finer than the currency's smallest coin.", field="amount")
    return amount


def _take_back(session: Session, refund_id: UUID, chosen: Sequence[OrderLine], warehouse_id: UUID | None) -> None:
    """Book the shipped goods of these lines back into the warehouse; kits come back as what they are made of."""
    if warehouse_id is None:
        return
    if session.scalar(select(Warehouse.id).where(Warehouse.id == warehouse_id, Warehouse.is_active)) is None:
        raise Invalid("There is no such warehouse.", field="warehouse_id")
    shipped = [(line.sku_id, line.shipped) for line in chosen if line.sku_id is not None and line.shipped > 0]
    cookbook = recipes(session, {sku for sku, _units in shipped})
    units: dict[UUID, Decimal] = {}
    for sku, quantity in shipped:
        for part, each in cookbook[sku].parts:
            units[part] = units.get(part, ZERO) + quantity * each
    if not units:
        raise Invalid("Nothing of this has shipped, so nothing comes back; what is reserved becomes free by itself.", field="warehouse_id")
    movements = [Movement(sku, warehouse_id, quantity, "return", f"refund:{refund_id}") for sku, quantity in sorted(units.items())]
    post(session, movements, actor=require_scope().actor.label)


def _end(session: Session, order: Any, lines: Sequence[OrderLine], chosen: Sequence[OrderLine], *, reason: str, now: datetime) -> None:
    """End an open order of which nothing remains to be delivered."""
    if not chosen or order.state not in _OPEN:
        return
    if any(line not in chosen and line.refund_state != "done" and line.shipped + line.cancelled < line.quantity for line in lines):
        return
    if any(line.shipped > 0 for line in lines):
        closing.end_shipping(session, order.id)
    else:
        service.cancel(session, [order.id], reason=reason, now=now)
