"""What is no call of JOS still gets an answer of JOS, and never a traceback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.jd.simulator import Options, Simulator
from tests.plugins.jd.jos import post, signed
from tests.plugins.noise import exchange, unreadable

UNREADABLE = unreadable("/routerjson") | {
    verb.lower(): verb.encode() + b" /routerjson HTTP/1.1\r\nHost: sim\r\nContent-Length: 0\r\n\r\n" for verb in ("PUT", "OPTIONS", "BREW")
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_simulator_answers_with_an_error_when_a_request_cannot_be_read(simulate, capfd, case):
    simulator = simulate(orders=1)

    line, answer = exchange(simulator.url, UNREADABLE[case])

    assert line.split(b" ")[1] == b"200"
    assert answer == {"error_response": {"code": "10", "zh_desc": "非法数据格式", "en_desc": "Invalid Format"}}
    assert capfd.readouterr().err == ""


_FIELDS = (
    "order_id", "orderId", "start_date", "end_date", "order_state", "optional_fields", "page", "page_size", "sortType",
    "dateType", "logiCoprId", "logiNo", "pageIndex", "pageSize", "applyTimeStart", "applyTimeEnd", "applyTimeBegin",
    "approveTimeBegin", "approveTimeEnd", "status", "skuId", "stockNum", "req", "id", "state", "remark", "pageNo",
)
NAMES = st.sampled_from(_FIELDS)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(("9" * 5000, "٣", "²", "\ud800", "2026-11-11 00:00:00", "0001-01-01 00:00:00")),
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6)


@pytest.fixture(scope="module")
def jos() -> Iterator[Simulator]:
    with Simulator(Options(orders=20, calls_per_second=10**9)) as simulator:
        yield simulator


@settings(max_examples=300, deadline=None)
@given(data=st.data(), business=st.dictionaries(NAMES, VALUES, max_size=6), known=st.booleans())
def test_gateway_answers_every_signed_call_when_its_parameters_make_no_sense(jos, data, business, known):
    method = data.draw(st.sampled_from(sorted(jos.gateway._services)))
    number = int(next(iter(jos.shop.orders)))
    asked = business | ({"order_id": number, "orderId": number, "optional_fields": "orderId"} if known else {})

    answer = post(jos, signed(jos, method, json.dumps(asked)))

    assert len(answer) == 1


def test_gateway_takes_the_newer_routers_names_when_a_client_uses_them(simulate):
    simulator = simulate(orders=3)
    number = next(iter(simulator.shop.orders))
    asked = json.dumps({"order_id": number, "optional_fields": "orderId,orderState"})
    parameters = signed(simulator, "jingdong.pop.order.get", "", **{"360buy_param_json": None, "param_json": asked})
    simulator_url = simulator.url.removesuffix("/routerjson") + "/api"

    from_form = post(simulator, parameters)
    unsigned_method = parameters | {"sign_method": "md5"}
    address = urlsplit(simulator_url)
    query = "&".join(f"{name}={_quoted(value)}" for name, value in unsigned_method.items())
    _, from_api = exchange(simulator.url, f"GET {address.path}?{query} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n".encode())

    for answer in (from_form, from_api):
        assert answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]["orderInfo"]["orderId"] == number


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())
