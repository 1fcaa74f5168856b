"""Timers: frozen descriptors, and which of their ticks are due. Nothing here touches the database or the clock.

A tick is a moment that every process computes alike, so that it can be fired once by whoever inserts it first (`ticks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Literal
from zlib import crc32
from zoneinfo import ZoneInfo

from core.kernel.errors import Invalid
from core.runtime.events.subscribers import Subscriber

if TYPE_CHECKING:
    from core.runtime.events.subscribers import LocalHandler, RemoteSend

SUBJECT = "schedule"
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Something to do again and again for each tenant; a tick is an event `schedule.<key>` and is delivered like any other.

    Attributes:
        key: `<plugin>.<noun>`, never changed.
        every_s: seconds between ticks; or
        at: local time of day, once a day in the tenant's time zone. A time that the change to summer time skips comes an hour
            later; one that the change back repeats is taken the first time.
        jitter_s: spreads tenants over so many seconds, each always at the same place.
        window_s: how late a tick may be fired that was missed, for example while nothing ran.
        missed: of several missed ticks fire the latest, or each.
        handle, send: as with Subscriber; `send` for work that talks to others, it must bear being repeated.
        plugin: the plugin's id, or None for the core.
    """

    key: str
    every_s: int | None = None
    at: time | None = None
    jitter_s: int = 0
    window_s: int = 6 * 3600
    missed: Literal["latest", "each"] = "latest"
    handle: LocalHandler | None = None
    send: RemoteSend | None = None
    timeout_s: float = 60.0
    max_attempts: int = 5
    plugin: str | None = None

    def __post_init__(self) -> None:
        if (self.every_s is None) == (self.at is None):
            raise Invalid("A schedule has either every_s or at.", field="every_s", key=self.key)
        if self.every_s is not None and self.every_s < 1:
            raise Invalid("A schedule ticks at most once a second.", field="every_s", key=self.key)
        if not 0 <= self.jitter_s <= (self.every_s or _DAY_S):
            raise Invalid("The jitter is at most one period.", field="jitter_s", key=self.key)

    @property
    def kind(self) -> str:
        """The kind of event that a tick is."""
        return f"{SUBJECT}.{self.key}"

    def subscriber(self) -> Subscriber | None:
        """Who does the work of a tick.

        None when other subscribers listen for it. A tick that comes late replaces those before it.
        """
        if self.handle is None and self.send is None:
            return None
        return Subscriber(
            key=self.key,
            events=(self.kind,),
            handle=self.handle,
            send=self.send,
            repeatable=self.send is not None,
            on_dead="skip",
            coalesce=self.missed == "latest",
            max_attempts=self.max_attempts,
            timeout_s=self.timeout_s,
            plugin=self.plugin,
        )


def offset_s(schedule: Schedule, tenant_id: int) -> int:
    """The tenant's place within the jitter: the same in every process, at every start."""
    if not schedule.jitter_s:
        return 0
    return crc32(f"{schedule.key}:{tenant_id}".encode()) % schedule.jitter_s


def due_ticks(schedule: Schedule, *, zone: ZoneInfo, offset: int, now: datetime, last: datetime | None) -> list[datetime]:
    """Ticks that should have fired by `now` and are not older than the window, oldest first.

    `last` is the tick fired last, if any; without one only the latest counts, because before it there was nobody to tick for.
    """
    earliest = now - timedelta(seconds=schedule.window_s)
    shift = timedelta(seconds=offset)
    ticks: list[datetime] = []
    tick = _latest(schedule, zone, now - shift) + shift
    while tick >= earliest and (last is None or tick > last):
        ticks.append(tick)
        if last is None or schedule.missed == "latest":
            break
        tick = _latest(schedule, zone, tick - shift - timedelta(seconds=1)) + shift
    return ticks[::-1]


def _latest(schedule: Schedule, zone: ZoneInfo, moment: datetime) -> datetime:
    """The last tick that is not after `moment`, jitter left aside; aware UTC, whole seconds."""
    if schedule.every_s is not None:
        return datetime.fromtimestamp(int(moment.timestamp()) // schedule.every_s * schedule.every_s, UTC)
    assert schedule.at is not None
    day = moment.astimezone(zone).date() + timedelta(days=1)
    while True:
        tick = _on_day(day, schedule.at, zone)
        if tick <= moment:
            return tick
        day -= timedelta(days=1)


def _on_day(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment of a local time on a day: of two the first (`fold` is 0), and in a gap as much later as the gap is long."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)
