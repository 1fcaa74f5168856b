"""The order endpoints: bulk intake row by row, entry by hand, shipping, why an order is stuck, notes, values in clear; refunds and stock."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.domain.catalog.models import Sku
from core.domain.fulfilment.way import advance
from core.domain.inventory.models import Stock
from core.domain.orders.models import Order
from tests.factories.orders import NOON
from tests.fixtures.programs import count_rows

pytestmark = pytest.mark.database

NOBODY = "0190a1b2-0000-7000-8000-000000000000"


def row(external_id="O-1", paid="10.00", **values):
    line = {"external_id": "1", "seller_code": "TEA-100", "quantity": "1", "paid_amount": paid}
    return {
        "external_id": external_id, "state": "paid", "paid_total": paid, "currency": "CNY", "modified_at": "2026-11-20T08:00:00+08:00",
        "lines": [line], **values,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (7, ""),
        ([], ""),
        (row("W-1", nosuch=1), ".nosuch"),
        (row("W-2", state="nosuch"), ".state"),
        (row("W-3", paid_total="11.00"), ".paid_total"),
        (row("W-4", paid_total="1.001"), ".paid_total"),
        (row("W-5", paid_total="x"), ".paid_total"),
        (row("W-6", modified_at="2026-11-20T08:00:00"), ".modified_at"),
        (row("W-7", modified_at="0001-01-01T00:00:00+14:00"), ".modified_at"),
        (row("W-8", placed_at="9999-12-31T23:59:59-12:00"), ".placed_at"),
        (row("W-9", currency="cny"), ".currency"),
        (row("W-10", is_cash_on_delivery="yes"), ".is_cash_on_delivery"),
        (row("W-11", lines=[]), ".lines"),
        (row("W-12", lines=[{"external_id": "1", "quantity": "0", "paid_amount": "10.00"}]), ".lines[0].quantity"),
        (row("W-13", lines=[{"external_id": "1", "quantity": True, "paid_amount": "10.00"}]), ".lines[0].quantity"),
        (row("W-14", lines=[{"external_id": "1", "quantity": "1"}]), ".lines[0].paid_amount"),
        (row("W-15", receiver={"name": 1}), ".receiver.name"),
        (row("W-16", receiver="x"), ".receiver"),
        (row("W-17", replaces="W-17"), ".replaces"),
        (row("W-18", tags=[1]), ".tags[0]"),
        (row(""), ".external_id"),
        (row("   "), ".external_id"),
        (row("x" * 129), ".external_id"),
        (row("W-19", lines=[{"external_id": str(at), "quantity": "999999999999", "paid_amount": "5.00"} for at in (1, 2)]), ".lines"),
        (row("W-20", paid="999999999999999.99"), ""),
    ],
)
def test_bulk_refuses_one_row_alone_and_names_the_place(floor, owner, wrong, field):
    before = count_rows(floor, floor.world.tea, Order)
    good = row(f"G-{before}")

    answer = owner.post("/orders/bulk", {"shop": "tb", "orders": [wrong, good]})

    first, second = answer.json["result"]
    assert (answer.status_code, second["result"], second["index"]) == (200, "created", 1)
    if field or not isinstance(wrong, dict):
        assert (first["result"], first["errors"][0]["field"], answer.json["counts"]) == (
            "refused", f"orders[0]{field}", {"refused": 1, "created": 1},
        )  # fmt: skip
        assert count_rows(floor, floor.world.tea, Order) == before + 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "orders"),
        ({"shop": "tb"}, "orders"),
        ({"shop": "tb", "orders": []}, "orders"),
        ({"shop": "tb", "orders": {}}, "orders"),
        ({"shop": "tb", "orders": [{}] * 1001}, "orders"),
        ({"shop": "nosuch", "orders": [{}]}, "shop"),
        ({"shop": ["tb"], "orders": [{}]}, "shop"),
        ({"orders": [{}]}, "shop"),
        ({"shop": "tb", "orders": [{}], "nosuch": 1}, "nosuch"),
    ],
)
def test_bulk_is_refused_as_a_whole_when_its_frame_is_wrong(owner, body, field):
    answer = owner.post("/orders/bulk", body)

    assert (answer.status_code, answer.json["field"]) == (422, field)


def test_order_goes_its_way_from_entry_to_shipping(floor, owner, goods):
    entry = {"shop": "tb", "lines": [{"code": "TEA-100", "quantity": "3", "unit_price": "2.50"}], "reference": "by-phone", "postage": "6"}
    made = owner.post("/orders/enter", entry)
    again = owner.post("/orders/enter", entry)
    order_id = made.json["id"]
    with floor.world.database.unit(floor.world.tea) as session:
        advance(session, [Order.id.type.python_type(order_id)], now=NOON)
    stuck = owner.get(f"/orders/{order_id}/stuck").json
    noted = owner.post(f"/orders/{order_id}/notes", {"text": " call first "})
    wrong = owner.post(f"/orders/{order_id}/ship", {"carrier_id": NOBODY, "tracking_number": "SF1"})
    sent = owner.post(f"/orders/{order_id}/ship", {"carrier_id": str(goods.carrier), "tracking_number": "SF1"})
    twice = owner.post(f"/orders/{order_id}/ship", {"carrier_id": str(goods.carrier), "tracking_number": "sf 1"})
    late = owner.post(f"/orders/{order_id}/ship", {"carrier_id": str(goods.carrier), "tracking_number": "SF2"})
    read = owner.get(f"/orders/{order_id}").json

    assert (made.status_code, again.json, made.headers["Location"]) == (201, made.json, f"/api/v1/orders/{order_id}")
    assert (stuck, noted.status_code) == ({"result": []}, 201)
    assert (wrong.status_code, wrong.json["field"]) == (422, "carrier_id")
    assert (sent.status_code, twice.json) == (201, sent.json)
    assert owner.get(sent.headers["Location"].removeprefix("/api/v1")).json["tracking_number"] == "SF1"
    assert (late.status_code, late.json["code"]) == (409, "fulfilment.not_shippable")
    assert (read["state"], read["paid_total"], read["quantity_total"]) == ("shipped", "13.50", "3")


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([{"code": "TEA-100", "quantity": "999999999999", "unit_price": "999999999999999"}], "lines[0].unit_price"),
        ([{"code": "TEA-100", "quantity": "999999999999", "unit_price": "1000"}] * 9, "paid_total"),
        ([{"code": "TEA-100", "quantity": "-1", "unit_price": "1"}], "lines[0].quantity"),
        ([{"code": "TEA-100", "quantity": "1", "unit_price": "-1"}], "lines[0].unit_price"),
        ([{"code": "", "quantity": "1", "unit_price": "1"}], "lines[0].code"),
        ([], "lines"),
    ],
)
def test_entry_is_refused_by_field_when_figures_cannot_be(floor, owner, lines, field):
    before = count_rows(floor, floor.world.tea, Order)

    answer = owner.post("/orders/enter", {"shop": "tb", "lines": lines})

    assert (answer.status_code, answer.json["field"]) == (422, field)
    assert count_rows(floor, floor.world.tea, Order) == before


@pytest.mark.parametrize("path", ["ship", "notes", "reveal"])
def test_unknown_order_is_not_found_when_something_is_done_with_it(owner, goods, path):
    bodies = {
        "ship": {"carrier_id": str(goods.carrier), "tracking_number": "SF9"},
        "notes": {"text": "x"},
        "reveal": {"reason": "courier"},
    }

    for order_id in (NOBODY, "nosuch"):
        answer = owner.post(f"/orders/{order_id}/{path}", bodies[path])
        assert (answer.status_code, answer.json["code"]) == (404, "orders.unknown")


def test_stuck_order_says_what_is_missing(floor, owner):
    made = owner.post("/orders/enter", {"shop": "tb", "lines": [{"code": "TEA-100", "quantity": "9999", "unit_price": "1"}]})
    with floor.world.database.unit(floor.world.tea) as session:
        advance(session, [Order.id.type.python_type(made.json["id"])], now=NOON)

    reasons = owner.get(f"/orders/{made.json['id']}/stuck").json["result"]

    assert [(one["code"], one["cure"]) for one in reasons] == [("stock_short", "stock")]


def test_refunds_in_bulk_are_answered_row_by_row(floor, owner):
    owner.post("/orders/bulk", {"shop": "tb", "orders": [row("R-1")]})
    good = {"external_id": "RF-1", "order_external_id": "R-1", "state": "requested", "amount": "4", "currency": "CNY", "modified_at": "2026-11-20T09:00:00Z"}
    bad = [{**good, "amount": "-1"}, {**good, "amount": "x"}, {**good, "state": "none"}, {**good, "kind": "nosuch"}, 7]

    answer = owner.post("/refunds/bulk", {"shop": "tb", "refunds": [good, *bad]})
    unknown = owner.post("/refunds/bulk", {"shop": "nosuch", "refunds": [good]})

    rows = answer.json["result"]
    assert (rows[0]["result"], rows[0]["order_id"] is not None) == ("accepted", True)
    assert [one["errors"][0]["field"] for one in rows[1:]] == [
        "refunds[1].amount", "refunds[2].amount", "refunds[3].state", "refunds[4].kind", "refunds[5]",
    ]  # fmt: skip
    assert (unknown.status_code, unknown.json["field"]) == (422, "shop")
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalar(select(Order.hold_code).where(Order.external_id == "R-1")) == "refund_requested"


def test_stock_is_corrected_row_by_row_and_each_reference_counts_once(floor, owner, goods):
    with floor.world.database.unit(floor.world.tea) as session:
        before = session.scalar(select(func.sum(Stock.on_hand)))
    good = {"sku": "TEA-100", "warehouse": "MAIN", "delta": "5", "reference": "count-1"}
    rows = [
        good, good, {**good, "sku": "NOSUCH"}, {**good, "warehouse": "NOSUCH"}, {**good, "delta": "0", "reference": "count-2"},
        {**good, "delta": "-99999", "reference": "count-3"}, {**good, "delta": "NaN"},
        {**good, "delta": "999999999999", "reference": "count-4"},
    ]  # fmt: skip

    answer = owner.post("/stock/adjust", {"adjustments": rows})

    assert answer.status_code == 200, answer.text
    results = answer.json["result"]
    assert [one["result"] for one in results] == ["booked", "unchanged", *["refused"] * 6]
    assert [one["errors"][0]["field"] for one in results[2:]] == [
        "adjustments[2].sku", "adjustments[3].warehouse", "adjustments[4].delta", "adjustments[5].delta", "adjustments[6].delta",
        "adjustments[7].delta",
    ]  # fmt: skip
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalar(select(func.sum(Stock.on_hand))) == before + 5
        assert session.scalar(select(func.count(Sku.id))) == 1
