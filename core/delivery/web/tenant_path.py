"""The tenant in the address: `/t/<slug>/…` becomes SCRIPT_NAME, so that every link, form and redirect of a page stays in its tenant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from core.delivery.web.refusals import refuse
from core.runtime.tenancy.models import SLUG_PATTERN

SLUG = "oms.tenant_slug"
# Bytes that no page needs in an address and some servers, proxies and browsers read differently.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\]")
_TENANT = re.compile(rf"/t/({SLUG_PATTERN.strip('^$')})(/.*)?", re.DOTALL)

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class TenantPath:
    """WSGI middleware that moves `/t/<slug>` from PATH_INFO to SCRIPT_NAME and notes the slug in the environment.

    It decides nothing: whether there is such a tenant, and who may enter it, is the resolver's business. `/t/<slug>` without a slash is the
    tenant's start page. A path that only resembles the form stays as it is and finds no route.
    """

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        environ.pop(SLUG, None)
        if _UNFIT.search(path):
            return refuse(environ, start_response, status="400 Bad Request", code="http.bad_request", title="The request is not valid.")
        match = _TENANT.fullmatch(path)
        if match is not None:
            environ[SLUG] = match[1]
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/t/{match[1]}"
            environ["PATH_INFO"] = match[2] or "/"
        return self._app(environ, start_response)
