"""What delivering needs, and the transaction that a subscriber is lent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from uuid import UUID

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session
from structlog.typing import FilteringBoundLogger

from core.kernel.clock import Clock, SystemClock
from core.kernel.errors import Denied
from core.runtime.events.deaths import Track, Watch
from core.runtime.events.rules import WORKER_DEATHS
from core.runtime.events.subscribers import Subscriber, SubscriberRegistry
from core.runtime.jobs.limits import Limits
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Scope
from core.runtime.tenancy.session import TenantSession

_LENT = "lent_transaction"


class TransactionTaken(Denied):
    """A subscriber ended the transaction that it was only lent."""

    code = "events.transaction_taken"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one call of a subscriber went: `error` is None when it went well; `dead` counts deliveries that were given up."""

    tenant_id: int
    subscriber: Subscriber
    count: int
    error: BaseException | None = None
    dead: int = 0


def _never() -> bool:
    return False


def _deaf(_outcome: Outcome) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Kit:
    """What delivering needs. `on_outcome` hears of every call after its transaction has ended; it must not raise.

    `should_stop` ends a message after the delivery at hand for good, `should_yield` for the sake of somebody who has waited longer.
    A delivery over which `worker_deaths` workers have died in a row is given up.
    """

    database: Database
    registry: SubscriberRegistry
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=SystemClock)
    random: Random = field(default_factory=Random)
    should_stop: Callable[[], bool] = _never
    should_yield: Callable[[], bool] = _never
    on_outcome: Callable[[Outcome], None] = _deaf
    watch: Watch = field(default_factory=Watch)
    track: Track = field(default_factory=Track)
    worker_deaths: int = WORKER_DEATHS
    log: FilteringBoundLogger = field(default_factory=lambda: structlog.get_logger("oms.events"))


@dataclass(slots=True)
class Group:
    """The part of a message that belongs to one tenant and one subscriber.

    `stopped` are subjects that wait for an earlier event.
    """

    scope: Scope
    subscriber: Subscriber
    ids: Sequence[UUID]
    size: int
    stopped: set[str] = field(default_factory=set)
    is_cut_short: bool = False

    def goes_on(self, kit: Kit) -> bool:
        """Whether the next delivery may begin; asked before each. Once it may not, the group is cut short."""
        self.is_cut_short = self.is_cut_short or kit.should_stop() or kit.should_yield()
        return not self.is_cut_short

    @property
    def blocks(self) -> bool:
        """Whether a dead delivery holds back later ones of its subject."""
        return self.subscriber.on_dead == "block" and not self.subscriber.coalesce

    def traced(self, trace: str) -> Scope:
        """The group's scope, carrying on the trace of an event."""
        return replace(self.scope, trace=trace)


@contextmanager
def lent(session: Session) -> Iterator[None]:
    """Lend the session's transaction to a subscriber: committing it raises TransactionTaken, and so does having rolled it back.

    A subscriber that forks ends here: the copy must not go on with our connections.
    """
    process, transaction = os.getpid(), session.get_transaction()
    session.info[_LENT] = True
    try:
        yield
    finally:
        session.info.pop(_LENT, None)
        if os.getpid() != process:
            os._exit(70)
    if session.get_transaction() is not transaction:
        raise TransactionTaken


@event.listens_for(TenantSession, "before_commit")
def _refuse_commit(session: Session) -> None:
    if session.info.get(_LENT) and not session.in_nested_transaction():
        raise TransactionTaken
