"""Tidying up, once a day: old deliveries, and secrets whose time is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update

from core.sdk import DeliveredEvent, DeliveryContext
from plugins.outbound_webhooks.models import Hook, Message

AT_ONCE = 5_000


def tidy(ctx: DeliveryContext, _events: Sequence[DeliveredEvent]) -> None:
    """Delete ended messages older than the settings say, and former secrets that no longer sign."""
    now = ctx.clock.now()
    oldest = now - timedelta(days=ctx.config["keep_days"])
    old = select(Message.id).where(Message.made_at < oldest, Message.state.in_(("delivered", "failed", "held"))).order_by(Message.id)
    ctx.session.execute(delete(Message).where(Message.id.in_(old.limit(AT_ONCE))).execution_options(synchronize_session=False))
    ctx.session.execute(
        update(Hook)
        .where(Hook.former_until < now)
        .values(former_secret=None, former_until=None)
        .execution_options(synchronize_session=False)
    )
