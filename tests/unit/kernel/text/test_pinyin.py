"""Readings and sort keys of Chinese text."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.text import name_sort_key, pinyin_sort_key
from core.kernel.text.pinyin import surname_syllables, syllables


@pytest.mark.parametrize(
    ("run", "spoken"),
    [
        ("聚水潭", "ju shui tan"),
        ("重庆", "chong qing"),
        ("重要", "zhong yao"),
        ("长城音乐", "chang cheng yin yue"),
        ("快乐", "kuai le"),
        ("绿女", "lv nv"),
        ("略", "lve"),
        ("〇", "ling"),
        ("重庆重要", "chong qing zhong yao"),
    ],
)
def test_syllables_reads_characters_in_their_phrases_when_they_have_several_readings(run, spoken):
    assert " ".join(syllables(run)) == spoken


@pytest.mark.parametrize(
    ("run", "spoken"), [("曾小贤", "zeng xiao xian"), ("单田芳", "shan tian fang"), ("单于", None), ("单", None), ("张三", None)]
)
def test_surname_syllables_knows_special_readings_when_they_differ(run, spoken):
    assert surname_syllables(run) == (tuple(spoken.split()) if spoken else None)


def test_sort_keys_order_like_a_phone_book_when_scripts_mix():
    names = ["张三丰", "张三", "apple", "阿里", "Ba", "李安", "连", "重庆", "曾", "2号", "张山"]

    assert sorted(names, key=pinyin_sort_key) == ["2号", "阿里", "apple", "Ba", "曾", "重庆", "李安", "连", "张三", "张三丰", "张山"]
    assert sorted(["曾小贤", "张三", "陈一"], key=name_sort_key) == ["陈一", "曾小贤", "张三"]


def test_sort_key_is_plain_text_when_there_is_nothing_chinese():
    assert pinyin_sort_key("  Hello   World ") == "hello world"


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_sort_key_is_short_and_the_same_when_it_is_made_again(text):
    key = pinyin_sort_key(text)

    assert len(key) <= 200
    assert key == pinyin_sort_key(text)


def test_tables_stay_unloaded_when_no_chinese_text_comes():
    program = (
        "import sys; from core.kernel.text import SearchKind, SearchValue, search_tokens, pinyin;"
        "search_tokens([SearchValue(SearchKind.NAME, 'John Smith')]);"
        "assert pinyin._readings.cache_info().currsize == 0; assert 'pypinyin' not in sys.modules;"
        "assert pinyin.syllables('重庆') == ('chong', 'qing'); assert 'pypinyin' not in sys.modules"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_readings_agree_with_pypinyin_when_its_own_phrases_are_read():
    from pypinyin import lazy_pinyin  # slow import, and only this comparison needs it
    from pypinyin.constants import PHRASES_DICT  # slow import, as above

    phrases = [phrase for phrase in sorted(PHRASES_DICT) if "，" not in phrase][::23]

    different = [phrase for phrase in phrases if list(syllables(phrase)) != lazy_pinyin(phrase, v_to_u=False)]

    assert len(phrases) > 2_000
    assert len(different) <= len(phrases) // 200
