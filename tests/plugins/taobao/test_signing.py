from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.sdk import Invalid
from plugins.taobao.signing import SIGN_METHODS, is_signed, sign
from tests.plugins.taobao.conftest import load

PUBLIC = load("signing.json")
VECTORS = [(vector, method) for vector in PUBLIC["vectors"] for method in vector["signs"]]
NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12).filter(lambda name: name != "sign")
VALUES = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(("vector", "method"), VECTORS, ids=[f"{vector['name']}-{method}" for vector, method in VECTORS])
def test_sign_agrees_with_public_libraries_when_given_their_parameters(vector, method):
    params = {**vector["params"], "sign_method": method}

    assert sign(params, vector["secret"], method) == vector["signs"][method]["sign"]


def test_sign_agrees_with_all_stored_vectors_when_the_shared_folder_is_there(shared: Path):
    stored = json.loads((shared / "vectors" / "taobao_sign_public.json").read_text(encoding="utf-8"))
    answers = [
        sign({**vector["params"], "sign_method": method}, vector["secret"], method) == answer["sign"]
        for vector in stored["vectors"]
        for method, answer in vector["signs"].items()
    ]

    assert answers == [True] * 39


@pytest.mark.parametrize("wire", PUBLIC["wire"], ids=[f"{i}-{wire['client'][:20]}" for i, wire in enumerate(PUBLIC["wire"])])
def test_is_signed_accepts_a_whole_request_when_a_public_library_sent_it(wire):
    params = {**wire["query"], **wire["form"]}

    assert is_signed(params, wire["secret"])
    assert sign(params, wire["secret"], params["sign_method"]) == params["sign"]
    assert not is_signed({**params, "fields": "tid"}, wire["secret"])
    assert not is_signed(params, wire["secret"] + "x")


@pytest.mark.parametrize("case", PUBLIC["divergent"], ids=lambda case: case["name"])
def test_is_signed_accepts_both_forms_when_libraries_disagree(case):
    forms = {(library, answer, "md5") for library, answer in case["md5"].items()}
    forms |= {("java", case["hmac_java2012"], "hmac"), ("go", case["hmac_sha256_go2025"], "hmac-sha256")}

    accepted = {
        library: is_signed({**case["params"], "sign_method": method, "sign": answer}, case["secret"]) for library, answer, method in forms
    }

    assert accepted == dict.fromkeys(accepted, True)


def test_sign_keeps_the_name_of_an_empty_value_when_most_libraries_do():
    case = next(case for case in PUBLIC["divergent"] if case["name"] == "empty-value")

    answer = sign({**case["params"], "sign_method": "md5"}, case["secret"], "md5")

    assert answer == case["md5"]["taobao-openapi"]


def test_sign_leaves_files_and_absent_values_out_when_they_are_among_the_parameters():
    params = {"method": "taobao.item.img.upload", "num_iid": 7, "is_major": True}

    with_files = {**params, "image": b"\x00\x01", "other": io.BytesIO(b"x"), "nothing": None, "sign": "old"}

    assert sign(with_files, "s", "md5") == sign({"method": "taobao.item.img.upload", "num_iid": "7", "is_major": "true"}, "s", "md5")


def test_sign_refuses_a_method_when_the_platform_does_not_know_it():
    with pytest.raises(Invalid) as caught:
        sign({"a": "1"}, "s", "sha1")

    assert caught.value.code == "taobao.unknown_sign_method"


def test_sign_refuses_text_when_it_has_no_utf8_form():
    with pytest.raises(Invalid) as caught:
        sign({"a": "\ud800"}, "s", "md5")

    assert caught.value.code == "taobao.unsignable_text"
    assert not is_signed({"a": "\ud800", "sign": "00"}, "s")


@given(params=st.dictionaries(NAMES, VALUES, max_size=8), secret=VALUES)
def test_sign_is_the_md5_of_sorted_pairs_when_computed_by_hand(params, secret):
    text = secret + "".join(name + params[name] for name in sorted(params)) + secret

    assert sign(params, secret, "md5") == hashlib.md5(text.encode()).hexdigest().upper()


@given(params=st.dictionaries(NAMES, VALUES, max_size=8), secret=VALUES.filter(bool), method=st.sampled_from(SIGN_METHODS))
def test_is_signed_accepts_what_sign_made_when_nothing_changed(params, secret, method):
    signed = {**params, "sign_method": method}
    signed["sign"] = sign(signed, secret, method)

    assert is_signed(signed, secret)
    assert is_signed({**signed, "sign": signed["sign"].lower()}, secret)
    assert not is_signed({**signed, "one_more": "x"}, secret)


class HeldFile:
    """How some client libraries hold a file to send."""

    filename, content = "a.png", b"\x89PNG"


def test_sign_leaves_files_out_however_they_are_held():
    params = {"method": "taobao.picture.upload", "title": "茶"}

    signature = sign({**params, "a": HeldFile(), "b": memoryview(b"x"), "c": bytearray(b"y"), "d": None}, "s", "hmac")

    assert signature == sign(params, "s", "hmac")


def test_sign_counts_objects_and_lists_as_compact_json():
    signature = sign({"query": {"名": ["a", 1, True, None]}, "ids": [1, 2]}, "s", "md5")

    assert signature == sign({"query": '{"名":["a",1,true,null]}', "ids": "[1,2]"}, "s", "md5")


@pytest.mark.parametrize("method", ["MD5", "Hmac", "HMAC-SHA256"])
def test_sign_takes_the_methods_name_in_any_case(method):
    assert sign({"a": "1"}, "s", method) == sign({"a": "1"}, "s", method.lower())
