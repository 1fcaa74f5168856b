"""Each fault, and what the client makes of it."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from core.sdk import ShipmentPush, SystemClock, Unavailable, Window
from plugins.jd.errors import AnswerUnreadable, Busy, SessionExpired, Throttled
from plugins.jd.simulator import Simulator
from plugins.jd.simulator.faults import NAMES, Faults
from tests.plugins.http import AnswerLost, PlainHttp
from tests.plugins.jd.conftest import connected


def numbers(simulator: Simulator, **changes: Any) -> list[str]:
    now = SystemClock().now()
    window = Window(now - timedelta(hours=24), now + timedelta(seconds=5))
    return [document.external_id for document in connected(simulator, **changes).changed_orders(window)]


@pytest.mark.parametrize(
    "fault",
    [
        "http-5xx=0.3",
        "throttle=0.3",
        "slow=0.3",
        "truncated-json=0.3",
        "duplicate-rows=1",
        "missing-rows=1",
        "reordered-rows=1",
        "moving-rows",
        "answer-lost=0.3",
        "html-error=0.3",
    ],
)
def test_the_client_loses_no_order_when_a_fault_strikes(simulate, fault):
    simulator = simulate(orders=350, seed=13, faults=(fault,), slow_s=0.01)

    found = numbers(simulator)

    assert sorted(set(found)) == sorted(simulator.shop.orders)


def test_the_client_loses_no_order_when_many_faults_strike_at_once(simulate):
    everything_but_expiry = tuple(f"{name}=0.05" for name in NAMES if name != "expired-session")
    simulator = simulate(orders=1500, seed=21, faults=everything_but_expiry, slow_s=0.01)

    found = numbers(simulator)

    assert sorted(set(found)) == sorted(simulator.shop.orders)


def test_the_client_loses_no_order_when_new_ones_keep_arriving(simulate):
    simulator = simulate(orders=900, seed=6, live=100)
    before = set(simulator.shop.orders)
    time.sleep(0.05)

    assert set(numbers(simulator)) >= before


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("http-5xx", Busy),
        ("throttle", Throttled),
        ("truncated-json", AnswerUnreadable),
        ("html-error", AnswerUnreadable),
        ("answer-lost", AnswerLost),
    ],
)
def test_the_client_gives_up_as_unavailable_when_a_fault_stays(simulate, fault, error):
    simulator = simulate(orders=5, faults=(f"{fault}=1",))
    http = PlainHttp()

    with pytest.raises(error) as caught:
        connected(simulator, http=http).check()

    assert isinstance(caught.value, Unavailable)
    assert http.sent == 6


def test_the_client_is_denied_at_once_when_the_session_has_expired(simulate):
    simulator = simulate(orders=5, faults=("expired-session",))
    http = PlainHttp()

    with pytest.raises(SessionExpired):
        numbers(simulator, http=http)

    assert http.sent == 1


def test_the_client_finds_the_shipment_when_the_answer_was_lost(simulate):
    simulator = simulate(orders=20)
    number = next(order.number for order in simulator.shop.in_state("WAIT_SELLER_STOCK_OUT"))
    push = ShipmentPush(number, carrier="sf", carrier_on_channel="467", tracking_number="SF1")
    http = PlainHttp()
    simulator.faults.set(["answer-lost=1"])

    with pytest.raises(AnswerLost):
        connected(simulator, http=http).push_shipment(push)
    simulator.faults.set([])

    assert http.sent == 1
    assert connected(simulator).has_shipment(push)
    assert connected(simulator).push_shipment(push).is_ok
    assert len(simulator.shop.shipments) == 1


def test_the_client_repeats_a_shipment_when_it_was_only_throttled(simulate):
    simulator = simulate(orders=20, seed=2, faults=("throttle=0.5",))
    number = next(order.number for order in simulator.shop.in_state("WAIT_SELLER_STOCK_OUT"))

    results = [
        connected(simulator).push_shipment(ShipmentPush(number, carrier="sf", carrier_on_channel="467", tracking_number="SF1"))
        for _ in range(4)
    ]

    assert [result.is_ok for result in results] == [True] * 4
    assert len(simulator.shop.shipments) == 1


@pytest.mark.parametrize("name", ["no-such", "slow=2", "slow=-1", "slow=often"])
def test_faults_are_refused_when_they_are_unknown_or_no_chance(name):
    with pytest.raises(ValueError, match=r".+"):
        Faults([name], seed=1)


def test_faults_strike_the_same_way_when_the_seed_is_the_same():
    def strikes(seed: int) -> list[bool]:
        faults = Faults(["throttle=0.5", "slow=0.5"], seed=seed)
        return [faults.strikes("throttle") for _ in range(50)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)


def test_a_row_is_withheld_once_when_rows_go_missing():
    faults = Faults(["missing-rows=1"], seed=3)
    rows = [{"id": place} for place in range(5)]

    withheld = [row["id"] for _ in range(40) for row in rows if row not in faults.on_rows(rows, key="id")]

    assert sorted(withheld) == sorted(set(withheld))
