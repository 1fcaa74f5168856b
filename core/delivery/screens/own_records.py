"""The screens of entity types that a tenant made: the generated ones, at one address with the type's name in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import request

from core.delivery.web.crud.addressing import OWN_NAME, OWN_VIEW, key_for
from core.delivery.web.crud.interface import EntityInterface
from core.delivery.web.crud.own import guard_own_records, named_entity
from core.delivery.web.crud.view import EntityView
from core.delivery.web.identity import can
from core.delivery.web.menu import Entry
from core.delivery.web.schema import present_schema
from core.engines.metadata.entity import EntityRegistry, EntityType
from core.engines.metadata.stored import CustomRecord
from core.runtime.security.permissions import MEMBER

METHODS = ("list", "show", "lookup", "export", "add", "edit", "delete", "reveal")
_SECTIONS = {"catalog": "products", "inventory": "stock"}


class OwnRecordView(EntityView):
    """Lists, forms and pages of any entity type of the tenant's own. Who may do what is asked when the type is known."""

    @property
    def entity(self) -> EntityType:  # type: ignore[override]
        """The entity type that the address names."""
        return named_entity()

    def create_blueprint(self, *args: Any, **kwargs: Any) -> Any:
        """The addresses, with what finds the entity type for them."""
        blueprint = super().create_blueprint(*args, **kwargs)
        guard_own_records(blueprint, lambda entity: can(key_for(entity, (request.endpoint or "").rpartition(".")[2])))
        return blueprint


def own_record_view(registry: EntityRegistry, session: Any) -> type[OwnRecordView]:
    """The view class, ready for `appbuilder.add_view_no_menu`."""
    columns = {f"{use}_columns": ["id"] for use in ("list", "search", "add", "edit", "show", "order")}
    keys: Mapping[str, str] = dict.fromkeys(METHODS, MEMBER)
    members: dict[str, Any] = {
        **columns,
        **dict.fromkeys(("list_title", "show_title", "add_title", "edit_title"), "Record"),
        "base_registry": registry,
        "permission_keys": keys,
        "datamodel": EntityInterface(CustomRecord, session),
        "route_base": f"/records/<{OWN_NAME}>",
        "class_permission_name": OWN_VIEW,
        "label_columns": {"id": "id"},
    }
    return type(OWN_VIEW, (OwnRecordView,), members)


def own_entries() -> list[Entry]:
    """The navigation entries of the tenant's own entity types."""
    found = []
    for at, entity in enumerate(present_schema().own):
        if entity.menu and entity.parent is None:
            section, named = _SECTIONS.get(entity.menu, entity.menu), ((OWN_NAME, entity.resource),)
            entry = Entry(entity.key, entity.label_plural, section, f"{OWN_VIEW}.list", f"{entity.area}.read", entity.icon, arguments=named)
            found.append(replace(entry, order=500 + at))
    return found
