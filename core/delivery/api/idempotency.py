"""`Idempotency-Key`: the same request again gets the stored answer; the same key for another request is refused.

The key's row is written first, in the request's own transaction: a second request with the key waits for the first and then sees its answer, and a
request that fails leaves no trace, so that it can be repeated. Keys are kept for a week. Source: the IETF httpapi draft "The Idempotency-Key
HTTP Header Field".
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import Response, request
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel.errors import Invalid
from core.kernel.ids import new_id
from core.runtime.db.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique
from core.runtime.db.bulk import insert_rows

HEADER = "Idempotency-Key"
MAX_KEY = 255
KEPT = timedelta(days=7)


class IdempotencyKey(Base, TenantOwned):
    """One request's key with the answer it got."""

    __tablename__ = "idempotency_key"
    __table_args__ = tenant_table(tenant_unique("key"), tenant_index("ix_idempotency_key_at", "made_at"))

    key: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[str] = mapped_column(server_default=text("''"))
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class KeyReused(Invalid):
    """This idempotency key was used for another request."""

    code = "api.idempotency_key_reused"


def once(session: Session, run: Callable[[], Response]) -> Response:
    """Run the request, or give the answer that the same request got before. Without the header it just runs."""
    key = request.headers.get(HEADER, "")
    if not key:
        return run()
    if len(key) > MAX_KEY or not key.isprintable():
        raise Invalid(f"An idempotency key has at most {MAX_KEY} printable characters.", field=HEADER)
    fingerprint = hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.get_data()).hexdigest()
    row = {"id": new_id(), "key": key, "fingerprint": fingerprint}
    if not insert_rows(session, IdempotencyKey, [row], on_conflict="ON CONFLICT (tenant_id, key) DO NOTHING", returning="id"):
        return _stored(session, key, fingerprint)
    answer = run()
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.key == key)
        .values(status=answer.status_code, body=answer.get_data(as_text=True))
        .execution_options(synchronize_session=False)
    )
    return answer


def _stored(session: Session, key: str, fingerprint: str) -> Response:
    found = session.execute(
        select(IdempotencyKey.fingerprint, IdempotencyKey.status, IdempotencyKey.body).where(IdempotencyKey.key == key)
    ).one()
    if found.fingerprint != fingerprint:
        raise KeyReused(field=HEADER)
    answer = Response(found.body, status=found.status or 200, mimetype="application/json")
    answer.headers["Idempotent-Replayed"] = "true"
    return answer


def forget_old(session: Session, *, now: datetime) -> int:
    """Delete keys older than a week; returns how many."""
    statement = delete(IdempotencyKey).where(IdempotencyKey.made_at < now - KEPT).execution_options(synchronize_session=False)
    return session.execute(statement).rowcount  # type: ignore[attr-defined, no-any-return]
