"""What Taobao contributes: one kind of sales channel."""

from __future__ import annotations

from datetime import timedelta

from core.sdk import Lifecycle, Marketplace, PluginContext, hookimpl
from plugins.taobao.client import LONGEST_SPAN, TaobaoConnection
from plugins.taobao.mapping import orders_from, refunds_from
from plugins.taobao.wire import CURRENCY

# Orderloom's carrier codes and what Taobao calls them; a shop may change each.
CARRIERS = {
    "sf": "SF",
    "zto": "ZTO",
    "yto": "YTO",
    "sto": "STO",
    "yunda": "YUNDA",
    "ems": "EMS",
    "china_post": "POSTB",
    "deppon": "DBKD",
    "best": "HTKY",
    "zjs": "ZJS",
}


def marketplace() -> Marketplace:
    """Taobao and Tmall shops.

    The overlap covers the second-boundary gaps and late rows that the platform's guidance warns of; the lag leaves it time to
    show a change in its lists.
    """
    return Marketplace(
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


@hookimpl
def register_marketplaces() -> list[Marketplace]:
    """Taobao and Tmall shops as one kind of sales channel."""
    return [marketplace()]


@hookimpl
def register_lifecycle() -> Lifecycle:
    """The connection test: it asks for the shop's name and changes nothing."""
    return Lifecycle(check_connection=_check_connection)


def _check_connection(ctx: PluginContext) -> str:
    return TaobaoConnection(ctx).check()
