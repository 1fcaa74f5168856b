"""Walls within a business: a member whom a rule keeps from an order finds it, and what belongs to it, at no address at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from core.domain.channels.models import InboundDocument, Push
from core.domain.fulfilment.models import Parcel, Shipment, ShipmentLine
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.fulfilment.way import advance
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderLine
from core.domain.orders.normalised import Receiver
from core.engines.configuration import Change, apply_changes
from core.kernel.ids import new_id
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up
from tests.fixtures.programs import token_program
from tests.functional.isolation.addresses import addresses, id_arguments
from tests.functional.isolation.conftest import Caller, rules_of

pytestmark = [pytest.mark.database, pytest.mark.timeout(900)]
MARK = "zqhiddenq"
#: Doing this to an order that one does not see has to be refused like doing it to none.
REFUSED = {302, 400, 403, 404, 405, 409, 415, 422}
#: What people do about the whole business, whoever sees which order.
WHOLE = ("AuditView", "JobsView", "BulkRunView", "outbound_webhooks", "WebhookView")


@pytest.fixture(scope="module")
def hidden(floor):
    """Two shipped orders of the tea shop; staff see the open one only. Returns ids of the hidden one by table."""
    with floor.world.database.unit(floor.world.tea) as session:
        shop, house, carrier = make_shop(session), make_warehouse(session), make_carrier(session)
        stock_up(session, make_sku(session, "TEA-100"), house, 100)
        secret = replace(line(), title=f"{MARK} tea")
        receiver = Receiver(name=f"{MARK} Wang", phone="13800138000", city=f"{MARK} city", street="West Lake 1")
        outcomes = accept(session, shop, [order("OPEN1"), order(f"{MARK}1", secret, receiver=receiver, buyer_note=MARK)], now=NOON)
        ids = [one.order_id for one in outcomes]
        advance(session, ids, now=NOON)
        for at, key in enumerate(ids):
            ship(session, ShipmentOrder(key, carrier, f"SF{MARK if at else ''}{at}00"), now=NOON)
        came = {"shop_id": shop.id, "kind": "order", "revision": MARK, "modified_at": NOON, "sealed": b"x"}
        session.add(InboundDocument(id=new_id(), external_id=f"{MARK}doc", order_id=ids[1], **came))
        session.add(Push(id=new_id(), shop_id=shop.id, kind="shipment", reference=f"{MARK}push", order_id=ids[1]))
    rule = {"key": "open", "entity": "orders.order", "label": "Open", "condition": {"field": "external_id", "op": "starts_with", "value": "OPEN"}}
    with floor.world.database.unit(floor.world.tea) as session:
        everything = {"key": "all", "entity": "orders.order", "label": "All", "roles": ["owner"]}
        apply_changes(session, floor.system.kinds, [Change("rule", {**rule, "roles": ["staff"]}), Change("rule", everything)])
    with floor.world.database.unit(floor.world.tea) as session:
        number = session.scalar(select(Order.number).where(Order.id == ids[1]))
        shipment = session.scalar(select(Shipment.id).where(Shipment.order_id == ids[1]))
        found = {
            "sales_order": [ids[1]],
            "order_line": list(session.scalars(select(OrderLine.id).where(OrderLine.order_id == ids[1]))),
            "shipment": [shipment],
            "shipment_line": list(session.scalars(select(ShipmentLine.id).where(ShipmentLine.shipment_id == shipment))),
            "parcel": list(session.scalars(select(Parcel.id).where(Parcel.shipment_id == shipment))),
            "channel_document": list(session.scalars(select(InboundDocument.id).where(InboundDocument.order_id == ids[1]))),
            "channel_push": list(session.scalars(select(Push.id).where(Push.order_id == ids[1]))),
        }
    return found, number


def _shows(answer, number):
    said = answer.get_data(as_text=True).lower()
    return MARK in said or number.lower() in said


def _asked(app, ids, *, only_reading):
    for rule, method in rules_of(app):
        if rule.endpoint.startswith(WHOLE) or "own_entity" in rule.arguments or (method != "GET") is only_reading:
            continue
        tables = id_arguments(app, rule)
        for path in addresses(app, rule, ids):
            yield method, path, any(table in ids for table in tables.values())


def test_control_the_owner_sees_the_order_everywhere(floor, hidden):
    ids, number = hidden
    owner = Caller(floor, "owner@tea.example")

    shown = [path for _method, path, _is_theirs in _asked(floor.app, ids, only_reading=True) if _shows(owner.ask("GET", f"/t/tea{path}"), number)]

    assert len(shown) >= 20


@pytest.mark.parametrize("kind", ["browser", "token"])
def test_hidden_order_is_shown_at_no_address(floor, hidden, kind):
    ids, number = hidden
    staff = Caller(floor, "staff@tea.example") if kind == "browser" else None
    token = token_program(floor, floor.world.tea, "staff@tea.example") if kind == "token" else None
    shown, found, asked = [], [], 0

    for method, path, is_theirs in _asked(floor.app, ids, only_reading=True):
        if token is not None and not path.startswith("/api/v1"):
            continue
        for more in ("", f"?q={MARK}", f"?q={number}", "?size=100&queue=all"):
            answer = staff.ask(method, f"/t/tea{path}{more}") if staff is not None else token.get(path.removeprefix("/api/v1") + more)
            asked += 1
            said = answer.get_data(as_text=True).lower().replace(f"?q={MARK}", "").replace(f'value="{MARK}"', "")
            echoed = more.startswith("?q=")
            if (MARK in said or number.lower() in said) and not (echoed and not is_theirs and _only_echo(said, number)):
                shown.append(path + more)
            if is_theirs and answer.status_code not in REFUSED:
                found.append(f"{path}{more} {answer.status_code}")

    assert asked > 100
    assert (shown, found) == ([], [])


def _only_echo(said, number):
    """Whether a page only repeats what was searched for: the mark without anything of the order around it."""
    return not any(word in said for word in (f"{MARK} tea", f"{MARK}1", f"{MARK}doc", f"{MARK}push", f"sf{MARK}", f"{MARK} w", f"{MARK} c"))


def test_nothing_can_be_done_to_the_hidden_order(floor, hidden):
    ids, _number = hidden
    staff = Caller(floor, "staff@tea.example")
    before = _contents(floor)
    done = []

    for method, path, is_theirs in _asked(floor.app, ids, only_reading=False):
        if not is_theirs and not path.endswith(("/bulk", "/actions/hold", "/actions/cancel", "/actions/ship", "/actions/release")):
            continue
        chosen = [str(one) for table in ids for one in ids[table]]
        form = {"pk": chosen, "ids": chosen, "reason": "x", "p.reason": "x", "note": "x", "text": "x", "tag": "x", "go": "1", "action": "hold", "p.note": "x"}
        body = {"json": {"ids": chosen, "params": {"reason": "x"}, "reason": "x"}} if path.startswith("/api/") else {"form": form}
        answer = staff.ask(method, f"/t/tea{path}", **body)
        if is_theirs and answer.status_code not in REFUSED:
            done.append(f"{method} {path} {answer.status_code}")

    assert done == []
    assert _contents(floor) == before


def _contents(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        orders = session.execute(select(Order.id, Order.state, Order.hold_count, Order.tags, Order.row_version).order_by(Order.id)).all()
        return orders, session.execute(select(Shipment.id, Shipment.state).order_by(Shipment.id)).all()
