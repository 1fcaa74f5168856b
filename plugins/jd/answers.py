"""The layers around every JOS answer: gateway error, method root with its code, and the service's own result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.sdk import OrderloomError
from plugins.jd.errors import AnswerUnreadable, PayloadInvalid, gateway_refusal, service_refusal

# "responce" is JD's own spelling; services of the 360buy era and some gateways write it right.
_ROOT_ENDINGS = ("_responce", "_response")
ERROR_ROOT = "error_response"
_CODE_NAMES = ("numberCode", "errorCode", "resultCode", "code")
_TEXT_NAMES = ("chineseErrCode", "zh_desc", "englishErrCode", "en_desc", "errorMessage", "errorMsg", "message", "msg", "desc")


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def decoded(body: bytes | bytearray | str) -> Any:
    """The JSON value in `body`, numbers with a fraction as Decimal.

    Raises: AnswerUnreadable - not JSON, cut short, not UTF-8, or with NaN and the like.
    """
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes | bytearray) else body.removeprefix("\ufeff")
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise AnswerUnreadable("JD's answer is not readable as JSON.") from error


def is_true(value: object) -> bool:
    """JD's booleans: true, "true", 1 and "1" in any case."""
    return value is True or (not isinstance(value, bool) and str(value).strip().lower() in ("true", "1"))


def _first(node: Mapping[str, Any], names: tuple[str, ...]) -> str:
    values = (node.get(name) for name in names)
    return next((str(value) for value in values if isinstance(value, str | int) and str(value).strip() not in ("", "0")), "")


def _is_zero(code: object) -> bool:
    return isinstance(code, str | int) and not isinstance(code, bool) and str(code).strip().strip("0") == ""


def _failure(node: Mapping[str, Any]) -> OrderloomError | None:
    gateway = node.get(ERROR_ROOT)
    if gateway is not None:
        found = gateway if isinstance(gateway, Mapping) else {}
        return gateway_refusal(_first(found, ("code",)) or "?", _first(found, _TEXT_NAMES))
    if node.get("success") is not None:
        return None if is_true(node["success"]) else service_refusal(_first(node, _CODE_NAMES) or "?", _first(node, _TEXT_NAMES))
    failed = next((name for name in _CODE_NAMES if node.get(name) is not None and not _is_zero(node[name])), None)
    if failed is None:
        return None
    # A bare `code` is the method root's; the services have longer names for theirs.
    return (gateway_refusal if failed == "code" else service_refusal)(_first(node, (failed,)) or "?", _first(node, _TEXT_NAMES))


def raise_for_failure(node: Mapping[str, Any], path: str = "") -> None:
    """Raise what a failed layer means: a gateway error, a code that is not zero, `success` that is not true, here or in `apiResult`.

    Raises: the kinds of plugins.jd.errors; PayloadInvalid when `apiResult` is no object.
    """
    error = _failure(node)
    if error is None and node.get("apiResult") is not None:
        inner = node["apiResult"]
        if not isinstance(inner, Mapping):
            raise PayloadInvalid("An object is needed here.", field=f"{path}.apiResult".lstrip("."))
        error = _failure(inner)
    if error is not None:
        raise error


def is_root(name: object) -> bool:
    """Whether `name` is the outermost key of an answer, such as `jingdong_pop_order_get_responce`."""
    return isinstance(name, str) and name.endswith(_ROOT_ENDINGS) and name != ERROR_ROOT


def content_of(answer: Any) -> Mapping[str, Any]:
    """What stands inside the method root of a successful answer.

    Raises: as `raise_for_failure`; AnswerUnreadable when the answer is no JSON object.
    """
    if not isinstance(answer, Mapping):
        raise AnswerUnreadable("JD's answer is no JSON object.")
    raise_for_failure(answer)
    root = next((answer[name] for name in answer if is_root(name)), None)
    if not isinstance(root, Mapping):
        raise AnswerUnreadable("JD's answer lacks its method root.")
    raise_for_failure(root)
    return root
