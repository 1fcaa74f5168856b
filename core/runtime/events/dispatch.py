"""The worker's side of delivery: ids come in, each delivery is carried out once, in order, or put back with a reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from core.runtime.events import claims, deaths
from core.runtime.events.deaths import Lost, Message
from core.runtime.events.kit import Group, Kit, Outcome
from core.runtime.events.local import LocalRunner
from core.runtime.events.remote import RemoteRunner
from core.runtime.events.rules import LOST, Verdict, died, is_connection_lost, is_deadly
from core.runtime.events.subscribers import Mode, Subscriber
from core.runtime.jobs.notebook import Remains
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import SYSTEM, Actor, Scope

CALL = "deliver"
"""The name under which workers allow `Dispatcher.deliver`."""

_AFTER_LOSS_S = 0.5


class Dispatcher:
    """Carries out messages; one per working process."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._local = LocalRunner(kit)
        self._remote = RemoteRunner(kit)
        self._slugs: dict[int, str] = {}

    def deliver(self, message: Message) -> Message:
        """Carry out one message. Nothing is raised for a failed delivery; what cannot be done now stays due in the database.

        Returns what is left of it when it was cut short for the sake of another.
        """
        try:
            with self._kit.track.message(message):
                for place, (tenant_id, key, size, ids) in enumerate(message):
                    if self._is_cut_short(tenant_id, key, size, [UUID(one) for one in ids]):
                        return [] if self._kit.should_stop() else message[place:]
        except DBAPIError as error:
            if not is_connection_lost(error):
                raise
            self._kit.log.warning("delivery.database_lost")
            time.sleep(_AFTER_LOSS_S)  # the relay rings again; meanwhile do not spin through the queue
        return []

    def take_over(self, remains: Remains) -> None:
        """Give back at once what a worker that died had: the call it was in counts against that delivery and its plugin.

        Without the database nothing is done; guards and leases run out by themselves.
        """
        try:
            lost = self._mourn(*remains.call) if remains.call is not None else []
            for tenant_id, key, _, ids in remains.message or ():
                slug = self._slug(tenant_id)
                if slug is not None:
                    scope = Scope(tenant_id=tenant_id, slug=slug, actor=_actor(self._kit.registry.find(key)))
                    with self._kit.database.unit(scope) as session:
                        deaths.take_back(session, [UUID(one) for one in ids], lost=lost)
        except DBAPIError as error:
            self._kit.log.warning("delivery.not_taken_over", error=type(error).__name__)

    def _mourn(self, tenant_id: int, key: str, ids: Sequence[str], token: str | None) -> list[UUID]:
        slug, subscriber = self._slug(tenant_id), self._kit.registry.find(key)
        lost = [UUID(one) for one in ids]
        if slug is None or subscriber is None:
            return lost
        scope = Scope(tenant_id=tenant_id, slug=slug, actor=_actor(subscriber))
        with self._kit.database.unit(scope) as session:
            found = deaths.mourn(session, lost, None if token is None else UUID(token))
            dead = [one for one in found if self._is_given_up(subscriber, one)]
            for state in ("pending", "unknown"):
                claims.settle(session, [(one.id, _given_up(one)) for one in dead if one.state == state], held=state)
        for one in found[:1]:
            self._kit.log.error("delivery.worker_died", subscriber=key, tenant=tenant_id, count=len(found), deaths=one.deaths)
            self._kit.watch.died(scope, subscriber, subject=one.subject, deaths=one.deaths)
        if dead:
            self._kit.on_outcome(Outcome(tenant_id, subscriber, len(dead), None, len(dead)))
        return lost

    def _is_given_up(self, subscriber: Subscriber, one: Lost) -> bool:
        """Whether to give it up here. A subscriber that notes failures does so at the next attempt, unless that is deadly, too."""
        most, limit = self._kit.worker_deaths, subscriber.max_attempts
        is_over = is_deadly(deaths=one.deaths, attempts=one.attempts, most_deaths=most, max_attempts=limit)
        return is_over and (subscriber.failed is None or one.deaths > most)

    def _is_cut_short(self, tenant_id: int, key: str, size: int, ids: list[UUID]) -> bool:
        subscriber = self._kit.registry.find(key)
        slug = self._slug(tenant_id)
        if slug is None:
            return False
        scope = Scope(tenant_id=tenant_id, slug=slug, actor=_actor(subscriber))
        reason = self._hindrance(tenant_id, subscriber)
        if reason is not None:
            with self._kit.database.unit(scope) as session:
                claims.park(session, ids, reason)
            return False
        assert subscriber is not None
        rest_s = self._kit.watch.rest_s(scope, subscriber)
        if rest_s > 0:
            with self._kit.database.unit(scope) as session:
                deaths.rest(session, ids, rest_s)
            return False
        group = Group(scope, subscriber, ids, size)
        (self._remote if subscriber.remote else self._local).run(group)
        self._kit.watch.survived(scope, subscriber)
        if group.stopped:
            with self._kit.database.unit(scope) as session:
                claims.release(session, ids)
        return group.is_cut_short

    def _hindrance(self, tenant_id: int, subscriber: Subscriber | None) -> str | None:
        if subscriber is None:
            return "missing"
        return "plugin" if self._kit.registry.mode(tenant_id, subscriber) in (Mode.OFF, Mode.PAUSED) else None

    def _slug(self, tenant_id: int) -> str | None:
        """The slug of an active tenant; deliveries of one that is switched off stay where they are."""
        if tenant_id not in self._slugs:
            with self._kit.database.platform() as session:
                row = session.execute(select(Tenant.slug).where(Tenant.id == tenant_id, Tenant.is_active)).scalar_one_or_none()
            if row is None:
                return None
            self._slugs[tenant_id] = row
        return self._slugs[tenant_id]


def _given_up(one: Lost) -> Verdict:
    return Verdict("dead", died(one.deaths) if one.state == "pending" else {**LOST, "cause": died(one.deaths)})


def _actor(subscriber: Subscriber | None) -> Actor:
    if subscriber is None or subscriber.plugin is None:
        return SYSTEM
    return Actor(kind="plugin", id=subscriber.plugin, label=subscriber.plugin)
