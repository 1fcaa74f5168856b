"""The relay: finds due deliveries of all tenants and wakes workers for them; it also fires timers and tidies up.

It decides nothing that matters, because whoever handles a delivery checks again under lock. So it may be killed at any moment,
and while the queue is away it waits and nothing is lost. Several may run: one works, the others take over within seconds when it
ends or hangs.
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
from core.runtime.events.claims import GUARD_S
from core.runtime.events.dispatch import CALL
from core.runtime.events.outbox import CHANNEL, HINT_EVERY_S
from core.runtime.events.pruning import BITE, Keep, prune
from core.runtime.events.schedules import Schedule
from core.runtime.events.sharing import Lane, Pair, Picked, Queued, greedy_tenants, lane_of, messages, own_lane, shares, suspected
from core.runtime.events.subscribers import SubscriberRegistry
from core.runtime.events.ticks import Timekeeper
from core.runtime.jobs.queue import DEFAULT_LANE, Doorbell, QueueDown, connect

POLL_S = 1.0
SOON_S = 0.02
_CHORES_S = 1.0
_RESUME_S = 5.0
_PRUNE_S = 600.0
_GREEDY_S = 2.0
_SUSPECT_S = 600.0
_EAGER_S = 1.5
_QUEUE_PATIENCE_S = 5.0
_RECONNECT_S = (0.1, 0.5, 1.0, 2.0)
# What the relay writes are hints that a later round can write again, so its commits need not wait for the disk.
_OPTIONS = "-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=3000 -c synchronous_commit=off"

Connection = psycopg.Connection[Any]


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
        self._bell = Doorbell(connect(options.queue_url, patience_s=_QUEUE_PATIENCE_S))
        self._timekeeper = Timekeeper(schedules, registry)
        self._queued = Queued(GUARD_S)
        self._lanes = sorted({DEFAULT_LANE, *map(own_lane, registry.subscribers)})
        self._after: dict[str, int] = {}
        self._greedy: dict[int, float] = {}
        self._suspects: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self._eager_until = 0.0
        self._log = structlog.get_logger("oms.relay")

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Relay until told to stop. A lost database or queue is waited for."""
        losses = 0
        while not should_stop():
            try:
                with self.connected() as connection, self.connected() as ear:
                    ear.execute(f"LISTEN {CHANNEL}")
                    losses = 0
                    self._stand_by(connection, should_stop)
                    self._relay(connection, ear, should_stop)
            except psycopg.OperationalError as error:
                self._log.warning("relay.database_lost", error=type(error).__name__)
                time.sleep(_RECONNECT_S[min(losses, len(_RECONNECT_S) - 1)])
                losses += 1

    def connected(self) -> Connection:
        """A connection as the relay's role, each statement its own transaction.

        Nothing is prepared: a plan from when hardly anything waited would be kept when much does.
        """
        address = self._options.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        return psycopg.connect(address, autocommit=True, prepare_threshold=None, application_name="oms-relay", options=_OPTIONS)

    def _stand_by(self, connection: Connection, should_stop: Callable[[], bool]) -> None:
        """Wait until no other relay works. What this one remembers from before is out of date then."""
        while not should_stop() and not rounds.lead(connection):
            time.sleep(POLL_S)
        self._queued.clear()
        self._timekeeper.forget()

    def _relay(self, connection: Connection, ear: Connection, should_stop: Callable[[], bool]) -> None:
        while not should_stop():
            try:
                self.chores(connection)
                wait = self._eager(self.round(connection))
            except QueueDown:
                self._log.warning("relay.queue_down")
                self._queued.clear()
                wait = POLL_S
            if wait:
                _listen(ear, wait)

    def _eager(self, wait_s: float) -> float:
        """Look again soon for a while after there was something to do: not every event comes with a hint."""
        now = time.monotonic()
        if wait_s == 0.0:
            self._eager_until = now + _EAGER_S
        return min(wait_s, HINT_EVERY_S) if now < self._eager_until else wait_s

    def round(self, connection: Connection) -> float:
        """Wake workers for what is due. Returns how many seconds the next round may wait. Raises QueueDown."""
        pairs = rounds.waiting_pairs(connection)
        if not pairs:
            return POLL_S
        lanes = [Lane(name, self._bell.waiting(name), self._bell.workers(name)) for name in self._lanes]
        staffed = {lane.name for lane in lanes if lane.workers}
        waits = []
        for lane in lanes:
            of_lane = [pair for pair in pairs if lane_of(self._registry.find(pair.subscriber), staffed) == lane.name]
            if of_lane:
                waits.append(self._round_of(connection, lane, of_lane))
        return min(waits, default=POLL_S)

    def _round_of(self, connection: Connection, lane: Lane, pairs: Sequence[Pair]) -> float:
        now = time.monotonic()
        self._greedy = {tenant: until for tenant, until in self._greedy.items() if until > now}
        given = shares(pairs, lane, self._registry, after=self._after.get(lane.name, 0), greedy=self._greedy)
        if not given:
            return SOON_S
        found: dict[Pair, list[Picked]] = {pair: [] for pair in given}
        for one in rounds.pick(connection, {pair: wanted + self._queued.count(pair) for pair, wanted in given.items()}):
            found[Pair(one.tenant_id, one.subscriber)].append(one)
        fresh = [
            one for pair, wanted in given.items() for one in self._queued.fresh(found[pair], pair, wanted=wanted, now=now)
        ]
        if not fresh:
            return SOON_S if any(found.values()) else POLL_S
        turn = rounds.in_turn(connection, rounds.coalesce(connection, fresh, self._registry.coalescing), self._registry.blocking)
        self._after[lane.name] = next(reversed(given)).tenant_id
        self._greedy.update(dict.fromkeys(greedy_tenants(fresh, given), now + _GREEDY_S))
        if not turn.picked:
            return SOON_S if turn.held else 0.0
        self._ring(lane, turn.picked)
        self._queued.add(turn.picked, now)
        return 0.0

    def _ring(self, lane: Lane, picked: Sequence[Picked]) -> None:
        """Wake workers; those tenants who have little waiting go before those who have much, and what may kill a worker goes last."""
        self._suspect(picked)
        risky = [one for one in picked if one.interrupted or self._is_suspect(one)]
        rest = [one for one in picked if one not in risky] if risky else picked
        much = [one for one in rest if one.tenant_id in self._greedy]
        little = [one for one in rest if one.tenant_id not in self._greedy]
        for part, first in ((much, False), (little, lane.waiting > 0), (risky, False)):
            if part:
                self._bell.ring(lane.name, CALL, messages(part, self._registry, lane, suspects=self._suspects), first=first)

    def _suspect(self, picked: Sequence[Picked]) -> None:
        now = time.monotonic()
        self._suspects = {plugin: until for plugin, until in self._suspects.items() if until > now}
        self._suspects.update(dict.fromkeys(suspected(picked, self._registry), now + _SUSPECT_S))

    def _is_suspect(self, one: Picked) -> bool:
        subscriber = self._registry.find(one.subscriber) if self._suspects else None
        return subscriber is not None and subscriber.plugin in self._suspects

    def chores(self, connection: Connection) -> None:
        """What is to be done now and then: leases that ran out, timers, plugins that were switched on again, old rows."""
        if self._is_time("each second", _CHORES_S):
            rounds.expire_leases(connection)
            self._timekeeper.fire(connection, self._clock.now())
        if self._is_time("resume", _RESUME_S):
            rounds.resume_parked(connection, self._registry)
        if self._is_time("prune", _PRUNE_S) and prune(connection, self._clock.now(), self._options.keep) >= BITE:
            self._due["prune"] = 0.0

    def _is_time(self, chore: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(chore, 0.0):
            return False
        self._due[chore] = now + every_s
        return True


def _listen(ear: Connection, wait_s: float) -> None:
    """Wait for a hint that something is due, at most `wait_s` seconds; hints that came together count once."""
    for _ in ear.notifies(timeout=wait_s, stop_after=1):
        pass
    for _ in ear.notifies(timeout=0):
        pass
