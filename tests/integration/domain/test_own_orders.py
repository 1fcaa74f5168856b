"""Orders of own shops are delivered, completed and refunded by people; a platform decides for its own."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from core.domain.catalog.models import KIT, KitItem
from core.domain.channels.errors import NothingPaid, PlatformDecides
from core.domain.channels.own_orders import OWN_ACTIONS, platform_orders
from core.domain.channels.own_refunds import OwnRefund, refund_own
from core.domain.fulfilment.delivering import arrive_with_orders, deliver_shipments
from core.domain.fulfilment.models import Shipment
from core.domain.fulfilment.shipping import ShipmentOrder, ship
from core.domain.fulfilment.way import advance
from core.domain.inventory.models import LedgerEntry, Stock
from core.domain.orders.errors import OrderMoved, OrderUnpaid
from core.domain.orders.intake import accept
from core.domain.orders.models import Order, OrderLine, Refund
from core.domain.orders.normalised import ChannelState
from core.kernel.errors import Invalid
from core.kernel.ids import new_id
from core.runtime.events.models import Event
from tests.factories.orders import NOON, line, make_carrier, make_shop, make_sku, make_warehouse, order, stock_up

pytestmark = pytest.mark.database
DELIVER, COMPLETE = (action.apply for action in OWN_ACTIONS)


@pytest.fixture
def unit(world):
    """A transaction for the tea shop that is rolled back at the end."""
    with world.database.unit(world.tea) as session:
        yield session
        session.rollback()


@pytest.fixture
def place(unit):
    house = make_warehouse(unit)
    for code in ("TEA-100", "CUP"):
        stock_up(unit, make_sku(unit, code), house, 50, reference=code)
    return SimpleNamespace(shop=make_shop(unit, "counter"), market=make_shop(unit, "tb", marketplace="taobao"), house=house, sf=make_carrier(unit))


TWO = (line("1", "TEA-100", 2, "20.00"), line("2", "CUP", 1, "5.50"))


def _take(session, shop, *lines, external_id="T1", **values):
    taken = accept(session, shop, [order(external_id, *(lines or TWO), **{"postage": "4.00", **values})], now=NOON)[0].order_id
    advance(session, [taken], now=NOON)
    return taken


def _ship(session, place, order_id, number="SF1", **lines):
    quantities = {key: Decimal(units) for key, units in lines.get("lines", {}).items()}
    return ship(session, ShipmentOrder(order_id, place.sf, number, quantities), now=NOON)


def _order(session, order_id):
    return session.scalars(select(Order).where(Order.id == order_id).execution_options(populate_existing=True)).one()


def _standing(session, order_id):
    found = _order(session, order_id)
    return found.state, found.payment, found.fulfilment


def _lines(session, order_id):
    return list(session.scalars(select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.position).execution_options(populate_existing=True)))


def _shelves(session):
    rows = session.execute(select(Stock.on_hand, Stock.reserved).order_by(Stock.sku_id)).all()
    return [(int(row.on_hand), int(row.reserved)) for row in rows]


def test_own_order_goes_from_shipped_over_delivered_to_completed(unit, place):
    taken = _take(unit, place.shop)
    _ship(unit, place, taken)

    steps = [DELIVER(unit, [taken], {})[taken], DELIVER(unit, [taken], {})[taken], COMPLETE(unit, [taken], {})[taken]]
    arrive_with_orders(unit, [taken], now=NOON)

    assert steps == [None, None, None]
    assert _standing(unit, taken) == ("completed", "paid", "delivered")
    assert _order(unit, taken).closed_at is not None
    assert unit.execute(select(Shipment.state, Shipment.delivered_at)).one() == ("delivered", NOON)
    kinds = unit.scalars(select(Event.kind).where(Event.subject_id == str(taken)).order_by(Event.seq)).all()
    assert kinds[-3:] == ["order.delivered", "order.completed", "shipment.delivered"]


def test_own_order_is_refused_its_end_when_it_has_not_shipped_or_is_not_paid(unit, place):
    waiting = _take(unit, place.shop)
    unpaid = _take(unit, place.shop, external_id="T2", is_cash_on_delivery=True, state=ChannelState.AWAITING_PAYMENT)
    _ship(unit, place, unpaid)

    refused = [DELIVER(unit, [waiting], {})[waiting], COMPLETE(unit, [waiting], {})[waiting], COMPLETE(unit, [unpaid], {})[unpaid]]

    assert [type(error) for error in refused] == [OrderMoved, OrderMoved, OrderUnpaid]
    assert [_order(unit, one).state for one in (waiting, unpaid)] == ["approved", "shipped"]


def test_platform_decides_when_the_order_is_of_a_marketplace(unit, place):
    taken = _take(unit, place.market)
    shipment = _ship(unit, place, taken)

    refused = [DELIVER(unit, [taken], {})[taken], COMPLETE(unit, [taken], {})[taken]]
    refused.append(deliver_shipments(unit, [shipment], refusals=platform_orders, now=NOON)[shipment])
    with pytest.raises(PlatformDecides):
        refund_own(unit, OwnRefund(taken, "broken", Decimal("1.00")), now=NOON)

    assert [type(error) for error in refused] == [PlatformDecides] * 3
    assert _standing(unit, taken) == ("shipped", "paid", "shipped")
    assert unit.scalars(select(Refund.id)).all() == []


def test_order_is_delivered_when_the_last_of_its_shipments_arrives(unit, place):
    taken = _take(unit, place.shop)
    first, second = _lines(unit, taken)
    parcels = [_ship(unit, place, taken, "SF1", lines={first.id: 2}), _ship(unit, place, taken, "SF2", lines={second.id: 1})]

    states = []
    for parcel in parcels:
        assert deliver_shipments(unit, [parcel], refusals=platform_orders, now=NOON) == {parcel: None}
        states.append(_order(unit, taken).state)

    assert states == ["shipped", "delivered"]


def test_lines_come_back_with_money_and_goods_when_they_are_refunded(unit, place):
    taken = _take(unit, place.shop)
    _ship(unit, place, taken)
    tea, cup = _lines(unit, taken)
    before = _shelves(unit)

    refund_own(unit, OwnRefund(taken, "wrong colour", None, (tea.id,), place.house), now=NOON)

    found = _order(unit, taken)
    assert (found.refunded_total, found.payment, found.state) == (Decimal("20.00"), "partly_refunded", "shipped")
    assert [one.refund_state for one in _lines(unit, taken)] == ["done", "none"]
    assert (before, sorted(_shelves(unit))) == ([(48, 0), (49, 0)], [(49, 0), (50, 0)])
    entry = unit.scalars(select(LedgerEntry).where(LedgerEntry.reason == "return")).one()
    assert (entry.delta, entry.warehouse_id) == (2, place.house)
    assert unit.execute(select(Refund.kind, Refund.state, Refund.amount)).one() == ("return", "done", Decimal("20.00"))
    assert cup.refund_state == "none"


def test_kit_comes_back_as_its_components_when_it_is_returned(unit, place):
    skus = dict(unit.execute(select(LedgerEntry.reference, LedgerEntry.sku_id)).all())
    kit = make_sku(unit, "SET", kind=KIT)
    unit.add(KitItem(id=new_id(), kit_id=kit, component_id=skus["CUP"], quantity=Decimal(4)))
    unit.flush()
    taken = _take(unit, place.shop, line("1", "SET", 2, "30.00"))
    _ship(unit, place, taken)

    refund_own(unit, OwnRefund(taken, "broken", None, (_lines(unit, taken)[0].id,), place.house), now=NOON)

    entry = unit.scalars(select(LedgerEntry).where(LedgerEntry.reason == "return")).one()
    assert (entry.sku_id, entry.delta) == (skus["CUP"], 8)
    assert (_order(unit, taken).refunded_total, _order(unit, taken).payment) == (Decimal("34.00"), "refunded")


def test_money_alone_leaves_the_goods_when_no_line_is_chosen(unit, place):
    taken = _take(unit, place.shop)

    refund_own(unit, OwnRefund(taken, "late", Decimal("3.33")), now=NOON)
    advance(unit, [taken], now=NOON)

    assert _standing(unit, taken) == ("approved", "partly_refunded", "reserved")
    assert [(one.refund_state, one.reserved) for one in _lines(unit, taken)] == [("none", 2), ("none", 1)]


def test_order_is_cancelled_and_its_stock_free_when_all_is_refunded_before_shipping(unit, place):
    taken = _take(unit, place.shop)

    refund_own(unit, OwnRefund(taken, "changed my mind", None, tuple(one.id for one in _lines(unit, taken))), now=NOON)
    advance(unit, [taken], now=NOON)

    assert _standing(unit, taken)[:2] == ("cancelled", "refunded")
    assert _order(unit, taken).refunded_total == Decimal("29.50")
    assert _shelves(unit) == [(50, 0), (50, 0)]


def test_order_counts_as_shipped_when_the_rest_is_refunded(unit, place):
    taken = _take(unit, place.shop)
    tea, cup = _lines(unit, taken)
    _ship(unit, place, taken, lines={tea.id: 2})

    refund_own(unit, OwnRefund(taken, "sold out", None, (cup.id,)), now=NOON)
    advance(unit, [taken], now=NOON)

    assert _standing(unit, taken) == ("shipped", "partly_refunded", "shipped")
    assert sorted(_shelves(unit)) == [(48, 0), (50, 0)]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"amount": Decimal("29.51")}, "amount"),
        ({"amount": Decimal("0.001")}, "amount"),
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal(-1)}, "amount"),
        ({"amount": None}, "amount"),
        ({"line_ids": (new_id(),)}, "lines"),
    ],
)
def test_refund_is_refused_by_field_when_it_cannot_be(unit, place, wanted, field):
    taken = _take(unit, place.shop)

    with pytest.raises(Invalid) as caught:
        refund_own(unit, OwnRefund(taken, **{"reason": "late", "amount": Decimal("1.00"), **wanted}), now=NOON)

    assert caught.value.field == field
    assert (_order(unit, taken).refunded_total, unit.scalars(select(Refund.id)).all()) == (0, [])


def test_refunds_never_exceed_the_payment_when_they_follow_each_other(unit, place):
    taken = _take(unit, place.shop)
    refund_own(unit, OwnRefund(taken, "late", Decimal("29.00")), now=NOON)

    with pytest.raises(Invalid) as caught:
        refund_own(unit, OwnRefund(taken, "late", Decimal("0.51")), now=NOON)
    refund_own(unit, OwnRefund(taken, "late", Decimal("0.50")), now=NOON)
    with pytest.raises(NothingPaid):
        refund_own(unit, OwnRefund(taken, "late", Decimal("0.01")), now=NOON)

    assert (caught.value.field, caught.value.facts) == ("amount", {"left": "0.50"})
    assert (_order(unit, taken).refunded_total, _order(unit, taken).payment) == (Decimal("29.50"), "refunded")


def test_line_is_refused_when_it_is_refunded_already(unit, place):
    taken = _take(unit, place.shop)
    wanted = OwnRefund(taken, "late", Decimal("1.00"), (_lines(unit, taken)[0].id,))
    refund_own(unit, wanted, now=NOON)

    with pytest.raises(Invalid) as caught:
        refund_own(unit, wanted, now=NOON)

    assert caught.value.field == "lines"


def test_nothing_comes_back_to_stock_when_nothing_has_shipped(unit, place):
    taken = _take(unit, place.shop)

    with pytest.raises(Invalid) as caught:
        refund_own(unit, OwnRefund(taken, "late", None, (_lines(unit, taken)[0].id,), place.house), now=NOON)

    assert caught.value.field == "warehouse_id"


def test_same_key_is_one_refund_when_it_comes_twice(unit, place):
    taken = _take(unit, place.shop)
    wanted = OwnRefund(taken, "late", Decimal("2.00"), key=new_id().hex)

    first, again = refund_own(unit, wanted, now=NOON), refund_own(unit, wanted, now=NOON)

    assert first == again
    assert _order(unit, taken).refunded_total == Decimal("2.00")
