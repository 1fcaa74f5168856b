"""What channels do by themselves: pull, listen, reconcile, push. Descriptors for the event machinery, built around a `ChannelDesk`.

The timers only look which shops are due and leave an event per shop; each event is handled apart, so that one silent shop never delays
another. Everything that talks to a channel may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from core.domain.channels import pushing, refusals, sync
from core.domain.channels.desk import ChannelDesk, ShopView, shop_view
from core.domain.channels.errors import CarrierUnmapped
from core.domain.channels.marketplace import Marketplace, PushResult, ShipmentPush, Window
from core.domain.channels.models import Shop
from core.kernel.errors import Invalid
from core.runtime.events import Answer, EventDraft, Subscriber, emit
from core.runtime.events.handling import DeliveredEvent, LocalContext, RemoteContext
from core.runtime.events.models import Delivery, Event
from core.runtime.events.schedules import Schedule
from core.runtime.events.service import replay

PULL_EVERY_S = 60
STOCK_EVERY_S = 60
RECONCILE_AT = time(3, 30)
MOST_AGAIN = 10_000
PUSH_SHIPMENT = "core.push_shipment"
PULL_DUE = "channel.pull_due"


@dataclass(frozen=True, slots=True)
class ShipmentTask:
    """A shipment to report: everything `send` needs, found while there was a transaction."""

    shop: ShopView
    push: ShipmentPush
    facts: Mapping[str, Any]


class ChannelJobs:
    """The jobs of all channels. `marketplace(key)` finds a loaded marketplace, `is_on(tenant, plugin)` tells whether a tenant uses it."""

    def __init__(self, desk: ChannelDesk, marketplace: Callable[[str], Marketplace | None], is_on: Callable[[int, str], bool]) -> None:
        self._desk = desk
        self._marketplace = marketplace
        self._is_on = is_on

    def schedules(self) -> list[Schedule]:
        """The timers: pull and stock every minute, reconciliation at night."""
        pull, stock = self._due(PULL_DUE, "pulls_orders"), self._due("channel.stock_due", "pushes_stock")
        return [
            Schedule(key="core.pull_orders", every_s=PULL_EVERY_S, jitter_s=20, window_s=300, handle=pull),
            Schedule(key="core.push_stock", every_s=STOCK_EVERY_S, jitter_s=30, window_s=300, handle=stock),
            Schedule(key="core.reconcile", at=RECONCILE_AT, jitter_s=3600, handle=self._due("channel.reconcile_due", "pulls_orders")),
        ]

    def subscribers(self) -> list[Subscriber]:
        """Those who do the work."""
        talk: dict[str, Any] = {"repeatable": True, "on_dead": "skip", "timeout_s": 120.0, "max_attempts": 4}
        return [
            Subscriber(key="core.pull", events=(PULL_DUE,), send=self._pull, coalesce=True, **talk),
            Subscriber(key="core.pull_asked", events=("channel.pull_asked",), send=self._pull_asked, **talk),
            Subscriber(key="core.stock", events=("channel.stock_due",), send=self._push_stock, coalesce=True, **talk),
            Subscriber(key="core.reconciliation", events=("channel.reconcile_due",), send=self._reconcile, coalesce=True, **talk),
            Subscriber(
                key=PUSH_SHIPMENT,
                events=("shipment.dispatched",),
                prepare=self._prepare_shipment,
                send=self._send_shipment,
                complete=self._record_shipment,
                ask=self._ask_shipment,
                on_dead="block",
                timeout_s=30.0,
            ),
            Subscriber(key="core.push_again", events=("channel.value_mapped",), handle=_push_again, on_dead="skip"),
        ]

    def _due(self, kind: str, wants: str) -> Callable[[LocalContext, Sequence[DeliveredEvent]], None]:
        def handle(ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
            session, refused = ctx.session, refusals.refused_set_ups(ctx.session)
            if not refused and kind == PULL_DUE:
                refusals.take_up_what_waited(session, tuple(subscriber.key for subscriber in self.subscribers()))
            shops = self._shops(session, ctx.scope.tenant_id, wants)
            now = self._desk.clock.now()
            due = [shop.id for shop in shops if not refusals.rests(refused, (shop.marketplace, shop.instance), now=now)]
            emit(session, [EventDraft(kind, "shop", shop, {}) for shop in due])

        return handle

    def _shops(self, session: Session, tenant_id: int, wants: str) -> list[Row[UUID, str, str]]:
        statement = select(Shop.id, Shop.marketplace, Shop.instance).where(Shop.marketplace != "", Shop.is_active, getattr(Shop, wants))
        return [row for row in session.execute(statement) if self._is_on(tenant_id, row.marketplace)]

    def _pull(self, ctx: RemoteContext) -> None:
        """Orders, refunds and push messages since the last time, SKUs once a day; what does not fit into the time is asked for at once."""
        shop_id = UUID(ctx.event.subject_id)
        runs = [sync.pull(self._desk, ctx.scope, shop_id, stream=stream) for stream in (sync.ORDERS, sync.REFUNDS)]
        sync.drain_messages(self._desk, ctx.scope, shop_id)
        sync.refresh_skus(self._desk, ctx.scope, shop_id)
        if not all(run.is_complete for run in runs):
            with self._desk.database.unit(ctx.scope) as session:
                emit(session, [EventDraft("channel.pull_asked", "shop", shop_id, {"streams": [sync.ORDERS, sync.REFUNDS]})])

    def _pull_asked(self, ctx: RemoteContext) -> None:
        shop_id, wanted = UUID(ctx.event.subject_id), ctx.event.payload
        if "numbers" in wanted:
            sync.pull_numbers(self._desk, ctx.scope, shop_id, external_ids=wanted["numbers"])
        elif "window" in wanted:
            window = Window(datetime.fromisoformat(wanted["window"]["start"]), datetime.fromisoformat(wanted["window"]["end"]))
            for stream in (sync.ORDERS, sync.REFUNDS):
                sync.pull_window(self._desk, ctx.scope, shop_id, window=window, stream=stream)
        else:
            for stream in wanted.get("streams", [sync.ORDERS, sync.REFUNDS]):
                sync.pull(self._desk, ctx.scope, shop_id, stream=stream, cause="asked")

    def _push_stock(self, ctx: RemoteContext) -> None:
        pushing.push_stock(self._desk, ctx.scope, UUID(ctx.event.subject_id))

    def _reconcile(self, ctx: RemoteContext) -> None:
        sync.reconcile(self._desk, ctx.scope, UUID(ctx.event.subject_id))

    def _prepare_shipment(self, ctx: RemoteContext) -> ShipmentTask | None:
        """What to tell, or None when the shop wants no word: orders entered by hand, shops without a marketplace."""
        facts, session = ctx.event.payload, _session(ctx)
        shop = shop_view(session, UUID(facts["shop_id"]))
        marketplace = self._marketplace(shop.marketplace) if shop.marketplace and shop.pushes_shipments else None
        if marketplace is None:
            return None
        try:
            return ShipmentTask(shop, pushing.shipment_push(session, shop, marketplace, facts), facts)
        except CarrierUnmapped as error:
            with self._desk.database.unit(ctx.scope) as apart:
                pushing.note_unmapped(apart, shop.id, kind="carrier", value=facts["carrier"])
            raise error from None

    def _send_shipment(self, ctx: RemoteContext) -> PushResult | None:
        task: ShipmentTask | None = ctx.request
        if task is None:
            return None
        with self._desk.link(ctx.scope, task.shop) as link:
            try:
                return link.connection.push_shipment(task.push)
            except Invalid as error:
                return PushResult(task.push.tracking_number, is_ok=False, code=error.code, message=error.message)

    def _record_shipment(self, ctx: RemoteContext, answer: PushResult | None) -> None:
        task: ShipmentTask | None = ctx.request
        if task is not None:
            result = answer if isinstance(answer, PushResult) else PushResult(task.push.tracking_number, is_ok=True)
            pushing.record_shipment(_session(ctx), task.shop.id, task.facts, result)

    def _ask_shipment(self, ctx: RemoteContext) -> Answer:
        """After a lost answer: does the channel know the shipment?"""
        task: ShipmentTask | None = ctx.request
        if task is None:
            return Answer.DONE
        with self._desk.link(ctx.scope, task.shop) as link:
            return Answer.DONE if link.connection.has_shipment(task.push) else Answer.NOT_DONE


def _push_again(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
    """A carrier has got its name on the channel: the reports that were given up for want of it go out once more."""
    for event in events:
        if event.payload.get("kind") != "carrier":
            continue
        facts = Event.payload
        dead = (
            select(Delivery.id)
            .join(Event, (Event.id == Delivery.event_id) & (Event.tenant_id == Delivery.tenant_id))
            .where(
                Delivery.state == "dead",
                Delivery.subscriber == PUSH_SHIPMENT,
                facts["shop_id"].astext == event.subject_id,
                facts["carrier"].astext == event.payload["value"],
            )
        )
        ids = list(ctx.session.scalars(dead.order_by(Delivery.id).limit(MOST_AGAIN)))
        if ids:
            replay(ctx.session, ids)


def _session(ctx: RemoteContext) -> Session:
    if ctx.session is None:
        raise Invalid("This step needs a transaction.")
    return ctx.session
