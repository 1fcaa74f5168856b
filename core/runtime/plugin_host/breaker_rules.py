"""The circuit breaker as a pure state machine.

    closed ──too many failures──> open ──cool-down over──> half open ──enough successes──> closed
                                   ▲                            │
                                   └────────a failure───────────┘

Source: docs/architecture/plugins.md, "Breaker"; figures after reliability practice of webhook senders.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal["closed", "open", "half_open"]
PROBE_S = 30.0


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When to open and when to close again. All spans in seconds."""

    least_failures: int = 10
    ratio: float = 0.5
    window_s: float = 60.0
    cool_down_s: float = 60.0
    close_after: int = 5


HTTP_RULE = BreakerRule()
HOOK_RULE = BreakerRule(least_failures=5, window_s=300.0, close_after=2)


@dataclass(frozen=True, slots=True)
class BreakerState:
    """One breaker. `until`: end of the cool-down while open, end of the probe's lease while half open (None: the probe is free)."""

    state: State
    window_at: datetime
    until: datetime | None = None
    calls: int = 0
    failures: int = 0
    successes: int = 0
    openings: int = 0


def wait_left_s(breaker: BreakerState, now: datetime) -> float:
    """Seconds until a call may be tried; 0 when it may be now (while not closed: as the probe)."""
    if breaker.state == "closed" or breaker.until is None:
        return 0.0
    return max(0.0, (breaker.until - now).total_seconds())


def as_probe(breaker: BreakerState, now: datetime) -> BreakerState:
    """The breaker with its one probe on the way. Ask `wait_left_s` first."""
    return replace(breaker, state="half_open", until=now + timedelta(seconds=PROBE_S))


def after_call(breaker: BreakerState, *, is_ok: bool, now: datetime, rule: BreakerRule, unreported: int = 0) -> BreakerState:
    """The breaker after a call. `unreported` successes came before it and were not counted yet."""
    if breaker.state == "half_open":
        if not is_ok:
            return _opened(breaker, now, rule)
        if breaker.successes + 1 >= rule.close_after:
            return BreakerState("closed", now, openings=breaker.openings)
        return replace(breaker, successes=breaker.successes + 1, until=None)
    if breaker.state == "open":
        return breaker
    if now - breaker.window_at >= timedelta(seconds=rule.window_s):
        breaker = BreakerState("closed", now, openings=breaker.openings)
    calls, failures = breaker.calls + unreported + 1, breaker.failures + (not is_ok)
    counted = replace(breaker, calls=calls, failures=failures)
    if failures >= rule.least_failures and failures >= rule.ratio * calls:
        return _opened(counted, now, rule)
    return counted


def _opened(breaker: BreakerState, now: datetime, rule: BreakerRule) -> BreakerState:
    return replace(breaker, state="open", until=now + timedelta(seconds=rule.cool_down_s), successes=0, openings=breaker.openings + 1)
