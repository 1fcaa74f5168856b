"""A delivery is booked from one form: several SKUs, one warehouse, one reference, once."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from core.domain.catalog.models import KIT
from core.domain.inventory.models import LedgerEntry, Stock
from tests.factories.orders import make_sku, make_warehouse

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}
URL = "/t/tea/receive/"


@pytest.fixture(scope="module")
def place(floor):
    assert "A warehouse is needed first" in floor.visitor("owner@tea.example").get(URL).text
    with floor.world.database.unit(floor.world.tea) as session:
        house, other = make_warehouse(session), make_warehouse(session, "SHOP")
        skus = {code: make_sku(session, code) for code in ("TEA-100", "CUP")}
        skus["SET"] = make_sku(session, "SET", kind=KIT)
        skus["CARD"] = make_sku(session, "CARD", is_stocked=False)
        return SimpleNamespace(house=house, other=other, **{code.partition("-")[0].lower(): key for code, key in skus.items()})


def _values(place, *lines, **values):
    found = {"warehouse_id": str(place.house), "reference": "", "note": "", "count": "5", "own_number": "R-OWN"}
    for number, (sku, quantity) in enumerate(lines):
        found |= {f"l{number}.sku_id": str(sku), f"l{number}.quantity": quantity}
    return {**found, **values}


def _entries(floor, reference):
    with floor.world.database.unit(floor.world.tea) as session:
        statement = select(LedgerEntry).where(LedgerEntry.reference == reference).order_by(LedgerEntry.delta)
        return [(one.reason, one.delta, one.note, one.actor) for one in session.scalars(statement)]


def test_delivery_is_booked_once_when_its_form_is_sent_twice(floor, place):
    browser = floor.visitor("owner@tea.example")
    stock = browser.get("/t/tea/stock/list/").text
    values = _values(place, (place.tea, "12"), (place.cup, "3.5"), (place.tea, "1"), reference="PO-9", note="two boxes")

    done = [browser.post(URL, values, **HERE) for _twice in range(2)]
    said = browser.get("/t/tea/stock-ledger/list/").text

    assert f'href="{URL}"' in stock
    assert [answer.status_code for answer in done] == [302, 302]
    assert _entries(floor, "PO-9") == [("receipt", 3.5, "two boxes", "Owner"), ("receipt", 13, "two boxes", "Owner")]
    assert "Delivery PO-9 was booked already; nothing was changed." in said
    with floor.world.database.unit(floor.world.tea) as session:
        assert sorted(session.scalars(select(Stock.on_hand))) == [3.5, 13]


def test_reference_is_refused_when_other_goods_came_under_it(floor, place):
    browser = floor.visitor("owner@tea.example")
    browser.post(URL, _values(place, (place.tea, "2"), reference="PO-10"), **HERE)

    refused = browser.post(URL, _values(place, (place.tea, "3"), reference="PO-10"), **HERE)
    elsewhere = browser.post(URL, _values(place, (place.tea, "3"), reference="PO-10", warehouse_id=str(place.other)), **HERE)

    assert (refused.status_code, elsewhere.status_code) == (422, 302)
    assert "Under this reference other goods were received there already; give another one." in refused.text
    assert [row[1] for row in _entries(floor, "PO-10")] == [2, 3]


def test_delivery_gets_a_number_when_it_has_none(floor, place):
    browser = floor.visitor("owner@tea.example")
    number = re.search(r'name="own_number" value="(R-\w+)"', browser.get(URL).text)[1]

    browser.post(URL, _values(place, (place.cup, "1"), own_number=number), **HERE)

    assert [row[:2] for row in _entries(floor, number)] == [("receipt", 1)]


@pytest.mark.parametrize(
    ("lines", "values", "said"),
    [
        ((), {}, "A delivery has at least one line."),
        ((("tea", "0"),), {}, "A received quantity is more than zero."),
        ((("tea", ""),), {}, "This is needed."),
        ((("tea", "x"),), {}, "l0.quantity"),
        ((("tea", "1"), ("set", "1")), {}, "A kit has no stock of its own: add stock for its components."),
        ((("card", "1"),), {}, "This SKU is not kept in stock."),
        ((("tea", "1"),), {"warehouse_id": "0190a1b2-0000-7000-8000-000000000000"}, "There is no such warehouse."),
    ],
)
def test_delivery_is_refused_beside_its_field_when_it_cannot_be(floor, place, lines, values, said):
    rows = [(getattr(place, name), quantity) for name, quantity in lines]

    answer = floor.visitor("owner@tea.example").post(URL, _values(place, *rows, reference="PO-11", **values), **HERE)

    assert (answer.status_code, said in answer.text) == (422, True)
    assert _entries(floor, "PO-11") == []


def test_more_lines_keep_what_was_typed(floor, place):
    page = floor.visitor("owner@tea.example").post(URL, {**_values(place, (place.tea, "7")), "more": "1"}, **HERE)

    assert (page.status_code, page.text.count('role="row"')) == (200, 11)
    assert 'value="7"' in page.text


def test_reader_may_not_receive(floor, place):
    page = floor.visitor("reader@tea.example").get(URL)

    assert page.status_code == 403
