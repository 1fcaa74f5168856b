"""The inbox groups what nobody has mapped; one mapping releases the orders and the reports that wait for it."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from core.domain.catalog.models import SkuAlias
from core.domain.channels.models import Shop, UnmappedValue
from core.domain.channels.pushing import note_unmapped
from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from core.domain.orders.models import Order
from core.kernel.ids import new_id
from core.runtime.events import EventDraft, emit, install_registry
from core.runtime.events.models import Delivery
from tests.factories.orders import NOON, line, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


@pytest.fixture(scope="module")
def waiting(floor):
    """Two orders that wait for one unknown unit, and a SKU that it could be."""
    install_registry(floor.system.registry)
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        sku = make_sku(session, "TEA-1")
        stock_up(session, sku, make_warehouse(session), 50)
        ids = [one.order_id for one in accept(session, shop, [order(f"W{n}", line(code="MYSTERY")) for n in range(2)], now=NOON)]
        advance(session, ids, now=NOON)
    return shop, sku, ids


def _states(floor, ids):
    with floor.world.database.unit(floor.world.tea) as session:
        return set(session.scalars(select(Order.state).where(Order.id.in_(ids))))


def test_matching_one_name_releases_all_orders_that_wait(floor, waiting):
    _shop, sku, ids = waiting
    browser = floor.visitor("owner@tea.example")
    page = browser.get("/t/tea/unmapped/")
    with floor.world.database.unit(floor.world.tea) as session:
        alias = session.scalars(select(SkuAlias.id).where(SkuAlias.sku_id.is_(None))).one()

    before = _states(floor, ids)
    browser.post(f"/t/tea/unmapped/sku/{alias}", {"target": str(sku)}, **HERE)
    floor.settle(floor.world.tea)

    assert page.status_code == 200, page.text[:3000]
    assert "MYSTERY" in page.text
    assert "2 orders wait" in page.text
    assert (before, _states(floor, ids)) == ({"paid"}, {"approved"})
    assert "Everything is known" in browser.get("/t/tea/unmapped/").text


@pytest.fixture
def stopped_report(floor, waiting):
    """Three reports that were given up: two of this shop and carrier, one of another carrier."""
    shop = waiting[0]
    with floor.world.database.unit(floor.world.tea) as session:
        session.execute(update(Delivery).where(Delivery.state.in_(("pending", "dead"))).values(state="skipped"))
        note_unmapped(session, shop.id, kind="carrier", value="sf")
        for carrier in ("sf", "sf", "other"):
            emit(session, [EventDraft("shipment.dispatched", "order", new_id(), {"shop_id": str(shop.id), "carrier": carrier})])
        session.flush()
        session.execute(
            update(Delivery).where(Delivery.subscriber == "core.push_shipment", Delivery.state == "pending").values(state="dead")
        )
        session.execute(update(Delivery).where(Delivery.state == "pending").values(state="skipped"))
        return session.scalars(select(UnmappedValue.id).where(UnmappedValue.value == "sf")).one()


def _reports(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        wanted = select(Delivery.generation).where(Delivery.subscriber == "core.push_shipment", Delivery.generation > 1)
        return len(list(session.scalars(wanted)))


def test_mapping_a_carrier_sends_the_stopped_reports_once_more(floor, waiting, stopped_report):
    browser = floor.visitor("owner@tea.example")
    page = browser.get("/t/tea/unmapped/")

    browser.post(f"/t/tea/unmapped/value/{stopped_report}", {"target": "SF"}, **HERE)
    floor.settle(floor.world.tea)

    assert "What the channel calls it" in page.text
    assert _reports(floor) == 2
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalars(select(Shop.carriers).where(Shop.id == waiting[0].id)).one() == {"sf": "SF"}


def test_empty_meaning_is_refused(floor, stopped_report):
    browser = floor.visitor("owner@tea.example")
    before = _reports(floor)

    browser.post(f"/t/tea/unmapped/value/{stopped_report}", {"target": " "}, **HERE)
    floor.settle(floor.world.tea)

    assert _reports(floor) == before
    assert "Say what the value means." in browser.get("/t/tea/unmapped/").text


def test_reader_sees_but_cannot_map(floor, stopped_report):
    browser = floor.visitor("reader@tea.example")

    page = browser.get("/t/tea/unmapped/")
    refused = browser.post(f"/t/tea/unmapped/value/{stopped_report}", {"target": "SF"}, **HERE)

    assert (page.status_code, refused.status_code) == (200, 403)
    assert "Map and go on" not in page.text
