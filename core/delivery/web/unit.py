"""The request as a unit of work: one session, one transaction, committed when the answer is good and rolled back when it is not.

Flask-AppBuilder and our views share one `scoped_session` whose scope is the application context. It is our own session class, so both walls
between tenants stand in every page.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, current_app
from flask.globals import app_ctx
from flask.wrappers import Response
from sqlalchemy.orm import scoped_session

from core.runtime.security.audit import Origin, set_origin
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import set_scope
from core.runtime.tenancy.session import TenantSession

EXTENSION = "oms.sessions"


class WebApp(Flask):
    """Flask, with the commit inside the dispatch: an error of the commit is handled like any error of the view.

    An answer of 400 and above rolls back, so that what is refused changes nothing. What must stay even then (counters, notes of refusals)
    is written in a transaction of its own.
    """

    def dispatch_request(self) -> Response:
        """Run the view and end its transaction."""
        sessions = session_registry(self)
        try:
            answer = self.make_response(super().dispatch_request())
            if sessions.registry.has():
                if answer.status_code < 400:
                    sessions.commit()
                else:
                    sessions.rollback()
        except BaseException:  # containment: whatever went wrong, the transaction ends here, and the error goes on
            if sessions.registry.has():
                sessions.rollback()
            raise
        return answer


def init_sessions(app: Flask, database: Database) -> scoped_session[TenantSession]:
    """Give `app` its sessions, removed at the end of each application context together with the tenant scope."""
    sessions: scoped_session[TenantSession] = scoped_session(
        database.make_session,
        scopefunc=lambda: id(app_ctx._get_current_object()),  # type: ignore[attr-defined]  # noqa: SLF001 - the way Flask documents
    )
    app.extensions[EXTENSION] = sessions

    @app.teardown_appcontext
    def end(_error: BaseException | None) -> None:
        set_scope(None)
        set_origin(Origin())
        sessions.remove()

    return sessions


def session_registry(app: Flask | None = None) -> scoped_session[Any]:
    """The registry of request sessions."""
    return cast("scoped_session[Any]", (app or current_app).extensions[EXTENSION])


def db() -> TenantSession:
    """The session of this request."""
    return cast("TenantSession", session_registry()())
