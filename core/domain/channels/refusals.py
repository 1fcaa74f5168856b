"""Shops whose channel refuses our credentials: they are left alone but for a look now and then, until someone has signed in again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.runtime.events.service import resume_subscribers
from core.runtime.plugin_host.models import PluginProblem
from core.runtime.plugin_host.verdicts import NEEDS_REAUTH

# A session that the vendor refused by mistake, or that was renewed on its side, is found to work again after so long at the latest.
LOOK_AGAIN_AFTER = timedelta(minutes=15)

SetUp = tuple[str, str]


def refused_set_ups(session: Session) -> dict[SetUp, datetime]:
    """The set-ups of plugins, as (plugin, instance), whose credentials are refused, with the moment of the last refusal."""
    columns = (PluginProblem.plugin, PluginProblem.instance, PluginProblem.last_seen)
    rows = session.execute(select(*columns).where(PluginProblem.key == NEEDS_REAUTH, PluginProblem.resolved_at.is_(None)))
    return {(row.plugin, row.instance): row.last_seen for row in rows}


def rests(refused: dict[SetUp, datetime], set_up: SetUp, *, now: datetime) -> bool:
    """Whether the set-up was refused so lately that asking again would only be noise."""
    last = refused.get(set_up)
    return last is not None and now - last < LOOK_AGAIN_AFTER


def take_up_what_waited(session: Session, subscribers: tuple[str, ...]) -> int:
    """Make due again what was set aside over refused credentials; returns how many deliveries. Does not commit."""
    return resume_subscribers(session, subscribers, reasons=("reauth",))
