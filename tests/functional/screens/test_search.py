"""The palette finds pages and records by any of their names, and nothing that the reader may not see."""

from __future__ import annotations

import pytest

from core.domain.customers.service import create_customer, update_customer
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from core.domain.orders.models import Order
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database
HTMX = {"headers": {"HX-Request": "true"}}


@pytest.fixture(scope="module")
def shipped(floor):
    """One shipped order; returns its number."""
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        make_shop(session, code="jd")
        stock_up(session, make_sku(session, "TEA-100", title="Green tea"), make_warehouse(session), 5)
        taken = [order("7788990011", line(quantity=1)), order("7788990022", line(quantity=1))]
        ids = [one.order_id for one in accept(session, shop, taken, now=NOON)]
        advance(session, ids, now=NOON)
        ship(session, ShipmentOrder(ids[0], make_carrier(session), "SF998877"), now=NOON)
        return session.get(Order, ids[0]).number


@pytest.mark.parametrize("text", ["7788990011", "SF998877", "13800138000", "8000", "王小明", "wxm"])
def test_order_is_found_by_any_of_its_words(floor, shipped, text):
    page = floor.visitor("staff@tea.example").get(f"/t/tea/search/?q={text}", **HTMX)

    assert page.status_code == 200, page.text[:2000]
    assert f'<span class="hit-label">{shipped}</span>' in page.text


def test_several_pasted_numbers_find_all_of_them(floor, shipped):
    page = floor.visitor("staff@tea.example").get("/t/tea/search/?q=7788990011 7788990022", **HTMX)

    assert page.text.count('class="i i-file-invoice"') == 2
    assert "All orders that match" in page.text


@pytest.mark.parametrize(("text", "hit"), [("audit", "Audit trail"), ("TEA-1", "TEA-100"), ("plug", "Plugins")])
def test_pages_and_skus_are_found(floor, shipped, text, hit):
    page = floor.visitor("owner@tea.example").get(f"/t/tea/search/?q={text}", **HTMX)

    assert f'<span class="hit-label">{hit}</span>' in page.text


def test_pages_are_found_by_the_first_letters_of_their_pinyin(floor, shipped):
    browser = floor.visitor("owner@tea.example")
    browser.client.set_cookie("ol_lang", "zh", domain="orders.example.test")

    page = browser.get("/t/tea/search/?q=dd", **HTMX)

    assert '<span class="hit-label">订单</span>' in page.text


def test_search_stays_within_rights_and_tenant(floor, shipped):
    reader = floor.visitor("reader@tea.example").get("/t/tea/search/?q=members", **HTMX)
    stranger = floor.visitor("owner@gift.example").get("/t/gift/search/?q=7788990011", **HTMX)

    assert '<span class="hit-label">Members</span>' not in reader.text
    assert shipped not in stranger.text
    assert "Nothing found" in stranger.text


def test_search_is_a_page_without_scripts(floor, shipped):
    page = floor.visitor("staff@tea.example").get("/t/tea/search/?q=SF998877")

    assert "<html" in page.text
    assert shipped in page.text


def test_frame_offers_search_jumps_shops_and_jobs(floor, shipped):
    page = floor.visitor("owner@tea.example").get("/t/tea/orders/list/?queue=to_ship")

    assert 'hx-get="/t/tea/search/"' in page.text
    assert 'data-jump="o" href="/t/tea/orders/list/"' in page.text
    assert "All shops" in page.text
    assert "/t/tea/shop-scope/all?next=/t/tea/orders/list/?queue%3Dto_ship" in page.text
    assert 'id="jobs-ring" href="/t/tea/jobs/"' in page.text


@pytest.mark.parametrize("text", ["林小满", "lxm", "13977776666", "6666", "lin@shop.example"])
def test_customer_without_an_order_is_found_in_palette_and_list(floor, shipped, text):
    values = {"name": "林小满", "phone": "13977776666", "email": "lin@shop.example"}
    with floor.world.database.unit(floor.world.tea) as session:
        made = create_customer(session, values)
        masked, address = made.name_masked, f"/t/tea/customers/show/{made.id}"
    browser = floor.visitor("staff@tea.example")

    palette, listed = browser.get(f"/t/tea/search/?q={text}", **HTMX).text, browser.get(f"/t/tea/customers/list/?q={text}").text

    assert masked == "林**"
    assert address in palette
    assert "<tr data-pk=" in listed
    assert "13977776666" not in palette.replace(f"q={text}", "")


def test_customer_is_found_by_the_new_name_only_when_it_was_changed(floor, shipped):
    with floor.world.database.unit(floor.world.tea) as session:
        made = create_customer(session, {"name": "Zebedee Quill"})
        update_customer(session, made, {"name": "Barnaby Quill"})
    browser = floor.visitor("staff@tea.example")

    found = {name: "Nothing found" not in browser.get(f"/t/tea/search/?q={name}", **HTMX).text for name in ("Zebedee", "Barnaby")}

    assert found == {"Zebedee": False, "Barnaby": True}


def test_customer_is_found_by_an_order_of_theirs(floor, shipped):
    page = floor.visitor("staff@tea.example").get("/t/tea/customers/list/?q=7788990011").text

    assert page.count("<tr data-pk=") == 1


def test_nothing_is_found_when_the_text_has_no_word(floor, shipped):
    assert "Nothing found" in floor.visitor("staff@tea.example").get("/t/tea/search/?q=?", **HTMX).text
