"""The week of history becomes orders, returns, corrections and refusals, each line exactly once."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from plugins.demo_data.history import LONDON, Invoice, Row, invoices, plan, read_rows
from plugins.demo_data.service import WEEK, gift_goods, tea_goods

AT = datetime(2010, 12, 1, 8, 26, tzinfo=LONDON)


def row(number, code="85123A", quantity=6, price="2.55", invoice="536365"):
    return Row(number, invoice, code, f"ARTICLE {code}", quantity, AT, Decimal(price), "17850", "United Kingdom")


def test_sale_becomes_an_order_whose_total_is_the_files():
    made = plan(Invoice("536365", [row(1), row(2, "POST", 1, "18.00"), row(3, "22752", 2, "0.00")]))

    assert made.order["paid_total"] == "33.30"
    assert made.order["postage"] == "18.00"
    assert [(line["seller_code"], line["paid_amount"], line["is_gift"]) for line in made.order["lines"]] == [
        ("85123A", "15.30", False),
        ("22752", "0.00", True),
    ]


def test_return_becomes_a_refund_when_the_number_starts_with_c():
    made = plan(Invoice("C536379", [row(9, quantity=-1, invoice="C536379"), row(10, "D", -1, "27.50", "C536379")]))

    assert (made.order, made.refund["amount"], made.refund["lines"]) == (None, "30.05", ["9", "10"])


def test_negative_quantity_becomes_a_stock_correction_outside_a_return():
    made = plan(Invoice("536589", [row(4, quantity=-10, price="0.00", invoice="536589")]))

    assert made.adjustments[0][1] == {"sku": "85123A", "warehouse": "MAIN", "delta": "-10", "reference": "536589/4", "note": "ARTICLE 85123A"}


def test_fee_is_refused_with_its_reason():
    made = plan(Invoice("537630", [row(7, "AMAZONFEE", 1, "13541.33", "537630")]))

    assert made.refused == {7: "a fee or booking, not a sale"}


def test_postage_alone_is_no_order():
    made = plan(Invoice("1", [row(1, "POST", 1, "5.00", "1")]))

    assert (made.order, made.refused) == (None, {1: "postage without goods"})


def test_every_line_of_the_week_is_accounted_for_once():
    found = list(invoices(read_rows(WEEK)))
    ends = []
    for invoice in found:
        made = plan(invoice)
        ends += [one.number for one in (*made.order_rows, *made.refund_rows)] + [one.number for one, _row in made.adjustments] + list(made.refused)

    assert sorted(ends) == list(range(1, 16_986))


def test_goods_have_one_code_each():
    for goods in (tea_goods(), gift_goods()):
        codes = [one.code for one in goods]
        assert len(codes) == len(set(codes))
