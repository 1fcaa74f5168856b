"""Deleting what a plugin has stored for a tenant: first the count, then the deed."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from core.runtime.db.base import Base, TenantOwned, metadata
from core.runtime.plugin_host.configs import SUBJECT, subject_of
from core.runtime.plugin_host.descriptors import Purged
from core.runtime.plugin_host.enablement import bump_epoch
from core.runtime.plugin_host.errors import StateForbids
from core.runtime.plugin_host.instances import MAIN, get_instance
from core.runtime.plugin_host.models import (
    PluginBreaker,
    PluginCall,
    PluginConfig,
    PluginEgress,
    PluginInstance,
    PluginProblem,
    PluginSecret,
    PluginUse,
)
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.verdicts import Site
from core.runtime.security.audit import record

PURGEABLE = ("draft", "disabled", "purged")


def preview_purge(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN) -> dict[str, int]:
    """How many rows `purge` would delete, by table, and what the plugin itself would delete besides. Changes nothing."""
    row = get_instance(session, plugin, instance)
    counts = {model.__tablename__: _count(session, model, row) for model in _HOST_TABLES}
    counts |= {name: _rows(session, name, row.tenant_id) for name in _own_tables(session, runtime, row)}
    return {name: count for name, count in (counts | dict(_asked(session, runtime, row, is_dry_run=True).counts)).items() if count}


def purge(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN) -> dict[str, int]:
    """Delete the set-up's settings, secrets, problems and log, and with the last set-up the rows of the plugin's own tables.

    Cannot be undone; the audit trail stays. Returns the counts, as `preview_purge` gave them. A second call finds nothing more.
    Raises: StateForbids - it is not disabled; what the plugin's own `purge` raised, and then nothing is deleted. Emits: `plugin.purged`.
    """
    row = get_instance(session, plugin, instance, is_locked=True)
    if row.state not in PURGEABLE:
        raise StateForbids("state", plugin=plugin, state=row.state)
    counts = preview_purge(session, runtime, plugin, instance=instance)
    _asked(session, runtime, row, is_dry_run=False)
    own_tables = _own_tables(session, runtime, row)
    for table in reversed(metadata.sorted_tables):
        if table.name in own_tables:
            session.execute(delete(table).where(table.c.tenant_id == row.tenant_id))
    row.active_version = None
    session.flush()
    for model in _HOST_TABLES:
        session.execute(delete(model).where(_belongs(model, row)).execution_options(synchronize_session=False))
    before, row.state, row.first_enabled_at = row.state, "purged", None
    session.flush()
    session.expire_all()
    record(session, "plugin.purged", SUBJECT, subject_of(row), {"state": [before, "purged"], "rows": [counts, {}]})
    bump_epoch(session)
    runtime.contexts.forget(row.tenant_id)
    runtime.options.announce(session, "plugin.purged", {"plugin": plugin, "instance": instance})
    return counts


_HOST_TABLES: tuple[type[Base], ...] = (PluginConfig, PluginSecret, PluginProblem, PluginCall, PluginUse, PluginBreaker, PluginEgress)


def _belongs(model: type, row: PluginInstance) -> ColumnElement[bool]:
    if model in (PluginConfig, PluginSecret):
        return model.instance_id == row.id  # type: ignore[attr-defined]
    if model is PluginBreaker:
        return model.plugin == row.plugin  # type: ignore[attr-defined]
    return (model.plugin == row.plugin) & (model.instance == row.instance)  # type: ignore[attr-defined]


def _count(session: Session, model: type, row: PluginInstance) -> int:
    return session.scalar(select(func.count()).select_from(model).where(_belongs(model, row))) or 0


def _own_tables(session: Session, runtime: PluginRuntime, row: PluginInstance) -> frozenset[str]:
    """The plugin's own tables, when no other set-up of it is left that may have rows there."""
    others = select(PluginInstance.id).where(
        PluginInstance.plugin == row.plugin, PluginInstance.id != row.id, PluginInstance.state != "purged"
    )
    if session.scalars(others.limit(1)).first() is not None:
        return frozenset()
    loaded = runtime.host.loaded.get(row.plugin)
    owned = {mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantOwned)}  # type: ignore[attr-defined]
    return frozenset(loaded.tables if loaded is not None else ()) & owned


def _rows(session: Session, name: str, tenant_id: int) -> int:
    table = metadata.tables[name]
    return session.scalar(select(func.count()).select_from(table).where(table.c.tenant_id == tenant_id)) or 0


def _asked(session: Session, runtime: PluginRuntime, row: PluginInstance, *, is_dry_run: bool) -> Purged:
    loaded = runtime.host.loaded.get(row.plugin)
    if loaded is None or loaded.lifecycle.purge is None:
        return Purged()
    site = Site("lifecycle", "purge", trips=False)
    found = runtime.call(session, row.plugin, site, loaded.lifecycle.purge, is_dry_run, instance=row.instance).unwrap()
    return found if isinstance(found, Purged) else Purged()
