"""The audit trail speaks the reader's language: acts, kinds of records, fields and states have words."""

from __future__ import annotations

import re

import pytest

from core.delivery.web.trail import ACTIONS
from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from tests.contracts.test_translations import SOURCES, entries
from tests.factories.orders import NOON, line, make_shop, make_sku, make_warehouse, order, stock_up
from tests.fixtures.web import HOST
from tests.fixtures.wording import REPOSITORY

pytestmark = pytest.mark.database
CODE = re.compile(r'record(?:_many)?\(\s*[a-z_.()]+,\s*"([a-z_.]+)"')


@pytest.fixture(scope="module")
def approved(floor):
    """An approved order; returns its number."""
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session)
        stock_up(session, make_sku(session, "TEA-100"), make_warehouse(session), 5)
        outcome = accept(session, shop, [order("T-1", line(quantity=1))], now=NOON)[0]
        advance(session, [outcome.order_id], now=NOON)
        return outcome.number


def test_trail_has_words_when_an_order_moves(floor, approved):
    page = floor.visitor("owner@tea.example").get("/t/tea/audit/?action=orders.approved").text

    assert f"Order {approved}" in page
    assert "reserved the stock and approved the order" in page
    assert "<dt>State</dt><dd><del>Paid</del>" in page
    assert "<ins>Approved</ins>" in page


def test_trail_is_chinese_when_the_reader_is(floor, approved):
    browser = floor.visitor("owner@tea.example")
    browser.client.set_cookie("ol_lang", "zh", domain=HOST)

    page = browser.get("/t/tea/audit/?subject_type=order").text

    assert f"订单 {approved}" in page
    assert "<dt>状态</dt><dd><del>已付款</del>" in page
    assert "orders.approved</" not in page


def test_every_act_on_record_has_words():
    used = {
        code
        for folder in ("core/domain", "core/runtime", "core/delivery")
        for path in (REPOSITORY / folder).rglob("*.py")
        for code in CODE.findall(path.read_text(encoding="utf-8"))
    }

    assert sorted(used - set(ACTIONS)) == []


def test_messages_for_people_hold_no_notes_for_developers():
    wrong = [text for path in SOURCES for text in entries(path) if "`" in text and "; `" in text]

    assert wrong == []
