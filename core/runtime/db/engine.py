"""Making engines: psycopg 3, UTC, a time limit on statements and locks, and a pool that forgets nothing by accident."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Engine, create_engine, event

from core.kernel.jsontext import encode_json

STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 3_000


def make_engine(url: str, *, pool_size: int = 5, name: str = "oms", statement_timeout_ms: int = STATEMENT_TIMEOUT_MS) -> Engine:
    """An engine for `url` (postgresql+psycopg://…). Connections roll back when they return to the pool.

    Plans prefer an index to reading a table from end to end. Every index leads with the tenant; a scan that stops at a limit looks cheap to
    the planner, but reads other tenants' rows until it has met enough of one's own.
    """
    options = f"-c timezone=UTC -c statement_timeout={statement_timeout_ms} -c lock_timeout={LOCK_TIMEOUT_MS} -c enable_seqscan=off"
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=False,
        pool_recycle=1800,
        pool_reset_on_return="rollback",
        connect_args={"options": options, "application_name": name, "prepare_threshold": 5},
        json_serializer=encode_json,
        insertmanyvalues_page_size=1000,
    )
    event.listen(engine, "handle_error", _mark_lost_connections)
    return engine


def _mark_lost_connections(context: Any) -> None:
    """Treat 'terminating connection' answers as a lost connection, so that the pool is thrown away once and refilled."""
    if context.original_exception is not None and context.connection is not None:
        state = getattr(context.original_exception, "sqlstate", None)
        if state in ("57P01", "57P02", "57P03"):
            context.is_disconnect = True


def forget_inherited_connections(engine: Engine) -> None:
    """Call in a forked child: drops the pool without closing the parent's connections."""
    engine.dispose(close=False)


def forget_plans(engine: Engine, *, every_s: float = 2.0) -> None:
    """Let the server plan prepared statements anew now and then.

    A plan that was made while a table was nearly empty reads all of it, and is kept until the table is analysed; a burst of rows
    meanwhile makes that slow. Forgetting costs each connection one round trip in `every_s` seconds.
    """

    def forget(connection: Any, record: Any, _proxy: Any) -> None:
        now = time.monotonic()
        if now - record.info.setdefault("planned_at", now) > every_s:
            record.info["planned_at"] = now
            connection.execute("DISCARD PLANS")

    event.listen(engine, "checkout", forget)
