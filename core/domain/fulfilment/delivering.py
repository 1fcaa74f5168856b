"""Shipments that have arrived: noted by people one by one, or with their whole order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.fulfilment.errors import ShipmentEnded
from core.domain.fulfilment.models import Shipment
from core.domain.orders import closing
from core.domain.orders.models import Order
from core.engines.metadata import Action
from core.kernel.clock import SystemClock
from core.kernel.errors import NotFound, OrderloomError
from core.kernel.messages import N_
from core.runtime.events import EventDraft, emit

Refusals = Callable[[Session, Sequence[UUID]], Mapping[UUID, OrderloomError]]
Outcomes = dict[UUID, OrderloomError | None]


def deliver_shipments(session: Session, shipment_ids: Sequence[UUID], *, refusals: Refusals, now: datetime) -> Outcomes:
    """Note that shipments have arrived; an order whose last shipment arrives is delivered. One that has arrived counts as done.

    `refusals(session, order_ids)` names the orders for which somebody else speaks. Locks orders, then shipments; does not commit.
    Each shipment is answered for itself: NotFound, ShipmentEnded - it was cancelled, or what `refusals` says of its order.
    Emits: `shipment.delivered`, `order.delivered`.
    """
    named = dict(session.execute(select(Shipment.id, Shipment.order_id).where(Shipment.id.in_(list(shipment_ids)))).all())  # type: ignore[arg-type]
    session.execute(select(Order.id).where(Order.id.in_(set(named.values()))).order_by(Order.id).with_for_update()).all()
    refused = refusals(session, list(set(named.values())))
    outcomes: Outcomes = {one: NotFound(shipment=str(one)) for one in shipment_ids if one not in named}
    for shipment in _shipments(session, Shipment.id.in_(named)):
        error = refused.get(shipment.order_id)
        if error is None and shipment.state == "cancelled":
            error = ShipmentEnded(number=shipment.number)
        outcomes[shipment.id] = error
        if error is None:
            _arrive(session, shipment, now)
    session.flush()
    good = {named[one] for one, error in outcomes.items() if error is None and one in named}
    under_way = set(session.scalars(select(Shipment.order_id).where(Shipment.order_id.in_(good), Shipment.state == "dispatched")))
    whole = select(Order.id).where(Order.id.in_(good - under_way), Order.state == "shipped")
    closing.deliver(session, list(session.scalars(whole)))
    return outcomes


def arrive_with_orders(session: Session, order_ids: Iterable[UUID], *, now: datetime) -> None:
    """Bring shipments in line with their orders: of one that is delivered nothing is on its way any more. May be repeated."""
    orders = select(Order.id).where(Order.id.in_(list(order_ids)), Order.state.in_(("delivered", "completed")))
    for shipment in _shipments(session, Shipment.order_id.in_(orders)):
        _arrive(session, shipment, now)


def _shipments(session: Session, condition: Any) -> Sequence[Shipment]:
    return session.scalars(select(Shipment).where(condition).order_by(Shipment.id).with_for_update()).all()


def _arrive(session: Session, shipment: Shipment, now: datetime) -> None:
    if shipment.state != "dispatched":
        return
    shipment.state, shipment.delivered_at = "delivered", now
    facts = {"shipment_id": str(shipment.id), "order_id": str(shipment.order_id), "number": shipment.number}
    emit(session, [EventDraft("shipment.delivered", "order", shipment.order_id, facts)])


def deliver_action(refusals: Refusals) -> Action:
    """The action on shipments; `refusals` as in `deliver_shipments`."""

    def apply(session: Session, ids: Sequence[UUID], _params: Mapping[str, Any]) -> Outcomes:
        return deliver_shipments(session, ids, refusals=refusals, now=SystemClock().now())

    return Action("deliver", N_("Mark delivered"), "fulfilment.write", apply, icon="home-check")
