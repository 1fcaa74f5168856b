"""Readable numbers for orders and shipments, taken in blocks so that concurrent intake never queues on a counter."""

from __future__ import annotations

import threading

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.kernel.ids import new_id
from core.runtime.db.bulk import tenant_of

BLOCK = 50
_TAKE = text(
    "INSERT INTO number_block (tenant_id, id, series, next_value) VALUES (:tenant, :id, :series, :count + 1) "
    "ON CONFLICT (tenant_id, series) DO UPDATE SET next_value = number_block.next_value + :count RETURNING next_value - :count"
)
_lock = threading.Lock()
_blocks: dict[tuple[int, int, str], list[int]] = {}


def take_numbers(session: Session, series: str, count: int) -> list[int]:
    """`count` numbers of the tenant's series, each given out once.

    Blocks are fetched in a transaction of their own, which need not reach the disk at once: whatever uses a number commits later, and its
    commit carries the block's with it. Numbers that are not used leave gaps.
    """
    tenant = tenant_of(session)
    engine = session.get_bind().engine
    key = (id(engine), tenant, series)
    with _lock:
        free = _blocks.setdefault(key, [])
        taken, _blocks[key] = free[:count], free[count:]
    missing = count - len(taken)
    if missing <= 0:
        return taken
    wanted = missing if missing > BLOCK else missing + BLOCK
    with engine.begin() as connection:
        connection.execute(
            text("SELECT set_config('app.tenant', :t, true), set_config('synchronous_commit', 'off', true)"), {"t": str(tenant)}
        )
        values = {"tenant": tenant, "id": new_id(), "series": series, "count": wanted}
        first = connection.execute(_TAKE, values).scalar_one()
    fresh = list(range(first, first + wanted))
    with _lock:
        _blocks[key].extend(fresh[missing:])
    return taken + fresh[:missing]
