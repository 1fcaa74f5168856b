"""Invented people who receive the simulated parcels, and how the platform hides them.

Clients see masked text and an OAID, which is equal for equal receivers of one app and shop within one calendar week (official
page on privacy fields, oaid).
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from random import Random

_FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英文华玉红梅"
_PLACES = (
    ("浙江省", "杭州市", "西湖区", "北山街道"),
    ("江苏省", "苏州市", "姑苏区", "平江街道"),
    ("上海", "上海市", "徐汇区", "天平路街道"),
    ("广东省", "广州市", "天河区", "石牌街道"),
    ("四川省", "成都市", "武侯区", "浆洗街街道"),
    ("北京", "北京市", "海淀区", "学院路街道"),
    ("湖北省", "武汉市", "江汉区", "民族街道"),
    ("陕西省", "西安市", "雁塔区", "小寨路街道"),
)


@dataclass(frozen=True)
class SimReceiver:
    """A receiver in clear text; only `oaid.decrypt` hands it out."""

    name: str
    mobile: str
    state: str
    city: str
    district: str
    town: str
    address: str
    zip_code: str

    def oaid(self, created: datetime, app_key: str) -> str:
        """The stand-in for this receiver that one app sees for orders created in one calendar week."""
        year, week, _ = created.isocalendar()
        text = "|".join((self.name, self.mobile, self.state, self.city, self.district, self.address, f"{year}-{week}", app_key))
        return "1" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")

    def masked(self) -> dict[str, str]:
        """The receiver fields of a trade as clients see them."""
        return {
            "receiver_name": self.name[0] + "**",
            "receiver_state": self.state,
            "receiver_city": self.city,
            "receiver_district": self.district,
            "receiver_town": self.town,
            "receiver_address": f"{self.address[0]}***{self.address[-1]}",
            "receiver_zip": self.zip_code,
            "receiver_mobile": f"{self.mobile[:3]}****{self.mobile[-4:]}",
            "receiver_phone": "",
        }


def some_receiver(random: Random) -> SimReceiver:
    """One of a few hundred invented receivers; numbers begin with 100, which no network uses."""
    state, city, district, town = random.choice(_PLACES)
    name = random.choice(_FAMILY) + random.choice(_GIVEN) + random.choice(_GIVEN)
    address = f"示例路{random.randint(1, 300)}号{random.randint(1, 30)}幢{random.randint(101, 1806)}室"
    return SimReceiver(name, f"100{random.randint(0, 99_999_999):08d}", state, city, district, town, address, "000000")
