"""Actions over all that a list matches run as a job: with a page that shows progress and the outcome of each row."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from core.domain.orders.intake import accept
from core.domain.orders.models import Order
from core.runtime.jobs.models import BulkRun
from tests.factories.orders import NOON, line, make_shop, make_sku, order

pytestmark = pytest.mark.database
COUNT = 60
LIST = "/t/tea/orders/"
HERE = {"page": "/t/tea/account/"}


@pytest.fixture(scope="module")
def orders(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        make_sku(session, "TEA-100")
        outcomes = accept(session, shop, [order(f"B{n}", line()) for n in range(COUNT)], now=NOON)
    return [outcome.order_id for outcome in outcomes]


def _tagged(floor, tag):
    with floor.world.database.unit(floor.world.tea) as session:
        return session.scalar(select(func.count()).select_from(Order).where(Order.tags.contains([tag])))


def _start(browser, **more):
    answer = browser.post(f"{LIST}bulk", {"action": "tag", "scope": "all", "go": "1", **more}, **HERE)
    assert answer.status_code == 302, answer.text[:2000]
    return answer.headers["Location"]


def test_list_offers_all_matching_rows_when_they_are_more_than_one_page(floor, orders):
    browser = floor.visitor("staff@tea.example")

    many, few = browser.get(f"{LIST}list/"), browser.get(f"{LIST}list/?q=B7")

    assert "All 60 matching" in many.text
    assert "matching" not in few.text


def test_action_on_all_matching_asks_with_the_number_first(floor, orders):
    browser = floor.visitor("staff@tea.example")

    asked = browser.post(f"{LIST}bulk", {"action": "release", "scope": "all"}, **HERE)

    assert asked.status_code == 200
    assert "All 60 matching" in asked.text
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalar(select(func.count()).select_from(BulkRun)) == 0


def test_run_works_on_all_that_match_the_filter_and_on_nothing_else(floor, orders):
    browser = floor.visitor("staff@tea.example")

    url = _start(browser, **{"p.tags": "spring", "f.external_id": "B1", "op.external_id": "starts_with"})
    waiting = browser.get(url)
    floor.settle(floor.world.tea)
    done = browser.get(url)

    assert 'hx-trigger="every 1s"' in waiting.text
    assert 'hx-trigger="every 1s"' not in done.text
    assert _tagged(floor, "spring") == 11
    assert "11 / 11" in done.text
    assert done.text.count('class="st st-ok"') == 12  # eleven rows and the sum


def test_progress_is_a_fragment_when_htmx_asks(floor, orders):
    browser = floor.visitor("staff@tea.example")
    url = _start(browser, **{"p.tags": "once"})

    part = browser.get(url, headers={"HX-Request": "true"})

    assert part.text.lstrip().startswith('<section id="bulk-progress"')
    assert "<html" not in part.text


def test_doubled_request_starts_one_run_when_it_bears_the_same_key(floor, orders):
    browser = floor.visitor("staff@tea.example")

    first, second = (_start(browser, **{"p.tags": "twice", "request_key": "a" * 32}) for _ in range(2))

    assert first == second


def test_run_stops_when_it_is_cancelled(floor, orders):
    browser = floor.visitor("staff@tea.example")
    url = _start(browser, **{"p.tags": "never"})

    browser.post(f"{url}cancel", {}, **HERE)
    floor.settle(floor.world.tea)

    assert _tagged(floor, "never") == 0
    assert "Stopped" in browser.get(f"{url}").text


def test_refused_rows_say_why(floor, orders):
    browser = floor.visitor("staff@tea.example")
    _start(browser, **{"action": "cancel", "p.reason": "closed for good", "f.external_id": "B59", "op.external_id": "eq"})
    floor.settle(floor.world.tea)

    url = _start(browser, **{"action": "hold", "p.reason": "wait", "queue": "cancelled"})
    floor.settle(floor.world.tea)
    page = browser.get(url)

    assert re.search(r"1 refused", page.text)
    assert "0 done" in page.text


def test_refused_rows_are_tried_again_when_that_is_asked_for(floor, orders):
    browser = floor.visitor("staff@tea.example")
    _start(browser, **{"action": "cancel", "p.reason": "closed for good", "f.external_id": "B58", "op.external_id": "eq"})
    floor.settle(floor.world.tea)
    url = _start(browser, **{"action": "hold", "p.reason": "again", "f.external_id": "B58", "op.external_id": "eq"})
    floor.settle(floor.world.tea)
    page = browser.get(url).text

    failed = browser.post(f"{url}retry", {}, **HERE)
    refused = browser.post(f"{url}retry", {"refused": "1"}, **HERE)

    assert "Try 1 failed or refused row again" in page
    assert "Try 0 failed" not in page
    assert failed.headers["Location"] == url
    assert refused.headers["Location"] != url
    assert "/bulk-runs/" in refused.headers["Location"]


def test_shipping_is_never_done_to_all_matching(floor, orders):
    browser = floor.visitor("staff@tea.example")

    answer = browser.post(f"{LIST}bulk", {"action": "ship", "scope": "all"}, **HERE)

    assert answer.status_code == 302
    assert "/orders/list/" in answer.headers["Location"]


def test_more_than_two_hundred_chosen_rows_become_a_run(floor, orders):
    browser = floor.visitor("staff@tea.example")
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session, code="big")
        ids = [str(one.order_id) for one in accept(session, shop, [order(f"R{n}", line()) for n in range(205)], now=NOON)]

    url = _start(browser, **{"scope": "", "pk": ids, "p.tags": "many"})
    floor.settle(floor.world.tea)

    assert "/bulk-runs/" in url
    assert _tagged(floor, "many") == 205


def test_run_of_one_tenant_is_not_found_in_another(floor, orders):
    url = _start(floor.visitor("staff@tea.example"), **{"p.tags": "mine"})

    page = floor.visitor("owner@gift.example").get(url.replace("/t/tea/", "/t/gift/"))

    assert page.status_code == 404


def test_wrong_filter_does_nothing_instead_of_everything(floor, orders):
    browser = floor.visitor("staff@tea.example")

    answer = browser.post(f"{LIST}bulk", {"action": "tag", "scope": "all", "go": "1", "p.tags": "oops", "f.hold_count": "x"}, **HERE)

    assert answer.status_code == 422
    assert _tagged(floor, "oops") == 0
