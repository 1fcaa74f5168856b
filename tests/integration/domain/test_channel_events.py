"""What channels tell when something fails: people and programs hear of it, the run goes on record."""

from __future__ import annotations

from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import select

from core.domain.channels import sync
from core.domain.channels.desk import ChannelDesk
from core.domain.channels.marketplace import PushResult
from core.domain.channels.models import SyncRun
from core.domain.channels.pushing import record_shipment
from core.kernel.clock import SystemClock
from core.kernel.errors import Unavailable
from core.runtime.events.models import Event
from tests.factories.orders import make_shop

pytestmark = pytest.mark.database


def told(world, kind, scope=None):
    with world.database.unit(scope or world.tea) as session:
        return list(session.scalars(select(Event).where(Event.kind == kind).order_by(Event.seq)))


def test_failed_pull_is_told_once_per_run_when_the_channel_is_away(world):
    @contextmanager
    def away(_scope, _shop):
        raise Unavailable
        yield

    with world.database.unit(world.tea) as session:
        shop = make_shop(session, code="away", marketplace="taobao")
    desk = ChannelDesk(world.database, away, SystemClock())

    with pytest.raises(Unavailable):
        sync.pull(desk, world.tea, shop.id)

    [event] = told(world, "channel.sync_failed")
    assert (event.subject_type, event.subject_id) == ("shop", str(shop.id))
    assert event.payload == {"shop": "away", "stream": "orders", "code": "unavailable"}
    assert told(world, "channel.sync_failed", world.gift) == []
    with world.database.unit(world.tea) as session:
        assert session.scalars(select(SyncRun.state).where(SyncRun.shop_id == shop.id)).all() == ["failed"]


@pytest.mark.parametrize(("result", "count"), [(PushResult("r", is_ok=False, code="x.refused"), 1), (PushResult("r", is_ok=True), 0), (None, 0)])
def test_refused_shipment_is_told_and_nothing_else(world, result, count):
    order, shipment = uuid4(), uuid4()
    facts = {"shipment_id": str(shipment), "order_id": str(order), "carrier": "sf", "tracking_number": "SF1", "is_partial": False}
    with world.database.unit(world.tea) as session:
        shop = make_shop(session, code=f"push-{shipment}")
        record_shipment(session, shop.id, facts, result)

    found = [event for event in told(world, "channel.push_refused") if event.subject_id == str(order)]
    assert [event.payload for event in found] == [{"shop_id": str(shop.id), "shipment_id": str(shipment), "code": "x.refused"}] * count
