"""A pasted Chinese address comes apart into the form's fields, however its parts are ordered."""

from __future__ import annotations

import pytest

from core.domain.customers.address_block import MAX_BLOCK, AddressBlock, parse_address

HANGZHOU = AddressBlock("张三", "13800000000", "浙江省", "杭州市", "西湖区", "文三路1号2幢301室")


@pytest.mark.parametrize(
    "text",
    [
        "张三 13800000000 浙江省杭州市西湖区文三路1号2幢301室",
        "张三,13800000000,浙江省 杭州市 西湖区 文三路1号2幢301室",
        "浙江省杭州市西湖区文三路1号2幢301室 张三 13800000000",
        "浙江省杭州市西湖区文三路1号2幢301室,张三13800000000",
        "13800000000 张三 浙江杭州市西湖区文三路1号2幢301室",
        "收货人:张三\n手机号码:138-0000-0000\n所在地区:浙江省杭州市西湖区\n详细地址:文三路1号2幢301室",
        "姓名: 张三 电话: +86 13800000000 地址: 中国 浙江省 杭州市 西湖区 文三路1号2幢301室",
        "张三\t13800000000\t浙江省杭州市西湖区文三路1号2幢301室",
    ],
)
def test_address_comes_apart_when_the_parts_stand_in_any_order(text):
    found = parse_address(text)

    assert (found.name, found.phone.replace("-", "")) == ("张三", "13800000000")
    assert (found.province, found.city, found.district, found.street) == ("浙江省", "杭州市", "西湖区", "文三路1号2幢301室")


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("李四 13912345678 上海市浦东新区世纪大道100号", ("上海市", "上海市", "浦东新区", "世纪大道100号")),
        ("李四 13912345678 北京北京市朝阳区建国路88号", ("北京市", "北京市", "朝阳区", "建国路88号")),
        ("李四 13912345678 重庆市市辖区渝中区解放碑1号", ("重庆市", "重庆市", "渝中区", "解放碑1号")),
        ("李四 13912345678 新疆乌鲁木齐市天山区解放北路1号", ("新疆维吾尔自治区", "乌鲁木齐市", "天山区", "解放北路1号")),
        ("李四 13912345678 云南省大理白族自治州大理市古城人民路5号", ("云南省", "大理白族自治州", "大理市", "古城人民路5号")),
        ("李四 13912345678 浙江省金华市义乌市福田街道1号", ("浙江省", "金华市", "义乌市", "福田街道1号")),
        ("李四 13912345678 江苏省苏州市文三路小区12号", ("江苏省", "苏州市", "", "文三路小区12号")),
        ("李四 13912345678 南京市鼓楼区中山路1号", ("", "南京市", "鼓楼区", "中山路1号")),
        ("李四 13912345678 江苏省镇江市京口区中山路1号", ("江苏省", "镇江市", "京口区", "中山路1号")),
        ("李四 13912345678 河北省唐山市路北区新华道1号", ("河北省", "唐山市", "路北区", "新华道1号")),
        ("李四 13912345678 山东省济南市市中区经四路1号", ("山东省", "济南市", "市中区", "经四路1号")),
        ("李四 13912345678 江苏省苏州市工业园区星湖街1号", ("江苏省", "苏州市", "工业园区", "星湖街1号")),
        ("李四 13912345678 江苏省苏州市阳光小区5号", ("江苏省", "苏州市", "", "阳光小区5号")),
        ("李四 13912345678 湖北省恩施土家族苗族自治州巴东县信陵镇", ("湖北省", "恩施土家族苗族自治州", "巴东县", "信陵镇")),
    ],
)
def test_region_is_split_when_it_is_not_a_plain_province(text, region):
    found = parse_address(text)

    assert (found.province, found.city, found.district, found.street) == region


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("王五 0571-88886666 浙江省杭州市西湖区文三路1号", "0571-88886666"),
        ("王五 13812345678-1234 浙江省杭州市西湖区文三路1号", "13812345678-1234"),
        ("王五 138****5678 浙江省杭州市西湖区文三路1号", "138****5678"),
        ("王五 400-820-8820 浙江省杭州市西湖区文三路1号", "400-820-8820"),
        ("王五 13812345678 浙江省杭州市西湖区文三路1号", "13812345678"),
    ],
)
def test_phone_is_found_when_it_is_no_plain_mobile_number(text, phone):
    found = parse_address(text)

    assert (found.name, found.phone, found.street) == ("王五", phone, "文三路1号")


def test_postcode_is_taken_out_when_six_digits_stand_alone():
    found = parse_address("张三 13800000000 浙江省杭州市西湖区文三路1号 310012")

    assert (found.postcode, found.street) == ("310012", "文三路1号")


@pytest.mark.parametrize("text", ["", "   ", "13800000000", "张三", "张" * (MAX_BLOCK * 3), "1" * 5_000, "市区县" * 400])
def test_nothing_is_invented_when_there_is_no_address(text):
    found = parse_address(text)

    assert (found.province, found.city, found.postcode) == ("", "", "")


def test_unknown_place_stays_in_the_street_when_no_region_is_recognised():
    found = parse_address("Ada 13800000000 12 Quay Street Bristol")

    assert found == AddressBlock(name="Ada", phone="13800000000", street="12 Quay Street Bristol")
