"""When a worker dies: what it had written down, what becomes of its deliveries, and who is to rest because of it.

A working process writes down which message it has and in whose code it is. The one that takes its place reads that, counts a death over
the deliveries at hand, and gives back the rest, so that nobody waits for guards and leases to run out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.runtime.events.claims import DEATHS, TOLD
from core.runtime.events.outbox import tenant_of_open
from core.runtime.events.subscribers import Subscriber
from core.runtime.jobs.notebook import Notebook
from core.runtime.tenancy.scope import Scope

Message = Sequence[tuple[int, str, int, Sequence[str]]]
"""Groups of (tenant id, subscriber, deliveries per transaction or `rules.ALONE`, ids as text)."""

# The worker is known to be dead, so nothing runs out: what it was in is due again as interrupted, what it had begun beside that or
# not begun yet as if nothing had happened.
_MOURN = text(f"""
WITH lost AS (
    SELECT d.id, {DEATHS} FROM delivery d
    WHERE d.tenant_id = :tenant AND d.id = ANY(:ids) AND d.started_at IS NOT NULL
        AND (d.state || '' = 'pending' AND CAST(:token AS uuid) IS NULL
            OR d.state || '' = 'running' AND d.lease_token = CAST(:token AS uuid))
    FOR UPDATE
)
UPDATE delivery d SET state = CASE WHEN d.state = 'pending' OR d.reason = 'preparing' THEN 'pending' ELSE 'unknown' END,
    reason = 'died', guard_until = NULL, lease_until = NULL, lease_token = NULL, last_error = {TOLD.format("l")},
    next_at = now() + (l.deaths - 1) * (l.deaths - 1) * interval '1 s'
FROM lost l WHERE d.tenant_id = :tenant AND d.id = l.id
RETURNING d.id, d.subject, d.state, d.attempts, l.deaths
""")  # noqa: S608 - constants only

_TAKE_BACK = text("""
UPDATE delivery d SET attempts = greatest(d.attempts - f.begun::int, 0), started_at = CASE WHEN NOT f.begun THEN d.started_at END,
    guard_until = NULL, next_at = now()
FROM (
    SELECT id, coalesce(guard_until > now(), false) AS begun FROM delivery
    WHERE tenant_id = :tenant AND id = ANY(:ids) AND NOT id = ANY(:lost) AND state || '' IN ('pending', 'unknown') AND next_at < now()
    FOR UPDATE SKIP LOCKED) f
WHERE d.tenant_id = :tenant AND d.id = f.id
""")

_REST = text("""
UPDATE delivery d SET next_at = now() + :wait_s * interval '1 s', reason = 'resting'
WHERE d.tenant_id = :tenant AND d.id IN (
    SELECT id FROM delivery
    WHERE tenant_id = :tenant AND id = ANY(:ids) AND state || '' IN ('pending', 'unknown') AND next_at < now()
        AND (guard_until IS NULL OR guard_until < now())
    FOR UPDATE SKIP LOCKED)
""")


class Watch:
    """Who is to rest because its work kills workers. This one lets everybody work; the plugin host has one that does not."""

    def rest_s(self, scope: Scope, subscriber: Subscriber) -> float:  # noqa: ARG002 - for those that look
        """Seconds for which the subscriber's deliveries are to wait; 0 when they may be tried now."""
        return 0.0

    def died(self, scope: Scope, subscriber: Subscriber, *, subject: str, deaths: int) -> None:
        """A worker died over the subscriber's work; `deaths` in a row over this delivery."""

    def healed(self, scope: Scope, subscriber: Subscriber) -> None:
        """A delivery over which workers had died was carried out after all."""

    def survived(self, scope: Scope, subscriber: Subscriber) -> None:
        """The worker has come to the end of some deliveries of the subscriber, well or not, and lives."""


class Track:
    """What a worker writes down about its way, for whoever takes its place should it die. Without a notebook nothing is written."""

    def __init__(self, notebook: Notebook | None = None) -> None:
        self._notebook = notebook

    @contextmanager
    def message(self, message: Message) -> Iterator[None]:
        """The worker is at work on this message."""
        if self._notebook is None:
            yield
            return
        self._notebook.message.write(message)
        try:
            yield
        finally:
            self._notebook.message.erase()

    @contextmanager
    def call(self, tenant_id: int, subscriber: str, ids: Sequence[UUID], token: UUID | None = None) -> Iterator[None]:
        """The worker is in code of the subscriber's for these deliveries, for a remote one under the lease `token`."""
        if self._notebook is None:
            yield
            return
        self._notebook.call.write([tenant_id, subscriber, [one.hex for one in ids], None if token is None else token.hex])
        try:
            yield
        finally:
            self._notebook.call.erase()


class Lost(NamedTuple):
    """A delivery over which a worker died: `deaths` in a row, this one included; `attempts` that have begun."""

    id: UUID
    subject: str
    state: str
    attempts: int
    deaths: int


def mourn(session: Session, ids: Sequence[UUID], token: UUID | None) -> list[Lost]:
    """Count a death over the deliveries in which a worker was when it died, and make them due again as interrupted ones.

    At once after the first death in a row, since most deaths have other causes; later after the square of the deaths before, in seconds.
    `token` is that of its lease; None for local effects. Those that somebody else has got meanwhile are left alone.
    """
    values = {"tenant": tenant_of_open(session), "ids": list(ids), "token": token}
    return [Lost(*row) for row in session.connection().execute(_MOURN, values)]


def take_back(session: Session, ids: Sequence[UUID], *, lost: Sequence[UUID]) -> None:
    """Make the rest of a dead worker's message due anew, without counting an attempt; `lost` are those it was in."""
    session.connection().execute(_TAKE_BACK, {"tenant": tenant_of_open(session), "ids": list(ids), "lost": list(lost)})


def rest(session: Session, ids: Sequence[UUID], wait_s: float) -> None:
    """Put deliveries off because their plugin rests; no attempt is counted."""
    session.connection().execute(_REST, {"tenant": tenant_of_open(session), "ids": list(ids), "wait_s": wait_s})
