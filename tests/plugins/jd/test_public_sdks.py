"""Client libraries from the package registries against the simulator."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from plugins.jd.mapping import orders_from
from plugins.jd.simulator import Simulator
from plugins.jd.simulator.shop import SHOP_NAME

FIELDS = "orderId,orderState,orderPayment,freightPrice,modified,itemInfoList,couponDetailList,consigneeInfo"


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Both libraries send the machine's clock time, which JD takes for GMT+8; and they must not go through a proxy."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class PyjosRequest:
    """What pyjos asks of a request; its own base class cannot be imported in the published package."""

    def __init__(self, method: str, **fields: Any) -> None:
        self.api_method_name = method
        self.api_params = json.dumps(fields)


def pyjos_client(simulator: Simulator) -> Any:
    client_module = pytest.importorskip("pyjos.client", reason="pyjos is not installed")
    client = client_module.JdClient()
    client.server_url = simulator.url
    client.app_key, client.app_secret = simulator.options.app_key, simulator.options.secret
    return client


@pytest.mark.usefixtures("shanghai")
def test_pyjos_reads_orders_when_it_calls_the_simulator(simulate):
    simulator = simulate(orders=25)
    client = pyjos_client(simulator)
    number = next(iter(simulator.shop.orders))

    shop = client.execute(PyjosRequest("jingdong.seller.vender.info.get"), simulator.options.session)
    detail = client.execute(PyjosRequest("jingdong.pop.order.get", order_id=int(number), optional_fields=FIELDS), simulator.options.session)
    listed = client.execute(
        PyjosRequest(
            "jingdong.pop.order.search",
            order_state="WAIT_SELLER_STOCK_OUT",
            optional_fields=FIELDS,
            page="1",
            page_size="100",
            start_date="",
            end_date="",
        ),
        simulator.options.session,
    )

    assert shop["jingdong_seller_vender_info_get_responce"]["vender_info_result"]["shop_name"] == SHOP_NAME
    assert [order.external_id for order in orders_from(detail)] == [number]
    assert len(orders_from(listed)) == len(list(simulator.shop.in_state("WAIT_SELLER_STOCK_OUT")))


@pytest.mark.usefixtures("shanghai")
def test_pyjos_ships_an_order_when_it_calls_the_simulator(simulate):
    simulator = simulate(orders=25)
    number = next(order.number for order in simulator.shop.in_state("WAIT_SELLER_STOCK_OUT"))
    request = PyjosRequest("jingdong.pop.order.shipment", orderId=int(number), logiCoprId="467", logiNo="SF1")

    answer = pyjos_client(simulator).execute(request, simulator.options.session)

    assert str(answer["jingdong_pop_order_shipment_responce"]["sopjosshipment_result"]["success"]).lower() == "true"
    assert simulator.shop.get(number).info["waybill"] == "SF1"


@pytest.mark.usefixtures("shanghai")
def test_pyjos_is_told_when_its_token_is_wrong(simulate):
    answer = pyjos_client(simulate()).execute(PyjosRequest("jingdong.seller.vender.info.get"), "other")

    assert answer["error_response"]["code"] == "19"


@pytest.mark.usefixtures("shanghai")
@pytest.mark.parametrize("placement", ["params", "data"])
def test_jd_signs_a_call_that_the_simulator_takes_when_requests_sends_it(simulate, placement):
    comm_module = pytest.importorskip("jd.jd.comm", reason="jd is not installed")
    requests = pytest.importorskip("requests", reason="requests is not installed")
    simulator = simulate(orders=5)
    number = next(iter(simulator.shop.orders))
    comm = comm_module.Comm()
    comm._appkey, comm._appsecret = simulator.options.app_key, simulator.options.secret
    comm._access_token = simulator.options.session
    business = {"order_state": "", "optional_fields": FIELDS, "order_id": number}

    # The library makes and signs the parameters; its own sending is broken in the published version (it forgets the address).
    parameters = comm._get_data({"v": "2.0", "method": "jingdong.pop.order.get", "360buy_param_json": business})
    answer = requests.post(simulator.url, **{placement: parameters}, timeout=5).json()

    assert [order.external_id for order in orders_from(answer)] == [number]
