"""Deleting what nobody needs any more: counters, ended sign-ins, used links. For a nightly schedule."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Delete, delete, or_
from sqlalchemy.orm import Session

from core.runtime.security.models import LoginSession, PasswordReset
from core.runtime.security.throttle import sweep_throttle

KEEP_FOR = timedelta(days=30)


def sweep(session: Session, *, now: datetime) -> dict[str, int]:
    """Delete old rows in a session of `Database.platform()`; returns how many of each table. A repeated call finds nothing more.

    Ended sign-ins and used links stay for 30 days, for whoever has to find out what happened. The trail of events is not touched.
    """
    old = now - KEEP_FOR
    return {
        "login_throttle": sweep_throttle(session, now=now),
        "login_session": _delete(session, delete(LoginSession).where(or_(LoginSession.ended_at < old, LoginSession.expires_at < old))),
        "password_reset": _delete(session, delete(PasswordReset).where(PasswordReset.expires_at < old)),
    }


def _delete(session: Session, statement: Delete) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]
