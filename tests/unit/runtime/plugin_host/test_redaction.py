from __future__ import annotations

import json

from core.runtime.plugin_host.redaction import Redactor

SECRET = "K/3y+of=the shop"


def test_value_hides_names_of_secrets_and_people_when_they_stand_in_it():
    redactor = Redactor(personal_names=["buyer_memo"])

    assert redactor.value(
        {
            "app_secret": "x",
            "access_token": "x",
            "sign": "x",
            "session": "x",
            "receiver_mobile": "x",
            "buyer_nick": "x",
            "Buyer_Memo": "x",
            "order": {"consignee": "x", "tid": 123, "paid": True, "note": None},
        }
    ) == {
        "app_secret": "***",
        "access_token": "***",
        "sign": "***",
        "session": "***",
        "receiver_mobile": "***",
        "buyer_nick": "***",
        "Buyer_Memo": "***",
        "order": {"consignee": "***", "tid": 123, "paid": True, "note": None},
    }


def test_text_strikes_out_secrets_in_every_spelling_when_they_turn_up():
    redactor = Redactor([SECRET])

    assert redactor.text(f"a={SECRET}") == "a=***"
    assert redactor.text("a=K%2F3y%2Bof%3Dthe%20shop") == "a=***"
    assert redactor.text("a=K%2F3y%2Bof%3Dthe+shop") == "a=***"


def test_text_strikes_out_phones_and_mails_when_no_name_tells():
    assert Redactor().text("call 13800138000 or +86 13912345678, mail a.b+c@example.com, order 201380013800012") == (
        "call *** or ***, mail ***, order 201380013800012"
    )


def test_text_is_storable_and_short_when_it_was_not():
    assert Redactor().text("a\x00b\ud800c") == "a�b�c"
    assert Redactor().text("x" * 500) == "x" * 200 + "…"


def test_value_looks_into_json_when_it_stands_inside_a_text():
    inner = json.dumps({"mobile": "13800138000", "tid": 5})

    assert Redactor().value({"param_json": inner}) == {"param_json": {"mobile": "***", "tid": 5}}


def test_value_is_cut_when_it_is_large_or_deep():
    deep: dict = {}
    for _ in range(20):
        deep = {"in": deep}

    shown = Redactor().value({"list": list(range(100)), "deep": deep})

    assert shown["list"] == list(range(30))
    assert json.dumps(shown["deep"]).count("in") == 5


def test_body_is_read_by_its_type_when_it_can_be():
    redactor = Redactor([SECRET])

    assert redactor.body(b"method=trades&session=abc&note=x", "application/x-www-form-urlencoded; charset=utf-8") == {
        "method": "trades",
        "session": "***",
        "note": "x",
    }
    assert redactor.body(b'{"phone":"13800138000"}', "application/json") == {"phone": "***"}
    assert redactor.body(b"\xff\xfe binary", "application/octet-stream") == "9 bytes"
    assert redactor.body(b"", "") is None
