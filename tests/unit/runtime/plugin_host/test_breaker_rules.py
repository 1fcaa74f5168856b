from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.runtime.plugin_host.breaker_rules import BreakerRule, BreakerState, after_call, as_probe, wait_left_s

NOON = datetime(2026, 11, 11, 12, tzinfo=UTC)
RULE = BreakerRule(least_failures=10, ratio=0.5, window_s=60.0, cool_down_s=60.0, close_after=5)


def fed(outcomes: str, *, step_s: float = 1.0) -> BreakerState:
    """A breaker after calls, `.` for success and `x` for failure."""
    state, now = BreakerState("closed", NOON), NOON
    for outcome in outcomes:
        state = after_call(state, is_ok=outcome == ".", now=now, rule=RULE)
        now += timedelta(seconds=step_s)
    return state


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("x" * 9, "closed"),
        ("x" * 10, "open"),
        ("." * 10 + "x" * 10, "open"),
        ("." * 11 + "x" * 10, "closed"),
        ("." * 11 + "x" * 11, "open"),
    ],
)
def test_breaker_opens_when_count_and_share_of_failures_are_reached(outcomes, state):
    assert fed(outcomes).state == state


def test_breaker_stays_closed_when_failures_are_spread_over_windows():
    assert fed("x" * 30, step_s=7.0).state == "closed"


def test_breaker_counts_successes_that_were_told_late():
    state = after_call(fed("x" * 9), is_ok=False, now=NOON, rule=RULE, unreported=11)

    assert (state.state, state.calls, state.failures) == ("closed", 21, 10)


def test_breaker_rests_for_the_cool_down_when_open():
    state = fed("x" * 10)
    opened_at = NOON + timedelta(seconds=9)

    assert wait_left_s(state, opened_at) == 60.0
    assert wait_left_s(state, opened_at + timedelta(seconds=60)) == 0.0


def test_breaker_lets_one_probe_at_a_time_through_when_half_open():
    later = NOON + timedelta(seconds=80)

    probing = as_probe(fed("x" * 10), later)
    answered = after_call(probing, is_ok=True, now=later, rule=RULE)

    assert (probing.state, wait_left_s(probing, later)) == ("half_open", 30.0)
    assert (answered.state, wait_left_s(answered, later)) == ("half_open", 0.0)


def test_breaker_closes_after_five_successes_and_opens_after_one_failure_when_half_open():
    later = NOON + timedelta(seconds=80)
    state = as_probe(fed("x" * 10), later)

    failed = after_call(state, is_ok=False, now=later, rule=RULE)
    for _ in range(5):
        state = after_call(as_probe(state, later), is_ok=True, now=later, rule=RULE)

    assert (failed.state, failed.openings, wait_left_s(failed, later)) == ("open", 2, 60.0)
    assert (state.state, state.failures, state.openings) == ("closed", 0, 1)
