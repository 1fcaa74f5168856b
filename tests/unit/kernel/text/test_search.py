"""Search tokens of records, and what a typed search looks up."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.kernel.text import SearchKind, SearchQuery, SearchValue, query_tokens, search_tokens

TEXT, NAME, PHONE, CODE = SearchKind.TEXT, SearchKind.NAME, SearchKind.PHONE, SearchKind.CODE


def _tokens(kind, text):
    return search_tokens([SearchValue(kind, text)])


def _finds(query, tokens):
    """What a table of tokens answers, by equality and range only."""
    if query.numbers:
        return any(number in tokens for number in query.numbers)
    if not all(token in tokens for token in query.exact):
        return False
    if query.prefix_range is None:
        return True
    low, high = query.prefix_range
    return any(low <= token and (high is None or token < high) for token in tokens)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (TEXT, "", set()),
        (TEXT, "Green Tea, 100 g", {"green", "tea", "100", "g"}),
        (TEXT, "TEA-100", {"tea", "100", "tea100"}),
        (TEXT, "well-known", {"well", "known"}),
        (TEXT, "ＴＥＡ　１００", {"tea", "100"}),
        (TEXT, "Café Ünal", {"café", "ünal"}),
        (TEXT, "snake_case", {"snake", "case"}),
        (TEXT, "龙井", {"龙井", "井", "longjing", "lj"}),
        (TEXT, "号", {"号"}),
        (TEXT, "重庆 250g", {"重庆", "庆", "chongqing", "cq", "250g"}),
        (TEXT, "ひらがな", {"ひら", "らが", "がな", "な"}),
        (TEXT, "한국", {"한국", "국"}),
        (TEXT, "一二三四五六七八九十一二三", {"一二", "二三", "三四", "四五", "五六", "六七", "七八", "八九", "九十", "十一", "三"}),
        (NAME, "曾小贤", {"曾小", "小贤", "贤", "曾", "cengxiaoxian", "cxx", "zengxiaoxian", "zxx"}),
        (NAME, "单于", {"单于", "于", "单", "chanyu", "cy"}),
        (NAME, "李", {"李", "li"}),
        (NAME, "John O'Neill", {"john", "o", "neill"}),
        (PHONE, "13812345678", {"13812345678", "5678"}),
        (PHONE, "+86 138 1234 5678", {"13812345678", "5678"}),
        (PHONE, "0086-13812345678", {"13812345678", "5678"}),
        (PHONE, "13812345678-9012", {"13812345678", "5678", "9012"}),
        (PHONE, "138-1234-5678", {"13812345678", "5678"}),
        (PHONE, "010-88886666", {"01088886666", "6666"}),
        (PHONE, "+44 20 7946 0018", {"442079460018", "0018"}),
        (PHONE, "138****5678", {"5678"}),
        (PHONE, "12", set()),
        (PHONE, "１３８１２３４５６７８", {"13812345678", "5678"}),
        (CODE, "SO-2026/000123", {"so2026000123", "so2026", "so", "2026", "000123"}),
        (CODE, "3456789012345678901", {"3456789012345678901"}),
        (CODE, "--", set()),
        (CODE, "x" * 70, {"x" * 64}),
    ],
)
def test_search_tokens_cuts_a_value_when_it_is_of_a_kind(kind, text, expected):
    assert _tokens(kind, text) == expected


def test_search_tokens_keeps_the_first_values_when_there_are_too_many_words():
    words = " ".join(f"w{number}" for number in range(500))

    found = search_tokens([SearchValue(CODE, "SO-1"), SearchValue(TEXT, words)])

    assert len(found) == 200
    assert {"so1", "so", "1", "w0", "w196"} <= found
    assert found == search_tokens([SearchValue(CODE, "SO-1"), SearchValue(TEXT, words)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SearchQuery()),
        ("  ?! ", SearchQuery()),
        ("jst", SearchQuery(prefix="jst")),
        ("Green te", SearchQuery(("green",), "te")),
        ("聚", SearchQuery(prefix="聚")),
        ("聚水潭", SearchQuery(("聚水", "水潭"))),
        ("聚水潭 100", SearchQuery(("聚水", "水潭"), "100")),
        ("100 聚水", SearchQuery(("100", "聚水"))),
        ("TEA-100", SearchQuery(prefix="tea100")),
        ("tea-10 green", SearchQuery(("tea10",), "green")),
        ("5678", SearchQuery(prefix="5678")),
        ("５６７８", SearchQuery(prefix="5678")),
        ("+86 138-1234-5678", SearchQuery(prefix="13812345678")),
        ("138 1234 5678", SearchQuery(prefix="13812345678")),
        ("(020) 7946 0018", SearchQuery(("020", "7946"), "0018")),
        ("3456789012345678901", SearchQuery(prefix="3456789012345678901")),
        ("100001, 100002;100003", SearchQuery(numbers=("100001", "100002", "100003"))),
        ("SO-1\nSO-2\r\n\nSO-1", SearchQuery(numbers=("so1", "so2"))),
        ("100001\t100002", SearchQuery(numbers=("100001", "100002"))),
        ("SO-1 SO-2", SearchQuery(("so1",), "so2")),
        ("100001\ngreen tea", SearchQuery(("100001", "green"), "tea")),
        ("x" * 100, SearchQuery(prefix="x" * 64)),
    ],
)
def test_query_tokens_reads_a_search_when_it_is_typed_or_pasted(text, expected):
    assert query_tokens(text) == expected


@pytest.mark.parametrize(
    ("search", "kind", "value"),
    [
        ("jst", TEXT, "聚水潭"),
        ("jushui", TEXT, "聚水潭"),
        ("水潭", TEXT, "聚水潭科技有限公司"),
        ("潭", TEXT, "聚水潭"),
        ("水", TEXT, "聚水潭"),
        ("zxx", NAME, "曾小贤"),
        ("曾", NAME, "曾小贤"),
        ("5678", PHONE, "+86 138 1234 5678"),
        ("1381234", PHONE, "13812345678"),
        ("tea-10", CODE, "TEA-100"),
        ("TEA100", CODE, "tea-100"),
        ("tea-100", TEXT, "绿茶 TEA-100"),
        ("34567", CODE, "3456789012345678901"),
        ("so2026", CODE, "SO-2026/000123"),
        ("000123", CODE, "SO-2026/000123"),
        ("１００ ＧＲＥＥＮ", TEXT, "green tea 100"),
        ("STRASSE", TEXT, "Straße 5"),
    ],
)
def test_record_is_found_when_people_type_part_of_a_value(search, kind, value):
    assert _finds(query_tokens(search), _tokens(kind, value)) is True


@pytest.mark.parametrize(
    ("search", "kind", "value"), [("5679", PHONE, "13812345678"), ("水聚", TEXT, "聚水潭"), ("green x", TEXT, "green tea"), ("ea", TEXT, "tea")]
)
def test_record_is_not_found_when_the_value_differs(search, kind, value):
    assert _finds(query_tokens(search), _tokens(kind, value)) is False


def test_record_is_found_when_its_number_stands_in_a_pasted_list():
    query = query_tokens("3456789012345678900\n3456789012345678901\n")

    assert _finds(query, _tokens(CODE, "3456789012345678901")) is True
    assert _finds(query, _tokens(CODE, "3456789012345678902")) is False


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example("İ x")
@example("ſtraße-1")
@example("\u0345a")
def test_text_is_found_by_itself_when_it_has_a_word(text):
    query = query_tokens(text)

    if not query.is_empty and not query.numbers and len(text.split()) < 2:
        assert _finds(query, _tokens(TEXT, text) | _tokens(CODE, text) | _tokens(PHONE, text)) is True


@given(
    values=st.lists(
        st.builds(SearchValue, st.sampled_from(SearchKind), st.text(st.characters(exclude_categories=["Cs"]), max_size=300)), max_size=8
    )
)
def test_search_tokens_keeps_its_limits_when_values_are_random(values):
    found = search_tokens(values)

    assert len(found) <= 200
    assert all(0 < len(token) <= 64 for token in found)
    assert found == search_tokens(values)


@given(text=st.text(max_size=200))
def test_query_tokens_keeps_its_limits_when_the_search_is_random(text):
    query = query_tokens(text)

    assert all(0 < len(token) <= 64 for token in (*query.whole_tokens, *query.numbers))
    assert not (query.numbers and query.whole_tokens)


def test_query_tokens_takes_a_thousand_numbers_when_more_are_pasted():
    query = query_tokens("\n".join(str(number) for number in range(100_000, 102_000)))

    assert (len(query.numbers), query.numbers[0], query.numbers[-1]) == (1_000, "100000", "100999")


def test_whole_tokens_hold_the_last_word_when_an_index_knows_no_prefixes():
    assert query_tokens("green te").whole_tokens == ("green", "te")
    assert query_tokens("聚水潭").whole_tokens == ("聚水", "水潭")
