"""One signed call to the Taobao Open Platform: placement of parameters, sending, reading the answer, repeating reads.

Source: shared reference marketplaces §2.1 to §2.4.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from core.sdk import BreakerOpen, HttpResponse, Invalid, PluginContext, Unavailable
from plugins.taobao.errors import CallsLimited, UnreadableAnswer, error_from
from plugins.taobao.signing import sign
from plugins.taobao.wire import CHINA, parsed

DEFAULT_URL = "https://eco.taobao.com/router/rest"
TIMEOUT_S = 15.0
# Reads are repeated a few times here, because one lost page would make the caller start its whole window again. Longer bans
# are the caller's business: it can do something else meanwhile.
READ_ATTEMPTS = 5
LONGEST_PAUSE_S = 5.0
_FIRST_PAUSE_S = 0.2


class Gateway:
    """Signed calls in the name of one shop. Cheap to make; talks only when `read` or `write` is called."""

    def __init__(self, ctx: PluginContext, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._ctx = ctx
        self._pause = pause

    def read(self, method: str, **params: str) -> Mapping[str, Any]:
        """The content of the answer to a call without effect, its root taken off; repeated on passing faults.

        Empty parameters are left out, as libraries disagree about signing them.
        Raises: Unavailable after READ_ATTEMPTS, or at once when the platform asks for a longer pause than LONGEST_PAUSE_S;
            Denied; Invalid; NotFound (errors.error_from).
        """
        for attempt in range(1, READ_ATTEMPTS):
            try:
                return self.write(method, **params)
            except BreakerOpen:
                raise
            except Unavailable as error:
                pause_s = error.retry_after_s if error.retry_after_s is not None else _FIRST_PAUSE_S * 2**attempt
                if pause_s > LONGEST_PAUSE_S:
                    raise
                self._ctx.log.info("taobao.read_again", method=method, code=error.code, attempt=attempt, pause_s=pause_s)
                self._pause(pause_s)
        return self.write(method, **params)

    def write(self, method: str, **params: str) -> Mapping[str, Any]:
        """As `read`, sent exactly once. After Unavailable the effect may have happened: look before repeating."""
        config, secrets = self._ctx.config, self._ctx.secrets
        common = {
            "method": method,
            "app_key": str(config["app_key"]),
            "session": str(secrets["session"]),
            "timestamp": china_text(self._ctx.clock.now()),
            "format": "json",
            "v": "2.0",
            "sign_method": str(config.get("sign_method") or "hmac-sha256"),
        }
        form = {name: value for name, value in params.items() if value != ""}
        common["sign"] = sign({**common, **form}, str(secrets["app_secret"]), common["sign_method"])
        answer = self._ctx.http.request("POST", str(config.get("gateway") or DEFAULT_URL), params=common, form=form, timeout_s=TIMEOUT_S)
        return content(answer, method)


def content(answer: HttpResponse, method: str) -> Mapping[str, Any]:
    """What stands below the root of an answer to `method`.

    Raises: UnreadableAnswer - an HTTP status of failure, HTML, cut JSON, or another method's answer; CallsLimited for status 429;
        for an `error_response` the error it stands for.
    """
    try:
        document = parsed(answer.body)
    except Invalid as error:
        if answer.status == 429:
            raise CallsLimited(retry_after_s=_retry_after_s(answer)) from error
        raise UnreadableAnswer(method=method, http_status=answer.status) from error
    if isinstance(document, Mapping):
        if isinstance(document.get("error_response"), Mapping):
            raise error_from(document["error_response"])
        found = document.get(root_of(method))
        if isinstance(found, Mapping) and answer.status < 400:
            return found
    raise UnreadableAnswer(method=method, http_status=answer.status)


def root_of(method: str) -> str:
    """The root of a method's answer: `taobao.trades.sold.get` answers under `trades_sold_get_response`."""
    return method.removeprefix("taobao.").replace(".", "_") + "_response"


def china_text(moment: datetime) -> str:
    """`moment` as the platform writes it: China time, to the second, without a zone."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _retry_after_s(answer: HttpResponse) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
