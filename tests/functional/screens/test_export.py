"""Exports: words and local moments for people, codes and UTC for programs, and no formula for anybody's spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from core.domain.customers.service import create_customer
from core.domain.orders.intake import accept
from tests.factories.orders import NOON, line, make_shop, make_sku, order

pytestmark = pytest.mark.database


@pytest.fixture(scope="module", autouse=True)
def rows(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        accept(session, make_shop(session), [order("690000000000001", line(paid="5.00"), tags=("=cmd()",))], now=NOON)
        make_sku(session, "+TEA", title="@risky")
        create_customer(session, {"name": "Anna", "is_blocked": True})


def _table(floor, path, *, language="en"):
    browser = floor.visitor("owner@tea.example")
    browser.get(f"/lang/{language}")
    answer = browser.get(f"/t/tea/{path}")
    assert answer.status_code == 200, answer.text[:500]
    head, *found = csv.reader(io.StringIO(answer.text))
    return [dict(zip(head, row, strict=True)) for row in found]


def test_export_speaks_the_readers_language_and_time(floor):
    english, chinese = (_table(floor, "orders/export.csv?queue=all", language=one)[0] for one in ("en", "zh"))

    assert (english["State"], english["Placed at"], english["Total"]) == ("Paid", "2026-11-20 20:00:00+08:00", "5.00")
    assert (chinese["状态"], chinese["下单时间"]) == ("已付款", "2026-11-20 20:00:00+08:00")
    assert english["Tags"] == "'=cmd()"


def test_export_for_programs_has_field_names_codes_and_utc(floor):
    english, chinese = (_table(floor, "orders/export.csv?queue=all&for=raw", language=one)[0] for one in ("en", "zh"))

    assert english == chinese
    assert [english[key] for key in ("state", "placed_at", "paid_total", "external_id")] == ["paid", "2026-11-20T12:00:00+00:00", "5.00", "690000000000001"]
    assert english["tags"] == "'=cmd()"


def test_export_for_spreadsheets_protects_long_numbers(floor):
    answer = floor.visitor("owner@tea.example").get("/t/tea/orders/export.csv?queue=all&for=spreadsheet")

    assert answer.text.startswith("\ufeff")
    assert "'690000000000001" in answer.text


@pytest.mark.parametrize(("style", "yes"), [("", "Yes"), ("&for=raw", "true")])
def test_yes_and_no_are_words_for_people_only(floor, style, yes):
    found = _table(floor, f"customers/export.csv?f.is_blocked=true{style}")[0]

    assert yes in (found.get("Blocked"), found.get("is_blocked"))


@pytest.mark.parametrize("style", ["", "&for=raw", "&for=spreadsheet"])
def test_cells_never_start_a_formula(floor, style):
    text = floor.visitor("owner@tea.example").get(f"/t/tea/skus/export.csv?q=%2BTEA{style}").text

    assert "'+TEA,'@risky" in text


def test_unknown_style_is_refused(floor):
    assert floor.visitor("owner@tea.example").get("/t/tea/orders/export.csv?for=pdf").status_code == 422
