"""Cursors as text."""

from __future__ import annotations

import base64
import string
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.paging import Cursor, CursorInvalid

_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40),
    st.uuids(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=6),
)


@given(values=st.lists(_VALUES, max_size=8).map(tuple), is_backward=st.booleans(), sort=st.text("0123456789abcdef", max_size=8))
def test_cursor_comes_back_exactly_when_it_is_encoded(values, is_backward, sort):
    cursor = Cursor(values, is_backward, sort)

    text = cursor.encode()
    back = Cursor.decode(text)

    assert back == cursor
    assert [type(value) for value in back.values] == [type(value) for value in values]
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")


def test_cursor_keeps_the_instant_when_the_zone_is_not_utc():
    moment = datetime(2026, 10, 25, 1, 30, fold=1, tzinfo=ZoneInfo("Europe/London"))

    [value] = Cursor.decode(Cursor((moment,)).encode()).values

    assert value == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [1.5, b"x", Decimal("NaN"), Decimal("Infinity"), Decimal("1e500"), datetime(2026, 1, 1), 2**63, [1], "\ud800", object()]
)
def test_encode_refuses_when_a_value_cannot_come_back(value):
    with pytest.raises(CursorInvalid) as caught:
        Cursor((value,)).encode()

    assert caught.value.field == "cursor"


def _raw(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "=",
        "a",
        "%%%",
        "é",
        "AAAA",
        "A" * 8_193,
        _raw("[]"),
        _raw("{}"),
        _raw('["s",true]'),
        _raw('["s",true,[],1]'),
        _raw('["s",1,[]]'),
        _raw('[5,true,[]]'),
        _raw('["s",true,{}]'),
        _raw('["' + "s" * 65 + '",true,[]]'),
        _raw('["s",true,[' + ",".join(["null"] * 9) + "]]"),
        _raw('["s",true,[5]]'),
        _raw('["s",true,[[]]]'),
        _raw('["s",true,[""]]'),
        _raw('["s",true,["?x"]]'),
        _raw('["s",true,["uxyz"]]'),
        _raw('["s",true,["m2026-01-01"]]'),
        _raw('["s",true,["mnever"]]'),
        _raw('["s",true,["m0001-01-01T00:00:00+08:00"]]'),
        _raw('["s",true,["d2026-02-30"]]'),
        _raw('["s",true,["nNaN"]]'),
        _raw('["s",true,["n1e101"]]'),
        _raw('["s",true,["nx"]]'),
        _raw('["s",true,["byes"]]'),
        _raw('["s",true,["ix"]]'),
        _raw(f'["s",true,["i{2**63}"]]'),
        _raw('["s",true,["i' + "9" * 5_000 + '"]]'),
        _raw('["s",true,["sa\\u0000"]]'),
        _raw('["s",true,["s\\ud800"]]'),
        _raw("[" * 100),
    ],
)
def test_decode_names_the_field_when_the_text_is_no_cursor(text):
    with pytest.raises(CursorInvalid) as caught:
        Cursor.decode(text)

    assert (caught.value.field, caught.value.code) == ("cursor", "paging.cursor")


@given(text=st.text(string.ascii_letters + string.digits + "-_", max_size=80) | st.text(max_size=20))
def test_decode_gives_a_cursor_or_cursor_invalid_when_text_is_random(text):
    try:
        cursor = Cursor.decode(text)
    except CursorInvalid:
        return
    assert Cursor.decode(cursor.encode()) == cursor
