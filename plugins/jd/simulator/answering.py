"""Shapes of JOS answers: gateway errors, and JD's two spellings of success."""

from __future__ import annotations

import itertools
from typing import Any

# Source: JOS platform error codes. Chinese and English text as the gateway sends them.
ERRORS = {
    "2": ("限制时间内调用失败次数", "App Call Limited"),
    "4": ("缺少版本参数", "Missing Version"),
    "5": ("不支持的版本号", "Unsupported Version"),
    "7": ("缺少时间戳参数", "Missing Timestamp"),
    "8": ("非法的时间戳参数", "Invalid Timestamp"),
    "10": ("非法数据格式", "Invalid Format"),
    "11": ("缺少签名参数", "Missing Signature"),
    "12": ("无效签名", "Invalid Signature"),
    "14": ("缺少方法名参数", "Missing Method"),
    "15": ("不存在的方法名", "Invalid Method"),
    "19": ("token已过期或者不存在，请重新授权访问", "Invalid access_token"),
    "20": ("缺少app_key参数", "Missing App Key"),
    "21": ("无效app_key", "Invalid App Key"),
    "63": ("json格式不合法", "Invalid Json Format"),
}

_turn = itertools.count()


class GatewayError(Exception):
    """The gateway answers with `error_response`; codes that are not the platform's own bring their texts."""

    def __init__(self, code: str, texts: tuple[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.chinese, self.english = texts or ERRORS[code]

    def answer(self) -> dict[str, Any]:
        """The answer's JSON value."""
        return {"error_response": {"code": self.code, "zh_desc": self.chinese, "en_desc": self.english}}


class ServiceError(Exception):
    """A service refuses; the caller shapes it, because each service words its result differently."""

    def __init__(self, code: int, chinese: str, english: str) -> None:
        super().__init__(english)
        self.code, self.chinese, self.english = code, chinese, english

    def at_gateway(self) -> GatewayError:
        """The same refusal as the services of the 360buy era send it: like an error of the gateway."""
        return GatewayError(str(self.code), (self.chinese, self.english))


def truth() -> bool | str:
    """True as JD sends it: the boolean most of the time, now and then the text."""
    return "true" if next(_turn) % 3 == 2 else True


def api_result(error: ServiceError | None = None) -> dict[str, Any]:
    """The `apiResult` of the order services."""
    if error is None:
        return {"success": truth(), "englishErrCode": "", "chineseErrCode": "成功", "numberCode": 0}
    return {"success": False, "englishErrCode": error.english, "chineseErrCode": error.chinese, "numberCode": error.code}


def root_of(method: str) -> str:
    """The outermost key: JD's own spelling, and the right one for the services of the 360buy era."""
    if method.startswith("360buy."):
        return method.removeprefix("360buy.").replace(".", "_") + "_response"
    return method.replace(".", "_") + "_responce"
