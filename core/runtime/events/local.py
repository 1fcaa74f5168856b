"""Local effects: the subscriber's work and the end of its deliveries are one transaction, so each effect happens once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from core.runtime.events import claims
from core.runtime.events.claims import Taken
from core.runtime.events.handling import LocalContext
from core.runtime.events.kit import Group, Kit, Outcome, lent
from core.runtime.events.rules import (
    ALONE,
    Verdict,
    died,
    halves,
    is_busy,
    is_connection_lost,
    is_deadly,
    is_retryable,
    judge,
    pieces,
)
from core.runtime.jobs.limits import TimeLimit

_BUSY_TRIES = 3
_GUARD_EVERY_S = 5.0
_BEGIN_TOGETHER = 25


class _Overtaken(Exception):
    """Another worker holds some of the deliveries; those behind them must be left out."""

    def __init__(self, subjects: set[str]) -> None:
        super().__init__()
        self.subjects = subjects


class LocalRunner:
    """Carries out deliveries of local subscribers."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def run(self, group: Group) -> None:
        """Carry out a group, `group.size` deliveries in a transaction. Raises only when the database is lost."""
        together = 1 if group.size == ALONE else max(group.size, _BEGIN_TOGETHER)
        for ids in pieces(group.ids, together):
            if not group.goes_on(self._kit):
                return
            self._run_begun(group, self._begin(group, ids))

    def _begin(self, group: Group, ids: Sequence[UUID]) -> list[Taken]:
        """Count the attempts, in a transaction of their own: whatever then happens to this process, they have been counted."""
        with self._kit.database.unit(group.scope) as session:
            taken = claims.begin(session, group.subscriber.key, ids, blocks=group.blocks)
        deadly = [one for one in taken if self._is_deadly(group, one)]
        if deadly:
            self._settle(group, [(one, Verdict("dead", died(one.deaths), counted=False)) for one in deadly], None)
        return [one for one in taken if one not in deadly]

    def _is_deadly(self, group: Group, one: Taken) -> bool:
        most, attempts = group.subscriber.max_attempts, one.attempts - 1
        return one.interrupted and is_deadly(
            deaths=one.deaths, attempts=attempts, most_deaths=self._kit.worker_deaths, max_attempts=most
        )

    def _run_begun(self, group: Group, taken: Sequence[Taken]) -> None:
        begun = {one.id: one for one in taken}
        guarded_at = time.monotonic()
        for piece in pieces(taken, max(1, group.size)):
            if not group.goes_on(self._kit):
                break
            if time.monotonic() - guarded_at > _GUARD_EVERY_S:
                guarded_at = time.monotonic()
                with self._kit.database.unit(group.scope) as session:
                    claims.guard(session, list(begun))
            self._carry_out(group, piece, begun)
        if begun:
            with self._kit.database.unit(group.scope) as session:
                claims.give_back(session, list(begun))

    def _carry_out(self, group: Group, taken: Sequence[Taken], begun: dict[UUID, Taken]) -> None:
        """Handle deliveries in one transaction; when that fails, find out by halving which of them is to blame.

        Takes out of `begun` what has been done or has got its verdict.
        """
        taken = [one for one in taken if one.subject not in group.stopped]
        if not taken:
            return
        handled, error = self._attempt(group, taken)
        if error is not None and len(handled) > 1 and not is_retryable(error):
            for half in halves(handled):
                self._carry_out(group, half, begun)
            return
        if error is not None:
            self._fail(group, handled, error)
        for one in handled:
            begun.pop(one.id, None)

    def _attempt(self, group: Group, taken: Sequence[Taken]) -> tuple[Sequence[Taken], BaseException | None]:
        """One call of the subscriber, again when the database was busy. Returns what it was called for, and what it raised."""
        tries_left = _BUSY_TRIES
        while taken:
            try:
                count = self._once(group, taken)
            except _Overtaken as overtaken:
                group.stopped.update(overtaken.subjects)
                taken = [one for one in taken if one.subject not in group.stopped]
                continue
            except (Exception, TimeLimit) as error:  # containment: the job runner
                if is_connection_lost(error):
                    raise
                if not is_busy(error) or tries_left == 0:
                    return taken, error
                tries_left -= 1
                time.sleep(self._kit.random.uniform(0.005, 0.05))
            else:
                self._kit.on_outcome(Outcome(group.scope.tenant_id, group.subscriber, count))
                break
        return taken, None

    def _once(self, group: Group, taken: Sequence[Taken]) -> int:
        kit, subscriber = self._kit, group.subscriber
        traces = {one.event.trace for one in taken}
        scope = group.traced(traces.pop()) if len(traces) == 1 else group.scope
        ids = [one.id for one in taken]
        with (
            kit.limits.within(subscriber.timeout_s, subscriber.key),
            kit.track.call(scope.tenant_id, subscriber.key, ids),
            kit.database.unit(scope) as session,
        ):
            ours = claims.finish(session, ids)
            if len(ours) < len(taken):
                taken = _in_turn(taken, ours)
            context = LocalContext(session, scope, subscriber, kit.clock, kit.log.bind(subscriber=subscriber.key))
            with lent(session):
                subscriber.handle(context, [one.event for one in taken])  # type: ignore[misc]
                session.flush()
        if any(one.deaths for one in taken):
            kit.watch.healed(scope, subscriber)
        return len(taken)

    def _fail(self, group: Group, taken: Sequence[Taken], error: BaseException) -> None:
        limit = group.subscriber.max_attempts
        verdicts = [
            (one, judge(error, attempts=one.attempts, max_attempts=limit, random=self._kit.random)) for one in taken
        ]
        self._settle(group, verdicts, error)

    def _settle(self, group: Group, verdicts: Sequence[tuple[Taken, Verdict]], error: BaseException | None) -> None:
        with self._kit.database.unit(group.scope) as session:
            claims.settle(session, [(one.id, verdict) for one, verdict in verdicts])
        group.stopped.update(one.subject for one, verdict in verdicts if verdict.state != "dead" or group.blocks)
        dead = sum(verdict.state == "dead" for _, verdict in verdicts)
        told = verdicts[0][1].error
        self._kit.log.warning(
            "delivery.failed",
            subscriber=group.subscriber.key,
            tenant=group.scope.tenant_id,
            count=len(verdicts),
            dead=dead,
            code=told.get("code"),
            message=told.get("message"),
        )
        self._kit.on_outcome(Outcome(group.scope.tenant_id, group.subscriber, len(verdicts), error, dead))


def _in_turn(taken: Sequence[Taken], ours: set[UUID]) -> list[Taken]:
    """Those of `taken` that are ours; raises _Overtaken when one of them would overtake one that is somebody else's.

    Somebody else's is either done already or in another worker's hands; which of the two, this worker cannot see.
    """
    missing = {one.subject: one.seq for one in reversed(taken) if one.id not in ours}
    behind = {one.subject for one in taken if one.id in ours and one.seq > missing.get(one.subject, one.seq)}
    if behind:
        raise _Overtaken(behind)
    return [one for one in taken if one.id in ours]
