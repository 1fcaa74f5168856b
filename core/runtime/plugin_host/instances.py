"""Reading what a tenant has set up."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.runtime.plugin_host.errors import InstanceUnknown, VersionUnknown
from core.runtime.plugin_host.models import PluginConfig, PluginInstance

MAIN = "main"


def find_instance(session: Session, plugin: str, instance: str = MAIN, *, is_locked: bool = False) -> PluginInstance | None:
    """The tenant's set-up of the plugin under that name, or None."""
    statement = select(PluginInstance).where(PluginInstance.plugin == plugin, PluginInstance.instance == instance)
    return session.scalars(statement.with_for_update() if is_locked else statement).one_or_none()


def get_instance(session: Session, plugin: str, instance: str = MAIN, *, is_locked: bool = False) -> PluginInstance:
    """The tenant's set-up of the plugin under that name. Raises InstanceUnknown."""
    row = find_instance(session, plugin, instance, is_locked=is_locked)
    if row is None:
        raise InstanceUnknown(plugin=plugin, instance=instance)
    return row


def instances_of(session: Session, plugin: str | None = None) -> Sequence[PluginInstance]:
    """All set-ups of the tenant, or those of one plugin, by plugin and name."""
    statement = select(PluginInstance).order_by(PluginInstance.plugin, PluginInstance.instance)
    if plugin is not None:
        statement = statement.where(PluginInstance.plugin == plugin)
    return session.scalars(statement).all()


def find_config(session: Session, row: PluginInstance, version: int | None) -> PluginConfig | None:
    """The version of the instance's settings, or None."""
    if version is None:
        return None
    statement = select(PluginConfig).where(PluginConfig.instance_id == row.id, PluginConfig.version == version)
    return session.scalars(statement).one_or_none()


def get_config(session: Session, row: PluginInstance, version: int) -> PluginConfig:
    """The version of the instance's settings. Raises VersionUnknown."""
    found = find_config(session, row, version)
    if found is None:
        raise VersionUnknown(plugin=row.plugin, instance=row.instance, version=version)
    return found


def versions_of(session: Session, row: PluginInstance, *, limit: int = 50) -> Sequence[PluginConfig]:
    """The versions of the instance's settings, newest first."""
    statement = select(PluginConfig).where(PluginConfig.instance_id == row.id).order_by(PluginConfig.version.desc()).limit(limit)
    return session.scalars(statement).all()


def newest_version(session: Session, row: PluginInstance) -> PluginConfig | None:
    """The version saved last, active or not."""
    return next(iter(versions_of(session, row, limit=1)), None)
