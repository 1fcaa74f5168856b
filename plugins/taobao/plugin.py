"""What Taobao contributes: one kind of sales channel, and its say when a shop is set up."""

from __future__ import annotations

from datetime import timedelta

from core.sdk import Lifecycle, Marketplace, hookimpl
from plugins.taobao import service
from plugins.taobao.client import LONGEST_SPAN, TaobaoConnection
from plugins.taobao.mapping import orders_from, refunds_from
from plugins.taobao.shipping import CARRIERS
from plugins.taobao.wire import CURRENCY


@hookimpl
def register_marketplaces() -> list[Marketplace]:
    """Taobao and Tmall shops.

    The overlap covers the second-boundary gaps and late rows that the platform's guidance warns of; the lag leaves it time to
    show a change in its lists.
    """
    return [
        Marketplace(
            key="taobao",
            title="Taobao",
            currency=CURRENCY,
            connect=TaobaoConnection,
            orders_from=orders_from,
            refunds_from=refunds_from,
            # Windows are widened to whole seconds, and must still fit the platform's cap.
            longest_window=LONGEST_SPAN - timedelta(seconds=2),
            overlap=timedelta(minutes=5),
            lag=timedelta(seconds=5),
            carriers=dict(CARRIERS),
        )
    ]


@hookimpl
def register_lifecycle() -> Lifecycle:
    """Settings are proved by asking for the shop's name."""
    return Lifecycle(check_connection=service.check_connection, health=service.health)
