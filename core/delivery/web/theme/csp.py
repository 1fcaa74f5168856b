"""The content security policy of every page: scripts by nonce only, styles and everything else from this host only."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g

_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; media-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "object-src 'none'"
)


def csp_nonce() -> str:
    """The nonce of the current answer; the same one throughout a request."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return g.csp_nonce


def policy(nonce: str) -> str:
    """The header's value. `data:` images are the check marks and icons inside our style sheets."""
    return _POLICY.format(nonce=nonce)


def init_csp(app: Flask) -> None:
    """Give templates `csp_nonce()` and put the policy on every HTML answer that does not carry one of its own."""
    app.jinja_env.globals["csp_nonce"] = csp_nonce

    @app.after_request
    def set_policy(answer: Response) -> Response:
        if answer.mimetype == "text/html":
            answer.headers.setdefault("Content-Security-Policy", policy(csp_nonce()))
            answer.headers.setdefault("Referrer-Policy", "same-origin")
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        return answer
