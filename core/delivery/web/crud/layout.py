"""Which columns a reader wants to see in a list; theirs alone, per tenant."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from core.engines.metadata.entity import EntityType
from core.engines.metadata.layouts import columns_for, keep_columns
from core.runtime.tenancy.scope import require_scope


def chosen_columns(session: Session, entity: EntityType) -> Sequence[str]:
    """The reader's columns, or the entity's own."""
    scope = require_scope()
    kept = columns_for(session, entity.key, user_id=scope.actor.id) if scope.actor.kind == "user" else []
    known = [key for key in kept if key in entity.by_key and not entity.by_key[key].is_write_only]
    return known or entity.list_fields


def save_columns(session: Session, entity: EntityType, keys: Sequence[str]) -> None:
    """Keep the reader's columns; none goes back to the entity's own."""
    scope = require_scope()
    if scope.actor.kind == "user":
        keep_columns(session, entity.key, user_id=scope.actor.id, columns=list(keys))
