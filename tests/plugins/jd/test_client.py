"""The connection to a JD shop, against the simulator."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.sdk import Denied, NotFound, ShipmentPush, Stamp, StockPush, SystemClock, Window
from plugins.jd.errors import OrderUnknown, RequestRefused, SessionExpired
from plugins.jd.mapping import orders_from, refunds_from
from plugins.jd.plugin import register_marketplaces
from plugins.jd.simulator import Simulator, deeds
from plugins.jd.simulator.shop import SHOP_NAME
from tests.plugins.http import CannotConnect, PlainHttp
from tests.plugins.jd.conftest import Notes, connected, context_for


def today() -> Window:
    now = SystemClock().now()
    return Window(now - timedelta(hours=24), now)


def waiting(simulator: Simulator) -> str:
    """A paid order without a parent, ready to be shipped."""
    return next(order.number for order in simulator.shop.in_state("WAIT_SELLER_STOCK_OUT"))


def push(number: str, tracking: str = "SF1000000000001", **changes: Any) -> ShipmentPush:
    fields = {"carrier": "sf", "carrier_on_channel": "467", **changes}
    return ShipmentPush(number, tracking_number=tracking, **fields)


def test_check_names_the_shop_when_the_credentials_are_right(simulate):
    assert connected(simulate()).check() == SHOP_NAME


def test_check_is_denied_when_the_token_has_expired(simulate):
    simulator = simulate()
    simulator.gateway.is_session_valid = False

    with pytest.raises(SessionExpired) as caught:
        connected(simulator).check()

    assert isinstance(caught.value, Denied)


@pytest.mark.parametrize("wrong", [{"config": {"app_key": "other"}}, {"secrets": {"app_secret": "other"}}], ids=["key", "secret"])
def test_check_is_denied_when_key_or_secret_are_wrong(simulate, wrong):
    simulator = simulate()
    right = context_for(simulator)
    changes = {name: {**getattr(right, name), **value} for name, value in wrong.items()}

    with pytest.raises(Denied) as caught:
        connected(simulator, **changes).check()

    assert caught.value.code == "jd.credentials_refused"


def test_check_is_refused_when_the_gateway_address_is_wrong(simulate):
    simulator = simulate()
    config = {"app_key": simulator.options.app_key, "gateway": simulator.url + "/elsewhere"}

    with pytest.raises(RequestRefused):
        connected(simulator, config=config).check()


def test_changed_orders_brings_every_order_whole_when_the_window_holds_them_all(simulate):
    simulator = simulate(orders=260, seed=7)

    documents = list(connected(simulator).changed_orders(today()))

    assert sorted(document.external_id for document in documents) == sorted(simulator.shop.orders)
    assert {document.kind for document in documents} == {"order"}
    for document in documents:
        (order,) = orders_from(document.payload)
        assert (order.external_id, order.modified_at) == (document.external_id, document.modified_at)
        assert document.revision == document.modified_at.isoformat()
        assert order.paid_total == Decimal(simulator.shop.orders[order.external_id].info["orderPayment"])


def test_changed_orders_holds_only_the_window_when_it_is_short(simulate):
    simulator = simulate(orders=200, seed=3)
    middle = SystemClock().now() - timedelta(hours=6)
    window = Window(middle - timedelta(hours=2), middle)

    documents = list(connected(simulator).changed_orders(window))

    expected = sorted(order.number for order in simulator.shop.orders.values() if window.start <= order.modified <= window.end)
    assert sorted(document.external_id for document in documents) == expected


def test_changed_orders_takes_the_boundary_seconds_when_orders_stand_on_them(simulate):
    simulator = simulate(orders=3)
    moments = sorted(order.modified for order in simulator.shop.orders.values())

    documents = list(connected(simulator).changed_orders(Window(moments[0], moments[-1])))

    assert len(documents) == 3


def test_changed_orders_stays_on_low_pages_when_there_are_thousands(simulate):
    simulator = simulate(orders=5000, seed=2)

    numbers = [document.external_id for document in connected(simulator).changed_orders(today())]

    assert sorted(numbers) == sorted(simulator.shop.orders)
    assert simulator.gateway.calls == {"jingdong.pop.order.search": simulator.gateway.calls.total()}
    assert simulator.gateway.calls.total() < 80


def test_changed_orders_cuts_the_window_when_it_is_longer_than_jd_allows(simulate):
    simulator = simulate(orders=5)
    now = SystemClock().now()

    documents = list(connected(simulator).changed_orders(Window(now - timedelta(days=70), now)))

    assert len(documents) == 5


def test_changed_orders_fetches_the_detail_when_a_listed_row_is_not_whole(simulate):
    simulator = simulate(orders=12)
    for order in list(simulator.shop.orders.values())[:3]:
        order.info["consigneeInfo"] = None

    documents = list(connected(simulator).changed_orders(today()))

    assert len(documents) == 12
    assert simulator.gateway.calls["jingdong.pop.order.get"] == 3


def test_changed_orders_leaves_a_row_out_when_it_is_no_order(simulate):
    simulator = simulate(orders=4)
    broken = next(iter(simulator.shop.orders.values()))
    broken.info["modified"] = "soon"
    notes = Notes()

    documents = list(connected(simulator, log=notes).changed_orders(today()))

    assert sorted(document.external_id for document in documents) == sorted(set(simulator.shop.orders) - {broken.number})
    assert notes.named("jd.order_unreadable") == [{"order": broken.number, "field": "modified"}]


def test_changed_orders_brings_the_children_when_jd_splits_an_order(simulate):
    simulator = simulate(orders=40, seed=5)
    with simulator.shop.lock:
        parent = next(
            order
            for order in simulator.shop.in_state("WAIT_SELLER_STOCK_OUT")
            if len(order.info["itemInfoList"]) > 1 and order.info["parentOrderId"] == "0"
        )
        rest = range(1, len(parent.info["itemInfoList"]))
        children = deeds.split(simulator.shop, parent.number, [[0], list(rest)])

    found = {document.external_id: document for document in connected(simulator).changed_orders(today())}

    assert parent.number not in found
    orders = [orders_from(found[child.number].payload)[0] for child in children]
    assert [order.replaces for order in orders] == [parent.number, parent.number]
    assert sum(order.paid_total for order in orders) == Decimal(parent.info["orderPayment"])
    with pytest.raises(OrderUnknown):
        connected(simulator).order(parent.number)


def test_order_stamps_list_what_was_created_when_asked_for_a_day(simulate):
    simulator = simulate(orders=130, seed=11)

    stamps = list(connected(simulator).order_stamps(today()))

    assert sorted(stamps, key=lambda stamp: stamp.external_id) == [
        Stamp(order.number, order.modified) for order in simulator.shop.orders.values()
    ]


def test_order_gives_the_document_when_jd_knows_it(simulate):
    simulator = simulate(orders=3)
    number = next(iter(simulator.shop.orders))

    assert connected(simulator).order(number).external_id == number


@pytest.mark.parametrize("number", ["399999999999", "no number"])
def test_order_is_not_found_when_jd_does_not_know_it(simulate, number):
    with pytest.raises(NotFound):
        connected(simulate(orders=3)).order(number)


def test_changed_refunds_brings_applications_and_services_when_both_exist(simulate):
    simulator = simulate(orders=300, seed=4)

    documents = list(connected(simulator).changed_refunds(today()))

    expected = sorted([*simulator.shop.applications, *(f"afs-{number}" for number in simulator.shop.services)])
    assert sorted(document.external_id for document in documents) == expected
    assert {document.kind for document in documents} == {"refund"}
    for document in documents:
        (refund,) = refunds_from(document.payload)
        assert refund.external_id == document.external_id
        assert document.revision.startswith(document.modified_at.isoformat())


def test_changed_refunds_brings_the_decision_when_it_falls_into_the_window(simulate):
    simulator = simulate()
    with simulator.shop.lock:
        number = _placed(simulator)
        application = deeds.apply_refund(simulator.shop, number, applied=SystemClock().now() - timedelta(days=2))
        deeds.decide_refund(simulator.shop, str(application.info["id"]), is_granted=True)

    (document,) = connected(simulator).changed_refunds(today())

    (refund,) = refunds_from(document.payload)
    assert (refund.order_external_id, refund.channel_state) == (number, "1")
    assert simulator.shop.get(number).state == "TRADE_CANCELED"


def _placed(simulator: Simulator) -> str:
    (told,) = simulator.control.carry_out("place", b'{"lines": [{"code": "TEA-LJ-100", "quantity": 2}]}')[1]
    return str(told["orderId"])


def test_push_shipment_ships_the_order_when_it_waits(simulate):
    simulator = simulate(orders=20)
    number = waiting(simulator)
    connection = connected(simulator)

    result = connection.push_shipment(push(number))

    assert (result.is_ok, result.reference) == (True, number)
    assert simulator.shop.get(number).state == "WAIT_GOODS_RECEIVE_CONFIRM"
    assert simulator.shop.get(number).info["waybill"] == "SF1000000000001"
    assert connection.has_shipment(push(number))
    assert not connection.has_shipment(push(number, "SF2"))


def test_push_shipment_is_fine_when_the_same_push_comes_twice(simulate):
    simulator = simulate(orders=20)
    number = waiting(simulator)
    connection = connected(simulator)

    results = [connection.push_shipment(push(number)) for _ in range(2)]

    assert [result.is_ok for result in results] == [True, True]
    assert len(simulator.shop.shipments) == 1


def test_push_shipment_takes_the_usual_carrier_when_the_shop_mapped_none(simulate):
    simulator = simulate(orders=20)
    number = waiting(simulator)

    assert connected(simulator).push_shipment(push(number, carrier="YTO", carrier_on_channel="")).is_ok
    assert simulator.shop.shipments[0]["logisticsId"] == "463"


def test_push_shipment_joins_the_numbers_when_there_are_several(simulate):
    simulator = simulate(orders=20)
    number = waiting(simulator)

    assert connected(simulator).push_shipment(push(number, "SF1|SF2")).is_ok
    assert (simulator.shop.shipments[0]["logisticsId"], simulator.shop.shipments[0]["waybill"]) == ("467|467", "SF1|SF2")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"carrier": "owl", "carrier_on_channel": ""}, "jd.carrier_unmapped"),
        ({"carrier_on_channel": "SF"}, "jd.carrier_unmapped"),
        ({"carrier_on_channel": "467|463"}, "jd.tracking_incomplete"),
        ({"tracking": " "}, "jd.tracking_incomplete"),
        ({"line_external_ids": ("1",)}, "jd.partial_shipment"),
    ],
)
def test_push_shipment_is_refused_here_when_jd_could_not_take_it(simulate, changes, code):
    simulator = simulate(orders=20)

    result = connected(simulator).push_shipment(push(waiting(simulator), **changes))

    assert (result.is_ok, result.code) == (False, code)
    assert simulator.shop.shipments == []


def test_push_shipment_tells_of_all_parcels_when_the_last_one_ships(simulate):
    simulator = simulate(orders=20)
    number, connection = waiting(simulator), connected(simulator)

    first = connection.push_shipment(push(number, "SF1", line_external_ids=("1",)))
    last = push(number, "ZTO2", carrier_on_channel="1499", earlier=(("467", "SF1"), ("1499", "ZTO2")))
    was_known = connection.has_shipment(last)
    result = connection.push_shipment(last)

    assert (first.is_ok, first.is_waiting, was_known) == (False, True, False)
    assert (result.is_ok, result.is_waiting, connection.has_shipment(last)) == (True, False, True)
    assert (simulator.shop.get(number).info["waybill"], simulator.shop.get(number).info["logisticsId"]) == ("SF1|ZTO2", "467|1499")


def test_push_shipment_ships_when_the_named_lines_are_the_whole_order(simulate):
    simulator = simulate()
    number = _placed(simulator)
    (line,) = simulator.shop.get(number).info["itemInfoList"]

    assert connected(simulator).push_shipment(push(number, line_external_ids=(line["skuId"],))).is_ok


@pytest.mark.parametrize(("state", "code"), [("LOCKED", "jd.10400005"), ("NOT_PAY", "jd.10400002")])
def test_push_shipment_is_refused_when_the_state_forbids_it(simulate, state, code):
    simulator = simulate(orders=20)
    number = next(order.number for order in simulator.shop.in_state(state))

    result = connected(simulator).push_shipment(push(number))

    assert (result.is_ok, result.code) == (False, code)
    assert simulator.shop.get(number).state == state


def test_push_shipment_is_refused_when_jd_does_not_know_the_order(simulate):
    result = connected(simulate(orders=1)).push_shipment(push("399999999999"))

    assert (result.is_ok, result.code) == (False, "jd.10100013")


def test_push_shipment_corrects_the_number_when_it_is_a_change(simulate):
    simulator = simulate(orders=20)
    number = waiting(simulator)
    connection = connected(simulator)
    early = connection.push_shipment(push(number, "SF9", is_change=True))
    connection.push_shipment(push(number))

    result = connection.push_shipment(push(number, "SF2", is_change=True))

    assert (early.is_ok, early.code) == (False, "jd.10400014")
    assert result.is_ok
    assert simulator.shop.get(number).info["waybill"] == "SF2"


def test_push_shipment_sends_nothing_when_it_is_a_dry_run(simulate):
    simulator = simulate(orders=20)
    http = PlainHttp()

    assert connected(simulator, dry_run=True, http=http).push_shipment(push(waiting(simulator))).is_ok
    assert http.sent == 0


def test_push_stock_sets_each_level_when_there_are_many(simulate):
    simulator = simulate()
    levels = [StockPush(sku.ware_id, sku.sku_id, sku.code, place) for place, sku in enumerate(simulator.shop.skus)] * 2

    results = connected(simulator).push_stock(levels)

    assert [(result.reference, result.is_ok) for result in results] == [(level.external_sku, True) for level in levels]
    assert list(simulator.shop.stock.values()) == list(range(len(simulator.shop.skus)))


def test_push_stock_tells_each_failure_when_some_levels_are_wrong(simulate):
    simulator = simulate()
    good, other = simulator.shop.skus[:2]
    levels = [
        StockPush("1", "999", "X", 5),
        StockPush(good.ware_id, good.sku_id, good.code, 5),
        StockPush("1", "", "X", 5),
        StockPush(other.ware_id, other.sku_id, other.code, -1),
    ]

    results = connected(simulator).push_stock(levels)

    assert [(result.is_ok, result.code) for result in results] == [
        (False, "jd.11200025"),
        (True, ""),
        (False, "jd.sku_invalid"),
        (False, "jd.sku_invalid"),
    ]
    assert (simulator.shop.stock[good.sku_id], simulator.shop.stock[other.sku_id]) == (5, 500)


def test_push_stock_uses_the_old_method_when_the_new_one_is_not_there(simulate):
    simulator = simulate()
    simulator.gateway.remove("jingdong.ware.stock.sku.set")
    first = simulator.shop.skus[0]

    results = connected(simulator).push_stock([StockPush("", first.sku_id, first.code, 42), StockPush("", "999", "X", 1)])

    assert [(result.is_ok, result.code) for result in results] == [(True, ""), (False, "jd.11200025")]
    assert simulator.shop.stock[first.sku_id] == 42


def test_skus_lists_the_whole_shop_when_asked(simulate):
    simulator = simulate()

    found = list(connected(simulator).skus())

    assert [(sku.external_sku, sku.external_product, sku.seller_code, sku.quantity) for sku in found] == [
        (sku.sku_id, sku.ware_id, sku.code, 500) for sku in simulator.shop.skus
    ]
    assert [sku.price for sku in found] == [Decimal(sku.price_fen) / 100 for sku in simulator.shop.skus]
    assert (found[1].seller_code, found[1].title, found[1].barcode) == ("TEA-LJ-100", "西湖龙井 特级 100g 罐装", "6910000000002")


def test_messages_are_none_when_jd_has_no_such_service(simulate):
    connection = connected(simulate())

    assert connection.messages() == ()
    assert connection.confirm(["1"]) is None


def test_a_read_cannot_connect_when_nobody_listens(simulate):
    simulator = simulate()
    connection = connected(simulator, config={"app_key": "k", "gateway": "http://127.0.0.1:9/routerjson"})

    with pytest.raises(CannotConnect):
        connection.check()


def test_marketplace_names_the_plugin_and_its_limits_when_the_host_asks():
    [port] = register_marketplaces()

    assert (port.key, port.currency, port.longest_window, port.carriers["sf"]) == ("jd", "CNY", timedelta(days=28), "467")
    assert (port.orders_from, port.refunds_from) == (orders_from, refunds_from)
