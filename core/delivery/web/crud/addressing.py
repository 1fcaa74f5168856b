"""Where the generated screens of an entity type are: the code's types have views of their own, a tenant's own types share one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import url_for
from werkzeug.routing import BuildError

from core.delivery.web.crud.grids import Addresses
from core.delivery.web.identity import can
from core.delivery.web.theme import grid
from core.engines.metadata.entity import EntityType
from core.engines.metadata.tailor import is_own

OWN_VIEW = "OwnRecordView"
#: The argument of addresses that names one of the tenant's own entity types.
OWN_NAME = "own_entity"
#: What it takes to see encrypted values in clear, and people's.
REVEAL = "customers.reveal"
VERBS = {"add": "write", "edit": "write", "delete": "delete", "export": "export"}


def view_name(entity_key: str) -> str:
    """The class, endpoint and permission name of the view of one of the code's entity types."""
    return "".join(part.capitalize() for part in entity_key.replace(".", "_").split("_")) + "View"


def key_for(entity: EntityType, method: str) -> str:
    """The permission that a method of an entity type's screens needs."""
    return REVEAL if method.startswith("reveal") else f"{entity.area}.{VERBS.get(method, 'read')}"


def url_of(entity: EntityType, method: str, **values: Any) -> str:
    """The address of a method of an entity type's screens; empty when there is none."""
    try:
        if is_own(entity):
            return url_for(f"{OWN_VIEW}.{method}", **{OWN_NAME: entity.resource, **values})
        return url_for(f"{view_name(entity.key)}.{method}", **values)
    except BuildError:
        return ""


def is_editable(entity: EntityType) -> bool:
    """Whether people change these records: what the code lets them, or fields that their business added."""
    return bool(entity.form_fields) and (entity.update is not None or any(entity.by_key[key].slot for key in entity.form_fields))


def addresses_of(entity: EntityType, *, link: Callable[[str, UUID], str], lookup: Callable[[str], str]) -> Addresses:
    """Where the controls of an entity type's lists lead, as far as the reader may go."""

    def pattern(method: str) -> str:
        return url_of(entity, method, pk="__pk__").replace("__pk__", grid.KEY)

    may_write, may_delete = can(key_for(entity, "add")), can(key_for(entity, "delete"))
    return Addresses(
        here=url_of(entity, "list"),
        link=link,
        lookup=lookup,
        show=pattern("show"),
        peek=pattern("peek"),
        edit=pattern("edit") if may_write and is_editable(entity) else "",
        delete=pattern("delete") if may_delete and entity.delete is not None else "",
        add=url_of(entity, "add") if may_write and entity.create is not None else "",
        bulk=url_of(entity, "bulk"),
        counts=url_of(entity, "counts") if len(entity.queues) > 1 else "",
        columns=url_of(entity, "columns"),
        export=url_of(entity, "export") if can(key_for(entity, "export")) else "",
    )
