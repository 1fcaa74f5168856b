"""JSON from outside, and one spelling for what goes out."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.conditions import Match
from core.kernel.errors import Invalid
from core.kernel.jsontext import JsonInvalid, canonical_json, decode_json, encode_json, encode_verbatim
from core.kernel.paging import Cursor

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


def _decode(data, **options):
    return decode_json(data, **({"max_bytes": 1_000_000} | options))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": 1.50, "b": [true, null]}', {"a": Decimal("1.50"), "b": [True, None]}),
        ('{"a": "\u8056"}', {"a": "聖"}),
        (b"\xef\xbb\xbf[1]", [1]),
        ("\ufeff[1]", [1]),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\\\ud800"', "\\ud800"),
        (b"[1e400, -1E-400]", [Decimal("1e400"), Decimal("-1e-400")]),
        (b"9" * 4_300, int("9" * 4_300)),
        (b"[" * 64 + b"]" * 64, None),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"0.1", Decimal("0.1")),
    ],
    ids=range(12),
)
def test_decode_gives_exact_values_when_the_document_is_fine(data, value):
    decoded = _decode(data)

    assert value is None or decoded == value
    assert not isinstance(decoded, float)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1,]",
        b"{'a': 1}",
        b"[NaN]",
        b"[Infinity]",
        b"-Infinity",
        b"[1e401]",
        b"[1e-401]",
        b"[1e999999999]",
        b"[1e99999999999999999999]",
        b"[1e-99999999999999999999]",
        b"9" * 4_301,
        b"0." + b"1" * 4_300,
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'"\\u0000"',
        b'{"\\u0000": 1}',
        b'"a\\ud83d"',
        b'["\\udE00\\ud83d"]',
        b'"\x00"',
        b"\xff\xfe[\x001\x00]\x00",
        b"\x80",
        '"\ud800"',
        b"[1] [2]",
        b'"\n"',
    ],
    ids=lambda data: repr(data[:24]),
)
def test_decode_refuses_when_the_document_is_hostile(data):
    started = time.process_time()

    with pytest.raises(JsonInvalid) as caught:
        _decode(data)

    assert isinstance(caught.value, Invalid)
    assert time.process_time() - started < 1


@pytest.mark.parametrize("data", [b'"' + b"x" * 99 + b'"', '"' + "x" * 99 + '"', '"' + "聚" * 40 + '"'])
def test_decode_refuses_when_the_document_is_longer_than_allowed(data):
    with pytest.raises(JsonInvalid) as caught:
        _decode(data, max_bytes=100)

    assert caught.value.facts == {"limit": 100}


def test_decode_counts_levels_when_brackets_stand_in_texts():
    document = json.dumps({"a": ["[[[[{{{{" * 20]})

    assert _decode(document, max_depth=2) == {"a": ["[[[[{{{{" * 20]}
    with pytest.raises(JsonInvalid):
        _decode(document, max_depth=1)


def test_decode_refuses_a_repeated_key_when_keys_must_be_unique():
    with pytest.raises(JsonInvalid) as caught:
        _decode(b'[{"a": 1, "b": 2, "a": 3}]', unique_keys=True)

    assert caught.value.facts == {"key": "a"}
    assert _decode(b'[{"a": {"a": 1}}]', unique_keys=True) == [{"a": {"a": 1}}]


@given(value=_VALUES)
def test_decode_reads_what_encode_wrote_when_values_are_random(value):
    assert _decode(encode_json(value)) == value
    assert _decode(canonical_json(value), unique_keys=True) == value


@given(data=st.binary(max_size=60) | st.text('[]{}",:0123456789.eE-+\\untrfalsu ', max_size=60))
def test_decode_gives_a_value_or_json_invalid_when_input_is_random(data):
    try:
        value = _decode(data, max_depth=5)
    except JsonInvalid:
        return
    assert canonical_json(value) == canonical_json(_decode(canonical_json(value)))


def test_canonical_json_spells_values_when_they_have_no_json_form_of_their_own():
    value = {
        "b": Decimal("1.50"),
        "a": [UUID(int=1), date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)],
        "ü": "聚\n",
        "t": (1, {"y", "x"}),
        "z": [Match.ANY, b"\x01\xff"],
    }

    assert canonical_json(value) == (
        '{"a":["00000000-0000-0000-0000-000000000001","2026-01-02","2026-01-02T03:04:05+00:00"],'
        '"b":"1.50","t":[1,["x","y"]],"z":["any","\\\\x01ff"],"ü":"聚\\n"}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {"a": "\udfff"}, object(), {1: 2, "a": 3}, Cursor(())])
def test_canonical_json_refuses_when_a_value_has_no_form(value):
    with pytest.raises(JsonInvalid):
        canonical_json(value)


def test_canonical_json_refuses_when_a_value_holds_itself():
    endless: list = []
    endless.append(endless)

    with pytest.raises(JsonInvalid):
        canonical_json(endless)


@pytest.mark.parametrize(
    "text",
    ['{"payment":12.50,"tid":7001}', "[0.10,-3.0,1E+2,5]", '{"price":"12.50","note":"\\\\u00001.5\\\\u0000"}', "{}"],
)
def test_document_stays_as_it_came_when_it_is_kept_verbatim(text):
    assert encode_verbatim(decode_json(text, max_bytes=1000)) == text


@given(st.recursive(st.one_of(st.decimals(allow_nan=False, allow_infinity=False), st.integers(), _TEXT, st.none()), st.lists, max_leaves=5))
def test_verbatim_text_reads_back_as_the_same_value(value):
    assert json.loads(encode_verbatim(value), parse_float=Decimal) == value
