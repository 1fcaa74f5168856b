"""Decisions of event delivery, without input or output: when to try again, when to give up, how to cut work into pieces."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from core.kernel.errors import Denied, OrderloomError, Unavailable
from core.runtime.jobs.limits import TimeLimit

LONGEST_WAIT_S = 3600.0
JITTER = 0.2
UNEXPECTED_ATTEMPTS = 5
WORKER_DEATHS = 3
_BUSY = frozenset({"40001", "40P01", "55P03", "57014"})
_AWAY = frozenset({"080", "57P", "530"})

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a delivery that failed.

    `state` is pending (again in `delay_s`), unknown (ask in `delay_s`), parked or dead. A failure that is not `counted` leaves
    the number of attempts as it was before. `error` is what people see; it never holds secrets or payloads.
    """

    state: str
    error: dict[str, Any]
    delay_s: float = 0.0
    counted: bool = True
    reason: str | None = None


def retry_delay_s(attempt: int, random: Random) -> float:
    """Seconds to wait after the `attempt`-th failure: its fourth power, at most an hour, give or take a fifth."""
    return min(LONGEST_WAIT_S, float(attempt**4)) * random.uniform(1 - JITTER, 1 + JITTER)


def describe(error: BaseException) -> dict[str, Any]:
    """The error as stored with the delivery.

    Our own errors show code, message and facts. Others may carry payloads in their text (a database error names values), so of
    them only the class and the place in the code are kept.
    """
    if isinstance(error, OrderloomError):
        facts = {name: value for name, value in error.facts.items() if isinstance(value, str | int | float | bool)}
        return {"code": error.code, "message": error.message[:500], "facts": facts}
    if isinstance(error, TimeLimit):
        return {"code": "events.time_limit", "message": "It took longer than its time limit."}
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {'/'.join(last[0].filename.rsplit('/', 2)[-2:])}:{last[0].lineno} in {last[0].name}" if last else ""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return {"code": "events.unexpected", "message": f"{type(error).__name__}{f' {state}' if state else ''}{place}"}


DIED = "events.worker_died"
LOST: dict[str, Any] = {
    "code": "events.outcome_unknown",
    "message": "Nobody can say whether the call took effect, and repeating it blindly could do it twice.",
}


def died(deaths: int) -> dict[str, Any]:
    """The error of a delivery over which `deaths` working processes have died, as stored with it."""
    times = "once" if deaths == 1 else f"{deaths} times"
    message = f"Its worker died {times}: a crash, too much memory, or a time limit that it ignored."
    return {"code": DIED, "message": message, "facts": {"deaths": deaths}}


def is_deadly(*, deaths: int, attempts: int, most_deaths: int, max_attempts: int) -> bool:
    """Whether a delivery whose last worker died is given up. `deaths` counts those in a row; `attempts` all that began."""
    return deaths >= min(most_deaths, max_attempts) or attempts >= max_attempts


def is_connection_lost(error: BaseException) -> bool:
    """Whether the database went away: then nothing was decided about the delivery."""
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or (isinstance(error, OperationalError) and (state is None or state[:3] in _AWAY))


def is_busy(error: BaseException) -> bool:
    """Whether the database asks to try again: serialisation, deadlock, lock time-out, statement time-out."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _BUSY


def is_retryable(error: BaseException) -> bool:
    """Whether time may heal it, so that other events of the same batch are probably not to blame."""
    return is_busy(error) or (isinstance(error, OrderloomError) and error.retryable)


def judge(error: BaseException, *, attempts: int, max_attempts: int, random: Random) -> Verdict:
    """The verdict on a failure of which we know that it had no effect.

    Only Unavailable is tried again; with a `retry_after_s`, or a class that says `counts_attempt = False`, without counting the
    attempt. Other errors of ours are final at once; a Denied with `park=True` waits for somebody to sign in. What nobody
    expected, a bug or a time limit, gets a few attempts, because some of it is passing. `attempts` includes the one that failed.
    """
    told = describe(error)
    if isinstance(error, Denied) and getattr(error, "park", False):
        return Verdict("parked", told, counted=False, reason="reauth")
    if isinstance(error, OrderloomError) and not error.retryable:
        return Verdict("dead", told)
    asked = error.retry_after_s if isinstance(error, Unavailable) else None
    if asked is not None or not getattr(error, "counts_attempt", True):
        wait = asked if asked is not None else retry_delay_s(max(attempts, 2), random)
        return Verdict("pending", told, delay_s=min(max(wait, 0.0), LONGEST_WAIT_S), counted=False)
    limit = max_attempts if is_retryable(error) else min(max_attempts, UNEXPECTED_ATTEMPTS)
    if attempts >= limit:
        return Verdict("dead", told)
    return Verdict("pending", told, delay_s=retry_delay_s(attempts, random))


def judge_sent(error: BaseException, *, attempts: int, max_attempts: int, random: Random) -> Verdict:
    """The verdict on a failure of a remote call that may have left this machine.

    A typed error says what happened. Without one (a bug after the call, a time limit), or when the answer was lost, the outcome
    is unknown.
    """
    lost = not isinstance(error, OrderloomError) or getattr(error, "outcome_unknown", False)
    if not lost:
        return judge(error, attempts=attempts, max_attempts=max_attempts, random=random)
    if attempts >= max_attempts:
        return Verdict("dead", {**LOST, "cause": describe(error)})
    return Verdict("unknown", describe(error), delay_s=retry_delay_s(min(attempts, 4), random))


ALONE = 0
"""A piece of one delivery whose attempt is counted by itself."""


def piece_size(batch: int, *, attempts: int, interrupted: bool) -> int:
    """How many deliveries share a transaction: a failed one comes back in a small batch, then alone; an interrupted one alone."""
    if interrupted or attempts >= 2:
        return ALONE
    return batch if attempts == 0 else max(1, batch // 10)


def pieces(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """`items` in runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def halves(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """`items` cut in two, the first part never larger."""
    middle = len(items) // 2
    return items[:middle], items[middle:]
