"""A Taobao shop from nothing: switch the plugin on, pull, reserve, ship, and see it reported; with the real wire protocol on loopback."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.domain.channels import sync
from core.domain.channels.models import Cursor, InboundDocument, Push, Shop
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.orders.models import Order
from core.runtime.plugin_host import configs, lifecycle
from plugins.taobao.simulator import Credentials, Simulator
from tests.factories.orders import NOON, make_carrier, make_sku, make_warehouse, stock_up

pytestmark = pytest.mark.database
CODES = [
    "TEA-LJ-50", "TEA-LJ-100", "TEA-LJ-250", "TEA-BLC-100", "TEA-BLC-250", "TEA-TGY-125", "TEA-TGY-250", "TEA-DHP-100", "TEA-DHP-200",
    "TEA-PE-100", "TEA-PE-357", "TEA-BHYZ-50", "TEA-JM-100", "TEA-JM-250", "TEA-JJM-50", "WARE-GW-WHITE", "WARE-GW-BLUE", "WARE-POT-180",
    "WARE-MAT-30", "WARE-MAT-60", "TEA-SAMPLE-10", "GIFT-BOX-RED",
]  # fmt: skip


@pytest.fixture(scope="module")
def simulator():
    with Simulator(Credentials("demo-key", "demo-secret-123456", "demo-session-123456"), orders=60, seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def shop(floor, simulator):
    """The tea shop with goods, and its Taobao shop connected the way an admin does it."""
    runtime = floor.system.plugins
    with floor.world.database.unit(floor.world.tea) as session:
        house = make_warehouse(session)
        for code in CODES:
            stock_up(session, make_sku(session, code), house, 1000)
        carrier = make_carrier(session)
        values = {"app_key": "demo-key", "app_secret": "demo-secret-123456", "session": "demo-session-123456", "gateway": simulator.url}
        configs.save_draft(session, runtime, "taobao", values)
    with floor.world.database.unit(floor.world.tea) as session:
        assert configs.check_connection(session, runtime, "taobao").is_ok
        configs.activate(session, runtime, "taobao")
        lifecycle.enable(session, runtime, "taobao")
    runtime.enablement.forget()
    with floor.world.database.unit(floor.world.tea) as session:
        return session.scalars(select(Shop.id).where(Shop.marketplace == "taobao")).one(), carrier


def test_every_order_of_the_channel_arrives_once_and_the_rule_drives_it_on(floor, simulator, shop):
    desk = floor.system.channels.desk

    first = sync.pull(desk, floor.world.tea, shop[0])
    again = sync.pull(desk, floor.world.tea, shop[0])
    floor.settle(floor.world.tea)

    with floor.world.database.unit(floor.world.tea) as session:
        states = dict(session.execute(select(Order.state, func.count()).group_by(Order.state)).tuples().all())
        documents = session.scalar(select(func.count()).select_from(InboundDocument))
        marks = session.scalar(select(func.count()).select_from(Cursor))
    assert (first.tally.created, first.tally.refused, again.tally.created) == (60, 0, 0)
    assert sum(states.values()) == 60
    assert states.get("approved", 0) > 0
    assert (documents >= 60, marks) == (True, 1)
    with floor.world.database.unit(floor.world.gift) as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0


def test_shipment_reaches_the_channel_and_leaves_a_receipt(floor, simulator, shop):
    with floor.world.database.unit(floor.world.tea) as session:
        order = session.scalars(select(Order).where(Order.state == "approved", Order.hold_count == 0).limit(1)).one()
        ship(session, ShipmentOrder(order.id, shop[1], "SF1234567890"), now=NOON)

    floor.settle(floor.world.tea)

    with floor.world.database.unit(floor.world.tea) as session:
        push = session.scalars(select(Push).where(Push.order_id == order.id)).one()
    assert (push.state, push.code) == ("accepted", "")


def test_switching_the_plugin_off_stops_the_pulls_and_keeps_the_orders(floor, shop):
    runtime = floor.system.plugins
    with floor.world.database.unit(floor.world.tea) as session:
        lifecycle.disable(session, runtime, "taobao")
    runtime.enablement.forget()

    with pytest.raises(Exception, match="switched off"):
        sync.pull(floor.system.channels.desk, floor.world.tea, shop[0])
    page = floor.visitor("owner@tea.example").get("/t/tea/orders/list/")
    assert page.status_code == 200
