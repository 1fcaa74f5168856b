"""Who hears of which events: frozen descriptors, collected at boot, and the switch that says which plugins run for a tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from core.kernel.errors import Invalid

if TYPE_CHECKING:
    from core.runtime.events.handling import DeliveredEvent, Failure

    # The first argument is a LocalContext or RemoteContext; a plugin's function gets its own DeliveryContext instead.
    LocalHandler = Callable[[Any, Sequence[DeliveredEvent]], None]
    RemotePrepare = Callable[[Any], Any]
    RemoteSend = Callable[[Any], Any]
    RemoteAsk = Callable[[Any], "Answer"]
    RemoteComplete = Callable[[Any, Any], None]
    RemoteFailed = Callable[[Any, Failure], None]

OnDead = Literal["block", "skip"]


class Mode(StrEnum):
    """How a plugin stands for one tenant: what happens to new deliveries and to those on their way."""

    ON = "on"  # made and handled
    PAUSED = "paused"  # made, but parked until the plugin is resumed
    DRAINING = "draining"  # none made; those on their way are handled
    OFF = "off"  # none made; those on their way are parked


Gate = Callable[[int, str], Mode]
"""(tenant id, plugin id) to its mode; asked often, so it answers from memory."""


def gate_from(is_enabled: Callable[[int, str], bool]) -> Gate:
    """A gate that knows on and off only."""
    return lambda tenant_id, plugin: Mode.ON if is_enabled(tenant_id, plugin) else Mode.OFF


def always_on(_tenant_id: int, _plugin: str) -> Mode:
    """The gate without a plugin host: everything runs for everybody."""
    return Mode.ON


class Answer(StrEnum):
    """What the remote side says about a call whose answer was lost."""

    DONE = "done"
    NOT_DONE = "not_done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """One hearer of events, in the application or in a plugin.

    Attributes:
        key: `<plugin>.<noun>`; stored with every delivery, so it never changes.
        events: exact kinds (`order.paid`), or prefixes that end in a dot (`order.`).
        handle: local effect, `handle(ctx, events)`, in one transaction with the end of the deliveries; None when remote.
        send: remote effect, `send(ctx)`, called without an open transaction and under a lease. May be called again with the same
            `ctx.idempotency_key`. What it returns goes to `complete`.
        prepare: optional, `prepare(ctx)` inside the transaction that takes the lease; what it returns is `ctx.request`.
        complete: optional, `complete(ctx, answer)` inside the transaction that ends the delivery.
        failed: optional, `failed(ctx, failure)` inside the transaction that writes the verdict on an attempt that did not succeed; what it
            raises is logged and changes nothing about the verdict.
        ask: `ask(ctx)` after a lost answer: did it take effect? Without it the call is repeated if that is harmless
            (`repeatable`), else the delivery is dead and a person decides.
        repeatable: the remote side honours the idempotency key, so that a repeat does no harm.
        batch: the most events of one tenant that one call may get; 1 means one transaction for each event. Remote: always 1.
        on_dead: what a dead delivery does to later ones of its subject: block them, or let them pass.
        coalesce: only the newest event of a subject counts; older ones that have not begun are skipped.
        max_attempts: failed attempts after which a delivery is dead.
        timeout_s: seconds that one call may take; its process is killed soon after.
        plugin: the plugin's id, or None for the core.
        lane: name of the queue; workers serve one lane each.
    """

    key: str
    events: tuple[str, ...]
    handle: LocalHandler | None = None
    send: RemoteSend | None = None
    prepare: RemotePrepare | None = None
    complete: RemoteComplete | None = None
    failed: RemoteFailed | None = None
    ask: RemoteAsk | None = None
    repeatable: bool = False
    batch: int = 1
    on_dead: OnDead = "block"
    coalesce: bool = False
    max_attempts: int = 30
    timeout_s: float = 30.0
    plugin: str | None = None
    lane: str = ""

    def __post_init__(self) -> None:
        if "." not in self.key:
            raise Invalid("A subscriber's key is <plugin>.<noun>.", field="key", key=self.key)
        if (self.handle is None) == (self.send is None):
            raise Invalid("A subscriber has either a local effect (handle) or a remote one (send).", field="handle", key=self.key)
        if self.remote and self.batch != 1:
            raise Invalid("A remote subscriber gets one event at a time.", field="batch", key=self.key)
        if self.batch < 1 or self.max_attempts < 1 or not 0 < self.timeout_s <= 300:
            raise Invalid("batch and max_attempts start at 1, timeout_s lies between 0 and 300.", field="batch", key=self.key)

    @property
    def remote(self) -> bool:
        """Whether the effect happens outside the database."""
        return self.send is not None

    def hears(self, kind: str) -> bool:
        """Whether events of this kind are for this subscriber."""
        return any(kind == wanted or (wanted.endswith(".") and kind.startswith(wanted)) for wanted in self.events)


@dataclass(frozen=True)
class SubscriberRegistry:
    """All subscribers of this process, and the gate that says for whom they run."""

    subscribers: tuple[Subscriber, ...] = ()
    gate: Gate = always_on
    _by_kind: dict[str, tuple[Subscriber, ...]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys = [subscriber.key for subscriber in self.subscribers]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise Invalid("Two subscribers share a key.", field="key", keys=twice)

    @cached_property
    def _by_key(self) -> Mapping[str, Subscriber]:
        return {subscriber.key: subscriber for subscriber in self.subscribers}

    @cached_property
    def blocking(self) -> list[str]:
        """Keys of the subscribers whose dead deliveries hold back later ones."""
        return [subscriber.key for subscriber in self.subscribers if subscriber.on_dead == "block" and not subscriber.coalesce]

    @cached_property
    def coalescing(self) -> list[str]:
        """Keys of the subscribers for whom only the newest event of a subject counts."""
        return [subscriber.key for subscriber in self.subscribers if subscriber.coalesce]

    def find(self, key: str) -> Subscriber | None:
        """The subscriber with this key, or None: its plugin may have been removed."""
        return self._by_key.get(key)

    def keys_of(self, plugin: str) -> list[str]:
        """Keys of a plugin's subscribers."""
        return [subscriber.key for subscriber in self.subscribers if subscriber.plugin == plugin]

    def hearers(self, kind: str) -> tuple[Subscriber, ...]:
        """Everybody who hears events of this kind, whatever the tenant, by key."""
        found = self._by_kind.get(kind)
        if found is None:
            found = tuple(sorted((s for s in self.subscribers if s.hears(kind)), key=lambda s: s.key))
            self._by_kind[kind] = found
        return found

    def mode(self, tenant_id: int, subscriber: Subscriber) -> Mode:
        """How this subscriber stands for the tenant; the core's own are always on."""
        return Mode.ON if subscriber.plugin is None else self.gate(tenant_id, subscriber.plugin)

    def extended(self, more: Iterable[Subscriber]) -> SubscriberRegistry:
        """A registry with `more` subscribers beside these."""
        return SubscriberRegistry((*self.subscribers, *more), self.gate)


_EMPTY = SubscriberRegistry()
_installed = _EMPTY


def install_registry(registry: SubscriberRegistry | None) -> None:
    """Make `registry` the one that `emit` uses in this process; the composition root calls it once. None takes it out again."""
    global _installed
    _installed = registry or _EMPTY


def installed_registry() -> SubscriberRegistry:
    """The registry of this process; without one installed, an empty one."""
    return _installed
