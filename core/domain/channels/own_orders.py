"""What people note about orders of shops of one's own: delivered, completed. A marketplace says so itself of its orders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.channels.errors import PlatformDecides
from core.domain.channels.models import Shop
from core.domain.orders import closing
from core.domain.orders.closing import Outcomes
from core.domain.orders.models import Order
from core.engines.metadata import Action
from core.kernel.clock import SystemClock
from core.kernel.errors import OrderloomError
from core.kernel.messages import N_

Step = Callable[[Session, Sequence[UUID]], Outcomes]


def platform_orders(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, OrderloomError]:
    """Those of these orders for which a platform decides, each with the error that says so."""
    named = select(Order.id, Order.number).join(Shop, Shop.id == Order.shop_id).where(Order.id.in_(list(order_ids)))
    return {row.id: PlatformDecides(number=row.number) for row in session.execute(named.where(Shop.marketplace != ""))}


def own_only(step: Step) -> Callable[[Session, Sequence[UUID], Mapping[str, Any]], Outcomes]:
    """An action's `apply` that takes the step with the orders of own shops and refuses the others."""

    def apply(session: Session, ids: Sequence[UUID], _params: Mapping[str, Any]) -> Outcomes:
        refused = platform_orders(session, ids)
        return {**refused, **step(session, [order for order in ids if order not in refused])}

    return apply


def _complete(session: Session, ids: Sequence[UUID]) -> Outcomes:
    return closing.complete(session, ids, now=SystemClock().now())


OWN_ACTIONS = (
    Action("deliver", N_("Mark delivered"), "orders.write", own_only(closing.deliver), icon="home-check"),
    Action("complete", N_("Complete"), "orders.write", own_only(_complete), icon="circle-check"),
)
