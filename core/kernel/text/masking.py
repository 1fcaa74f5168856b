"""Masks for personal data: enough to recognise, too little to use. Masking a masked value changes nothing."""

from __future__ import annotations

import re
import unicodedata

from core.kernel.text.pinyin import HAN

_STARS = "****"
_SHORT_STARS = "***"
_TOWN_WORDS = 3
_HAN_START = re.compile(f"[{HAN}]")
_DOUBLE_SURNAMES = frozenset(
    {
        "欧阳", "司马", "上官", "诸葛", "夏侯", "东方", "尉迟", "皇甫",
        "公孙", "慕容", "令狐", "司徒", "长孙", "宇文", "端木", "南宫",
        "独孤", "轩辕", "澹台", "公冶", "宗政", "太叔", "申屠",
    }
)
# Province, city and district or county: the part of a Chinese address that may be shown. Words for streets, villages and houses end it,
# unless a name begins with them (镇江, 道里), and so do estates and industrial parks that also end in 区.
_PLACE = f"[{HAN}](?:(?![路街道巷弄号镇乡村栋幢楼])[{HAN}])"
_AREA = re.compile(
    f"(?:{_PLACE}{{1,6}}?(?:省|自治区|特别行政区))?"
    f"(?:{_PLACE}{{1,7}}?(?:市|自治州|地区|盟))?"
    f"(?:{_PLACE}{{0,6}}?(?:(?<![小园社街校厂业])区|县|旗|市))?"
)
_DIGITS = re.compile("[0-9]")


def mask_name(name: str) -> str:
    """张三 gives 张*, 欧阳娜娜 gives 欧阳**, John Smith gives J*** S***; stars never tell the length of a Latin name."""
    text = name.strip()
    if not text:
        return ""
    if _HAN_START.match(text):
        kept = 2 if text[:2] in _DOUBLE_SURNAMES and len(text) > 2 else 1
        return text[:kept] + "*" * min(max(len(text) - kept, 1), 2)
    return " ".join(word[0].replace("*", "") + _SHORT_STARS for word in text.split()[:4])


def mask_phone(phone: str) -> str:
    """13812341234 gives 138****1234, with +86 or spaces the same; under 11 digits two stay, under 7 none.

    Of a number that its source has masked already, at most three digits before and four after the stars stay.
    """
    text = unicodedata.normalize("NFKC", phone).strip()
    if not text:
        return ""
    if "*" in text:
        head, tail = text.partition("*")[0], text.rpartition("*")[2]
        return f"{''.join(_DIGITS.findall(head))[:3]}{_STARS}{''.join(_DIGITS.findall(tail))[-4:]}"
    digits = "".join(_DIGITS.findall(text))
    if len(digits) == 13 and digits.startswith("861"):
        digits = digits[2:]
    if len(digits) >= 11:
        return f"{digits[:3]}{_STARS}{digits[-4:]}"
    return f"{_STARS}{digits[-2:]}" if len(digits) >= 7 else _STARS


def mask_address(address: str) -> str:
    """浙江省杭州市余杭区文一西路969号 gives 浙江省杭州市余杭区****; 12 High Street, Leeds LS1 4AB gives ****, Leeds.

    A Chinese address keeps its area down to the district, any other the words without digits after its last comma; what is not
    recognised is masked whole.
    """
    text = " ".join(address.split())
    if not text:
        return ""
    if _HAN_START.match(text):
        area = _AREA.match(text)
        return (area[0] if area else "") + _STARS
    last = text.rpartition(",")[2] if "," in text else ""
    town = [word for word in last.split()[:_TOWN_WORDS] if word.isalpha()]
    return ", ".join([_STARS, " ".join(town)]) if town else _STARS


def mask_email(email: str) -> str:
    """zhang@example.com gives z***@example.com; what is no address becomes stars."""
    local, at, domain = email.strip().rpartition("@")
    if not at or not local:
        return _SHORT_STARS if email.strip() else ""
    kept = local[0].replace("*", "") if len(local) > 1 else ""
    return f"{kept}{_SHORT_STARS}@{domain}"
