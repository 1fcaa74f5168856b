"""How the relay shares out work, without input or output: who may send how much in a round, and what goes into one message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from core.runtime.events.deaths import Message
from core.runtime.events.rules import piece_size
from core.runtime.events.subscribers import Subscriber, SubscriberRegistry
from core.runtime.jobs.queue import DEFAULT_LANE, REMOTE_LANE

WAITING_PER_WORKER = 3
SMALLEST_MESSAGE = 25.0
_ROUNDING = 1e-6
_NOBODY = "-"


class Pair(NamedTuple):
    """A tenant and a subscriber with something waiting."""

    tenant_id: int
    subscriber: str


class Picked(NamedTuple):
    """A due delivery."""

    id: UUID
    tenant_id: int
    subscriber: str
    subject: str
    seq: int
    next_at: datetime
    attempts: int
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue as the relay finds it before a round: how many messages wait, how many workers serve it."""

    name: str
    waiting: int
    workers: int

    @property
    def room(self) -> int:
        """Messages that may be added: three waiting for each worker, so that leases and guards do not run out in the queue."""
        return WAITING_PER_WORKER * max(1, self.workers) - self.waiting

    @property
    def message_units(self) -> int:
        """The most transactions of one message; remote calls are slow, so few of them wait behind each other."""
        return 10 if self.name == REMOTE_LANE else 100


def own_lane(subscriber: Subscriber | None) -> str:
    """The lane of a subscriber: the one it names, or that of its kind of work."""
    if subscriber is None:
        return DEFAULT_LANE
    return subscriber.lane or (REMOTE_LANE if subscriber.remote else DEFAULT_LANE)


def lane_of(subscriber: Subscriber | None, staffed: Collection[str]) -> str:
    """The lane to use: its own, or the default one while nobody serves that."""
    lane = own_lane(subscriber)
    return lane if lane in staffed else DEFAULT_LANE


def cost(size: int) -> float:
    """What one delivery of a piece of `size` costs, in transactions; handling one among many is not free either."""
    return max(0.1, 1 / max(1, size))


def shares(
    pairs: Sequence[Pair], lane: Lane, registry: SubscriberRegistry, *, after: int, greedy: Collection[int]
) -> dict[Pair, int]:
    """How many deliveries each pair of this lane may send in this round.

    The room is divided evenly among tenants, and a tenant's share among its subscribers. When there are more tenants than room,
    those that follow tenant `after` come first. When the room is used up, tenants that were not `greedy` lately still get a little,
    so that nobody waits behind the backlog of another.
    """
    budget = lane.room * lane.message_units
    if budget <= 0:
        if lane.room <= -max(1, lane.workers):
            return {}
        pairs = [pair for pair in pairs if pair.tenant_id not in greedy]
        budget = lane.message_units
    by_tenant: dict[int, list[Pair]] = {}
    for pair in pairs:
        by_tenant.setdefault(pair.tenant_id, []).append(pair)
    tenants = sorted(by_tenant, key=lambda tenant: (tenant <= after, tenant))[:budget]
    given = {}
    for tenant in tenants:
        units = budget / len(tenants) / len(by_tenant[tenant])
        for pair in by_tenant[tenant]:
            subscriber = registry.find(pair.subscriber)
            given[pair] = max(1, int(units / cost(1 if subscriber is None else subscriber.batch)))
    return given


def messages(picked: Iterable[Picked], registry: SubscriberRegistry, lane: Lane, *, suspects: Collection[str] = ()) -> list[Message]:
    """Deliveries of one lane as messages: by tenant and subscriber, a subject's events together and in order.

    Small groups share a message. What is enough for several workers is divided among them. A subject over whose deliveries a worker
    has died has a message to itself, and so has all work of the plugins `suspects`: the next death takes nobody else's work with it.
    """
    chains = _chains(picked, registry, suspects)
    units = sum(chain.units for chain in chains)
    most = min(lane.message_units, max(SMALLEST_MESSAGE, units / max(1, lane.workers)))
    result: list[list[tuple[int, str, int, list[str]]]] = []
    used, company = most, ""
    for chain in chains:
        is_apart = bool(result) and (chain.is_alone or chain.company != company)
        if is_apart or (used and used + chain.units > most + _ROUNDING) or not result:
            result.append([])
            used = 0.0
        company = _NOBODY if chain.is_alone else chain.company
        message = result[-1]
        if not message or message[-1][:3] != chain.head:
            message.append((*chain.head, []))
        message[-1][3].extend(chain.ids)
        used += chain.units
    return [list(message) for message in result]


class _Chain(NamedTuple):
    """What one subscriber is to hear of one subject; `head` is (tenant id, subscriber, deliveries per transaction).

    Only chains of the same `company` share a message, and none shares with one that is alone.
    """

    head: tuple[int, str, int]
    ids: list[str]
    company: str
    is_alone: bool

    @property
    def units(self) -> float:
        """What it costs, in transactions."""
        return len(self.ids) * cost(self.head[2])


def _chains(picked: Iterable[Picked], registry: SubscriberRegistry, suspects: Collection[str]) -> list[_Chain]:
    ordered = sorted(picked, key=lambda one: (one.tenant_id, one.subscriber, one.subject, one.seq))
    chains = []
    for (tenant_id, key, _), group in groupby(ordered, key=lambda one: (one.tenant_id, one.subscriber, one.subject)):
        events = list(group)
        subscriber = registry.find(key)
        batch = 1 if subscriber is None else subscriber.batch
        size = min(piece_size(batch, attempts=one.attempts, interrupted=one.interrupted) for one in events)
        plugin = "" if subscriber is None else subscriber.plugin or ""
        company = plugin if plugin in suspects else ""
        is_alone = any(one.interrupted for one in events)
        chains.append(_Chain((tenant_id, key, size), [one.id.hex for one in events], company, is_alone))
    return sorted(chains, key=lambda chain: (chain.is_alone, chain.company, chain.head))


def suspected(picked: Iterable[Picked], registry: SubscriberRegistry) -> set[str]:
    """Plugins over whose deliveries workers have died."""
    found = (registry.find(one.subscriber) for one in picked if one.interrupted)
    return {subscriber.plugin for subscriber in found if subscriber is not None and subscriber.plugin is not None}


def greedy_tenants(picked: Iterable[Picked], given: Mapping[Pair, int]) -> set[int]:
    """Tenants that used up the share of one of their subscribers: they have more waiting."""
    used = Counter(Pair(one.tenant_id, one.subscriber) for one in picked)
    return {pair.tenant_id for pair, count in used.items() if count >= given.get(pair, count + 1)}


class Queued:
    """What this relay has rung for and no worker has begun, as far as it knows.

    It forgets after `guard_s`: a message may have been lost with the queue. A delivery that became due anew is a new one.
    """

    def __init__(self, guard_s: float) -> None:
        self._guard_s = guard_s
        self._by_pair: dict[Pair, dict[tuple[datetime, UUID], float]] = {}

    def count(self, pair: Pair) -> int:
        """How many of a pair are queued; a search for what is due finds these too, and finds them first."""
        return len(self._by_pair.get(pair, ()))

    def fresh(self, found: Sequence[Picked], pair: Pair, *, wanted: int, now: float) -> list[Picked]:
        """Those of `found` that are not queued, at most `wanted`.

        `found` is the beginning of what is due for the pair, in order, `wanted` + `count(pair)` long unless there was no more.
        What is queued but should have been in it has been begun, and is forgotten.
        """
        queued = self._by_pair.get(pair, {})
        keys = {(one.next_at, one.id) for one in found}
        last = max(keys) if len(found) >= wanted + len(queued) else None
        self._by_pair[pair] = queued = {
            key: until for key, until in queued.items() if until > now and (key in keys or (last is not None and key > last))
        }
        return [one for one in found if (one.next_at, one.id) not in queued][:wanted]

    def add(self, rung: Iterable[Picked], now: float) -> None:
        """Remember what has been rung for."""
        for one in rung:
            pair = Pair(one.tenant_id, one.subscriber)
            self._by_pair.setdefault(pair, {})[one.next_at, one.id] = now + self._guard_s

    def clear(self) -> None:
        """Forget everything."""
        self._by_pair.clear()
