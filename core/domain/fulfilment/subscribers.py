"""What drives orders on: the events after which an order may be due for a step, and the clock for holds that end by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from core.domain.fulfilment import way
from core.domain.fulfilment.delivering import arrive_with_orders
from core.domain.orders.blocking import follow_customers
from core.domain.orders.holds import release_holds
from core.domain.orders.models import OrderHold
from core.domain.orders.rematch import rematch_alias, rematch_code
from core.runtime.events import Subscriber
from core.runtime.events.handling import DeliveredEvent, LocalContext
from core.runtime.events.schedules import Schedule

MOVING = (
    "order.accepted",
    "order.paid",
    "order.changed",
    "order.released",
    "order.cancelled",
    "order.replaced",
    "order.shipped",
    "order.delivered",
    "order.completed",
    "order.refunded",
    "order.refund_closed",
    "order.matched",
)
BATCH = 100


def _advance(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
    orders = {UUID(event.subject_id) for event in events if event.payload.get("by") not in (way.BY, "us")}
    if orders:
        way.advance(ctx.session, orders, now=ctx.clock.now())


def _serve_waiting(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
    orders = way.waiting_for(ctx.session, {UUID(event.subject_id) for event in events})
    if orders:
        way.advance(ctx.session, orders, now=ctx.clock.now())


def _end_timed_holds(ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
    now = ctx.clock.now()
    due = select(OrderHold.order_id, OrderHold.code).where(OrderHold.released_at.is_(None), OrderHold.release_at <= now).limit(1000)
    by_code: dict[str, list[UUID]] = {}
    for row in ctx.session.execute(due):
        by_code.setdefault(row.code, []).append(row.order_id)
    for code, orders in by_code.items():
        release_holds(ctx.session, orders, codes=[code], by="clock", now=now)


def _rematch(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
    for event in events:
        facts = event.payload
        if event.kind == "catalog.sku_added":
            rematch_code(ctx.session, code=facts["code"], sku_id=UUID(event.subject_id))
        else:
            rematch_alias(ctx.session, shop_id=UUID(facts["shop_id"]), external_key=facts["external_key"], sku_id=UUID(facts["sku_id"]))


def _arrive(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
    arrive_with_orders(ctx.session, {UUID(event.subject_id) for event in events}, now=ctx.clock.now())


def _follow_customers(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
    follow_customers(ctx.session, {UUID(event.subject_id) for event in events}, now=ctx.clock.now())


def subscribers() -> list[Subscriber]:
    """The hearers that move orders."""
    return [
        Subscriber(key="core.order_way", events=MOVING, handle=_advance, batch=BATCH, on_dead="skip", timeout_s=60.0),
        Subscriber(
            key="core.stock_arrived", events=("stock.increased",), handle=_serve_waiting, batch=BATCH, on_dead="skip", coalesce=True
        ),
        Subscriber(key="core.rematch", events=("catalog.alias_matched", "catalog.sku_added"), handle=_rematch, batch=20, on_dead="skip"),
        Subscriber(
            key="core.shipments_arrived",
            events=("order.delivered", "order.completed"),
            handle=_arrive,
            batch=BATCH,
            on_dead="skip",
        ),
        Subscriber(
            key="core.blocked_customers",
            events=("customer.blocked", "customer.unblocked"),
            handle=_follow_customers,
            batch=20,
            on_dead="skip",
        ),
    ]


def schedules() -> list[Schedule]:
    """The clock for holds that end by themselves."""
    return [Schedule(key="core.timed_holds", every_s=60, jitter_s=30, window_s=600, handle=_end_timed_holds)]
