"""Errors at the edge: a page for people, Problem Details for programs (RFC 9457), and never a word of SQL, values or code.

The kind of an error gives the status, its code and facts give the details, its message is translated here. What was not raised on purpose
is logged with the request's trace and shown as that trace only.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import islice
from typing import Any

from flask import Flask, g, render_template, request
from flask_babel import gettext
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_wtf.csrf import CSRFError
from jwt.exceptions import PyJWTError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from core.delivery.web.identity import NotSignedIn, current_identity
from core.delivery.web.messages import in_words
from core.delivery.web.redirects import login_address, present_address
from core.delivery.web.resolver import is_api
from core.delivery.web.unit import session_registry
from core.kernel.errors import Denied, Invalid, OrderloomError
from core.kernel.ids import new_id
from core.kernel.jsontext import encode_json
from core.kernel.messages import N_
from core.runtime.security.audit import record
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import current_scope

log = logging.getLogger(__name__)
PROBLEM = "application/problem+json"
MAX_ERRORS = 100
MAX_PLACE = 200
_SAID = {
    400: ("http.bad_request", N_("The request is not valid.")),
    401: ("http.not_signed_in", N_("Please sign in.")),
    403: ("http.denied", N_("This is not allowed.")),
    404: ("http.not_found", N_("There is no such thing here.")),
    405: ("http.method_not_allowed", N_("This address does not take this method.")),
    409: ("http.conflict", N_("The present state does not allow this.")),
    413: ("http.too_large", N_("The request is too large.")),
    415: ("http.unsupported_media_type", N_("This kind of content is not taken here.")),
    422: ("http.invalid", N_("The input is not valid.")),
    429: ("http.too_many_requests", N_("Too many requests; please wait a moment.")),
    500: ("http.internal", N_("Something went wrong; the error was logged.")),
    503: ("http.unavailable", N_("Something that is needed cannot be reached now; trying later may help.")),
}


def trace_id() -> str:
    """The id under which this request stands in logs and audit trail."""
    scope = current_scope()
    if scope is not None:
        return scope.trace
    if "trace" not in g:
        g.trace = new_id().hex
    found: str = g.trace
    return found


def wants_problem() -> bool:
    """Whether the answer is for a program."""
    return is_api() or request.accept_mimetypes.best_match(["text/html", "application/json", PROBLEM], "text/html") != "text/html"


def problem(status: int, code: str, title: str, **members: Any) -> Response:
    """A Problem Details answer; `members` adds such as `field`, `errors` or `facts`, empty ones are left out."""
    body: dict[str, Any] = {"type": f"urn:orderloom:error:{code}", "title": title, "status": status, "code": code, "trace": trace_id()}
    body.update({name: value for name, value in members.items() if value not in (None, "", {}, [])})
    return Response(encode_json(body), status=status, mimetype=PROBLEM)


def problem_of(error: OrderloomError) -> Response:
    """The Problem Details answer of one of our errors; `errors` holds every wrong field with its message, `field` the first."""
    wrong = field_errors(error)
    field = wrong[0]["field"] if wrong else None
    answer = problem(error.status, error.code, said_by(error), field=field, errors=wrong, facts=_plain(error.facts))
    return _with_hints(answer, error)


def field_errors(error: OrderloomError) -> list[dict[str, str]]:
    """The fields that an error names, each with its message in the language of the request; at most 100."""
    problems: Mapping[str, str] = getattr(error, "problems", None) or {}
    if not problems and isinstance(error, Invalid) and error.field:
        problems = {error.field: error.message}
    return [{"field": place[:MAX_PLACE], "message": in_words(text)} for place, text in islice(problems.items(), MAX_ERRORS)]


def said_by(error: OrderloomError) -> str:
    """The error's message in the language of the request."""
    return in_words(error.message)


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if isinstance(value, str | int | float | bool | list | tuple) or value is None}


def _with_hints(answer: Response, error: OrderloomError) -> Response:
    wait_s = getattr(error, "retry_after_s", None)
    if wait_s is not None:
        answer.headers["Retry-After"] = str(max(1, round(wait_s)))
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def page(status: int, *, title: str = "", text: str = "", trace: str = "") -> Response:
    """The error as a page."""
    body = render_template("errors/error.html", code=status, title=title, text=text, trace=trace)
    return Response(body, status=status, mimetype="text/html")


def _simple_page(status: int, title: str) -> Response:
    """A page that needs nothing, for when the usual one fails too."""
    return Response(f"<!doctype html><title>{status}</title><h1>{status}</h1><p>{title}</p>", status=status, mimetype="text/html")


class ErrorPages:
    """The handlers; `database` takes the notes about refused access, which must outlive the request's rolled-back transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def init_app(self, app: Flask) -> None:
        """Register the handlers."""
        app.register_error_handler(OrderloomError, self.known)
        app.register_error_handler(CSRFError, self.forged)
        app.register_error_handler(HTTPException, self.http)
        app.register_error_handler(SQLAlchemyError, self.database_error)
        app.register_error_handler(JWTExtendedException, self.bad_credentials)
        app.register_error_handler(PyJWTError, self.bad_credentials)
        app.register_error_handler(Exception, self.unknown)

    def known(self, error: OrderloomError) -> Response:
        """One of the five kinds."""
        if error.status >= 500 and error.status != 503:
            return self.unknown(error)
        if isinstance(error, NotSignedIn) and not wants_problem():
            return Response(status=303, headers={"Location": login_address(present_address())})
        if isinstance(error, Denied):
            self._note_refusal(error.code)
        if wants_problem():
            return problem_of(error)
        return _with_hints(self._page(error.status, text=said_by(error)), error)

    def http(self, error: HTTPException) -> Response:
        """What Flask and Werkzeug raise: their own texts stay out, since some quote what was sent."""
        if isinstance(error, SecurityError):
            # The usual page builds addresses from the host that was just refused.
            return problem(400, *_SAID[400]) if is_api() else _simple_page(400, _SAID[400][1])
        if isinstance(error.response, Response):
            return error.response
        status = error.code or 500
        if status == 403:
            self._note_refusal("http.denied")
        answer = self._said(status)
        if status == 405 and getattr(error, "valid_methods", None):
            answer.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
        return answer

    def forged(self, error: CSRFError) -> Response:  # noqa: ARG002 - the signature is Flask's
        """A form without its token: most often a page that was open for too long."""
        said = gettext(N_("This page was open for too long. Go back, reload it and try again."))
        return problem(400, "http.csrf", said) if wants_problem() else self._page(400, text=said)

    def bad_credentials(self, error: Exception) -> Response:  # noqa: ARG002 - the signature is Flask's
        """A token that Flask-JWT-Extended refuses on its own."""
        return self.known(NotSignedIn())

    def database_error(self, error: SQLAlchemyError) -> Response:
        """Values that no column takes are the sender's mistake, duplicates a conflict, a lost connection passes."""
        if isinstance(error, OperationalError) or getattr(error, "connection_invalidated", False):
            log.warning("database unavailable", extra={"trace": trace_id(), "error": type(error.__cause__).__name__})
            return self._said(503)
        if isinstance(error, DataError):
            return self._said(400)
        if isinstance(error, IntegrityError):
            log.warning("constraint refused a write", extra={"trace": trace_id(), "constraint": _constraint_of(error)})
            return self._said(409)
        return self.unknown(error)

    def unknown(self, error: Exception) -> Response:
        """Everything that nobody expected."""
        session_registry().remove()
        log.exception("unhandled error", exc_info=error, extra={"trace": trace_id(), "path": request.path})
        return self._said(500)

    def _said(self, status: int) -> Response:
        code, text = _SAID.get(status, (f"http.{status}", _SAID[500 if status >= 500 else 400][1]))
        if wants_problem():
            answer = problem(status, code, gettext(text))
            if status == 401:
                answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return self._page(status, trace=trace_id() if status >= 500 else "")

    @staticmethod
    def _page(status: int, *, text: str = "", trace: str = "") -> Response:
        try:
            return page(status, text=text, trace=trace)
        except Exception:  # containment: the error page itself failed, for example because the database is gone
            log.exception("error page failed", extra={"trace": trace_id()})
            session_registry().remove()
            return _simple_page(status, _SAID.get(status, _SAID[500])[1])

    def _note_refusal(self, code: str) -> None:
        """Members who try what they may not leave a trace in the tenant's audit trail."""
        scope, identity = current_scope(), current_identity()
        if scope is None or identity is None or identity.standing is None:
            return
        with self._database.unit(scope) as unit:
            record(unit, "access_denied", "route", request.endpoint or "", {"code": code, "method": request.method})


def _constraint_of(error: IntegrityError) -> str:
    diagnostics = getattr(error.orig, "diag", None)
    return str(getattr(diagnostics, "constraint_name", "") or "")
