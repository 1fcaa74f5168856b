"""Two tenants with notifications switched on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, text

from core.runtime.events import EventDraft, emit
from core.runtime.plugin_host.lifecycle import enable
from core.runtime.security.accounts import find_person
from core.runtime.tenancy.scope import Actor, Scope
from plugins.notify_inapp.models import Notice
from tests.fixtures.floor import Floor
from tests.fixtures.plugin_desk import PluginDesk

PLUGIN = "notify_inapp"


class Desk(PluginDesk):
    """The running system with notifications, seen from a test."""

    def user(self, email: str) -> int:
        with self.floor.world.database.platform() as session:
            return find_person(session, email).user_id

    def happen(self, *drafts: EventDraft, scope: Scope | None = None, by: int | None = None) -> None:
        """Let events happen, caused by the system or by a person, and let people be told."""
        home = scope or self.tea
        actor = Actor() if by is None else Actor("user", str(by), "Somebody")
        with self.floor.world.database.unit(Scope(home.tenant_id, home.slug, actor)) as session:
            emit(session, list(drafts))
        self.floor.settle(home)

    def told(self, email: str, scope: Scope | None = None) -> list[Notice]:
        """The notices of a person, the oldest first."""
        with self.unit(scope) as session:
            return list(session.scalars(select(Notice).where(Notice.user_id == self.user(email)).order_by(Notice.id)))

    def act(self, function: Any, *args: Any, scope: Scope | None = None) -> Any:
        """`function(ctx, *args)` in a transaction."""
        with self.unit(scope) as session:
            return function(self.floor.system.plugins.context(session, PLUGIN), *args)


@pytest.fixture
def desk(floor: Floor) -> Iterator[Desk]:
    """Notifications on in both tenants; everything they stored is gone at the end."""
    plugins = floor.system.plugins
    for scope in (floor.world.tea, floor.world.gift):
        with floor.world.database.unit(scope) as session:
            enable(session, plugins, PLUGIN)
    plugins.enablement.forget()
    for scope in (floor.world.tea, floor.world.gift):
        floor.settle(scope)
    yield Desk(floor)
    plugins.flush()
    tables = ("plg_notify_inapp_notice", "plg_notify_inapp_muted", "delivery", "event", "plugin_problem", "plugin_breaker")
    for scope in (floor.world.tea, floor.world.gift):
        with floor.world.database.unit(scope) as session:
            for table in tables:
                session.connection().execute(text(f"DELETE FROM {table}"))
    plugins.breakers.forget()
