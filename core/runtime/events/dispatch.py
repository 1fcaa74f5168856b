"""The worker's side of delivery: ids come in, each delivery is carried out once, in order, or put back with a reason."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from core.runtime.events import claims
from core.runtime.events.kit import Group, Kit
from core.runtime.events.local import LocalRunner
from core.runtime.events.remote import RemoteRunner
from core.runtime.events.rules import is_connection_lost
from core.runtime.events.subscribers import Mode, Subscriber
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import SYSTEM, Actor, Scope

CALL = "deliver"
"""The name under which workers allow `Dispatcher.deliver`."""

Message = Sequence[tuple[int, str, int, Sequence[str]]]
"""Groups of (tenant id, subscriber, deliveries per transaction or `rules.ALONE`, ids as text)."""

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
            for place, (tenant_id, key, size, ids) in enumerate(message):
                if self._is_cut_short(tenant_id, key, size, [UUID(one) for one in ids]):
                    return [] if self._kit.should_stop() else message[place:]
        except DBAPIError as error:
            if not is_connection_lost(error):
                raise
            self._kit.log.warning("delivery.database_lost")
            time.sleep(_AFTER_LOSS_S)  # the relay rings again; meanwhile do not spin through the queue
        return []

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
        group = Group(scope, subscriber, ids, size)
        (self._remote if subscriber.remote else self._local).run(group)
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


def _actor(subscriber: Subscriber | None) -> Actor:
    if subscriber is None or subscriber.plugin is None:
        return SYSTEM
    return Actor(kind="plugin", id=subscriber.plugin, label=subscriber.plugin)
