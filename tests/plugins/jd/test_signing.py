"""Signatures, against requests of public client libraries."""

from __future__ import annotations

import pytest

from plugins.jd.signing import is_signed, sign
from tests.plugins.jd.conftest import load

FOUND = load("jd_sign_public.json")
SECRET = "fakesecret0000000000000000000001"


@pytest.mark.parametrize("vector", FOUND["vectors"], ids=lambda vector: vector["name"])
def test_sign_agrees_with_public_libraries_when_given_their_parameters(vector):
    assert sign(vector["params"], vector["secret"]) == vector["sign"]


@pytest.mark.parametrize("wire", FOUND["wire"], ids=lambda wire: wire["client"].split()[0] + wire["http_method"])
def test_sign_agrees_with_whole_requests_when_query_and_form_are_joined(wire):
    parameters = {**wire["query"], **wire["form"]}

    assert sign(parameters, wire["secret"]) == parameters["sign"]
    assert is_signed(parameters, wire["secret"])


def test_sign_ignores_sign_itself_and_unset_values_when_they_are_given():
    assert sign({"a": "1", "sign": "X", "b": None}, SECRET) == sign({"a": "1"}, SECRET)


def test_sign_takes_bytes_and_numbers_when_values_are_no_text():
    assert sign({"a": "茶".encode(), "n": 7}, SECRET) == sign({"a": "茶", "n": "7"}, SECRET)


@pytest.mark.parametrize("signed_over", [{"a": "1", "empty": ""}, {"a": "1"}], ids=["kept", "left out"])
def test_is_signed_accepts_both_treatments_when_a_value_is_empty(signed_over):
    assert is_signed({"a": "1", "empty": "", "sign": sign(signed_over, SECRET)}, SECRET)


@pytest.mark.parametrize("given", ["", "0" * 32, "签名"])
def test_is_signed_refuses_when_the_signature_is_missing_or_wrong(given):
    assert not is_signed({"a": "1", "sign": given}, SECRET)


def test_is_signed_refuses_when_a_value_was_changed():
    assert not is_signed({"a": "2", "sign": sign({"a": "1"}, SECRET)}, SECRET)


def test_sign_counts_booleans_and_objects_as_the_json_that_is_sent():
    assert sign({"flag": True, "360buy_param_json": {"茶": [1, None]}}, "s") == sign(
        {"flag": "true", "360buy_param_json": '{"茶":[1,null]}'}, "s"
    )


def test_is_signed_accepts_lower_case_and_an_unsigned_sign_method():
    params = {"method": "m", "v": "2.0"}
    signature = sign(params, "s")

    assert is_signed({**params, "sign": signature.lower()}, "s")
    assert is_signed({**params, "sign_method": "md5", "sign": signature}, "s")
    assert not is_signed({**params, "v": "1.0", "sign": signature}, "s")
