from __future__ import annotations

import functools
import http.client
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sdk import FixedClock
from plugins.taobao.gateway import china_text
from plugins.taobao.signing import sign
from plugins.taobao.simulator import Simulator
from plugins.taobao.simulator.faults import Limits
from plugins.taobao.simulator.gateway import METHODS, SimGateway
from plugins.taobao.simulator.shop import Shop
from tests.plugins.taobao.conftest import CREDENTIALS, NOON, PAYLOADS, load

BOUNDARY = "PYTHON_SDK_BOUNDARY"


def signed(sign_method: str = "md5", *, secret: str = CREDENTIALS.secret, **changes: Any) -> dict[str, str]:
    """A signed request for the platform's clock; None takes a parameter out."""
    params = {
        "method": "taobao.time.get",
        "app_key": CREDENTIALS.app_key,
        "session": CREDENTIALS.session,
        "timestamp": china_text(NOON),
        "format": "json",
        "v": "2.0",
        "sign_method": sign_method,
    } | changes
    params = {name: str(value) for name, value in params.items() if value is not None}
    return {**params, "sign": sign(params, secret, sign_method)}


def send(
    simulator: Simulator,
    verb: str,
    *,
    query: dict[str, str] | None = None,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, str, bytes]:
    address = urlsplit(simulator.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    try:
        target = f"{address.path}?{urlencode(query)}" if query else address.path
        connection.request(verb, target, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    finally:
        connection.close()


def call(simulator: Simulator, params: dict[str, str]) -> dict[str, Any]:
    """The JSON answer to a POST with everything in the body."""
    headers = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
    status, _, body = send(simulator, "POST", body=urlencode(params).encode(), headers=headers)
    assert status == 200
    return json.loads(body)


def error_of(simulator: Simulator, params: dict[str, str]) -> int:
    return call(simulator, params)["error_response"]["code"]


def multipart(params: dict[str, str], *, with_file: bool) -> bytes:
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in params.items()]
    if with_file:
        parts.append(f'--{BOUNDARY}\r\nContent-Disposition: file; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx\r\n')
    return "".join([*parts, f"--{BOUNDARY}--\r\n"]).encode()


def test_head_probe_is_answered_when_a_client_looks_first(simulate):
    assert send(simulate(), "HEAD") == (200, "text/html;charset=UTF-8", b"")


@pytest.mark.parametrize(
    "placement", ["query", "get", "body", "split", "multipart", "multipart-file", "split-multipart", "chunked", "no-type"]
)
def test_request_is_accepted_when_its_parameters_travel_in_any_usual_way(simulate, placement):
    simulator = simulate()
    params = signed(memo="改地址 & 加急 🚚", flag="3")
    form, kind = urlencode(params).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    system = {name: value for name, value in params.items() if name not in ("memo", "flag")}
    rest = {name: params[name] for name in ("memo", "flag")}
    mixed = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(form[i : i + 50]), form[i : i + 50]) for i in range(0, len(form), 50)) + b"0\r\n\r\n"

    status, media_type, body = {
        "query": lambda: send(simulator, "POST", query=params),
        "get": lambda: send(simulator, "GET", query=params),
        "body": lambda: send(simulator, "POST", body=form, headers=kind),
        "split": lambda: send(simulator, "POST", query=system, body=urlencode(rest).encode(), headers=kind),
        "multipart": lambda: send(simulator, "POST", body=multipart(params, with_file=False), headers=mixed),
        "multipart-file": lambda: send(simulator, "POST", body=multipart(params, with_file=True), headers=mixed),
        "split-multipart": lambda: send(simulator, "POST", query=system, body=multipart(rest, with_file=True), headers=mixed),
        "chunked": lambda: send(simulator, "POST", body=chunks, headers={**kind, "Transfer-Encoding": "chunked"}),
        "no-type": lambda: send(simulator, "POST", body=form),
    }[placement]()

    assert (status, media_type) == (200, "application/json;charset=UTF-8")
    assert json.loads(body)["time_get_response"]["time"] == "2026-11-11 12:00:00"


@pytest.mark.parametrize("sign_method", ["md5", "hmac", "hmac-sha256"])
def test_request_is_accepted_when_it_is_signed_in_any_way(simulate, sign_method):
    assert "time_get_response" in call(simulate(), signed(sign_method))


def test_request_is_accepted_when_md5_goes_without_saying(simulate):
    params = signed(sign_method="md5")
    del params["sign_method"], params["sign"]

    assert "time_get_response" in call(simulate(), {**params, "sign": sign(params, CREDENTIALS.secret, "md5")})


@pytest.mark.parametrize(
    ("moment", "is_accepted"),
    [
        (china_text(NOON - timedelta(minutes=9, seconds=59)), True),
        (china_text(NOON + timedelta(minutes=9, seconds=59)), True),
        (str(int(NOON.timestamp() * 1000)), True),
        (china_text(NOON - timedelta(minutes=10, seconds=1)), False),
        (china_text(NOON + timedelta(minutes=10, seconds=1)), False),
        (str(int(NOON.timestamp() * 1000) - 600_001), False),
        (china_text(NOON - timedelta(hours=8)), False),
        ("2026-11-11T12:00:00", False),
        ("2026-13-11 12:00:00", False),
        ("now", False),
    ],
)
def test_timestamp_is_accepted_when_it_is_china_time_or_milliseconds_within_ten_minutes(simulate, moment, is_accepted):
    answer = call(simulate(), signed(timestamp=moment))

    assert ("time_get_response" in answer) is is_accepted
    assert answer.get("error_response", {}).get("code") == (None if is_accepted else 31)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"method": None}, 21),
        ({"method": "taobao.no.such.thing"}, 22),
        ({"format": "yaml"}, 23),
        ({"session": None, "method": "taobao.shop.seller.get", "fields": "sid"}, 26),
        ({"session": "x", "method": "taobao.shop.seller.get", "fields": "sid"}, 27),
        ({"app_key": None}, 28),
        ({"app_key": "1"}, 29),
        ({"timestamp": None}, 30),
        ({"timestamp": "x"}, 31),
        ({"v": None}, 32),
        ({"v": "9.9"}, 33),
        ({"method": "taobao.trade.fullinfo.get", "fields": "tid"}, 40),
        ({"method": "taobao.trade.fullinfo.get", "tid": "1"}, 40),
        ({"method": "taobao.trade.fullinfo.get", "fields": "tid", "tid": "x"}, 41),
        ({"method": "taobao.trade.fullinfo.get", "fields": "tid", "tid": "1"}, 15),
    ],
)
def test_error_code_is_the_platforms_when_a_request_is_wrong(simulate, changes, code):
    error = call(simulate(), signed(**changes))["error_response"]

    assert error["code"] == code
    assert error["msg"]
    assert error["request_id"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda params: {**params, "sign": "0" * 32},
        lambda params: {**params, "extra": "1"},
        lambda params: {**params, "sign_method": "sha1"},
        lambda params: {**params, "sign_method": "hmac"},
    ],
)
def test_signature_is_refused_when_anything_was_changed_after_signing(simulate, spoil):
    assert error_of(simulate(), spoil(signed())) == 25


def test_signature_is_missed_when_there_is_none(simulate):
    params = signed()
    del params["sign"]

    assert error_of(simulate(), params) == 24


def test_signature_is_accepted_when_an_empty_value_was_signed_or_skipped(simulate):
    simulator = simulate()
    kept = signed(buyer_nick="")
    skipped = {**signed(), "buyer_nick": ""}

    assert "time_get_response" in call(simulator, kept)
    assert "time_get_response" in call(simulator, skipped)


@pytest.mark.parametrize("wire", load("signing.json")["wire"], ids=lambda wire: wire["client"][:24])
def test_recorded_request_passes_the_gateways_checks_when_the_clock_is_set_to_its_time(simulate, wire):
    stamp = {**wire["query"], **wire["form"]}["timestamp"]
    is_text = "-" in stamp
    sent_at = datetime.fromisoformat(f"{stamp}+08:00") if is_text else datetime.fromtimestamp(int(stamp) / 1000, UTC)
    simulator = simulate(clock=FixedClock(sent_at))
    headers = {"Content-Type": wire["content_type"]}
    body = (wire["raw_body"] or "").encode()
    if wire["raw_body"] is None:
        headers, body = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, multipart(wire["form"], with_file=False)

    _, _, answer = send(simulator, wire["http_method"], query=wire["query"], body=body, headers=headers)

    # Empty pages are fine, and so is a complaint that this shop does not know a trade or an item.
    assert json.loads(answer).get("error_response", {"code": 15})["code"] == 15


def test_answer_is_compact_json_when_asked_for_json(simulate):
    _, _, body = send(simulate(), "POST", query=signed(method="taobao.none"))

    assert body.startswith(b'{"error_response":{"code":22,')
    assert body.endswith(b"}}")


def test_answer_has_no_root_and_plain_lists_when_simplified(simulate):
    simulator = simulate(orders=3)
    params = signed(method="taobao.trades.sold.get", fields="tid,status,orders,promotion_details", simplify="true", page_size="2")

    answer = call(simulator, params)
    error = call(simulator, signed(method="taobao.trades.sold.get", simplify="true"))

    assert sorted(answer) == ["request_id", "total_results", "trades"]
    assert [type(trade["orders"]) for trade in answer["trades"]] == [list, list]
    assert error["error_response"]["code"] == 40


@pytest.mark.parametrize("form", [None, "xml"])
def test_answer_is_xml_when_json_was_not_asked_for(simulate, form):
    simulator = simulate(orders=2)

    _, media_type, body = send(simulator, "POST", query=signed(method="taobao.trades.sold.get", fields="tid,title,orders", format=form))
    _, _, error = send(simulator, "POST", query=signed(method="taobao.none", format=form))
    root, refusal = ET.fromstring(body), ET.fromstring(error)

    assert media_type == "text/xml;charset=UTF-8"
    assert (root.tag, len(root.findall("trades/trade"))) == ("trades_sold_get_response", 2)
    assert [trade.findtext("orders/order/oid") is not None for trade in root.findall("trades/trade")] == [True, True]
    assert (refusal.tag, refusal.findtext("code")) == ("error_response", "22")


def test_calls_are_limited_per_method_and_per_app_when_there_are_too_many_in_a_second(simulate):
    simulator = simulate()
    simulator.gateway.limiter.limits = Limits(app_per_s=5, method_per_s=3)

    codes = [call(simulator, signed()).get("error_response", {}) for _ in range(4)]
    others = [call(simulator, signed(method="taobao.shop.seller.get", fields="sid")).get("error_response", {}) for _ in range(2)]
    simulator.shop.clock.advance(timedelta(seconds=2))

    assert [error.get("sub_code") for error in codes] == [None, None, None, "accesscontrol.limited-by-api-access-count"]
    assert codes[3]["code"] == 7
    assert codes[3]["sub_msg"] == "This ban will last for 1 more seconds"
    assert [error.get("sub_code") for error in others] == [None, "accesscontrol.limited-by-app-access-count"]
    assert "time_get_response" in call(simulator, signed())


def test_other_verbs_and_paths_are_no_actions_of_the_platform(simulate):
    simulator = simulate()
    status, _, body = send(simulator, "PUT", query=signed(), body=b"x")
    address = urlsplit(simulator.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.request("GET", "/else")

    assert (status, json.loads(body)["error_response"]["code"]) == (200, 9)
    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize("headers", [{"Content-Length": "x"}, {"Content-Length": "99999999999"}, {"Transfer-Encoding": "chunked"}])
def test_request_is_refused_when_its_body_cannot_be_read(simulate, headers):
    address = urlsplit(simulate().url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    connection.putrequest("POST", address.path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(b"zz\r\n" if "Transfer-Encoding" in headers else None)

    answer = connection.getresponse()

    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    assert json.loads(answer.read())["error_response"]["code"] == 43
    connection.close()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"&".join(b"a=1" for _ in range(3000)), "application/x-www-form-urlencoded"),
        (b"--x", "multipart/form-data"),
        (b"--x\r\nnonsense", "multipart/form-data; boundary=x"),
    ],
)
def test_request_gets_an_answer_when_its_body_is_nonsense(simulate, body, kind):
    status, _, _ = send(simulate(), "POST", body=body, headers={"Content-Type": kind})

    assert status == 200


METHOD_NAMES = sorted(METHODS)
ODD_VALUES = ["", "0", "1", "-1", "2", "9" * 23, "x", "true", "tid,orders", "1:2;3:4", "5210000000001:3", "SF", "\x00", "WAIT_BUYER_PAY"]
ODD_VALUES += ["2026-11-11", "2026-11-10 13:00:00", "2026-11-11 12:00:00", "[]", '[{"tid":"1","oaid":"x"}]', "689000000001"]
PARAMS = st.dictionaries(
    st.sampled_from(
        [
            "fields",
            "tid",
            "sub_tid",
            "is_split",
            "out_sid",
            "company_code",
            "memo",
            "flag",
            "num_iid",
            "num_iids",
            "skuid_quantities",
            "outerid_quantities",
            "type",
            "quantity",
            "start_modified",
            "end_modified",
            "start_created",
            "end_created",
            "page_no",
            "page_size",
            "use_has_next",
            "status",
            "refund_id",
            "query_list",
            "merge_list",
            "s_message_ids",
            "topics",
            "nick",
            "sku_id",
            "outer_id",
            "reset",
            "q",
            "simplify",
        ]
    ),
    st.sampled_from(ODD_VALUES),
    max_size=8,
)


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(METHOD_NAMES), params=PARAMS, form=st.sampled_from(["json", "xml"]))
def test_gateway_answers_every_request_when_its_parameters_are_anything(name, params, form):
    gateway = shared_gateway()
    given_params = {**params, **signed(format=form)} | {"method": name}
    clean = {key: value for key, value in given_params.items() if key != "sign"}

    answer = gateway.answer({**clean, "sign": sign(clean, CREDENTIALS.secret, "md5")})

    assert (answer.status, answer.is_lost) == (200, False)
    if form == "json":
        json.loads(answer.text)
    else:
        ET.fromstring(answer.text)


@functools.cache
def shared_gateway() -> SimGateway:
    """One small shop for all examples of a property."""
    return SimGateway(Shop(app_key=CREDENTIALS.app_key, orders=12, clock=FixedClock(NOON)), CREDENTIALS)


def test_one_connection_serves_many_calls_when_it_is_kept_open(simulate):
    address = urlsplit(simulate().url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    statuses = []
    for _ in range(5):
        connection.request("POST", f"{address.path}?{urlencode(signed())}")
        answer = connection.getresponse()
        statuses.append((answer.status, len(answer.read()) > 0))
    connection.close()

    assert statuses == [(200, True)] * 5


def test_control_paths_need_the_app_secret_and_steer_the_shop(simulate):
    simulator = simulate()
    address = urlsplit(simulator.url)

    def control(verb: str, facts: dict[str, Any] | None = None, key: str = CREDENTIALS.secret) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        connection.request("POST", f"/_sim/{verb}", body=json.dumps(facts or {}), headers={"X-Simulator-Key": key})
        answer = connection.getresponse()
        content = json.loads(answer.read())
        connection.close()
        return answer.status, content

    tid = control("place", {"codes": {"TEA-LJ-50": 2}, "pay": True})[1]["tid"]
    refund = control("refund", {"tid": tid})[1]["refund_id"]
    control("settle", {"refund_id": refund})
    other = control("place")[1]["tid"]
    for verb, facts in (("pay", {"tid": other}), ("modify", {"tid": other}), ("status", {"tid": other, "status": "PAID_FORBID_CONSIGN"})):
        assert control(verb, facts) == (200, {})

    assert control("state", key="wrong")[0] == 403
    assert control("nonsense")[0] == 404
    assert control("pay", {})[0] == 400
    assert control("faults", {"earthquake": 1})[0] == 400
    assert [(one["tid"], one["status"]) for one in control("orders")[1]["orders"]] == [
        (tid, "TRADE_CLOSED"),
        (other, "PAID_FORBID_CONSIGN"),
    ]
    assert control("faults", {"slow": 0})[0] == 200
    assert control("faults")[0] == 200
    assert control("session", {"session": "next"})[0] == 200
    assert simulator.gateway.credentials.session == "next"
    assert control("state")[1]["orders"] == 2
    assert control("shipments")[1] == {"shipments": []}
    assert control("stock")[1] == {"stock": []}
    assert control("finish", {"tid": other})[0] == control("close", {"tid": other})[0] == 200


def test_payload_folder_holds_the_shared_vectors_unchanged(shared):
    stored = json.loads((shared / "vectors" / "taobao_sign_public.json").read_text(encoding="utf-8"))

    assert json.loads((PAYLOADS / "signing.json").read_text(encoding="utf-8")) == stored
