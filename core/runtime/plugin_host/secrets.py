"""The write-only part of settings: sealed by the tenant's key, bound to plugin, set-up and field."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.runtime.plugin_host.models import PluginConfig, PluginInstance, PluginSecret
from core.runtime.security.vault import seal, unseal

SHOWN_END = 4
LEAST_SHOWN = 12


def purpose_of(row: PluginInstance, field: str) -> str:
    """What a sealed value is bound to besides its tenant."""
    return f"plugin:{row.plugin}:{row.instance}:{field}"


def hint_of(value: str) -> str:
    """The end of a secret that may be shown; nothing of a short one."""
    return value[-SHOWN_END:] if len(value) >= LEAST_SHOWN else ""


def keep_secret(session: Session, row: PluginInstance, field: str, value: str) -> PluginSecret:
    """Seal `value` and store it; nothing reads it back but the plugin's context."""
    kept = PluginSecret(instance_id=row.id, field=field, sealed=seal(session, purpose_of(row, field), value), hint=hint_of(value))
    session.add(kept)
    session.flush()
    return kept


def read_secrets(session: Session, row: PluginInstance, config: PluginConfig | None) -> dict[str, str]:
    """The secrets that a version of the settings uses, by field, opened."""
    return {kept.field: unseal(session, purpose_of(row, kept.field), kept.sealed) for kept in _kept(session, config)}


def shown_secrets(session: Session, config: PluginConfig | None) -> dict[str, dict[str, Any]]:
    """What a page may say about the secrets: by field, that it is set, its last characters, and since when."""
    return {kept.field: {"is_set": True, "hint": kept.hint, "rotated_at": _text(kept.created_at)} for kept in _kept(session, config)}


def _kept(session: Session, config: PluginConfig | None) -> list[PluginSecret]:
    wanted: Mapping[str, str] = config.secrets if config is not None else {}
    if not wanted:
        return []
    ids = [UUID(value) for value in wanted.values()]
    return list(session.scalars(select(PluginSecret).where(PluginSecret.id.in_(ids)).order_by(PluginSecret.field)))


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment is not None else ""
