"""Bulk runs on the way of events:

asked for, filled, worked off chunk by chunk, ended. Each step is a delivery, so each row's effect is once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.orm import Session

from core.runtime.events.handling import DeliveredEvent, LocalContext
from core.runtime.events.outbox import EventDraft, emit
from core.runtime.events.subscribers import Subscriber
from core.runtime.jobs.actions import ActionRegistry, BulkAction
from core.runtime.jobs.bulk import RunRequest, cancel_run, create_run, expand, failed_ids, find_run, run_chunk
from core.runtime.security.audit import record
from core.runtime.tenancy.scope import Actor, tenant_scope

LANE = "bulk"
REQUESTED = "bulk.requested"
CHUNK_READY = "bulk.chunk_ready"
FINISHED = "bulk.finished"


def start_run(session: Session, request: RunRequest, actions: ActionRegistry) -> UUID:
    """Ask for a bulk run; workers carry it out. Returns its id; the same `request_key` again returns the first one.

    The caller has checked the action's permission. Raises ActionUnknown, Invalid. Emits: bulk.requested.
    """
    action = actions.get(request.action)
    run, is_new = create_run(session, request, action)
    if is_new:
        record(session, "bulk.started", "bulk_run", run, {"action": [None, action.key]})
        emit(session, [EventDraft(REQUESTED, "bulk_run", run, {"action": action.key})])
    return run


def cancel(session: Session, run: UUID) -> bool:
    """Stop a run; what is done stays done. Returns False when it had ended already. Raises RunUnknown. Emits: bulk.finished."""
    stopped = cancel_run(session, run)
    if stopped:
        record(session, "bulk.cancelled", "bulk_run", run)
        _tell_end(session, run)
    return stopped


def retry_failed(session: Session, run: UUID, actions: ActionRegistry, *, states: Sequence[str] = ("failed",)) -> UUID:
    """A new run over the records that failed in this one, or ended in other `states`; asked twice, it is one run.

    Raises RunUnknown, NothingToRetry.
    """
    first = find_run(session, run)
    ids, key = failed_ids(session, run, states=states), ":".join(("retry", str(run), *(state for state in states if state != "failed")))
    request = RunRequest(action=first.action, params=first.params, ids=ids, request_key=key, retry_of=run)
    return start_run(session, request, actions)


def bulk_subscribers(actions: ActionRegistry) -> list[Subscriber]:
    """The subscribers that carry bulk runs out."""

    def on_requested(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
        for event in events:
            run = UUID(event.subject_id)
            asked_by = Actor(**find_run(ctx.session, run).actor)
            with tenant_scope(replace(ctx.scope, actor=asked_by)):
                _announce(ctx.session, run, expand(ctx.session, run, actions.get(event.payload["action"])), event)

    def on_chunk(ctx: LocalContext, events: Sequence[DeliveredEvent]) -> None:
        for event in events:
            _work_off(ctx, event, actions.get(event.payload["action"]))

    return [
        Subscriber(key="core.bulk_fill", events=(REQUESTED,), handle=on_requested, timeout_s=120.0, lane=LANE),
        Subscriber(key="core.bulk_chunk", events=(CHUNK_READY,), handle=on_chunk, on_dead="skip", timeout_s=60.0, lane=LANE),
    ]


def _work_off(ctx: LocalContext, event: DeliveredEvent, action: BulkAction) -> None:
    run, chunk = UUID(event.payload["run"]), int(event.payload["chunk"])
    asked_by = Actor(**find_run(ctx.session, run).actor)
    with tenant_scope(replace(ctx.scope, actor=asked_by)):
        result = run_chunk(ctx.session, run, chunk, action, attempt=event.attempt)
        _announce(ctx.session, run, result.split, event)
        if result.is_last:
            _tell_end(ctx.session, run)


def _tell_end(session: Session, run: UUID) -> None:
    ended = find_run(session, run)
    session.refresh(ended)
    numbers = {name: getattr(ended, name) for name in ("total", "done", "refused", "failed", "cancelled")}
    emit(session, [EventDraft(FINISHED, "bulk_run", run, {"state": ended.state, "action": ended.action, **numbers})])


def _announce(session: Session, run: UUID, chunks: Sequence[int], cause: DeliveredEvent) -> None:
    """One event for each chunk. Each is a subject of its own, so that chunks are worked off side by side."""
    facts = {"run": str(run), "action": cause.payload["action"]}
    emit(session, [EventDraft(CHUNK_READY, "bulk_chunk", f"{run}/{chunk}", {**facts, "chunk": chunk}) for chunk in chunks])
