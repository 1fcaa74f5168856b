"""Statements sent as they are, past SQLAlchemy's compiler and result machinery, on the session's own connection and transaction.

For the paths that run thousands of times a minute: a statement costs a third of what `Session.execute(text(…))` costs, and several
can travel together. Statements are written here in `core.runtime` only, with the tenant in them; row-level security checks it again.
Errors arrive as SQLAlchemy's, and listeners on `before_cursor_execute` hear of each statement (docs/architecture/data.md, "Direct statements").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_WAITING = "direct.waiting"

Rows = Sequence[Any]
Values = Mapping[str, Any]


@dataclass(slots=True)
class _Statement:
    """One statement with psycopg's `%(name)s` places, and who looks at its rows."""

    sql: str
    values: Values
    then: Callable[[Rows], None] | None = None


def fetch(session: Session, sql: str, values: Values) -> Rows:
    """Run a statement now, after what `later` has collected; rows have their columns as attributes."""
    return _carry_out(session.connection(), [*_taken(session), _Statement(sql, values)])[-1]


def later(session: Session, sql: str, values: Values, *, then: Callable[[Rows], None] | None = None) -> None:
    """Run a statement whose rows nobody waits for: now, or inside `together` with the others. `then` gets its rows once it has run."""
    waiting = session.info.get(_WAITING)
    statement = _Statement(sql, values, then)
    if waiting is None:
        _carry_out(session.connection(), [statement])
    else:
        waiting.append(statement)


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Let the writes of this block travel in one go: they are sent at its end, or before the first thing that reads.

    The server works on the first while the client still prepares the next. Order and transaction stay as written. What fails raises
    where it is sent, so keep a block free of savepoints and of handlers that go on after an error.
    """
    if _WAITING in session.info:
        yield
        return
    session.info[_WAITING] = []
    try:
        yield
        settle(session)
    finally:
        session.info.pop(_WAITING, None)


def settle(session: Session) -> None:
    """Send what waits."""
    while waiting := _taken(session):
        _carry_out(session.connection(), waiting)


def _taken(session: Session) -> list[_Statement]:
    waiting: list[_Statement] = session.info.get(_WAITING) or []
    taken, waiting[:] = list(waiting), []
    return taken


def _carry_out(connection: Any, statements: Sequence[_Statement]) -> list[Rows]:
    """Run the statements in order and tell each `then` its rows; returns all rows."""
    if isinstance(connection, Connection):
        results = _sent(connection, statements)
    else:  # a plugin's guarded connection: same statements, by the door that its guard watches
        results = [_by_guard(connection, statement) for statement in statements]
    for statement, rows in zip(statements, results, strict=True):
        if statement.then is not None:
            statement.then(rows)
    return results


def _by_guard(connection: Any, statement: _Statement) -> Rows:
    result = connection.exec_driver_sql(statement.sql, dict(statement.values))
    rows: Rows = result.all() if result.returns_rows else []
    return rows


def _sent(connection: Connection, statements: Sequence[_Statement]) -> list[Rows]:
    raw: Any = connection.connection.driver_connection
    listeners = tuple(connection.dispatch.before_cursor_execute)  # type: ignore[attr-defined]
    at = statements[0]
    try:
        if len(statements) == 1:
            with raw.cursor(row_factory=namedtuple_row) as cursor:
                for listener in listeners:
                    listener(connection, cursor, at.sql, at.values, None, False)
                cursor.execute(at.sql, at.values)
                return [cursor.fetchall() if cursor.description else []]
        with raw.pipeline() as pipeline:
            cursors = []
            for at in statements:
                cursor = raw.cursor(row_factory=namedtuple_row)
                for listener in listeners:
                    listener(connection, cursor, at.sql, at.values, None, False)
                cursors.append(cursor.execute(at.sql, at.values))
            pipeline.sync()
            return [cursor.fetchall() if cursor.description else [] for cursor in cursors]
    except psycopg.Error as error:
        is_lost = connection.dialect.is_disconnect(error, raw, None)  # type: ignore[arg-type]
        wrapped = DBAPIError.instance(
            at.sql, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=is_lost, dialect=connection.dialect
        )
        if is_lost:
            connection.invalidate(error)
        raise wrapped from error


@event.listens_for(Session, "do_orm_execute")
def _before_reading(state: Any) -> None:
    if state.session.info.get(_WAITING):
        settle(state.session)


@event.listens_for(Session, "before_flush")
def _before_flush(session: Session, _context: Any, _rows: Any) -> None:
    if session.info.get(_WAITING):
        settle(session)


@event.listens_for(Session, "before_commit")
def _before_commit(session: Session) -> None:
    if session.info.get(_WAITING):
        settle(session)
