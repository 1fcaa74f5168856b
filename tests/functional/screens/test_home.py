"""The start page counts the work queues, names the newest trouble with its way out, and leads a new tenant through the first steps."""

from __future__ import annotations

import pytest

from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from core.domain.orders.normalised import ChannelState
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def tea(floor):
    """Six orders of the tea shop: one can ship, three are short of stock, one has an unknown unit, one is not paid."""
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        sku = make_sku(session, "TEA-100")
        stock_up(session, sku, make_warehouse(session), 5)
        make_carrier(session)
        short = [order(f"S{n}", line(quantity=50)) for n in range(3)]
        unpaid = order("U1", line(state=ChannelState.AWAITING_PAYMENT), state=ChannelState.AWAITING_PAYMENT)
        taken = [order("G1", line(quantity=2)), *short, order("X1", line(code="NO-SUCH")), unpaid]
        outcomes = accept(session, shop, taken, now=NOON)
        advance(session, [one.order_id for one in outcomes], now=NOON)
    return shop


def _stat(page, label):
    part = page.text.partition(f"{label}</span>")[2]
    return part.partition('<span class="stat-n">')[2].partition("</span>")[0]


def test_home_counts_the_queues_and_links_to_them(floor, tea):
    page = floor.visitor("staff@tea.example").get("/t/tea/")

    assert page.status_code == 200, page.text[:3000]
    assert [_stat(page, label) for label in ("To ship", "Exceptions", "Awaiting payment", "Unmatched SKUs")] == ["1", "4", "1", "1"]
    assert 'href="/t/tea/orders/list/?queue=to_ship"' in page.text
    assert 'href="/t/tea/orders/list/?queue=exceptions&amp;f.hold_code=stock_short"' in page.text
    assert "3 orders" in page.text


def test_home_names_the_newest_trouble_with_its_fix(floor, tea):
    page = floor.visitor("owner@tea.example").get("/t/tea/")

    assert page.text.count('class="queue-it"') >= 4
    assert "A line is not matched to any of your SKUs." in page.text
    assert "Match SKUs" in page.text


def test_home_shows_no_checklist_when_everything_is_set_up(floor, tea):
    page = floor.visitor("owner@tea.example").get("/t/tea/")

    assert "Set up your business" not in page.text


def test_home_leads_through_the_first_steps_when_the_tenant_is_empty(floor, tea):
    page = floor.visitor("owner@gift.example").get("/t/gift/")

    assert page.status_code == 200, page.text[:3000]
    assert "Set up your business" in page.text
    assert page.text.index("Connect a shop") < page.text.index("Put something into stock") < page.text.index("Add a carrier")
    assert _stat(page, "Exceptions") == "0"
    assert "TEA-100" not in page.text
