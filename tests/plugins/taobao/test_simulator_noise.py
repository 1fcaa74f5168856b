"""What is no request of the platform's still gets an answer of the platform's, and never a traceback."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sdk import FixedClock
from plugins.taobao.gateway import china_text
from plugins.taobao.signing import UnsignableText, sign
from plugins.taobao.simulator import Simulator
from plugins.taobao.simulator.gateway import METHODS
from tests.plugins.noise import AS_JSON, exchange, unreadable
from tests.plugins.taobao.conftest import CREDENTIALS, NOON

UNREADABLE = unreadable("/router/rest") | {
    "many-headers": b"GET /router/rest HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(300)) + b"\r\n",
    "json-list": b"POST /router/rest HTTP/1.1\r\n" + AS_JSON + b"Content-Length: 3\r\n\r\n[1]",
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_simulator_answers_with_an_error_when_a_request_cannot_be_read(simulate, capfd, case):
    simulator = simulate(orders=1)

    line, answer = exchange(simulator.url, UNREADABLE[case])

    assert line.split(b" ")[1] == b"200"
    assert (list(answer), answer["error_response"]["code"]) == (["error_response"], 43)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("verb", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_simulator_refuses_the_http_method_when_it_is_no_action_of_the_platform(simulate, verb):
    simulator = simulate(orders=1)

    _, answer = exchange(simulator.url, verb.encode() + b" /router/rest HTTP/1.1\r\nHost: sim\r\nContent-Length: 0\r\n\r\n")

    assert answer == {"error_response": {"code": 9, "msg": "Http action not allowed"}}


VALUES = st.one_of(
    st.text(max_size=30),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(("9" * 5000, "1:1;2:x", "1,2,,3", "٣", "²", "\ud800", "2026-11-11 00:00:00", "9999-12-31 23:59:59", "[" * 5000)),
)
_FIELDS = (
    "tid", "fields", "page_no", "page_size", "type", "status", "use_has_next", "start_modified", "end_modified",
    "start_created", "end_created", "start_create", "end_create", "refund_id", "company_code", "out_sid", "sub_tid", "is_split",
    "num_iid", "num_iids", "skuid_quantities", "quantity", "memo", "flag", "s_message_ids", "topics",
)
NAMES = st.sampled_from(_FIELDS)


@pytest.fixture(scope="module")
def shop() -> Simulator:
    return Simulator(CREDENTIALS, orders=20, clock=FixedClock(NOON))


@settings(max_examples=300, deadline=None)
@given(method=st.sampled_from(sorted(METHODS)), business=st.dictionaries(NAMES, VALUES, max_size=6), form=st.sampled_from(("json", "xml")))
def test_gateway_answers_every_signed_call_when_its_parameters_make_no_sense(shop, method, business, form):
    params = {"method": method, "app_key": CREDENTIALS.app_key, "session": CREDENTIALS.session, "v": "2.0", "format": form, **business}
    params["timestamp"] = china_text(NOON)
    try:
        params["sign"] = sign(params, CREDENTIALS.secret, "md5")
    except UnsignableText:
        params["sign"] = "0" * 32

    answer = shop.gateway.answer(params)

    assert answer.status == 200
    if form == "json":
        assert len(json.loads(answer.text)) == 1
