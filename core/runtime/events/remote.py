"""Remote effects: a lease, a call without an open transaction, and an end that only the holder of the lease can write.

A call whose answer is lost is never repeated blindly: its delivery is `unknown` until the remote side was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from core.kernel.ids import new_id
from core.runtime.events import claims
from core.runtime.events.claims import Lease, Taken
from core.runtime.events.handling import Failure, RemoteContext, idempotency_key
from core.runtime.events.kit import Group, Kit, Outcome, lent
from core.runtime.events.rules import LOST, Verdict, describe, died, is_connection_lost, is_deadly, judge, judge_sent
from core.runtime.events.subscribers import Answer
from core.runtime.jobs.limits import KILL_GRACE_S, TimeLimit

_DONE = Verdict("done", {})
_MARGIN_S = 5.0


class RemoteRunner:
    """Carries out deliveries of remote subscribers, one at a time."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def run(self, group: Group) -> None:
        """Carry out a group. Raises only when the database is lost."""
        for delivery in group.ids:
            if not group.goes_on(self._kit):
                return
            self._deliver(group, delivery)

    def _deliver(self, group: Group, delivery: UUID) -> None:
        subscriber = group.subscriber
        # The process has surely been killed before the lease ends, so whoever finds it expired is alone.
        lease = Lease(delivery, new_id(), subscriber.timeout_s + KILL_GRACE_S + _MARGIN_S)
        with self._kit.database.unit(group.scope) as session:
            taken = claims.take_lease(
                session, lease, subscriber.key, blocks=group.blocks, prepares=subscriber.prepare is not None
            )
        if taken is not None:
            with self._kit.track.call(group.scope.tenant_id, subscriber.key, [delivery], lease.token):
                _Call(self._kit, group, taken, lease).run()


class _Call:
    """One attempt at one delivery, under one lease."""

    def __init__(self, kit: Kit, group: Group, taken: Taken, lease: Lease) -> None:
        self._kit, self._group, self._taken, self._lease = kit, group, taken, lease
        event = taken.event
        self._context = RemoteContext(
            event=event,
            scope=group.traced(event.trace),
            subscriber=group.subscriber,
            clock=kit.clock,
            log=kit.log.bind(subscriber=group.subscriber.key, event=str(event.id)),
            idempotency_key=idempotency_key(event.id, group.subscriber.key, event.generation),
        )

    def run(self) -> None:
        """Ask when the outcome of an earlier call is unknown, else prepare, send, complete."""
        if self._is_hopeless():
            return
        if self._taken.state == "unknown":
            answer = self._ask()
            if answer is not Answer.NOT_DONE:
                if answer is Answer.DONE:
                    self._complete(None)
                return
        if self._prepare():
            self._send()

    def _is_hopeless(self) -> bool:
        subscriber, taken = self._group.subscriber, self._taken
        most, limit = self._kit.worker_deaths, subscriber.max_attempts
        crashed = taken.interrupted and is_deadly(deaths=taken.deaths, attempts=taken.attempts - 1, most_deaths=most, max_attempts=limit)
        unknown = taken.state == "unknown"
        if unknown and (crashed or taken.attempts > subscriber.max_attempts or not (subscriber.ask or subscriber.repeatable)):
            self._end(Verdict("dead", {**LOST, "cause": died(taken.deaths)} if crashed else LOST), None)
            return True
        if crashed:
            self._end(Verdict("dead", died(taken.deaths), counted=False), None)
        return crashed

    def _ask(self) -> Answer | None:
        """What the remote side says; None when the verdict on not having learned it is written already."""
        subscriber = self._group.subscriber
        if subscriber.ask is None:
            return Answer.NOT_DONE  # the key makes a repeat harmless
        try:
            answer = Answer(self._limited(subscriber.ask))
        except (Exception, TimeLimit) as error:  # noqa: BLE001 - containment: the job runner
            self._failed(error, judge)
            return None
        if answer is Answer.UNKNOWN:
            self._end(self._still_unknown(Verdict("pending", LOST, delay_s=60.0)), None)
        return answer

    def _prepare(self) -> bool:
        """Run `prepare` and begin the call, in one transaction. Returns whether the call may go out."""
        prepare, context = self._group.subscriber.prepare, self._context
        if prepare is None and self._taken.state == "pending":
            return True
        try:
            with (
                self._kit.limits.within(self._group.subscriber.timeout_s, self._group.subscriber.key),
                self._kit.database.unit(context.scope) as session,
            ):
                if not claims.extend_lease(session, self._lease):
                    return False
                if prepare is not None:
                    context.session = session
                    with lent(session):
                        context.request = prepare(context)
                        session.flush()
        except (Exception, TimeLimit) as error:  # noqa: BLE001 - containment: the job runner
            self._failed(error, judge)
            return False
        finally:
            context.session = None
        return True

    def _send(self) -> None:
        try:
            answer = self._limited(self._group.subscriber.send)
        except (Exception, TimeLimit) as error:  # noqa: BLE001 - containment: the job runner
            self._failed(error, judge_sent)
            return
        self._complete(answer)

    def _complete(self, answer: Any) -> None:
        """End the delivery and record the answer in one transaction; the lease decides whether it is still ours to end."""
        subscriber, context = self._group.subscriber, self._context
        try:
            with (
                self._kit.limits.within(subscriber.timeout_s, subscriber.key),
                self._kit.database.unit(context.scope) as session,
            ):
                ours = self._settle(session, _DONE)
                if ours and subscriber.complete is not None:
                    context.session = session
                    with lent(session):
                        subscriber.complete(context, answer)
                        session.flush()
        except (Exception, TimeLimit) as error:  # noqa: BLE001 - containment: the job runner
            self._failed(error, judge_sent)
            return
        finally:
            context.session = None
        if ours:
            self._kit.on_outcome(Outcome(self._group.scope.tenant_id, subscriber, 1))
            if self._taken.deaths:
                self._kit.watch.healed(self._group.scope, subscriber)

    def _limited(self, call: Callable[[RemoteContext], Any] | None) -> Any:
        assert call is not None  # the descriptor has checked it
        with self._kit.limits.within(self._group.subscriber.timeout_s, self._group.subscriber.key):
            return call(self._context)

    def _failed(self, error: BaseException, judgement: Callable[..., Verdict]) -> None:
        if is_connection_lost(error):
            raise error
        verdict = judgement(
            error,
            attempts=self._taken.attempts,
            max_attempts=self._group.subscriber.max_attempts,
            random=self._kit.random,
        )
        if judgement is judge and self._taken.state == "unknown":
            verdict = self._still_unknown(verdict)
        self._end(verdict, error)

    def _still_unknown(self, verdict: Verdict) -> Verdict:
        """A verdict from before the call, for a delivery whose earlier call may have taken effect: that doubt remains."""
        if verdict.state != "pending":
            return verdict
        return Verdict("unknown", verdict.error, delay_s=verdict.delay_s, counted=verdict.counted)

    def _settle(self, session: Any, verdict: Verdict) -> set[UUID]:
        return claims.settle(session, [(self._taken.id, verdict)], held="running", token=self._lease.token)

    def _end(self, verdict: Verdict, error: BaseException | None) -> None:
        group = self._group
        ours = self._write(verdict, error)
        if not ours:
            return
        self._context.log.warning("delivery.failed", tenant=group.scope.tenant_id, state=verdict.state, **_told(verdict))
        self._kit.on_outcome(Outcome(group.scope.tenant_id, group.subscriber, 1, error, int(verdict.state == "dead")))

    def _write(self, verdict: Verdict, error: BaseException | None) -> set[UUID]:
        """Write the verdict and let the subscriber note the failure beside it; should the noting fail, the verdict stands alone."""
        failed = self._group.subscriber.failed
        if failed is not None:
            delay_s = verdict.delay_s if verdict.state in ("pending", "unknown") else 0.0
            failure = Failure(error, verdict.state, self._taken.attempts, delay_s, verdict.counted)
            try:
                return self._write_noted(verdict, lambda: failed(self._context, failure))
            except (Exception, TimeLimit) as problem:
                if is_connection_lost(problem):
                    raise
                self._context.log.warning("delivery.failure_not_noted", **describe(problem))
        with self._kit.database.unit(self._context.scope) as session:
            return self._settle(session, verdict)

    def _write_noted(self, verdict: Verdict, note: Callable[[], None]) -> set[UUID]:
        subscriber, context = self._group.subscriber, self._context
        try:
            with self._kit.limits.within(subscriber.timeout_s, subscriber.key), self._kit.database.unit(context.scope) as session:
                ours = self._settle(session, verdict)
                if ours:
                    context.session = session
                    with lent(session):
                        note()
                        session.flush()
            return ours
        finally:
            context.session = None


def _told(verdict: Verdict) -> dict[str, Any]:
    return {"code": verdict.error.get("code"), "message": verdict.error.get("message")}
