"""`Idempotency-Key`: the same request again gets the stored answer; the same key for another request is refused.

The key's row is written first, in the request's own transaction: a second request with the key waits for the first and then sees its
answer, and a request that fails leaves no trace, so that it can be repeated. Keys belong to whoever sent them (a person, an API token) and
are kept for a week. Source: the IETF httpapi draft "The Idempotency-Key HTTP Header Field".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta

from flask import Response, request
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.delivery.web.body import MAX_BODY, raw_body
from core.kernel.errors import Conflict, Invalid
from core.kernel.ids import new_id
from core.runtime.db.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique
from core.runtime.db.bulk import insert_rows
from core.runtime.events.handling import DeliveredEvent, LocalContext
from core.runtime.events.schedules import Schedule
from core.runtime.tenancy.scope import require_scope

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_KEY = 255
KEPT = timedelta(days=7)
_LOCK_NOT_AVAILABLE = "55P03"


class IdempotencyKey(Base, TenantOwned):
    """One request's key with the answer it got; `actor` is `user:<id>` or `token:<id>`."""

    __tablename__ = "idempotency_key"
    __table_args__ = tenant_table(tenant_unique("actor", "key"), tenant_index("ix_idempotency_key_at", "made_at"))

    actor: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    location: Mapped[str] = mapped_column(server_default=text("''"))
    body: Mapped[str] = mapped_column(server_default=text("''"))
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class KeyReused(Invalid):
    """This idempotency key was used for another request."""

    code = "api.idempotency_key_reused"


class KeyBusy(Conflict):
    """The first request with this idempotency key is still being worked on; ask again in a moment."""

    code = "api.idempotency_key_busy"

    def __init__(self) -> None:
        super().__init__()
        self.retry_after_s = 1.0


def once(session: Session, run: Callable[[], Response], *, max_bytes: int = MAX_BODY) -> Response:
    """Run the request, or give the answer that the same request got before. Without the header it just runs.

    The same request: method, address with its query, and body, byte for byte. `max_bytes` limits the body, which is read here.
    Raises: Invalid - the key is too long or not printable; KeyReused; KeyBusy - the first request takes longer than the lock's time limit.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return run()
    if not 0 < len(given) <= MAX_KEY or not given.isprintable():
        raise Invalid(f"An idempotency key has 1 to {MAX_KEY} printable characters.", field=HEADER)
    actor = require_scope().actor
    mine = (IdempotencyKey.actor == f"{actor.kind}:{actor.id}", IdempotencyKey.key == given)
    fingerprint = hashlib.sha256(f"{request.method} {request.full_path}\n".encode() + raw_body(max_bytes=max_bytes)).hexdigest()
    if not _claim(session, {"id": new_id(), "actor": f"{actor.kind}:{actor.id}", "key": given, "fingerprint": fingerprint}):
        return _stored(session, mine, fingerprint)
    answer = run()
    values = {"status": answer.status_code, "location": answer.headers.get("Location", ""), "body": answer.get_data(as_text=True)}
    session.execute(update(IdempotencyKey).where(*mine).values(values).execution_options(synchronize_session=False))
    return answer


def _claim(session: Session, row: dict[str, object]) -> bool:
    """Whether the key was free; waits for a request that is using it now."""
    free = "ON CONFLICT (tenant_id, actor, key) DO NOTHING"
    try:
        return bool(insert_rows(session, IdempotencyKey, [row], on_conflict=free, returning="id"))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", "") == _LOCK_NOT_AVAILABLE:
            raise KeyBusy from error
        raise


def _stored(session: Session, mine: Sequence[object], fingerprint: str) -> Response:
    columns = (IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.location, IdempotencyKey.body)
    found = session.execute(select(*columns).where(*mine)).one()  # type: ignore[arg-type]
    if found.fingerprint != fingerprint:
        raise KeyReused(field=HEADER)
    answer = Response(found.body, status=found.status or 200, mimetype="application/json")
    answer.headers[REPLAYED] = "true"
    if found.location:
        answer.headers["Location"] = found.location
    return answer


def forget_old(session: Session, *, now: datetime) -> int:
    """Delete keys older than a week; returns how many."""
    statement = delete(IdempotencyKey).where(IdempotencyKey.made_at < now - KEPT).execution_options(synchronize_session=False)
    return session.execute(statement).rowcount  # type: ignore[attr-defined, no-any-return]


def _forget(ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
    forget_old(ctx.session, now=ctx.clock.now())


def schedules() -> list[Schedule]:
    """The timer that forgets old keys every night."""
    return [Schedule(key="core.idempotency_keys", at=time(4, 10), jitter_s=3600, handle=_forget)]
