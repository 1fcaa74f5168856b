"""Bulk runs as rows:

made, filled, worked off a chunk at a time, cancelled. Who wakes up for them is decided above (`events.bulk`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.kernel.errors import Conflict, Invalid, NotFound, OrderloomError
from core.kernel.ids import new_id
from core.runtime.db.bulk import insert_rows, tenant_of, update_rows
from core.runtime.jobs.actions import CRASHED, GONE, BulkAction, RowOutcome
from core.runtime.jobs.models import BulkRun, BulkRunRow
from core.runtime.tenancy.scope import require_scope

MAX_NAMED = 10_000
MAX_ALONE = 2


class RunUnknown(NotFound):
    """There is no such bulk run."""

    code = "bulk.run_unknown"


class NothingToRetry(Conflict):
    """No record of this run has failed."""

    code = "bulk.nothing_to_retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What is asked for: an action with parameters over the records `ids`, or over all that match `source`.

    `request_key` makes a doubled request harmless.
    """

    action: str
    params: Mapping[str, Any]
    ids: Sequence[UUID] | None = None
    source: Mapping[str, Any] | None = None
    request_key: str | None = None
    retry_of: UUID | None = None

    def __post_init__(self) -> None:
        if (self.ids is None) == (self.source is None):
            raise Invalid("A bulk run is over named records or over all that match.", field="ids")
        if self.ids is not None and not 0 < len(self.ids) <= MAX_NAMED:
            raise Invalid(f"Name between 1 and {MAX_NAMED} records.", field="ids", count=len(self.ids))


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What one chunk came to.

    `split` names chunks that it was cut into instead; `is_last` says that the run has ended with it.
    """

    count: int = 0
    split: Sequence[int] = ()
    is_last: bool = False


def create_run(session: Session, request: RunRequest, action: BulkAction) -> tuple[UUID, bool]:
    """Note a run; named records are noted with it. Returns its id, and False when a run with this `request_key` was there before.

    The run acts for whoever is the actor of the open scope.
    """
    actor = require_scope().actor
    values = {
        "id": new_id(),
        "action": request.action,
        "params": dict(request.params),
        "source": None if request.source is None else dict(request.source),
        "actor": {"kind": actor.kind, "id": actor.id, "label": actor.label},
        "request_key": request.request_key,
        "retry_of": request.retry_of,
    }
    session.connection()
    conflict = "ON CONFLICT (tenant_id, request_key) WHERE request_key IS NOT NULL DO NOTHING"
    if not insert_rows(session, BulkRun, [values], on_conflict=conflict, returning="id"):
        return session.execute(select(BulkRun.id).where(BulkRun.request_key == request.request_key)).scalar_one(), False
    run: UUID = values["id"]  # type: ignore[assignment]
    if request.ids is not None:
        ids = list(dict.fromkeys(request.ids))
        rows = [{"run_id": run, "subject_id": one, "chunk": place // action.chunk} for place, one in enumerate(ids)]
        insert_rows(session, BulkRunRow, rows)
    return run, True


def find_run(session: Session, run: UUID) -> BulkRun:
    """The run. Raises RunUnknown."""
    found = session.get(BulkRun, run)
    if found is None:
        raise RunUnknown(run=str(run))
    return found


def expand(session: Session, run: UUID, action: BulkAction) -> Sequence[int]:
    """Fill the run with all records that its filter matches now, in one statement, and set it running. Returns its chunks.

    A second call finds the run running and changes nothing. A run without records has ended.
    """
    row = session.execute(select(BulkRun.state, BulkRun.source).where(BulkRun.id == run).with_for_update()).one_or_none()
    if row is None or row.state != "expanding":
        return []
    if row.source is not None:
        ids = _matching(session, row.source, action).subquery()
        place = func.row_number().over() - 1
        numbered = select(literal(tenant_of(session)), literal(run), ids.c[0], place // action.chunk).select_from(ids)
        columns = ["tenant_id", "run_id", "subject_id", "chunk"]
        session.execute(insert(BulkRunRow).from_select(columns, numbered, include_defaults=False))
    total, chunks = session.execute(
        select(func.count(), func.coalesce(func.max(BulkRunRow.chunk) + 1, 0)).where(BulkRunRow.run_id == run)
    ).one()
    ended = {"finished_at": func.now()} if total == 0 else {}
    session.execute(update(BulkRun).where(BulkRun.id == run).values(state="running" if total else "done", total=total, **ended))
    return range(chunks)


def _matching(session: Session, source: Mapping[str, Any], action: BulkAction) -> Select[Any]:
    """The action's selection, held within the tenant here: the ORM's filter does not reach a select inside an insert."""
    if action.select is None:
        raise Invalid("This action works on named records only.", field="source", action=action.key)
    statement = action.select(session, source)
    entity = statement.column_descriptions[0]["entity"]
    return statement.where(entity.tenant_id == tenant_of(session))


def run_chunk(session: Session, run: UUID, chunk: int, action: BulkAction, *, attempt: int) -> ChunkResult:
    """Apply the action to the waiting rows of one chunk and note each outcome, in the caller's transaction.

    From the second `attempt` on something has ended the process or the transaction before: the chunk is cut into single records,
    and a record that does so alone for the third time is given up.
    Raises: what says "try later", that is Unavailable and lost or busy connections; then nothing has happened.
    """
    waiting = select(BulkRunRow.id, BulkRunRow.subject_id).where(
        BulkRunRow.run_id == run, BulkRunRow.chunk == chunk, BulkRunRow.state == "waiting"
    )
    rows = session.execute(waiting.order_by(BulkRunRow.id).with_for_update()).all()
    if not rows:
        return ChunkResult()
    if attempt > 1 and len(rows) > 1:
        return ChunkResult(split=_split(session, run, [row.id for row in rows]))
    params = session.execute(select(BulkRun.params).where(BulkRun.id == run)).scalar_one()
    ids = [row.subject_id for row in rows]
    outcomes = {ids[0]: CRASHED} if attempt > MAX_ALONE else _outcomes(session, action, ids, params)
    return _note(session, run, [(row.id, outcomes.get(row.subject_id, GONE)) for row in rows])


def cancel_run(session: Session, run: UUID) -> bool:
    """Leave out what has not been done yet. Returns False when the run had ended already. Raises RunUnknown."""
    find_run(session, run)
    changed = session.execute(
        update(BulkRunRow).where(BulkRunRow.run_id == run, BulkRunRow.state == "waiting").values(state="cancelled")
    )
    ended = update(BulkRun).where(BulkRun.id == run, BulkRun.state.in_(("expanding", "running")))
    left_out = BulkRun.cancelled + changed.rowcount  # type: ignore[attr-defined]
    stopped = ended.values(cancelled=left_out, state="cancelled", finished_at=func.now())
    return session.execute(stopped.returning(BulkRun.id)).one_or_none() is not None


def failed_ids(session: Session, run: UUID, *, states: Collection[str] = ("failed",)) -> list[UUID]:
    """The records of a run that ended in one of these states. Raises NothingToRetry."""
    failed = select(BulkRunRow.subject_id).where(BulkRunRow.run_id == run, BulkRunRow.state.in_(states))
    ids = list(session.scalars(failed.order_by(BulkRunRow.id).limit(MAX_NAMED)))
    if not ids:
        raise NothingToRetry(run=str(run))
    return ids


def run_rows(session: Session, run: UUID, *, state: str = "", after: UUID | None = None, limit: int = 100) -> list[BulkRunRow]:
    """Rows of a run, in order, for its page; `after` is the id of the last one shown so far."""
    statement = select(BulkRunRow).where(BulkRunRow.run_id == run).order_by(BulkRunRow.id).limit(limit)
    if state:
        statement = statement.where(BulkRunRow.state == state)
    if after is not None:
        statement = statement.where(BulkRunRow.id > after)
    return list(session.scalars(statement))


def runs(session: Session, *, before: UUID | None = None, limit: int = 50) -> list[BulkRun]:
    """Runs, newest first; `before` is the id of the last one shown so far."""
    statement = select(BulkRun).order_by(BulkRun.id.desc()).limit(limit)
    return list(session.scalars(statement if before is None else statement.where(BulkRun.id < before)))


def _outcomes(session: Session, action: BulkAction, ids: Sequence[UUID], params: Mapping[str, Any]) -> Mapping[UUID, RowOutcome]:
    """Apply to all at once; when that raises, to each alone."""
    try:
        with session.begin_nested():
            return action.apply(session, ids, params)
    except Exception as error:  # noqa: BLE001 - containment: the job runner
        _pass_on(error)
    return {one: _outcome(session, action, one, params) for one in ids}


def _outcome(session: Session, action: BulkAction, record: UUID, params: Mapping[str, Any]) -> RowOutcome:
    try:
        with session.begin_nested():
            return action.one(session, record, params)
    except OrderloomError as error:
        _pass_on(error)
        return RowOutcome.refusal(error)
    except Exception as error:  # noqa: BLE001 - containment: the job runner
        _pass_on(error)
        return RowOutcome("failed", "bulk.unexpected", type(error).__name__)


def _pass_on(error: Exception) -> None:
    """Raise what another attempt may heal; it is not the record's fault."""
    if getattr(error, "retryable", False):
        raise error
    if isinstance(error, DBAPIError) and (error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _LATER):
        raise error


_LATER = frozenset({"40001", "40P01", "55P03", "57014"})


def _note(session: Session, run: UUID, outcomes: Sequence[tuple[UUID, RowOutcome]]) -> ChunkResult:
    rows = [{"id": row, **asdict(one)} for row, one in outcomes]
    update_rows(session, BulkRunRow, rows)
    counts = {state: sum(one.state == state for _, one in outcomes) for state in ("done", "refused", "failed")}
    added = {state: getattr(BulkRun, state) + count for state, count in counts.items()}
    ended = update(BulkRun).where(BulkRun.id == run).values(added)
    now = session.execute(
        ended.returning(BulkRun.state, BulkRun.total, BulkRun.done + BulkRun.refused + BulkRun.failed + BulkRun.cancelled)
    ).one()
    is_last = now[0] == "running" and now[2] >= now[1]
    if is_last:
        session.execute(update(BulkRun).where(BulkRun.id == run).values(state="done", finished_at=func.now()))
    return ChunkResult(len(rows), is_last=is_last)


_RENUMBER = text("""
UPDATE bulk_run_row r SET chunk = top.chunk + n.place
FROM (SELECT coalesce(max(chunk), 0) AS chunk FROM bulk_run_row WHERE tenant_id = :tenant AND run_id = :run) top,
    unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS n(id, place)
WHERE r.tenant_id = :tenant AND r.id = n.id
RETURNING r.chunk
""")


def _split(session: Session, run: UUID, rows: Sequence[UUID]) -> Sequence[int]:
    """Give each row a chunk of its own, behind all others; the run is locked, so that two splits do not choose the same
    numbers."""
    session.execute(select(BulkRun.id).where(BulkRun.id == run).with_for_update())
    values = {"tenant": tenant_of(session), "run": run, "ids": list(rows)}
    return sorted(session.connection().execute(_RENUMBER, values).scalars())
