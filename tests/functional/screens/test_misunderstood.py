"""A list whose address names a filter that means nothing opens, says so beside the filter box, and hides no row."""

from __future__ import annotations

import pytest

from core.domain.orders.intake import accept
from tests.factories.orders import NOON, make_shop, order

pytestmark = pytest.mark.database


@pytest.fixture(scope="module", autouse=True)
def orders(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        accept(session, make_shop(session), [order("B-1"), order("B-2")], now=NOON)


def test_list_opens_with_the_bad_filter_named_when_a_value_means_nothing(floor):
    page = floor.visitor("owner@tea.example").get("/t/tea/orders/list/?f.shop_id=xx&queue=all")

    assert page.status_code == 200
    assert 'Shop <b>xx</b>' in page.text
    assert "not understood: the list is shown without it" in page.text
    assert page.text.count("<tr data-pk=") == 2
    assert 'href="?queue=all" aria-label="Remove filter Shop"' in page.text


def test_search_keeps_the_filters_of_the_list(floor):
    page = floor.visitor("owner@tea.example").get("/t/tea/orders/list/?queue=all&f.state=paid").text
    search = page[page.index('class="tools-find"') :].partition("</form>")[0]

    assert '<input type="hidden" name="f.state" value="paid">' in search


@pytest.mark.parametrize("args", ["f.hold_count=99999999999999999999", "f.placed_at.from=0001-01-01", "f.is_blocked=1"])
def test_list_opens_when_a_value_is_out_of_bounds(floor, args):
    page = floor.visitor("owner@tea.example").get(f"/t/tea/orders/list/?{args}&queue=all")

    assert page.status_code == 200, page.text[:2000]


def test_nothing_is_exported_when_a_filter_means_nothing(floor):
    page = floor.visitor("owner@tea.example").get("/t/tea/orders/export.csv?f.shop_id=xx")

    assert page.status_code == 422
