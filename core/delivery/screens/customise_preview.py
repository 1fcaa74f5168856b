"""What another type would do to a field's values: how many could not be read, and in which records the first of them are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from core.delivery.web.crud.addressing import url_of
from core.delivery.web.identity import can
from core.delivery.web.schema import present_schema, whole_schema
from core.delivery.web.unit import db
from core.engines.metadata import queries
from core.engines.metadata.entity import EntityType
from core.engines.metadata.tailor import slots
from core.engines.metadata.tailor.compiled import field_of

EXAMPLES = 5


def change_preview(entity: EntityType, stored: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """How many records have a value, how many of those could not be read as `kind`, and examples with value and address."""
    slot = slots.slot_of(db(), entity.key, stored["key"])
    if not slot or stored["type"] in slots.COMPUTED or kind in slots.COMPUTED:
        return {"held": 0, "lost": 0, "examples": []}
    base = whole_schema()
    item = field_of({**stored, "type": kind, "default": None}, slot)
    rows = slots.unreadable_rows(db(), base, entity.key, item)
    first = list(islice(rows, EXAMPLES))
    lost = len(first) + sum(1 for _row in rows)
    examples = _examples(entity.key, first, is_veiled=bool(stored.get("personal") or stored.get("sealed")))
    return {"held": slots.held(db(), base, entity.key, slot), "lost": lost, "examples": examples}


def _examples(key: str, rows: Sequence[tuple[UUID, Any]], *, is_veiled: bool) -> list[dict[str, Any]]:
    """The rows that the reader may open; values of people are not repeated."""
    entity = present_schema().find(key)
    if entity is None or not can(f"{entity.area}.read"):
        return []
    values = dict(rows)
    seen = queries.visible_ids(db(), entity, list(values))
    names = queries.titles(db(), entity, seen)
    found = []
    for record in seen:
        value = "…" if is_veiled or isinstance(values[record], dict) else str(values[record])[:80]
        found.append({"name": names.get(record) or "…", "url": url_of(entity, "show", pk=record), "value": value})
    return found
