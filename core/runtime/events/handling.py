"""What a subscriber is handed: the events, and a context with its session, scope, clock and log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from structlog.typing import FilteringBoundLogger

from core.kernel.clock import Clock
from core.runtime.events.subscribers import Subscriber
from core.runtime.tenancy.scope import Scope


@dataclass(frozen=True, slots=True)
class DeliveredEvent:
    """One event as its subscriber gets it. `attempt` counts from 1; `generation` is higher than 1 for a replay."""

    id: UUID
    tenant_id: int
    kind: str
    version: int
    subject_type: str
    subject_id: str
    seq: int
    payload: Mapping[str, Any]
    occurred_at: datetime
    trace: str
    actor: Mapping[str, Any] | None
    delivery_id: UUID
    generation: int
    attempt: int


@dataclass(frozen=True, slots=True)
class LocalContext:
    """For a local effect: `session` is in the transaction that also ends the deliveries; the handler must not end it."""

    session: Session
    scope: Scope
    subscriber: Subscriber
    clock: Clock
    log: FilteringBoundLogger


@dataclass(slots=True)
class RemoteContext:
    """For a remote effect.

    `session` is there in `prepare` and `complete`, and None in `send` and `ask`, which run without a transaction.
    `idempotency_key` is the same on every repeat of this delivery; a replay that a person asked for has a new one. `request` is
    what `prepare` returned.
    """

    event: DeliveredEvent
    scope: Scope
    subscriber: Subscriber
    clock: Clock
    log: FilteringBoundLogger
    idempotency_key: str
    session: Session | None = None
    request: Any = field(default=None)


@dataclass(frozen=True, slots=True)
class Failure:
    """How one attempt at a remote effect failed, and what becomes of the delivery.

    `error` is what was raised, None when a worker died over it too often. `state` is pending, unknown, parked or dead; `retry_in_s` counts
    from now and is 0 for the last two. An attempt that is not `is_counted` never began, or the other side asked to wait.
    """

    error: BaseException | None
    state: str
    attempt: int
    retry_in_s: float = 0.0
    is_counted: bool = True


def idempotency_key(event_id: UUID, subscriber: str, generation: int) -> str:
    """The key that makes repeats of one remote effect recognisable."""
    return f"{event_id}:{subscriber}:{generation}"
