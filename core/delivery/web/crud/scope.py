"""A filter that stays from list to list, such as the shop that a reader works in; whoever owns it tells lists of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import current_app

from core.engines.metadata.entity import EntityType

EXTENSION = "oms.list_scope"


@dataclass(frozen=True, slots=True)
class ListScope:
    """What stays: the list's field, its value (empty: nothing is chosen), and the address that ends it and leads back to this list."""

    field: str
    value: str = ""
    clear_url: str = ""


def scope_of(entity: EntityType) -> ListScope | None:
    """The scope of this entity's lists in the present request; None for entities that have no such field."""
    find: Callable[[EntityType], ListScope | None] | None = current_app.extensions.get(EXTENSION)
    return find(entity) if find is not None else None
