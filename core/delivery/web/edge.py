"""The outermost layer: headers that every answer carries, whatever made it, and methods that nobody needs.

Source of the headers: OWASP ASVS 5.0, section 3.4. The policy with a nonce is set by the theme on pages; what has none yet gets one that
allows nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from core.delivery.web.refusals import refuse

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
)
_ONLY_HTTPS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Edge:
    """WSGI middleware; wraps everything else. `is_https` adds the header that keeps browsers on HTTPS for a year."""

    def __init__(self, app: WsgiApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = (*_HEADERS, _ONLY_HTTPS) if is_https else _HEADERS

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            present = {name.lower() for name, _value in headers}
            kept = [(name, value) for name, value in headers if name.lower() not in ("server", "x-powered-by")]
            kept += [(name, value) for name, value in self._headers if name.lower() not in present]
            return start_response(status, kept, *rest)

        if environ.get("REQUEST_METHOD") not in _METHODS:
            allow = [("Allow", ", ".join(sorted(_METHODS)))]
            title = "This address does not take this method."
            return refuse(environ, start, status="405 Method Not Allowed", code="http.method_not_allowed", title=title, headers=allow)
        return self._app(environ, start)
