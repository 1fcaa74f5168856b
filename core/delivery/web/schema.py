"""The entity types of the present request: the code's, as the tenant has shaped them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app, g, has_request_context

from core.delivery.web.identity import current_identity, current_tenant
from core.delivery.web.unit import db
from core.engines.metadata import queries
from core.engines.metadata.entity import EntityRegistry
from core.engines.metadata.tailor import TenantSchema, reader_of, seen_by
from core.kernel.errors import NotFound
from core.kernel.ids import parse_id


def whole_schema() -> TenantSchema:
    """The tenant's schema with everything in it, for who shapes it; made once a request, anew after the request has changed it.

    Raises: LookupError - no tenant is open.
    """
    found: TenantSchema | None = g.get("schema")
    if found is None:
        tenant = current_tenant()
        if tenant is None:
            raise LookupError("no tenant is open")
        system: Any = current_app.extensions["oms.system"]
        found = g.schema = system.schemas.of(db(), epoch=tenant.epoch)
    return found


def present_schema() -> TenantSchema:
    """The tenant's schema as whoever makes this request sees it. Raises LookupError - no tenant is open."""
    identity = current_identity()
    return seen_by(whole_schema(), reader_of(identity.standing if identity is not None else None))


def forget_schema() -> None:
    """After a change of the configuration the rest of the request sees the new one."""
    g.pop("schema", None)


def entities_for(base: EntityRegistry) -> EntityRegistry:
    """The tenant's entity types for its members' requests, else the code's own: what a business has shaped is told to nobody else."""
    return present_schema() if _is_members() else base


def schema_version() -> int:
    """The version of the schema that this request sees; 0 outside a tenant and for visitors."""
    return present_schema().version if _is_members() else 0


def _is_members() -> bool:
    identity = current_identity() if has_request_context() else None
    return identity is not None and identity.standing is not None and current_tenant() is not None


def seen_id(entity_key: str, pk: str, error: type[NotFound] = NotFound, **facts: Any) -> UUID:
    """The id that an address spells, of a record that whoever makes this request may see. Raises `error` - it is none."""
    found = parse_id(pk)
    if found is None or not queries.visible_ids(db(), present_schema().get(entity_key), [found]):
        raise error(**facts)
    return found


def seen_rows(entity_key: str, statement: Any) -> Any:
    """The statement over an entity type's table, confined to what whoever makes this request may see."""
    return queries.visible(present_schema().get(entity_key), statement)
