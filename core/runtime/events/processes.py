"""The two kinds of process that deliver events, relay and worker, each in the foreground until it is told to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from core.kernel.clock import Clock, SystemClock
from core.kernel.collector import settle_collector
from core.runtime.db.engine import forget_inherited_connections, forget_plans
from core.runtime.events.deaths import Message, Track, Watch
from core.runtime.events.dispatch import CALL, Dispatcher
from core.runtime.events.kit import Kit, Outcome
from core.runtime.events.pruning import Keep
from core.runtime.events.relay import Relay, RelayOptions
from core.runtime.events.rules import WORKER_DEATHS
from core.runtime.events.schedules import Schedule
from core.runtime.events.subscribers import Subscriber, SubscriberRegistry, install_registry
from core.runtime.jobs.process import Place, WorkerOptions
from core.runtime.jobs.queue import DEFAULT_LANE, Doorbell, QueueDown, connect
from core.runtime.jobs.supervisor import Supervisor
from core.runtime.tenancy.database import Database

_ASK_EVERY_S = 0.02


def _deaf(_outcome: Outcome) -> None:
    return None


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRuntime:
    """What the composition root knows about events.

    `registry` has the subscribers of everything that is installed, those of `schedules` included (`schedule_subscribers`). `after_fork`
    runs in each working process before its first job: whatever else holds connections drops them there. `watch` says whose work rests
    because it kills workers; a delivery over which `worker_deaths` of them died in a row is given up.
    """

    database: Database
    relay_url: str
    queue_url: str
    registry: SubscriberRegistry
    schedules: Sequence[Schedule] = ()
    clock: Clock = field(default_factory=SystemClock)
    keep: Keep = field(default_factory=Keep)
    on_outcome: Callable[[Outcome], None] = _deaf
    watch: Watch = field(default_factory=Watch)
    worker_deaths: int = WORKER_DEATHS
    after_fork: Callable[[], None] = _nothing


def schedule_subscribers(schedules: Sequence[Schedule]) -> list[Subscriber]:
    """The subscribers that do the work of these schedules' ticks."""
    return [subscriber for subscriber in (schedule.subscriber() for schedule in schedules) if subscriber is not None]


class _Manners:
    """Letting others go first: a long message is cut short and goes to the end of the queue when somebody waits in front."""

    def __init__(self, bell: Doorbell, lane: str) -> None:
        self._bell, self._lane, self._asked_at = bell, lane, 0.0

    def should_yield(self) -> bool:
        """Whether somebody waits in front; looked up now and then."""
        now = time.monotonic()
        if now - self._asked_at < _ASK_EVERY_S:
            return False
        self._asked_at = now
        try:
            return self._bell.is_hurried(self._lane)
        except QueueDown:
            return False

    def queue_again(self, left: Message) -> None:
        """Put the rest of a message at the end of the queue. When that fails, the relay rings for it after a while."""
        if left:
            with suppress(QueueDown):
                self._bell.ring(self._lane, CALL, [left])


def serve_worker(runtime: EventRuntime, *, lane: str = DEFAULT_LANE, processes: int = 1) -> None:
    """Handle deliveries of one lane until SIGTERM or SIGINT. Forks: no threads and no open connections before."""
    options = WorkerOptions(queue_url=runtime.queue_url, lane=lane, processes=processes)

    def prepare(place: Place) -> dict[str, Callable[..., Any]]:
        forget_inherited_connections(runtime.database.engine)
        forget_plans(runtime.database.engine)
        runtime.after_fork()
        install_registry(runtime.registry)
        manners = _Manners(Doorbell(connect(runtime.queue_url)), lane)
        kit = Kit(
            database=runtime.database,
            registry=runtime.registry,
            limits=place.limits,
            clock=runtime.clock,
            should_stop=place.should_stop,
            should_yield=manners.should_yield,
            on_outcome=runtime.on_outcome,
            watch=runtime.watch,
            track=Track(place.notebook),
            worker_deaths=runtime.worker_deaths,
        )
        dispatcher = Dispatcher(kit)
        if place.remains is not None:
            dispatcher.take_over(place.remains)
        return {CALL: lambda message: manners.queue_again(dispatcher.deliver(message))}

    Supervisor(options, prepare).run()


def serve_relay(runtime: EventRuntime) -> None:
    """Wake workers, fire timers and tidy up until SIGTERM or SIGINT."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    options = RelayOptions(database_url=runtime.relay_url, queue_url=runtime.queue_url, keep=runtime.keep)
    settle_collector()
    Relay(options, runtime.registry, runtime.schedules, clock=runtime.clock).run(lambda: stopping)
