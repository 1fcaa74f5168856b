"""A caller of JOS that is independent of the plugin's client: signs by hand, sends what it is told to."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import urllib3

from plugins.jd.simulator import Simulator

GMT8 = timezone(timedelta(hours=8))
_pool = urllib3.PoolManager(retries=False)


def clock(shift: timedelta = timedelta(0)) -> str:
    return (datetime.now(GMT8) + shift).strftime("%Y-%m-%d %H:%M:%S")


def signed(simulator: Simulator, api: str, business: Any, **changes: Any) -> dict[str, str]:
    """All parameters of a call; a change to None takes one out before signing, `sign` replaces the right one."""
    options = simulator.options
    parameters = {
        "method": api,
        "app_key": options.app_key,
        "access_token": options.session,
        "timestamp": clock(),
        "v": "2.0",
        "360buy_param_json": business if isinstance(business, str) else json.dumps(business, ensure_ascii=False),
    }
    parameters.update(changes)
    parameters = {name: value for name, value in parameters.items() if value is not None}
    if "sign" not in changes:
        text = "".join(name + parameters[name] for name in sorted(parameters))
        parameters["sign"] = hashlib.md5((options.secret + text + options.secret).encode()).hexdigest().upper()
    return parameters


def call(simulator: Simulator, api: str, business: Any, **changes: Any) -> dict[str, Any]:
    """Send a signed call as a form; the decoded answer."""
    return post(simulator, signed(simulator, api, business, **changes))


def post(simulator: Simulator, parameters: dict[str, str]) -> dict[str, Any]:
    answer = _pool.request("POST", simulator.url, fields=parameters, encode_multipart=False)
    assert answer.status == 200
    return answer.json()


def raw(method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:
    return _pool.request(method, url, **options)
