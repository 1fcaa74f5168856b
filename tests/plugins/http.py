"""A plain HTTP client for plugin tests: the `HttpClient` protocol over urllib3, without allow-list, quota or breaker."""

from __future__ import annotations

import json as jsonlib
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from core.sdk import HttpResponse, Unavailable


class CannotConnect(Unavailable):
    """Surely nothing was sent."""

    code = "http.cannot_connect"


class AnswerLost(Unavailable):
    """The request may have taken effect."""

    code = "http.answer_lost"


class PlainHttp:
    """Sends what it is told to and counts the requests in `sent`."""

    def __init__(self) -> None:
        self._pool = urllib3.PoolManager(retries=False, maxsize=4)
        self.sent = 0

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
    ) -> HttpResponse:
        """Send one request, without following redirects and without retrying."""
        self.sent += 1
        own = dict(headers or {})
        if form is not None:
            body, own["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif json is not None:
            body, own["Content-Type"] = jsonlib.dumps(json).encode(), "application/json"
        target = f"{url}?{urlencode(params)}" if params else url
        started = time.monotonic()
        try:
            answer = self._pool.request(method, target, body=body, headers=own, timeout=timeout_s, redirect=False)
        except (NewConnectionError, ConnectTimeoutError, MaxRetryError) as error:
            raise CannotConnect(str(error)) from error
        except HTTPError as error:
            raise AnswerLost(str(error)) from error
        names = {name.lower(): value for name, value in answer.headers.items()}
        return HttpResponse(answer.status, names, answer.data, time.monotonic() - started)
