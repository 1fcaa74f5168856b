"""One signed call of JOS: parameters, signature, sending, and telling a refusal from a fault."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.sdk import HttpResponse, PluginContext, Unavailable
from plugins.jd.answers import content_of, decoded
from plugins.jd.errors import AnswerUnreadable, Busy, RequestRefused, Throttled
from plugins.jd.signing import sign
from plugins.jd.times import wire_time

PARAM_JSON = "360buy_param_json"
_TIMEOUT_S = 20.0
# Waits before the second, third, … try of a read; a fault that lasts longer is the job runner's to wait for.
_PAUSES_S = (0.1, 0.3, 1.0, 2.0, 4.0)


class Gateway:
    """The gateway of one authorised shop. `pause` waits the given seconds between two tries."""

    def __init__(self, context: PluginContext, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._context = context
        self._pause = pause

    def _parameters(self, method: str, business: Mapping[str, Any]) -> dict[str, str]:
        config, secrets = self._context.config, self._context.secrets
        # JD answers to a field sent as null as if it were wrong, so unset fields are left out.
        given = {name: value for name, value in business.items() if value is not None}
        parameters = {
            "method": method,
            "app_key": str(config["app_key"]),
            "access_token": secrets["access_token"],
            "timestamp": wire_time(self._context.clock.now()),
            "v": "2.0",
            PARAM_JSON: json.dumps(given, ensure_ascii=False, separators=(",", ":"), sort_keys=True),
        }
        parameters["sign"] = sign(parameters, secrets["app_secret"])
        return parameters

    def _once(self, method: str, business: Mapping[str, Any]) -> Mapping[str, Any]:
        # Signed anew for every try: the timestamp must be fresh.
        answer = self._context.http.request(
            "POST",
            str(self._context.config["gateway"]),
            form=self._parameters(method, business),
            headers={"Accept": "application/json"},
            timeout_s=_TIMEOUT_S,
        )
        _raise_for_status(answer)
        return content_of(decoded(answer.body))

    def _tried(
        self, method: str, business: Mapping[str, Any], *, again_for: type[Unavailable], pauses_s: Sequence[float]
    ) -> Mapping[str, Any]:
        for pause_s in pauses_s:
            try:
                return self._once(method, business)
            except again_for as error:
                if error.retry_after_s is not None and error.retry_after_s > pauses_s[-1]:
                    raise
                self._context.log.info("jd.call_repeated", method=method, code=error.code)
                self._pause(max(pause_s, error.retry_after_s or 0.0))
        return self._once(method, business)

    def read(self, method: str, business: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call a method that changes nothing (or the same thing again); returns what stands inside the method root.

        Repeats up to five times within some seconds while JD is unavailable.
        Raises: the kinds of plugins.jd.errors, and what `HttpClient.request` raises.
        """
        return self._tried(method, business, again_for=Unavailable, pauses_s=_PAUSES_S)

    def write(self, method: str, business: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call a method that takes effect; repeats only after JD said that it did nothing because of too many calls.

        Raises: as `read`; after AnswerUnreadable, Busy or a lost answer the effect may have happened.
        """
        return self._tried(method, business, again_for=Throttled, pauses_s=_PAUSES_S)


def _raise_for_status(answer: HttpResponse) -> None:
    if answer.status == 429:
        raise Throttled("JD's gateway limits the calls.", retry_after_s=_seconds(answer.headers.get("retry-after")))
    if answer.status >= 500:
        raise Busy(f"JD's gateway answered with status {answer.status}.", retry_after_s=_seconds(answer.headers.get("retry-after")))
    if answer.status != 200:
        raise RequestRefused(f"The gateway answered with status {answer.status}; is its address right?", vendor_code=str(answer.status))
    if not answer.body.strip():
        raise AnswerUnreadable("JD's answer is empty.")


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and header.isdigit() else None
