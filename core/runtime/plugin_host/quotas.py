"""How many calls a tenant's plugin may make to a host: a token bucket in a row, shared by all processes."""

from __future__ import annotations

from sqlalchemy import Numeric, cast, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from core.runtime.plugin_host.breakers import Target
from core.runtime.plugin_host.manifest import Quota
from core.runtime.plugin_host.models import PluginBreaker
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Scope, no_scope


class Quotas:
    """Takes tokens in a short transaction of its own, because it must hold whatever becomes of the caller's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, target: Target, quota: Quota) -> float:
        """Take one token; 0.0 when there was one, else the seconds until there will be, and nothing is taken."""
        now = func.clock_timestamp()
        passed_s = func.greatest(0, func.extract("epoch", now - func.coalesce(PluginBreaker.filled_at, now)))
        filled = func.least(
            cast(literal(quota.burst), Numeric),
            func.coalesce(PluginBreaker.tokens, quota.burst) + cast(passed_s, Numeric) * cast(literal(quota.per_s), Numeric),
        )
        own = (PluginBreaker.plugin == target.who.plugin, PluginBreaker.target == target.name)
        take_one = (
            update(PluginBreaker)
            .where(*own, filled >= 1)
            .values(tokens=filled - 1, filled_at=now)
            .returning(PluginBreaker.tokens)
            .execution_options(synchronize_session=False)
        )
        with no_scope(), self._database.unit(Scope(target.who.tenant_id, target.who.tenant_slug)) as session:
            if session.execute(take_one).first() is not None:
                return 0.0
            short = session.scalar(select(1 - filled).where(*own))
            if short is None:
                make = insert(PluginBreaker).values(plugin=target.who.plugin, target=target.name)
                session.execute(make.on_conflict_do_nothing(index_elements=["tenant_id", "plugin", "target"]))
                session.execute(take_one)
                return 0.0
        return max(0.0, float(short)) / quota.per_s
