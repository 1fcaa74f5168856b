from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from core.sdk import Denied, StockPush, Unavailable, Window
from plugins.taobao.mapping import orders_from
from plugins.taobao.simulator import faults as faults_module
from plugins.taobao.simulator.catalog import FIRST_ITEM, FIRST_SKU
from plugins.taobao.simulator.faults import FAULTS, Faults, UnknownFault
from tests.plugins.http import AnswerLost
from tests.plugins.taobao.conftest import connected, last_day
from tests.plugins.taobao.test_client import paid, push

PASSING = ["http-5xx", "throttle", "truncated-json", "html-error", "slow", "duplicate-rows", "missing-rows", "reordered-rows"]


@pytest.mark.parametrize("fault", PASSING)
def test_all_orders_come_in_when_one_fault_strikes(simulate, fault, monkeypatch):
    monkeypatch.setattr("plugins.taobao.simulator.gateway.SLOW_S", 0.02)
    simulator = simulate(orders=260, faults={fault: None})

    documents = list(connected(simulator).changed_orders(last_day(simulator)))

    assert {doc.external_id for doc in documents} == {str(tid) for tid in simulator.shop.trades}
    assert simulator.faults.struck[fault] > 0
    assert {orders_from(doc.payload)[0].external_id for doc in documents} == {doc.external_id for doc in documents}


def test_all_orders_come_in_when_all_passing_faults_strike_together(simulate, monkeypatch):
    monkeypatch.setattr("plugins.taobao.simulator.gateway.SLOW_S", 0.02)
    simulator = simulate(orders=600, seed=9, faults=dict.fromkeys(PASSING, 0.1))
    found: Counter[str] = Counter()

    for _ in range(5):
        try:
            found.update(doc.external_id for doc in connected(simulator).changed_orders(last_day(simulator)))
        except Unavailable:
            continue
        break

    assert set(found) == {str(tid) for tid in simulator.shop.trades}
    assert len(simulator.faults.struck) >= 6


def test_sync_is_denied_when_the_session_expires_on_the_way(simulate):
    simulator = simulate(orders=50, faults={"expired-session": None})

    with pytest.raises(Denied) as caught:
        list(connected(simulator).changed_orders(last_day(simulator)))

    assert caught.value.code == "taobao.session_expired"


def test_sync_is_denied_until_the_new_session_is_used_when_the_session_was_renewed(simulate):
    simulator = simulate(orders=5)
    simulator.gateway.renew_session("new")

    with pytest.raises(Denied):
        connected(simulator).check()
    secrets = {"app_secret": "helloworld", "session": "new"}

    assert connected(simulator, secrets=secrets).check() == "云栖茶铺"


@pytest.mark.parametrize("fault", ["http-5xx", "html-error", "truncated-json"])
def test_call_is_unavailable_when_the_platform_never_gives_a_readable_answer(simulate, fault):
    simulator = simulate(faults={fault: 1.0})

    with pytest.raises(Unavailable) as caught:
        connected(simulator).check()

    assert caught.value.code == "taobao.unreadable_answer"


def test_shipment_happens_once_when_its_answer_is_cut_off(simulate):
    simulator = simulate()
    tid = paid(simulator)
    connection = connected(simulator)
    simulator.faults.switch_on("answer-lost", 1.0)

    with pytest.raises(AnswerLost):
        connection.push_shipment(push(tid))
    simulator.faults.switch_off()

    assert connection.has_shipment(push(tid))
    assert connection.push_shipment(push(tid)).code == "already_known"
    assert len(simulator.shop.shipments) == 1


def test_stock_levels_are_set_when_answers_are_lost_now_and_then(simulate):
    simulator = simulate(faults={"answer-lost": 0.4})
    levels = [StockPush(str(FIRST_ITEM), str(FIRST_SKU), "", level) for level in range(10)]

    results = connected(simulator).push_stock(levels)

    assert [one.is_ok for one in results] == [True] * 10
    assert simulator.shop.items[FIRST_ITEM].skus[0].quantity == 9
    assert simulator.faults.struck["answer-lost"] > 0


def test_faults_strike_within_twice_their_average_gap_when_switched_on():
    faults = Faults(dict.fromkeys(FAULTS, 0.1))

    for name in FAULTS:
        assert any(faults.strikes(name) for _ in range(20))


def test_faults_strike_alike_when_seed_and_calls_are_the_same():
    schedules = [[Faults({"slow": 0.2}, seed=4).strikes("slow") for _ in range(1)] for _ in range(3)]
    faults = [Faults({"slow": 0.2}, seed=4) for _ in range(2)]

    runs = [[one.strikes("slow") for _ in range(200)] for one in faults]

    assert schedules[0] == schedules[1] == schedules[2]
    assert runs[0] == runs[1]
    assert 20 <= sum(runs[0]) <= 60


def test_faults_end_when_switched_off():
    faults = Faults({"slow": 1.0, "throttle": 1.0})

    faults.switch_off("slow")

    assert (faults.strikes("slow"), faults.strikes("throttle")) == (False, True)


def test_unknown_fault_is_refused_when_switched_on():
    with pytest.raises(UnknownFault):
        Faults({"earthquake": None})


def test_usual_delay_is_shorter_than_the_clients_patience():
    assert faults_module.SLOW_S < 10


def test_orders_of_a_live_shop_all_come_in_when_windows_overlap(simulate):
    simulator = simulate(orders=40)
    clock = simulator.shop.clock
    found: set[str] = set()
    start = clock.now() - timedelta(hours=24)

    for _ in range(10):
        for _ in range(5):
            simulator.shop.live_step()
            clock.advance(timedelta(seconds=7))
        end = clock.now() - timedelta(seconds=5)
        found |= {doc.external_id for doc in connected(simulator).changed_orders(Window(start, end))}
        start = end - timedelta(minutes=5)
    clock.advance(timedelta(seconds=10))
    found |= {doc.external_id for doc in connected(simulator).changed_orders(Window(start, clock.now()))}

    assert found == {str(tid) for tid in simulator.shop.trades}
    assert len(found) == 90
