"""The relay: finds due deliveries of all tenants and wakes workers for them; it also fires timers and tidies up.

It decides nothing that matters: whoever handles a delivery checks again under lock. So it may be killed at any moment, several may run at once,
and while the queue is away it waits and nothing is lost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import structlog

from core.kernel.clock import Clock, SystemClock
from core.runtime.events import rounds
from core.runtime.events.dispatch import CALL
from core.runtime.events.outbox import CHANNEL
from core.runtime.events.pruning import BITE, Keep, prune
from core.runtime.events.schedules import Schedule
from core.runtime.events.sharing import Lane, Pair, Picked, greedy_tenants, lane_of, messages, own_lane, shares
from core.runtime.events.subscribers import SubscriberRegistry
from core.runtime.events.ticks import Timekeeper
from core.runtime.jobs.queue import DEFAULT_LANE, Doorbell, QueueDown, connect

POLL_S = 1.0
SOON_S = 0.03
_CHORES_S = 1.0
_RESUME_S = 5.0
_PRUNE_S = 600.0
_GREEDY_S = 2.0
_RECONNECT_S = (0.1, 0.5, 1.0, 2.0)
_OPTIONS = "-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=3000"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOptions:
    """Where the relay works. `database_url` is the address for the role `oms_relay`, with or without SQLAlchemy's driver name."""

    database_url: str
    queue_url: str
    keep: Keep = field(default_factory=Keep)


class Relay:
    """One relay process."""

    def __init__(
        self,
        options: RelayOptions,
        registry: SubscriberRegistry,
        schedules: Sequence[Schedule] = (),
        *,
        clock: Clock | None = None,
    ) -> None:
        self._options = options
        self._registry = registry
        self._clock = clock or SystemClock()
        self._bell = Doorbell(connect(options.queue_url))
        self._timekeeper = Timekeeper(schedules, registry)
        self._lanes = sorted({DEFAULT_LANE, *map(own_lane, registry.subscribers)})
        self._after: dict[str, int] = {}
        self._greedy: dict[int, float] = {}
        self._due: dict[str, float] = {}
        self._log = structlog.get_logger("oms.relay")

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Relay until told to stop. A lost database or queue is waited for."""
        address, losses = libpq_address(self._options.database_url), 0
        while not should_stop():
            try:
                with (
                    psycopg.connect(address, application_name="oms-relay", options=_OPTIONS) as connection,
                    psycopg.connect(address, autocommit=True, application_name="oms-relay-ear") as ear,
                ):
                    ear.execute(f"LISTEN {CHANNEL}")
                    losses = 0
                    self._relay(connection, ear, should_stop)
            except psycopg.OperationalError as error:
                self._log.warning("relay.database_lost", error=type(error).__name__)
                self._timekeeper.forget()
                time.sleep(_RECONNECT_S[min(losses, len(_RECONNECT_S) - 1)])
                losses += 1

    def _relay(self, connection: psycopg.Connection[Any], ear: psycopg.Connection[Any], should_stop: Callable[[], bool]) -> None:
        while not should_stop():
            wait = POLL_S
            try:
                self.chores(connection)
                wait = self.round(connection)
            except QueueDown:
                connection.rollback()
                self._log.warning("relay.queue_down")
                time.sleep(POLL_S)
            if wait:
                _listen(ear, wait)

    def round(self, connection: psycopg.Connection[Any]) -> float:
        """Wake workers for what is due. Returns how many seconds the next round may wait."""
        pairs = rounds.waiting_pairs(connection)
        if not pairs:
            connection.commit()
            return POLL_S
        lanes = self._read_lanes()
        staffed = {lane.name for lane in lanes if lane.workers}
        waits = []
        for lane in lanes:
            of_lane = [pair for pair in pairs if lane_of(self._registry.find(pair.subscriber), staffed) == lane.name]
            if of_lane:
                waits.append(self._round_of(connection, lane, of_lane))
        return min(waits, default=POLL_S)

    def _round_of(self, connection: psycopg.Connection[Any], lane: Lane, pairs: Sequence[Pair]) -> float:
        now = time.monotonic()
        greedy = {tenant for tenant, until in self._greedy.items() if until > now}
        given = shares(pairs, lane, after=self._after.get(lane.name, 0), greedy=greedy)
        if not given:
            connection.commit()
            return SOON_S
        picked = rounds.pick(connection, given)
        if not picked:
            connection.commit()
            return POLL_S
        kept = rounds.coalesce(connection, picked, self._registry.coalescing)
        marked = rounds.mark(connection, kept, self._registry.blocking)
        connection.commit()
        self._after[lane.name] = next(reversed(given)).tenant_id
        self._greedy.update(dict.fromkeys(greedy_tenants(picked, given), now + _GREEDY_S))
        self._ring(lane, marked.rung)
        if marked.rung:
            return 0.0
        return SOON_S if marked.held else POLL_S

    def _ring(self, lane: Lane, rung: Sequence[Picked]) -> None:
        """Wake workers; those who have little waiting go before those who have much."""
        now = time.monotonic()
        much = [one for one in rung if self._greedy.get(one.tenant_id, 0.0) > now]
        little = [one for one in rung if self._greedy.get(one.tenant_id, 0.0) <= now]
        for picked, first in ((much, False), (little, lane.waiting > 0)):
            if picked:
                self._bell.ring(lane.name, CALL, messages(picked, self._registry, lane), first=first)

    def _read_lanes(self) -> list[Lane]:
        return [Lane(name, self._bell.waiting(name), self._bell.workers(name)) for name in self._lanes]

    def chores(self, connection: psycopg.Connection[Any]) -> None:
        """What is to be done now and then: leases that ran out, timers, plugins switched on again, old rows. Commits each."""
        if self._is_time("leases", _CHORES_S):
            rounds.expire_leases(connection)
            connection.commit()
            self._timekeeper.fire(connection, self._clock.now())
            connection.commit()
        if self._is_time("resume", _RESUME_S):
            rounds.resume_parked(connection, self._registry)
            connection.commit()
        if self._is_time("prune", _PRUNE_S) and prune(connection, self._clock.now(), self._options.keep) >= BITE:
            self._due["prune"] = 0.0

    def _is_time(self, chore: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(chore, 0.0):
            return False
        self._due[chore] = now + every_s
        return True


def libpq_address(url: str) -> str:
    """The address as libpq reads it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _listen(ear: psycopg.Connection[Any], wait_s: float) -> None:
    """Wait for a hint that something is due, at most `wait_s` seconds; hints that came together count once."""
    for _ in ear.notifies(timeout=wait_s, stop_after=1):
        pass
    for _ in ear.notifies(timeout=0):
        pass
