"""The bell and the pages of notifications over HTTP."""

from __future__ import annotations

import html
import re
from uuid import uuid4

import pytest
from sqlalchemy import select

from core.domain.orders.intake import accept
from core.runtime.events import EventDraft
from core.runtime.plugin_host.lifecycle import disable
from plugins.notify_inapp import queries
from plugins.notify_inapp.models import Muted
from tests.factories.orders import NOON, make_shop, order
from tests.plugins.notify_inapp.conftest import PLUGIN
from tests.plugins.notify_inapp.test_telling import GIFT, OWNER, READER, STAFF, held

pytestmark = pytest.mark.database
BASE = "/t/tea/notifications/"


@pytest.fixture
def owner(desk):
    browser = desk.floor.visitor(OWNER)
    browser.get("/lang/en")
    return browser


def post(browser, path, data=None):
    return browser.post(path, data or {}, page="/t/tea/account/")


def bell_of(page):
    found = re.search(r'aria-label="Notifications, unread: (\d+)"', page.text)
    return int(found[1]) if found else None


def texts_in(page):
    return [html.unescape(text) for text in re.findall(r'class="news-text">([^<]*)<', page.text)]


def test_bell_counts_what_is_unread_when_any_page_is_shown(desk, owner):
    before = bell_of(owner.get("/t/tea/account/"))
    desk.happen(held(), held("manual"))

    page = owner.get("/t/tea/account/")
    menu = owner.get(f"{BASE}menu")

    assert (before, bell_of(page)) == (0, 2)
    assert 'hx-get="/t/tea/notifications/menu"' in page.text
    assert sorted(texts_in(menu)) == ["1 order is held: On hold", "1 order is held: Short of stock"]
    assert bell_of(desk.floor.visitor(GIFT).get("/t/gift/account/")) == 0


def test_notices_are_told_in_the_readers_language_when_there_are_several(desk, owner):
    desk.happen(held(), held(), EventDraft("stock.low", "sku", uuid4(), {}))

    english = owner.get(BASE)
    owner.get("/lang/zh")
    chinese = owner.get(BASE)

    assert texts_in(english) == ["1 SKU has fallen to its alert level", "2 orders are held: Short of stock"]
    assert "Today" in english.text
    assert texts_in(chinese) == ["有 1 个 SKU 降到了预警线", "2 张订单被挂起：缺货"]


def test_notice_leads_to_its_order_and_is_read_when_it_is_followed(desk, owner):
    with desk.unit() as session:
        shop = make_shop(session, code="notify")
        found = accept(session, shop, [order("N1")], now=NOON)[0].order_id
    desk.happen(held("manual", order=found))
    [notice] = [one for one in desk.told(OWNER) if one.group_key == "order_held:manual"]
    before = bell_of(owner.get("/t/tea/account/"))

    answer = owner.get(f"{BASE}{notice.id}/")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/t/tea/orders/show/{found}")
    assert bell_of(owner.get("/t/tea/account/")) == before - 1
    assert owner.get(answer.headers["Location"]).status_code == 200


def test_notice_leads_to_the_list_when_it_is_about_several_orders(desk, owner):
    desk.happen(held(), held())
    [notice] = desk.told(OWNER)

    assert owner.get(f"{BASE}{notice.id}/").headers["Location"] == "/t/tea/orders/list/?queue=exceptions"


def test_notice_leads_to_the_page_it_names_when_a_webhook_is_paused(desk, owner):
    hook = uuid4()
    desk.happen(EventDraft("outbound_webhooks.paused", "webhook", hook, {"name": "ERP", "page": f"/webhooks/{hook}/"}))
    [notice] = desk.told(OWNER)

    assert owner.get(f"{BASE}{notice.id}/").headers["Location"] == f"/t/tea/webhooks/{hook}/"
    assert texts_in(owner.get(BASE)) == ["The webhook ERP is paused, because its receiver fails"]


def test_notice_never_leads_to_another_site_when_its_page_is_none_of_ours(desk, owner):
    desk.happen(EventDraft("outbound_webhooks.paused", "webhook", uuid4(), {"name": "ERP", "page": "//evil.example/"}))
    [notice] = desk.told(OWNER)

    assert owner.get(f"{BASE}{notice.id}/").headers["Location"] == "/t/tea/notifications/"


def test_all_are_read_when_the_owner_says_so_and_nobody_elses(desk, owner):
    desk.happen(held(), held("manual"))

    answer = post(owner, f"{BASE}read")

    assert (answer.status_code, bell_of(owner.get("/t/tea/account/"))) == (303, 0)
    with desk.unit() as session:
        assert queries.unread_count(session, desk.user(STAFF)) == 2


def test_choice_of_kinds_is_kept_for_oneself_when_it_is_saved(desk, owner):
    form = owner.get(f"{BASE}settings")
    saved = post(owner, f"{BASE}settings", {"stock_low": "y"})

    assert (form.status_code, form.text.count("checked"), saved.status_code) == (200, 8, 303)
    assert owner.get(f"{BASE}settings").text.count("checked") == 1
    with desk.unit() as session:
        assert set(session.scalars(select(Muted.user_id))) == {desk.user(OWNER)}


def test_page_is_turned_when_there_are_more_notices_than_fit(desk, owner):
    desk.happen(*(held(f"code_{number}") for number in range(35)))

    first = owner.get(BASE)
    second = owner.get(html.unescape(re.search(r'href="([^"]*before=[^"]*)"', first.text)[1]))

    assert (len(texts_in(first)), len(texts_in(second))) == (30, 5)
    assert not set(texts_in(first)) & set(texts_in(second))


def test_notices_of_others_are_not_found_when_somebody_guesses_their_address(desk, owner):
    desk.happen(held())
    [mine] = desk.told(OWNER)
    staff, stranger = desk.floor.visitor(STAFF), desk.floor.visitor(GIFT)

    assert staff.get(f"{BASE}{mine.id}/").status_code == 404
    assert staff.get(f"{BASE}?before={mine.id}").status_code == 404
    assert stranger.get(f"/t/gift/notifications/{mine.id}/").status_code == 404
    assert bell_of(owner.get("/t/tea/account/")) == 1


def test_reader_has_an_empty_bell_when_nothing_concerns_them(desk):
    browser = desk.floor.visitor(READER)
    browser.get("/lang/en")
    desk.happen(held())

    assert bell_of(browser.get("/t/tea/account/")) == 0
    assert "Nothing new" in browser.get(BASE).text


def test_bell_and_pages_are_gone_when_the_plugin_is_off(desk, owner):
    with desk.unit() as session:
        disable(session, desk.floor.system.plugins, PLUGIN)
    desk.floor.system.plugins.enablement.forget()

    page = owner.get("/t/tea/account/")

    assert (page.status_code, bell_of(page)) == (200, None)
    assert [owner.get(f"{BASE}{path}").status_code for path in ("", "menu", "settings")] == [404, 404, 404]


def test_page_stands_without_its_bell_when_the_plugin_fails(desk, owner, monkeypatch):
    def broken(*_args):
        raise RuntimeError("secret inside")

    monkeypatch.setattr("plugins.notify_inapp.plugin.unread_count", broken)

    page = owner.get("/t/tea/account/")

    assert (page.status_code, bell_of(page)) == (200, None)
    assert "secret inside" not in page.text
