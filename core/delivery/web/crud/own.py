"""Addresses with the name of one of the tenant's own entity types in them: `/records/<name>/…`, for screens and REST alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, g, has_request_context

from core.delivery.web.crud.addressing import OWN_NAME
from core.delivery.web.identity import can
from core.delivery.web.schema import entities_for, present_schema
from core.engines.metadata.entity import EntityRegistry, EntityType
from core.engines.metadata.stored import CustomRecord
from core.engines.metadata.tailor import is_own

#: What stands for an entity type where none is named.
NOTHING = EntityType("custom.none", "none", CustomRecord, "Record", "Records", "custom.none", fields=(), list_fields=())
_RESOURCE, _ENTITY = "own_resource", "own_entity"


def named_entity() -> EntityType:
    """The entity type that the present address names; one without fields while no address does, as when views are registered."""
    key = g.get(_ENTITY) if has_request_context() else None
    return present_schema().get(key) if key else NOTHING


def guard_own_records(blueprint: Blueprint, may: Callable[[EntityType], bool]) -> None:
    """Let the blueprint's addresses find their entity type; one that the reader may not see looks as if it did not exist, and what
    `may(entity)` denies is refused."""

    @blueprint.url_value_preprocessor
    def take_name(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        setattr(g, _RESOURCE, (values or {}).pop(OWN_NAME, ""))

    @blueprint.url_defaults
    def give_name(_endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault(OWN_NAME, g.get(_RESOURCE, ""))

    @blueprint.before_request
    def find_entity() -> None:
        entity = entities_for(EntityRegistry()).by_resource(g.get(_RESOURCE))
        if entity is None or not is_own(entity) or not can(f"{entity.area}.read"):
            abort(404)
        setattr(g, _ENTITY, entity.key)
        if not may(entity):
            abort(403)
