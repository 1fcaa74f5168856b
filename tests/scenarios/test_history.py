"""Half a year of a real wholesaler's sales, sent through the public REST intake: each line is accounted for, and the money is the file's."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from core.domain.inventory.models import LedgerEntry
from core.domain.orders.models import Order, OrderLine, Refund
from core.runtime.plugin_host import lifecycle
from core.runtime.security.accounts import find_person
from core.runtime.security.tokens import NewToken, create_token
from plugins.demo_data.history import invoices, is_goods, plan, read_rows
from tests.factories.orders import make_sku, stock_up
from tests.fixtures.floor import HOST

pytestmark = [pytest.mark.database, pytest.mark.timeout(900)]
FILE = "online_retail_2010-12_2011-06.csv.xz"
BATCH = 500


@pytest.fixture(scope="module")
def plans(shared):
    found = list(invoices(read_rows(shared / "data" / FILE)))
    return found, [plan(invoice) for invoice in found]


@pytest.fixture(scope="module")
def sender(floor):
    """A REST client of the gift shop with a token that may send orders and correct stock."""
    now = datetime.now(UTC)
    with floor.world.database.unit(floor.world.gift) as session:
        lifecycle.enable(session, floor.system.plugins, "demo_data")
    with floor.world.database.platform() as session:
        person = find_person(session, "owner@gift.example")
    with floor.world.database.unit(floor.world.gift) as session:
        new = NewToken("history", ["orders.import", "inventory.write"], now + timedelta(days=1))
        _row, token = create_token(session, floor.system.rights, new, user_id=person.user_id, now=now)
    client = floor.app.test_client()

    def send(path, body):
        answer = client.post(
            f"/t/gift/api/v1/{path}", data=json.dumps(body), content_type="application/json", base_url=HOST,
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text[:2000]
        return json.loads(answer.text)["result"]

    return send


def _stock(floor, plans):
    """Every article of the half year lies on a shelf, so that corrections find it."""
    with floor.world.database.unit(floor.world.gift) as session:
        from core.domain.catalog.models import Sku  # slow import
        from core.domain.inventory.models import Warehouse  # slow import

        house = session.scalars(select(Warehouse.id).where(Warehouse.code == "MAIN")).one()
        known = set(session.scalars(select(Sku.code)))
        missing = sorted({row.code for made in plans for row, _body in made.adjustments if is_goods(row.code)} - known)
        for code in missing:
            stock_up(session, make_sku(session, code), house, 100_000)


def test_half_a_year_of_sales_is_accounted_for_to_the_penny(floor, plans, sender):
    found, made = plans
    _stock(floor, made)
    orders = [one.order for one in made if one.order]
    refunds = [one.refund for one in made if one.refund]
    adjustments = [body for one in made for _row, body in one.adjustments]

    results = []
    for start in range(0, len(orders), BATCH):
        results += sender("orders/bulk", {"shop": "web", "orders": orders[start : start + BATCH]})
    again = sender("orders/bulk", {"shop": "web", "orders": orders[:BATCH]})
    for start in range(0, len(refunds), BATCH):
        sender("refunds/bulk", {"shop": "web", "refunds": refunds[start : start + BATCH]})
    booked = []
    for start in range(0, len(adjustments), BATCH):
        booked += sender("stock/adjust", {"adjustments": adjustments[start : start + BATCH]})

    assert {row["result"] for row in results} == {"created"}
    assert {row["result"] for row in again} == {"unchanged"}
    ended = defaultdict(set)
    for one, row in zip([pair for plan_ in made for pair in plan_.adjustments], booked, strict=True):
        ended["adjusted" if row["result"] == "booked" else "refused"].add(one[0].number)
        assert row["result"] == "booked" or row["errors"], row
    with floor.world.database.unit(floor.world.gift) as session:
        ended["ordered"] = {int(number) for number in session.scalars(select(OrderLine.external_id))}
        totals = {row.external_id: row.paid_total for row in session.execute(select(Order.external_id, Order.paid_total))}
        returned = session.execute(select(Refund.external_id, Refund.amount, Refund.line_external_ids)).all()
        corrections = session.scalar(select(func.count()).select_from(LedgerEntry).where(LedgerEntry.reason == "correction"))
    ended["returned"] = {int(number) for row in returned for number in row.line_external_ids}
    for one in made:
        ended["refused"] |= set(one.refused)
        ended["postage"] |= {row.number for row in one.order_rows if str(row.number) not in {line["external_id"] for line in one.order["lines"]}}
    everything = sorted(number for numbers in ended.values() for number in numbers)
    assert everything == list(range(1, 245_904))
    assert corrections == len(ended["adjusted"])
    money = {row.external_id: -row.amount for row in returned} | totals
    for invoice, one in zip(found, made, strict=True):
        counted = sum((row.amount for row in (*one.order_rows, *one.refund_rows)), Decimal(0))
        assert money.get(invoice.number, Decimal(0)) == counted, invoice.number
