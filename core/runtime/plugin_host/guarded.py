"""The session that plugins work with: full use of the open transaction, no power over it.

Three lines, each for what gets past the one before:
  1. `GuardedSession` and `GuardedConnection` have no commit, rollback or close.
  2. While plugin code runs, statements that control transactions, settings or the schema are refused at the cursor, whoever sends them.
  3. While plugin code runs, a commit or roll-back of the real transaction is refused at the connection.
These are guard rails against mistakes. A plugin is code inside our process; one that is out to harm is not held by any of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, SessionTransaction

from core.runtime.plugin_host.errors import TransactionGuarded
from core.runtime.tenancy.session import TenantSession

_guarded: ContextVar[str] = ContextVar("guarded_plugin", default="")

_SESSION_PARTS = frozenset(
    {
        *("execute", "scalar", "scalars", "get", "get_one", "refresh"),
        *("add", "add_all", "delete", "merge", "flush", "expire", "expire_all", "expunge"),
        *("new", "dirty", "deleted", "is_modified", "in_transaction", "info", "no_autoflush", "autoflush"),
    }
)
_CONNECTION_PARTS = frozenset({"execute", "exec_driver_sql", "scalar", "scalars", "info", "in_transaction"})
_FORBIDDEN = re.compile(
    r"^(?:\s|--[^\n]*\n|/\*.*?\*/)*"
    r"(?:BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE|EXECUTE|DISCARD|SET|RESET|LISTEN|UNLISTEN|LOAD|COPY|DO|CALL"
    r"|TRUNCATE|CREATE|ALTER|DROP|GRANT|REVOKE|VACUUM|REINDEX|CLUSTER|SECURITY|REASSIGN|IMPORT|REFRESH|CHECKPOINT|COMMENT)\b"
    r"|\bset_config\s*\(|;\s*\S",
    re.IGNORECASE | re.DOTALL,
)


@contextmanager
def guarding(plugin: str) -> Iterator[None]:
    """Refuse, for the block, everything that ends, leaves or widens a transaction."""
    token = _guarded.set(plugin)
    try:
        yield
    finally:
        _guarded.reset(token)


@contextmanager
def unguarded() -> Iterator[None]:
    """Lift the guard for the block: the host itself is at work, on behalf of the plugin."""
    token = _guarded.set("")
    try:
        yield
    finally:
        _guarded.reset(token)


class GuardedConnection:
    """The connection under a guarded session; core services use it for set-based statements."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        if name not in _CONNECTION_PARTS:
            raise TransactionGuarded(action=name)
        return getattr(self._connection, name)


class GuardedSession:
    """A session without power over its transaction; what a plugin finds in `ctx.session`, and may hand to core services."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        if name not in _SESSION_PARTS:
            raise TransactionGuarded(action=name)
        return getattr(self._session, name)

    def __contains__(self, row: object) -> bool:
        return row in self._session

    def connection(self) -> GuardedConnection:
        """The connection of the open transaction, equally guarded."""
        return GuardedConnection(self._session.connection())

    @contextmanager
    def begin_nested(self) -> Iterator[SessionTransaction]:
        """A savepoint inside the open transaction; the one kind of transaction a plugin may make."""
        with unguarded():
            nested = self._session.begin_nested()
            self._session.connection()
        try:
            yield nested
        except BaseException:  # containment: the guard is lifted whatever happened
            with unguarded():
                nested.rollback()
            raise
        with unguarded():
            nested.commit()


def real_session(session: Any) -> Session | None:
    """The session behind the guard; for the host alone."""
    return session._session if isinstance(session, GuardedSession) else session  # noqa: SLF001 - the guard's own module


@event.listens_for(Engine, "before_cursor_execute")
def _refuse_statement(
    _connection: Connection,
    _cursor: Any,
    statement: str,
    _parameters: Any,
    _context: Any,
    _many: bool,
) -> None:
    plugin = _guarded.get()
    if plugin and _FORBIDDEN.search(statement):
        raise TransactionGuarded(plugin=plugin, action=statement.split(None, 1)[0].upper())


@event.listens_for(TenantSession, "before_commit")
def _refuse_session_commit(_session: Session) -> None:
    _refuse("commit")


@event.listens_for(Engine, "commit")
def _refuse_commit(_connection: Connection) -> None:
    _refuse("commit")


@event.listens_for(Engine, "rollback")
def _refuse_rollback(_connection: Connection) -> None:
    _refuse("rollback")


def _refuse(action: str) -> None:
    plugin = _guarded.get()
    if plugin:
        raise TransactionGuarded(plugin=plugin, action=action)
