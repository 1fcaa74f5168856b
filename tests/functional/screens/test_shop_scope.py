"""The shop that somebody chose stays from list to list, until another one is chosen."""

from __future__ import annotations

import pytest

from core.domain.orders.intake import accept
from tests.factories.orders import NOON, make_shop, order

pytestmark = pytest.mark.database
HOST = "orders.example.test"


@pytest.fixture(scope="module")
def shops(floor):
    """Two shops with one order each; their ids."""
    with floor.world.database.unit(floor.world.tea) as session:
        found = [make_shop(session, code=code) for code in ("one", "two")]
        for shop, number in zip(found, ("N-ONE", "N-TWO"), strict=True):
            accept(session, shop, [order(number)], now=NOON)
        return [str(shop.id) for shop in found]


def test_shop_stays_through_lists_when_it_was_chosen(floor, shops):
    browser = floor.visitor("staff@tea.example")

    answer = browser.get(f"/t/tea/shop-scope/{shops[0]}?next=/t/tea/orders/list/?queue%3Dall")
    orders, refunds = browser.get(answer.headers["Location"]), browser.get("/t/tea/refunds/list/")
    home, counts = browser.get("/t/tea/").text, browser.get(f"/t/tea/orders/counts?f.shop_id={shops[0]}").text

    assert (answer.status_code, answer.headers["Location"]) == (303, "/t/tea/orders/list/?queue=all")
    assert ("N-ONE" in orders.text, "N-TWO" in orders.text) == (True, False)
    assert 'Shop <b>ONE</b>' in refunds.text
    assert "lists show ONE only" in home
    assert 'id="count-all"' in counts
    assert ">1</span>" in counts


def test_address_wins_when_it_names_a_shop_itself(floor, shops):
    browser = floor.visitor("staff@tea.example")
    browser.get(f"/t/tea/shop-scope/{shops[0]}")

    other = browser.get(f"/t/tea/orders/list/?f.shop_id={shops[1]}").text
    both = browser.get("/t/tea/orders/list/?f.shop_id=").text

    assert ("N-ONE" in other, "N-TWO" in other) == (False, True)
    assert ("N-ONE" in both, "N-TWO" in both) == (True, True)


def test_all_shops_show_again_when_the_chip_is_removed(floor, shops):
    browser = floor.visitor("staff@tea.example")
    browser.get(f"/t/tea/shop-scope/{shops[0]}")
    listed = browser.get("/t/tea/orders/list/?queue=all").text

    answer = browser.get("/t/tea/shop-scope/all?next=/t/tea/orders/list/?queue%3Dall")
    after = browser.get(answer.headers["Location"]).text

    assert '<a class="chip-x" href="/t/tea/shop-scope/all?next=/t/tea/orders/list/?queue%3Dall"' in listed
    assert ("N-ONE" in after, "N-TWO" in after) == (True, True)


@pytest.mark.parametrize("onward", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_choice_leads_to_the_orders_when_the_way_on_is_elsewhere(floor, shops, onward):
    answer = floor.visitor("staff@tea.example").get("/t/tea/shop-scope/all", query_string={"next": onward})

    assert answer.headers["Location"] == "/t/tea/orders/list/"


def test_shop_of_another_tenant_is_not_kept(floor, shops):
    browser = floor.visitor("owner@gift.example")

    answer = browser.get(f"/t/gift/shop-scope/{shops[0]}")

    assert (answer.status_code, "ol_shop" in answer.headers.get("Set-Cookie", "")) == (404, False)
