from __future__ import annotations

import json

import pytest

from core.sdk import HttpResponse, Invalid, NotFound, Unavailable
from plugins.taobao.errors import error_from
from plugins.taobao.gateway import content, root_of
from plugins.taobao.mapping import refunds_from
from tests.plugins.taobao.conftest import load

METHOD = "taobao.time.get"


def answer(body: bytes, status: int = 200, **headers: str) -> HttpResponse:
    return HttpResponse(status, headers, body)


def test_content_stands_below_the_root_when_the_answer_is_whole():
    assert content(answer(b'{"time_get_response":{"time":"x","request_id":"r"}}'), METHOD) == {"time": "x", "request_id": "r"}


@pytest.mark.parametrize("name", ["logistics_offline_send", "skus_quantity_update", "trade_memo_update"])
def test_content_is_found_when_write_apis_ok(name):
    stored = load("write_apis.ok.json")[name]
    method = "taobao." + name.replace("_", ".")

    assert root_of(method) in stored
    assert content(answer(json.dumps(stored).encode()), method)["request_id"].startswith("15rfake")


def test_root_keeps_other_prefixes_when_the_method_is_not_taobaos():
    assert root_of("alibaba.einvoice.createreq") == "alibaba_einvoice_createreq_response"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"<html></html>", 200),
        (b'{"time_get_response":{"time":', 200),
        (b"[]", 200),
        (b'{"other_response":{}}', 200),
        (b'{"time_get_response":"x"}', 200),
        (b'{"time_get_response":{}}', 500),
        (b"Bad Gateway", 502),
        (b"\xff\xfe", 200),
        (b'{"error_response":"x"}', 200),
    ],
)
def test_answer_is_unreadable_and_may_be_repeated_when_it_is_no_answer(body, status):
    with pytest.raises(Unavailable) as caught:
        content(answer(body, status), METHOD)

    assert (caught.value.code, caught.value.http_status) == ("taobao.unreadable_answer", status)


@pytest.mark.parametrize(("header", "wait_s"), [("7", 7.0), ("soon", None), ("", None)])
def test_answer_is_a_limit_when_a_proxy_says_too_many_requests(header, wait_s):
    with pytest.raises(Unavailable) as caught:
        content(answer(b"slow down", 429, **{"retry-after": header}), METHOD)

    assert (caught.value.code, caught.value.retry_after_s) == ("taobao.rate_limited", wait_s)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 7}, "taobao.rate_limited"),
        ({"code": "7", "sub_code": "accesscontrol.limited-by-app-access-count"}, "taobao.rate_limited"),
        ({"code": 15, "sub_code": "isp.call-limited"}, "taobao.rate_limited"),
        ({"code": 4}, "taobao.rate_limited"),
        ({"code": 8}, "taobao.rate_limited"),
        ({"code": 10}, "taobao.platform_fault"),
        ({"code": 15}, "taobao.platform_fault"),
        ({"code": 15, "sub_code": "isp.top-remote-connection-timeout"}, "taobao.platform_fault"),
        ({"code": 15, "sub_code": "ism.json-decode-error"}, "taobao.platform_fault"),
        ({"code": 15, "sub_code": "isv.logistics-offline-service-error:B150"}, "taobao.platform_fault"),
        ({"code": 31}, "taobao.platform_fault"),
        ({"code": 26}, "taobao.session_expired"),
        ({"code": 27, "sub_code": "invalid-sessionkey"}, "taobao.session_expired"),
        ({"code": 15, "sub_code": "isv.invalid-session"}, "taobao.session_expired"),
        ({"code": 11, "sub_code": "isv.permission-api-package-limit"}, "taobao.app_refused"),
        ({"code": 24}, "taobao.app_refused"),
        ({"code": 29, "sub_code": "isv.appkey-not-exists"}, "taobao.app_refused"),
        ({"code": 42}, "taobao.app_refused"),
        ({"code": 15, "sub_code": "isv.logistics-offline-service-error:B01"}, "taobao.not_found"),
        ({"code": 15, "sub_code": "isv.logistics-offline-service-error:B04"}, "taobao.request_refused"),
        ({"code": 41}, "taobao.request_refused"),
        ({"code": 22}, "taobao.request_refused"),
        ({"code": "x", "sub_code": 5, "msg": None}, "taobao.request_refused"),
        ({}, "taobao.request_refused"),
    ],
)
def test_error_kind_is_told_by_code_and_sub_code(error, code):
    assert error_from(error).code == code


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("This ban will last for 1 more seconds", 2.0),
        ("This ban will last for 31062 more seconds", 31063.0),
        ("This ban will last for 99999999999 more seconds", 86400.0),
        ("limited", None),
    ],
)
def test_wait_is_a_second_longer_than_announced_when_the_platform_bans(text, wait_s):
    error = error_from({"code": 7, "sub_msg": text})

    assert isinstance(error, Unavailable)
    assert error.retry_after_s == wait_s


def test_facts_of_an_error_are_the_platforms_words():
    error = error_from(load("errors.json")[4]["error_response"])

    assert isinstance(error, NotFound)
    assert error.facts == {
        "vendor_code": 15,
        "sub_code": "isv.trade-not-exist",
        "detail": "交易不存在",
        "request_id": "15rfakeerr0005",
    }


def test_refund_is_refused_when_its_amount_is_missing():
    refund = load("refunds_receive_get.page.json")["refunds_receive_get_response"]["refunds"]["refund"][0]

    with pytest.raises(Invalid) as caught:
        refunds_from({"refunds": [{**refund, "refund_fee": None}]})

    assert caught.value.field == "refunds[0].refund_fee"
