"""The REST resources of entity types that a tenant made: `/records/<name>/`, as for the code's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from core.delivery.api.base import Described
from core.delivery.api.describe_entity import described_entity
from core.delivery.api.resource import EntityApi
from core.delivery.web.crud.addressing import OWN_NAME
from core.delivery.web.crud.interface import EntityInterface
from core.delivery.web.crud.own import guard_own_records, named_entity
from core.delivery.web.identity import can
from core.engines.metadata.entity import EntityRegistry, EntityType
from core.engines.metadata.stored import CustomRecord
from core.engines.metadata.tailor import TenantSchema
from core.runtime.security.permissions import MEMBER

NAME = "OwnRecordApi"
ROOT = "records"
_VERBS = {"GET": "read", "HEAD": "read", "POST": "write", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_METHODS = {"get": "read", "post": "write", "put": "write", "delete": "delete"}


class OwnRecordApi(EntityApi):
    """Any entity type of the tenant's own. Who may do what is asked when the type is known."""

    @property
    def entity(self) -> EntityType:
        """The entity type that the address names."""
        return named_entity()

    def create_blueprint(self, *args: Any, **kwargs: Any) -> Any:
        """The addresses, with what finds the entity type for them."""
        blueprint = super().create_blueprint(*args, **kwargs)
        guard_own_records(blueprint, lambda entity: can(f"{entity.area}.{_VERBS.get(request.method, 'write')}"))
        return blueprint

    def described(self) -> Described:
        """The resources of all of the tenant's own entity types; none for who is no member."""
        schema = self.registry
        own = [entity for entity in schema.own if can(f"{entity.area}.read")] if isinstance(schema, TenantSchema) else []
        paths: dict[str, Any] = {}
        schemas: dict[str, Any] = {}
        for entity in own:
            part = described_entity(entity, {name: f"{entity.area}.{verb}" for name, verb in _METHODS.items()}, root=f"/{ROOT}")
            paths.update(part.paths)
            schemas.update(part.schemas)
        return Described(paths, schemas)


def own_record_api(registry: EntityRegistry, session: Any) -> type[OwnRecordApi]:
    """The REST class, ready for `appbuilder.add_api`."""
    columns = {f"{use}_columns": ["id"] for use in ("list", "show", "add", "edit", "search", "order")}
    keys: Mapping[str, str] = dict.fromkeys(_METHODS, MEMBER)
    members: dict[str, Any] = {
        **columns,
        "base_registry": registry,
        "permission_keys": keys,
        "exclude_route_methods": {*OwnRecordApi.exclude_route_methods, "act"},
        "datamodel": EntityInterface(CustomRecord, session),
        "resource_name": f"{ROOT}/<{OWN_NAME}>",
        "class_permission_name": NAME,
        "openapi_spec_tag": NAME,
    }
    return type(NAME, (OwnRecordApi,), members)
