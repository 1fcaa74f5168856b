"""Masks: what stays visible, and that masking again changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.kernel.text import mask_address, mask_email, mask_name, mask_phone

_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("", ""),
        ("张三", "张*"),
        ("张三丰", "张**"),
        ("阿卜杜拉艾买提", "阿**"),
        ("欧阳娜娜", "欧阳**"),
        ("欧阳修", "欧阳*"),
        ("欧阳", "欧*"),
        ("John Smith", "J*** S***"),
        ("  jo  ", "j***"),
        ("Anna Maria von der Leyen", "A*** M*** v*** d***"),
    ],
)
def test_mask_name_keeps_the_beginning_when_names_are_chinese_or_latin(name, masked):
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("", ""),
        ("13812341234", "138****1234"),
        ("+86 138 1234 1234", "138****1234"),
        ("１３８１２３４１２３４", "138****1234"),
        ("010-88886666", "010****6666"),
        ("+44 20 7946 0018", "442****0018"),
        ("5551234", "****34"),
        ("123456", "****"),
        ("n/a", "****"),
        ("138****1234", "138****1234"),
        ("13812341234*", "138****"),
        ("1381234*1234", "138****1234"),
        ("*13812341234", "****1234"),
    ],
)
def test_mask_phone_keeps_head_and_tail_when_numbers_differ_in_length(phone, masked):
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("", ""),
        ("浙江省杭州市余杭区文一西路969号3幢", "浙江省杭州市余杭区****"),
        ("上海市浦东新区张江路1号", "上海市浦东新区****"),
        ("北京朝阳区建国路88号", "北京朝阳区****"),
        ("广东省东莞市长安镇乌沙工业区5号", "广东省东莞市****"),
        ("江苏省镇江市丹阳市云阳街道3号", "江苏省镇江市丹阳市****"),
        ("内蒙古自治区锡林郭勒盟苏尼特右旗赛汉塔拉镇", "内蒙古自治区锡林郭勒盟苏尼特右旗****"),
        ("幸福小区3栋", "****"),
        ("中央大街9号", "****"),
        ("12 High Street, Leeds LS1 4AB", "****, Leeds"),
        ("Flat 2, 5 Elm Road, Stoke on Trent", "****, Stoke on Trent"),
        ("12 High Street", "****"),
        ("1 Road, 12345", "****"),
    ],
)
def test_mask_address_keeps_the_area_when_it_is_recognised(address, masked):
    assert mask_address(address) == masked


@pytest.mark.parametrize(
    ("email", "masked"),
    [("", ""), ("zhang@example.com", "z***@example.com"), ("a@b.c", "***@b.c"), ("nobody", "***"), ("@b.c", "***"), ('"a@b"@c.d', '"***@c.d')],
)
def test_mask_email_keeps_the_domain_when_it_is_an_address(email, masked):
    assert mask_email(email) == masked


@pytest.mark.parametrize("mask", [mask_name, mask_phone, mask_address, mask_email])
@given(text=_ANY)
@example("*张三")
@example("a**** b")
@example("***@x@y")
def test_mask_changes_nothing_when_it_is_applied_twice(mask, text):
    once = mask(text)

    assert mask(once) == once


@given(digits=st.text("0123456789", min_size=7, max_size=15), stars=st.integers(0, 15))
def test_mask_phone_shows_at_most_seven_digits_when_stars_stand_anywhere(digits, stars):
    shown = [char for char in mask_phone(digits[:stars] + "*" + digits[stars:]) if char.isdigit()]

    assert len(shown) <= 7
    assert len([char for char in mask_phone(digits) if char.isdigit()]) <= 7
