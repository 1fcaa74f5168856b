"""Checks and normal forms of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.errors import Invalid
from core.kernel.text import check_text, clean_text, fold_case, is_storable, normalise, normalise_scan, prefix_upper_bound

LAST = "\U0010ffff"
_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@pytest.mark.parametrize("value", ["", "a", " a ", "聚水潭", "\u202eabc", "👨‍👩‍👧", "e\u0301", "\n\t\x01", "x" * 10])
def test_check_text_returns_the_same_when_it_can_be_stored(value):
    assert check_text(value, max_length=10) == value


@pytest.mark.parametrize("value", [None, 5, b"a", ["a"], "x" * 11, "a\x00b", "\x00", "\ud800", "a\udfff", "😀\ud83d"])
def test_check_text_names_the_field_when_it_refuses(value):
    with pytest.raises(Invalid) as caught:
        check_text(value, max_length=10, field="note")

    assert caught.value.field == "note"


def test_clean_text_cuts_white_space_before_it_counts_when_text_is_padded():
    assert clean_text("\u3000 x\u00a0y \n", max_length=3) == "x\u00a0y"
    with pytest.raises(Invalid):
        clean_text("  abcd ", max_length=3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Hello   World ", "hello world"),
        ("ＡＢＣ１２３", "abc123"),
        ("ｶﾞ", "ガ"),
        ("ﬁn ①", "fin 1"),
        ("STRASSE ß ẞ", "strasse ss ss"),
        ("ΟΔΟΣ", "οδοσ"),
        ("a\u3000b\tc\nd", "a b c d"),
        ("", ""),
    ],
)
def test_normalise_gives_the_search_form_when_spellings_differ(text, expected):
    assert normalise(text) == expected


@given(text=_ANY)
def test_normalise_changes_nothing_when_it_is_applied_twice(text):
    once = normalise(text)

    assert normalise(once) == once


@pytest.mark.parametrize(
    ("text", "expected"), [(" ６９ 0123\u200b456\r\n", "690123456"), ("AbC-1", "AbC-1"), ("\ufeff1\u00ad2\u20603", "123")]
)
def test_normalise_scan_keeps_only_the_code_when_a_scanner_adds_marks(text, expected):
    assert normalise_scan(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("ABC", "abc"), ("İI", "ii"), ("ΑΣ", "ασ"), ("ẞ", "ß"), ("É", "é"), ("聚A", "聚a")])
def test_fold_case_keeps_the_length_when_letters_are_special(text, expected):
    assert fold_case(text) == expected


@pytest.mark.parametrize(
    ("prefix", "bound"),
    [
        ("a", "b"),
        ("SO1234", "SO1235"),
        ("聚", "聛"),
        ("𠮷", "\U00020bb8"),
        ("a\ud7ff", "a\ue000"),
        ("\uffff", "\U00010000"),
        ("a" + LAST, "b"),
        ("a" + LAST * 3, "b"),
        (LAST, None),
        (LAST * 2, None),
        ("", None),
    ],
)
def test_prefix_upper_bound_is_the_next_text_when_code_points_end(prefix, bound):
    assert prefix_upper_bound(prefix) == bound


@given(prefix=_ANY.filter(bool), tail=_ANY, other=_ANY | st.sampled_from([LAST, LAST * 3, "\ud7ff", "\ue000"]))
def test_prefix_range_holds_exactly_the_texts_with_the_prefix_when_they_are_random(prefix, tail, other):
    bound = prefix_upper_bound(prefix)

    for text in (prefix + tail, other, prefix[:-1] + other):
        is_inside = prefix <= text and (bound is None or text < bound)
        assert is_inside is text.startswith(prefix)


@pytest.mark.parametrize(("text", "fits"), [("", True), ("茶 🍵", True), ("a\x00b", False), ("\ud83c", False), ("x\udfff", False)])
def test_text_is_storable_when_postgresql_can_hold_it(text, fits):
    assert is_storable(text) is fits
