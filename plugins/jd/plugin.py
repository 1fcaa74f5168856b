"""What JD contributes: one kind of sales channel, and its say when a shop is set up."""

from __future__ import annotations

from datetime import timedelta

from core.sdk import Lifecycle, Marketplace, hookimpl
from plugins.jd import service
from plugins.jd.client import connect
from plugins.jd.fields import CURRENCY
from plugins.jd.mapping import orders_from, refunds_from
from plugins.jd.queries import MONTH
from plugins.jd.shipping import CARRIERS


@hookimpl
def register_marketplaces() -> list[Marketplace]:
    """JD's POP shops.

    The overlap of five minutes covers clocks that differ; JD documents no lag, half a minute covers writes under way.
    """
    return [
        Marketplace(
            key="jd",
            title="JD",
            currency=CURRENCY,
            connect=connect,
            orders_from=orders_from,
            refunds_from=refunds_from,
            longest_window=MONTH,
            overlap=timedelta(minutes=5),
            lag=timedelta(seconds=30),
            carriers=dict(CARRIERS),
        )
    ]


@hookimpl
def register_lifecycle() -> Lifecycle:
    """Settings are proved by asking for the shop's name."""
    return Lifecycle(check_connection=service.check_connection, health=service.health)
