"""Forgetting old notices, once a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from core.sdk import DeliveredEvent, DeliveryContext
from plugins.notify_inapp.models import Notice

AT_ONCE = 5_000


def tidy(ctx: DeliveryContext, _events: Sequence[DeliveredEvent]) -> None:
    """Delete notices in which nothing has happened for as many days as the settings say."""
    oldest = ctx.clock.now() - timedelta(days=ctx.config["keep_days"])
    old = select(Notice.id).where(Notice.last_at < oldest).order_by(Notice.id).limit(AT_ONCE)
    ctx.session.execute(delete(Notice).where(Notice.id.in_(old)).execution_options(synchronize_session=False))
