"""The simulated gateway: who may call, and in which shapes."""

from __future__ import annotations

import http.client
import json
import socket
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from plugins.jd.simulator import Simulator
from plugins.jd.simulator.shop import SHOP_NAME
from tests.plugins.jd.jos import call, clock, post, raw, signed

SHOP = "jingdong.seller.vender.info.get"
ROOT = "jingdong_seller_vender_info_get_responce"


def is_shop(answer: Any) -> bool:
    return answer.get(ROOT, {}).get("vender_info_result", {}).get("shop_name") == SHOP_NAME


def now(changes: dict[str, Any]) -> dict[str, Any]:
    """Clock times are worked out when the test runs."""
    return {name: value() if callable(value) else value for name, value in changes.items()}


def code_of(answer: Any) -> str:
    assert set(answer) == {"error_response"}
    assert set(answer["error_response"]) == {"code", "zh_desc", "en_desc"}
    return answer["error_response"]["code"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"method": None}, "14"),
        ({"method": "jingdong.no.such"}, "15"),
        ({"v": None}, "4"),
        ({"v": "1.0"}, "5"),
        ({"timestamp": None}, "7"),
        ({"timestamp": "soon"}, "8"),
        ({"timestamp": lambda: clock(timedelta(minutes=-7))}, "8"),
        ({"timestamp": lambda: clock(timedelta(minutes=7))}, "8"),
        ({"timestamp": "0001-01-01 00:00:00"}, "8"),
        ({"app_key": None}, "20"),
        ({"app_key": "other"}, "21"),
        ({"sign": ""}, "11"),
        ({"sign": "0" * 32}, "12"),
        ({"access_token": None}, "19"),
        ({"access_token": "other"}, "19"),
        ({"360buy_param_json": "{not json"}, "63"),
        ({"360buy_param_json": "[1]"}, "63"),
    ],
)
def test_the_gateway_refuses_with_its_code_when_a_call_is_unsound(simulate, changes, code):
    simulator = simulate()

    assert code_of(post(simulator, signed(simulator, SHOP, {}, **now(changes)))) == code
    assert simulator.gateway.calls == {}


def test_the_gateway_refuses_the_signature_when_a_parameter_was_changed(simulate):
    simulator = simulate()
    parameters = {**signed(simulator, SHOP, {}), "360buy_param_json": '{"a":1}'}

    assert code_of(post(simulator, parameters)) == "12"


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": lambda: clock(timedelta(minutes=-5))},
        {"timestamp": lambda: clock(timedelta(minutes=5))},
        {"timestamp": lambda: clock() + ".000+0800"},
        {"timestamp": lambda: clock(timedelta(hours=-8)) + ".000+0000"},
        {"format": "json"},
        {"360buy_param_json": None},
        {"360buy_param_json": '{"remark": "改地址 & 加急", "nothing": null}'},
    ],
)
def test_the_gateway_answers_when_a_call_is_sound_in_another_way(simulate, changes):
    assert is_shop(call(simulate(), SHOP, {}, **now(changes)))


def _get(simulator: Simulator, parameters: dict[str, str]) -> Any:
    return raw("GET", simulator.url, fields=parameters)


def _multipart(simulator: Simulator, parameters: dict[str, str]) -> Any:
    return raw("POST", simulator.url, fields={**parameters, "file": ("a.txt", "not signed")})


def _split(simulator: Simulator, parameters: dict[str, str]) -> Any:
    """System parameters in the URL, business parameters in the body."""
    own = dict(parameters)
    body = urlencode({"360buy_param_json": own.pop("360buy_param_json")})
    headers = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}
    return raw("POST", f"{simulator.url}?{urlencode(own)}", body=body, headers=headers)


def _all_in_url(simulator: Simulator, parameters: dict[str, str]) -> Any:
    return raw("POST", f"{simulator.url}?{urlencode(parameters)}")


def _json_body(simulator: Simulator, parameters: dict[str, str]) -> Any:
    return raw("POST", simulator.url, body=json.dumps(parameters), headers={"Content-Type": "application/json"})


def _untyped(simulator: Simulator, parameters: dict[str, str]) -> Any:
    return raw("POST", simulator.url, body=urlencode(parameters).encode(), headers={"Content-Type": "text/plain"})


def _chunked(simulator: Simulator, parameters: dict[str, str]) -> Any:
    body = urlencode(parameters).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return raw("POST", simulator.url, body=iter([body[:20], body[20:]]), headers=headers, chunked=True)


@pytest.mark.parametrize("send", [_get, _multipart, _split, _all_in_url, _json_body, _untyped, _chunked], ids=lambda send: send.__name__)
def test_the_gateway_finds_the_parameters_when_a_client_places_them_elsewhere(simulate, send):
    simulator = simulate()

    answer = send(simulator, signed(simulator, SHOP, {"note": "茶 +&="}))

    assert is_shop(answer.json())
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


def test_the_gateway_answers_when_the_request_line_holds_the_whole_address(simulate):
    simulator = simulate()
    parts = urlsplit(simulator.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)

    connection.request("POST", f"http://{parts.hostname}/routerjson?{urlencode(signed(simulator, SHOP, {}))}")

    assert is_shop(json.loads(connection.getresponse().read()))
    connection.close()


def test_the_gateway_answers_a_probe_when_a_client_sends_head(simulate):
    answer = raw("HEAD", simulate().url)

    assert (answer.status, answer.data) == (200, b"")


def test_the_gateway_says_not_found_when_the_path_is_another(simulate):
    assert raw("GET", simulate().url.replace("/routerjson", "/router/rest")).status == 404


def test_the_gateway_survives_when_a_client_sends_rubbish(simulate):
    simulator = simulate()
    parts = urlsplit(simulator.url)
    for rubbish in (b"\x16\x03\x01\x02\x00\r\n\r\n", b"POST /routerjson HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
            connection.sendall(rubbish)

    assert is_shop(call(simulator, SHOP, {}))


def test_the_gateway_limits_the_calls_when_there_are_too_many_in_a_second(simulate):
    simulator = simulate(calls_per_second=3)

    answers = [call(simulator, SHOP, {}) for _ in range(4)]

    assert [is_shop(answer) for answer in answers[:3]] == [True, True, True]
    assert code_of(answers[3]) == "2"


def test_the_gateway_says_success_in_both_spellings_when_it_is_asked_often(simulate):
    simulator = simulate(orders=1)
    number = next(iter(simulator.shop.orders))

    answers = [call(simulator, "jingdong.pop.order.get", {"order_id": number, "optional_fields": "orderId"}) for _ in range(3)]

    successes = [answer["jingdong_pop_order_get_responce"]["orderDetailInfo"]["apiResult"]["success"] for answer in answers]
    assert sorted(map(str, successes)) == ["True", "True", "true"]
