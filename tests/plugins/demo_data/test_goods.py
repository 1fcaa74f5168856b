"""The goods that the demo gives to an empty business."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from core.delivery.composition import HOOK_MODULES
from core.domain.catalog.models import Sku
from core.runtime.plugin_host.host import HostOptions, PluginHost
from core.runtime.plugin_host.lifecycle import enable
from core.runtime.plugin_host.runtime import PluginRuntime, RuntimeOptions
from plugins.demo_data.service import gift_goods, tea_goods

ROOT = Path(__file__).resolve().parents[3]


def test_tea_goods_are_priced_stocked_and_unlike_each_other():
    goods = tea_goods()

    assert len({one.code for one in goods}) == len(goods) == 22
    assert min(one.price for one in goods) == 0  # a sample that comes free of charge
    assert [one.on_hand for one in goods[-4:]] == [Decimal(120), Decimal(3), Decimal(3), Decimal(3)]


def test_gift_goods_are_the_articles_of_the_week_and_one_service():
    goods = gift_goods()

    assert len({one.code for one in goods}) == len(goods) == 2269
    assert goods[0].title == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert [one.code for one in goods if not one.is_stocked] == ["M"]


@pytest.mark.database
def test_each_business_gets_its_own_goods_when_two_switch_the_demo_on(world):
    host = PluginHost(HostOptions(ROOT / "plugins.toml", (ROOT / "plugins",), spec_modules=HOOK_MODULES)).boot()
    runtime = PluginRuntime(host, world.database, RuntimeOptions(journal_writes_by_itself=False))
    for scope in (world.tea, world.gift):
        with world.database.unit(scope) as session:
            enable(session, runtime, "demo_data")

    codes = {}
    for scope in (world.tea, world.gift):
        with world.database.unit(scope) as session:
            codes[scope.slug] = set(session.scalars(select(Sku.code)))

    assert codes == {"tea": {one.code for one in tea_goods()}, "gift": {one.code for one in gift_goods()}}
