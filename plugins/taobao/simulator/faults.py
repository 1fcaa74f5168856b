"""Faults that can be switched on, and the platform's own limits on calls."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from core.sdk import Clock
from plugins.taobao.simulator.protocol import TopError

# Each fault and how often it strikes unless told otherwise, as a share of the calls it can strike.
FAULTS = {
    "http-5xx": 0.1,
    "throttle": 0.1,
    "slow": 0.05,
    "truncated-json": 0.1,
    "html-error": 0.1,
    "answer-lost": 0.3,
    "expired-session": 1.0,
    "duplicate-rows": 0.3,
    "missing-rows": 0.3,
    "reordered-rows": 0.5,
    "moving-rows": 0.3,
}
SLOW_S = 2.0


class UnknownFault(ValueError):
    """There is no fault of this name."""


class Faults:
    """Which faults are on. Safe for several threads; the same seed and the same calls give the same faults."""

    def __init__(self, rates: Mapping[str, float | None] | None = None, *, seed: int = 1) -> None:
        self._random = Random(seed)  # noqa: S311 - a schedule of faults, no secret
        self._lock = threading.Lock()
        self._rates: dict[str, float] = {}
        self._until: dict[str, int] = {}
        self._dropped: set[Any] = set()
        self.struck: Counter[str] = Counter()
        for name, rate in (rates or {}).items():
            self.switch_on(name, rate)

    def switch_on(self, name: str, rate: float | None = None) -> None:
        """Let `name` strike this share of the calls (its usual share if None). Raises UnknownFault."""
        if name not in FAULTS:
            raise UnknownFault(f"{name} is not one of {', '.join(FAULTS)}")
        with self._lock:
            self._rates[name] = FAULTS[name] if rate is None else min(max(rate, 0.0), 1.0)
            self._until[name] = -(-self._gap(name) // 4)

    def switch_off(self, name: str | None = None) -> None:
        """End one fault, or all."""
        with self._lock:
            for one in [name] if name else list(self._rates):
                self._rates.pop(one, None)

    def strikes(self, name: str) -> bool:
        """Whether the fault strikes now: first after half its average gap at most, so that short runs see it too."""
        with self._lock:
            if not self._rates.get(name):
                return False
            self._until[name] -= 1
            if self._until[name] > 0:
                return False
            self._until[name] = self._gap(name)
            self.struck[name] += 1
            return True

    def disturbed(self, rows: list[Any], key: str) -> list[Any]:
        """A page's rows with the faults of lists. A row is left out of one page only once, so a second look finds it."""
        if rows and self.strikes("missing-rows"):
            with self._lock:
                fresh = [row for row in rows if row.get(key) not in self._dropped]
                gone = self._random.choice(fresh) if fresh else None
                if gone is not None:
                    self._dropped.add(gone.get(key))
            rows = [row for row in rows if row is not gone]
        if rows and self.strikes("duplicate-rows"):
            rows = [*rows, self._random.choice(rows)]
        if self.strikes("reordered-rows"):
            rows = self._random.sample(rows, len(rows))
        return rows

    def _gap(self, name: str) -> int:
        """Calls until the next strike: evenly from 1 to twice the average less one."""
        rate = self._rates[name]
        return self._random.randint(1, max(round(2 / rate) - 1, 1)) if rate else 0


@dataclass(frozen=True)
class Limits:
    """Calls per second: of the app over all methods, and of one method."""

    app_per_s: int = 2000
    method_per_s: int = 1000


class Limiter:
    """Counts calls in whole seconds and bans what exceeds `limits`, which may be set at any time."""

    def __init__(self, clock: Clock) -> None:
        self.limits = Limits()
        self._clock = clock
        self._lock = threading.Lock()
        self._second = 0
        self._calls: Counter[str] = Counter()
        self._banned_until: dict[str, float] = {}

    def count(self, method: str) -> None:
        """Note one call of `method`. Raises TopError 7 when there are too many, or a ban lasts."""
        now = self._clock.now().timestamp()
        with self._lock:
            left = self._banned_until.get(method, 0.0) - now
            if left > 0:
                raise _limited("api", left)
            if int(now) != self._second:
                self._second, self._calls = int(now), Counter()
            self._calls.update((method, ""))
            if self._calls[""] > self.limits.app_per_s:
                raise _limited("app", 1)
            if self._calls[method] > self.limits.method_per_s:
                self._banned_until[method] = now + 1
                raise _limited("api", 1)

    def ban(self, method: str, seconds: float = 1) -> TopError:
        """Ban a method for a while, as the platform does under load; returns the error to answer with."""
        with self._lock:
            self._banned_until[method] = self._clock.now().timestamp() + seconds
        return _limited("api", seconds)


def _limited(what: str, seconds: float) -> TopError:
    why = f"This ban will last for {max(int(seconds), 1)} more seconds"
    return TopError(7, "App Call Limited", f"accesscontrol.limited-by-{what}-access-count", why)
