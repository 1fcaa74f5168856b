"""Takes a pasted Chinese address ("张三 13800000000 浙江省杭州市西湖区文三路1号") apart: name, phone, province, city, district, street.

The order of the parts is free, labels such as 收货人 may stand before them, and separators may be missing. The rules look only at the
text (suffixes such as 市 and 区, the names of the provinces, the shape of phone numbers); nothing is looked up in a register, so what is
not recognised stays in the street, where a person sees it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_BLOCK = 1_000
_MUNICIPALITIES = ("北京", "天津", "上海", "重庆")
_PROVINCES = (
    "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东",
    "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海", "台湾", "内蒙古", "广西", "西藏", "宁夏", "新疆", "香港", "澳门",
)  # fmt: skip
_REGIONS = {
    "内蒙古": "内蒙古自治区", "广西": "广西壮族自治区", "西藏": "西藏自治区", "宁夏": "宁夏回族自治区", "新疆": "新疆维吾尔自治区",
    "香港": "香港特别行政区", "澳门": "澳门特别行政区",
}  # fmt: skip
_PROVINCE_END = r"(?:省|市|特别行政区|(?:壮族|回族|维吾尔)?自治区)?"
_PROVINCE = re.compile(rf"({'|'.join((*_MUNICIPALITIES, *_PROVINCES))}){_PROVINCE_END}")
# A street, house or village ends the region: behind it 市 and 区 belong to names of places such as 小区. The first character is
# free, because of 镇江市, 路北区 and 市中区.
_WITHIN = "[^省市区县旗路街道巷弄号栋幢室村镇乡\\d\\s,]"
_CITY = re.compile(rf"([^\d\s]{_WITHIN}{{0,9}}?(?:市|自治州|地区|盟))")
_DISTRICT = re.compile(
    rf"(新市区|{_WITHIN}{{0,4}}工业园区|[^\d\s]{_WITHIN}{{0,9}}?(?:新区|自治县|自治旗|林区|(?<![小社园厂校景片库])区|县|市|旗))(?!域)"
)
_LABEL = re.compile(
    "(收货人|收件人|联系人|姓名|名字|手机号码|手机号|手机|联系电话|联系方式|电话号码|电话"
    "|所在地区|所在地|地区|收货地址|收件地址|详细地址|地址|邮政编码|邮编)\\s*:\\s*"
)
_PHONE = re.compile(
    r"(?<![\d*])(?:\+?86[- ]?)?"
    r"(1[3-9][\d*](?:[- ]?[\d*]{4}){2}(?:-\d{1,6})?|0\d{2,3}[- ]?\d{7,8}(?:-\d{1,6})?|400[- ]?\d{3}[- ]?\d{4})(?![\d*])"
)
_POSTCODE = re.compile(r"(?<![\d-])(\d{6})(?![\d-])")
_NAME = re.compile(r"[㐀-鿿]{2,4}|[㐀-鿿·]{3,15}|[㐀-鿿]{1,4}\*{1,3}|[A-Za-z][A-Za-z .'-]{1,40}")
_PLACE = re.compile(r"[省市区县旗镇乡村路街道巷弄号栋幢楼室]$")
_NAME_LABELS = ("收货人", "收件人", "联系人", "姓名", "名字")


@dataclass(frozen=True, slots=True)
class AddressBlock:
    """What a pasted address says; an empty part was not found."""

    name: str = ""
    phone: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    postcode: str = ""


def parse_address(text: str) -> AddressBlock:
    """The parts of a pasted address. Of more than MAX_BLOCK characters the rest is not read. Never raises."""
    plain = _flat(text[:MAX_BLOCK])
    name, plain = _labelled_name(plain)
    plain = _LABEL.sub(" ", plain)
    phone, plain = _cut(_PHONE, plain)
    postcode, plain = _cut(_POSTCODE, plain)
    words = [word for word in plain.split() if word not in ("中国", "CN")]
    if not name:
        name, words = _name_of(words)
    province, city, district, street = _region("".join(_spaced(words)))
    return AddressBlock(name, re.sub(r"[ ]", "", phone), province, city, district, street, postcode)


def _flat(text: str) -> str:
    """One line with single blanks between the parts; full-width letters, digits and signs become ordinary ones."""
    flat = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s,;、。|/]+", " ", re.sub(r"[\u200b-\u200f\ufeff]", "", flat)).strip()


def _labelled_name(text: str) -> tuple[str, str]:
    found = re.search(rf"(?:{'|'.join(_NAME_LABELS)})\s*:\s*(\S{{1,40}})", text)
    if found is None or _PHONE.search(found[1]):
        return "", text
    return found[1], text[: found.start()] + " " + text[found.end() :]


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.search(text)
    return (found[1], f"{text[: found.start()]} {text[found.end() :]}") if found else ("", text)


def _name_of(words: list[str]) -> tuple[str, list[str]]:
    """The first or last word that looks like a person's name and like no place; nothing when only one word is left."""
    for index in (0, -1):
        if len(words) > 1 and _NAME.fullmatch(words[index]) and not _is_place(words[index]):
            return words[index], words[1:] if index == 0 else words[:-1]
    return "", words


def _is_place(word: str) -> bool:
    return _PROVINCE.match(word) is not None or _PLACE.search(word) is not None


def _spaced(words: list[str]) -> list[str]:
    """Chinese words close up; between Latin ones the blank stays."""
    out: list[str] = []
    for word in words:
        out.append(f" {word}" if out and word[0].isascii() and out[-1][-1].isascii() else word)
    return out


def _region(text: str) -> tuple[str, str, str, str]:
    """Province, city, district and what is left of an address in one piece."""
    province, rest = "", text
    found = _PROVINCE.match(text)
    if found is not None and found[1] not in _MUNICIPALITIES:
        province = _REGIONS.get(found[1], f"{found[1]}省")
        rest = text[found.end() :]
    elif found is not None:
        province = city = f"{found[1]}市"
        rest = re.sub(rf"^(?:{found[1]}市?|市辖区|县)", "", text[found.end() :])
        district, rest = _take(_DISTRICT, rest)
        return province, city, district, rest
    city, rest = _take(_CITY, rest)
    district, rest = _take(_DISTRICT, re.sub(r"^市辖区", "", rest))
    return province, city, district, rest


def _take(pattern: re.Pattern[str], text: str) -> tuple[str, str]:
    found = pattern.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)
