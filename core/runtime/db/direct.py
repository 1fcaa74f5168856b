"""Statements sent as they are, past SQLAlchemy's compiler and result machinery, on the session's own connection and transaction.

For the paths that run thousands of times a minute: a statement costs a third of what `Session.execute(text(…))` costs, and several
can travel together. Statements are written in `core.runtime` only, with the tenant in them; row-level security checks it again. Errors
arrive as SQLAlchemy's, and listeners on `before_cursor_execute` hear of each statement (docs/architecture/data.md, "Direct statements").
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.waiting import Ready, Wait
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_BLOCK = "direct.block"
_FLIGHT = "direct.flight"

Rows = Sequence[Any]
Values = Mapping[str, Any]
Then = Callable[[Rows], None]


class _Flight:
    """Statements under way in psycopg's pipeline: each is sent at once, so the server works on it while the next is prepared."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        raw: Any = connection.connection.driver_connection
        self._raw = raw
        self._info = connection.info  # a lost connection no longer tells it
        self._context = raw.pipeline()
        self._pipeline = self._context.__enter__()
        self._sent: list[tuple[str, Any, Then | None]] = []
        self._info[_FLIGHT] = self

    def send(self, sql: str, values: Values, then: Then | None) -> None:
        """Put one more statement under way. What fails here may be one that was sent before."""
        cursor = self._raw.cursor(row_factory=namedtuple_row)
        del self._info[_FLIGHT]  # the listeners that follow include the one that would land us
        try:
            _tell_listeners(self._connection, cursor, sql, values)
        finally:
            self._info[_FLIGHT] = self
        self._sent.append((sql, cursor, then))
        try:
            cursor.execute(sql, values)
        except psycopg.Error as error:
            raise self._failed(self._sent, error) from error

    def land(self) -> None:
        """Wait for all of it and hand the rows over."""
        sent, self._sent = self._sent, []
        try:
            self._push()
            self._pipeline.sync()
            rows = [_rows_of(cursor) for _sql, cursor, _then in sent]
        except psycopg.Error as error:
            raise self._failed(sent, error) from error
        finally:
            self.abandon()
        for found, (_sql, _cursor, then) in zip(rows, sent, strict=True):
            if then is not None:
                then(found)

    def _push(self) -> None:
        """Hand everything over to the server. psycopg stops when the socket is full and then only listens, while the server waits for the
        rest."""
        self._raw.wait(_pushing(self._raw.pgconn))

    def _failed(self, sent: Sequence[tuple[str, Any, Then | None]], error: psycopg.Error) -> BaseException:
        """The error of the first statement that has no result, for those before it succeeded and those after it were not run."""
        self.abandon()
        failing = next((sql for sql, cursor, _then in sent if cursor.pgresult is None), sent[-1][0] if sent else "")
        return _wrapped(self._connection, self._raw, failing, error)

    def abandon(self) -> None:
        """Leave the pipeline, whatever state it is in; what is still under way ends with the transaction."""
        if self._info.pop(_FLIGHT, None) is self:
            try:
                self._push()
                self._context.__exit__(None, None, None)
            except psycopg.Error:
                # The same failure once more, or that of a statement nobody waits for any longer; the transaction is lost either way.
                return


def _pushing(pgconn: Any) -> Generator[Wait, Ready | None, None]:
    """For psycopg's waiting loop, which sends back what the socket is ready for."""
    while pgconn.flush():
        ready = yield Wait.RW
        if ready is not None and ready & Ready.R:
            pgconn.consume_input()


def fetch(session: Session, sql: str, values: Values) -> Rows:
    """Run a statement now, after what is under way; rows have their columns as attributes."""
    found: list[Any] = []
    later(session, sql, values, then=found.extend)
    settle(session)
    return found


def later(session: Session, sql: str, values: Values, *, then: Then | None = None) -> None:
    """Run a statement whose end nobody waits for: at once, or inside `together` along with the others. `then` gets its rows after that."""
    connection = connection_of(session)
    if not isinstance(connection, Connection):
        # A plugin's guarded connection: the same statement, by the door that its guard watches.
        result = connection.exec_driver_sql(sql, dict(values))
        rows: Rows = result.all() if result.returns_rows else []
        if then is not None:
            then(rows)
        return
    if _BLOCK in session.info:
        flight: _Flight = connection.info.get(_FLIGHT) or _Flight(connection)
        flight.send(sql, values, then)
        return
    rows = run_on(connection, sql, values)
    if then is not None:
        then(rows)


@contextmanager
def together(session: Session) -> Iterator[None]:
    """Let the statements of this block travel in one go: nobody waits for them until the block ends or something in it is read.

    The server works on one while the client prepares the next. Order and transaction stay as written. What fails raises where it is waited
    for, so keep a block free of handlers that go on after an error.
    """
    outer = session.info.get(_BLOCK)
    if outer is None:
        session.info[_BLOCK] = (session.connection(), _savepoint_of(session))
    try:
        yield
        settle(session)
    except BaseException:  # containment: the pipeline is left whatever happened, and the error goes on
        flight = _flight_of(session)
        if flight is not None:
            flight.abandon()
        raise
    finally:
        if outer is None:
            session.info.pop(_BLOCK, None)


def settle(session: Session) -> None:
    """Wait for what is under way."""
    while (flight := _flight_of(session)) is not None:
        flight.land()


def connection_of(session: Session) -> Any:
    """The connection of the session's transaction, which begins if it has not; inside `together` without asking again.

    A savepoint is made when a session is asked for its connection, so one that was opened inside the block asks again.
    """
    connection, savepoint = session.info.get(_BLOCK) or (None, None)
    return connection if isinstance(connection, Connection) and savepoint is _savepoint_of(session) else session.connection()


def _savepoint_of(session: Session) -> object:
    """The innermost savepoint. A plugin's guarded session does not tell; as the answer is then never the same, it is always asked."""
    return session.get_nested_transaction() if isinstance(session, Session) else object()


def _flight_of(session: Session) -> _Flight | None:
    connection, _savepoint = session.info.get(_BLOCK) or (None, None)
    if not isinstance(connection, Connection) or connection.invalidated:
        return None
    flight: _Flight | None = connection.info.get(_FLIGHT)
    return flight


def run_on(connection: Connection, sql: str, values: Values) -> Rows:
    """Run a statement on a connection outside every block; what `fetch` does for a session."""
    raw: Any = connection.connection.driver_connection
    with raw.cursor(row_factory=namedtuple_row) as cursor:
        _tell_listeners(connection, cursor, sql, values)
        try:
            cursor.execute(sql, values)
            return _rows_of(cursor)
        except psycopg.Error as error:
            raise _wrapped(connection, raw, sql, error) from error


def _rows_of(cursor: Any) -> Rows:
    result = cursor.pgresult
    rows: Rows = cursor.fetchall() if result is not None and result.nfields else []
    return rows


def _tell_listeners(connection: Connection, cursor: Any, sql: str, values: Values) -> None:
    for listener in connection.dispatch.before_cursor_execute:  # type: ignore[attr-defined]
        listener(connection, cursor, sql, values, None, False)  # noqa: FBT003 - the listeners' own signature


def _wrapped(connection: Connection, raw: Any, sql: str, error: psycopg.Error) -> BaseException:
    """The error as SQLAlchemy raises it; a lost connection is thrown away, as SQLAlchemy would."""
    is_lost = connection.dialect.is_disconnect(error, raw, None)  # type: ignore[arg-type]
    wrapped = DBAPIError.instance(
        sql, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=is_lost, dialect=connection.dialect
    )
    if is_lost and not connection.invalidated:
        connection.invalidate(error)
    return wrapped


@event.listens_for(Engine, "before_cursor_execute")
def _land_first(connection: Connection, *_statement: Any) -> None:
    """Whoever sends a statement in the ordinary way finds the connection out of the pipeline, and sees what was written before."""
    flight = connection.info.get(_FLIGHT)
    if flight is not None:
        flight.land()


@event.listens_for(Session, "before_commit")
def _land_before_commit(session: Session) -> None:
    settle(session)
