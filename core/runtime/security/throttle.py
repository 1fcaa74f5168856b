"""Slowing down whoever guesses passwords, with counters that all processes share.

An attempt is counted before the password is looked at, in one statement, so a thousand attempts at once count a thousand. A success takes
its count back. Nobody can lock somebody else out: the wait for an account is short, and a device that has signed in to the account before
has a counter of its own instead of those of its address and the account (OWASP, "Blocking Brute Force Attacks", device cookies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.kernel.clock import Clock, SystemClock
from core.kernel.errors import Unavailable
from core.runtime.tenancy.database import Database


class TooManyAttempts(Unavailable):
    """Too many attempts; please wait a moment."""

    code = "security.too_many_attempts"
    status = 429


@dataclass(frozen=True, slots=True)
class Limit:
    """`free` failures cost nothing; after each further one the wait doubles, from `first_s` up to `longest_s` seconds."""

    free: int
    first_s: int
    longest_s: int


@dataclass(frozen=True, slots=True)
class ThrottleRules:
    """How many failures are free, and after how long a time without any they are forgotten."""

    attempts: int = 5
    window: timedelta = timedelta(minutes=15)

    @property
    def per_address(self) -> Limit:
        """For a network address, a device, a person who changes something: up to a quarter of an hour."""
        return Limit(self.attempts, first_s=12, longest_s=900)

    @property
    def per_account(self) -> Limit:
        """For an account, whoever tries: at most a minute, because its owner may have to wait too."""
        return Limit(self.attempts, first_s=12, longest_s=60)


RULES = ThrottleRules()
Key = tuple[str, Limit]

_TAKE = text(
    """
    INSERT INTO login_throttle AS t (key, failures, last_at, next_at) VALUES (:key, 1, :now, :now)
    ON CONFLICT (key) DO UPDATE SET
      failures = CASE WHEN t.last_at < :forget THEN 1 ELSE t.failures + 1 END,
      last_at = :now,
      next_at = CASE WHEN t.last_at < :forget OR t.failures + 1 < :free THEN CAST(:now AS timestamptz)
                ELSE :now + make_interval(secs => least(:longest, :first * power(2, least(t.failures + 1 - :free, 20)))) END
    WHERE t.next_at <= :now
    RETURNING failures
    """
)
_WAIT = text("SELECT next_at FROM login_throttle WHERE key = :key")
_FORGIVE = text("UPDATE login_throttle SET failures = greatest(failures - 1, 0), next_at = last_at WHERE key = :key")
_CLEAR = text("DELETE FROM login_throttle WHERE key = :key")
_SWEEP = text("DELETE FROM login_throttle WHERE last_at < :before AND next_at < :before")


class Throttle:
    """The counters; each call is a transaction of its own, because a refused or failed request must count as well."""

    def __init__(self, database: Database, clock: Clock | None = None, rules: ThrottleRules = RULES) -> None:
        self._database = database
        self._clock = clock or SystemClock()
        self.rules = rules

    def take(self, keys: Sequence[Key]) -> None:
        """Count one attempt against every key. Raises TooManyAttempts - one of them has to wait; then nothing is counted."""
        now = self._clock.now()
        ordered = sorted(keys)
        with self._database.platform() as session:
            for key, limit in ordered:
                taken = session.execute(
                    _TAKE,
                    {
                        "key": key,
                        "now": now,
                        "forget": now - self.rules.window,
                        "free": limit.free,
                        "first": limit.first_s,
                        "longest": limit.longest_s,
                    },
                ).one_or_none()
                if taken is None:
                    wait_s = self._wait_s(session, key, now)
                    session.rollback()
                    raise TooManyAttempts(retry_after_s=wait_s)

    def forgive(self, *, cleared: Sequence[str], eased: Sequence[str] = ()) -> None:
        """After a success: forget the keys in `cleared`, take one attempt back from those in `eased`."""
        with self._database.platform() as session:
            for key in sorted(cleared):
                session.execute(_CLEAR, {"key": key})
            for key in sorted(eased):
                session.execute(_FORGIVE, {"key": key})

    @staticmethod
    def _wait_s(session: Session, key: str, now: datetime) -> float:
        until: datetime | None = session.execute(_WAIT, {"key": key}).scalar_one_or_none()
        return max(1.0, (until - now).total_seconds()) if until is not None else 1.0


def sweep_throttle(session: Session, *, now: datetime, rules: ThrottleRules = RULES) -> int:
    """Delete counters that count for nothing any more; returns how many."""
    result = session.execute(_SWEEP, {"before": now - rules.window})
    return int(result.rowcount)  # type: ignore[attr-defined]
