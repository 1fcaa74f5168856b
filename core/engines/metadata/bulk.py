"""The actions of entity types as bulk runs: over named records, or over all that a list's filter finds, carried out by workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from core.engines.metadata.entity import Action, EntityRegistry, EntityType
from core.engines.metadata.queries import ListQuery, filtered, visible_ids
from core.engines.metadata.tailor import Sights
from core.engines.metadata.values import take
from core.kernel.errors import NotFound
from core.runtime.jobs.actions import DONE, ActionRegistry, BulkAction, RowOutcome

_PARTS = ("queue", "search", "condition")


def run_key(entity: EntityType, action: Action) -> str:
    """The key under which runs of an entity's action are stored."""
    return f"{entity.key}.{action.key}"


def source_of(query: ListQuery) -> dict[str, Any]:
    """What a list shows, as it is stored with a run; its order and place do not matter."""
    return {name: getattr(query, name) for name in _PARTS}


def bulk_actions(registry: EntityRegistry, sights: Sights) -> ActionRegistry:
    """Every action of every entity type. Parameters are stored as they were typed, and converted again where they are used."""
    return ActionRegistry.of(_bulk_action(sights, entity, action) for entity in registry for action in entity.actions)


def _bulk_action(sights: Sights, entity: EntityType, action: Action) -> BulkAction:
    def apply(session: Session, ids: Sequence[UUID], params: Mapping[str, Any]) -> Mapping[UUID, RowOutcome]:
        values = take(session, sights.of(session), action.fields, params, is_new=True) if action.fields else {}
        seen = visible_ids(session, sights.of(session).get(entity.key), ids)
        hidden = {key: RowOutcome.refusal(NotFound()) for key in ids if key not in set(seen)} if len(seen) < len(ids) else {}
        found = action.apply(session, seen, values) if seen else {}
        return {**hidden, **{key: DONE if error is None else RowOutcome.refusal(error) for key, error in found.items()}}

    def matching(session: Session, source: Mapping[str, Any]) -> Select[Any]:
        model: Any = entity.model
        query = ListQuery(**{name: source[name] for name in _PARTS if name in source})
        shaped = sights.of(session).get(entity.key)
        return filtered(session, shaped, query, now=datetime.now(UTC), columns=[model.id])

    return BulkAction(
        key=run_key(entity, action),
        title=action.label,
        permission=action.permission,
        apply=apply,
        select=None if action.needs_names else matching,
        plugin=entity.plugin,
    )
