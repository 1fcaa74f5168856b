"""The records that refer to a record, as short lists on its page; the link leads to all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext

from core.delivery.web.crud import grids
from core.delivery.web.crud.addressing import addresses_of, url_of
from core.delivery.web.crud.arguments import ListArguments
from core.delivery.web.identity import can
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.engines.metadata import queries
from core.engines.metadata.entity import EntityRegistry, EntityType, Related
from core.engines.metadata.queries import ListQuery

RELATED_ROWS = 10
Link = Callable[[str, UUID], str]
Lookup = Callable[[str], str]


def related_lists(
    registry: EntityRegistry, parts: Sequence[Related], record_id: UUID, *, now: datetime, link: Link, lookup: Lookup
) -> list[dict[str, Any]]:
    """A list for each kind of record that refers to this one and that the reader may see."""
    found = []
    for part in parts:
        target = registry.find(part.entity)
        if target is not None and part.field in target.by_key and can(f"{target.area}.read"):
            addresses = addresses_of(target, link=link, lookup=lookup)
            found.append(_list(registry, target, (part.field, record_id), gettext(part.label), now=now, addresses=addresses))
    return found


def currencies_of(entity: EntityType, keys: Sequence[str]) -> list[str]:
    """The fields that hold the currencies of these money fields."""
    return [item.currency_key for key in keys if (item := entity.by_key[key]).currency_key]


def wanted_of(entity: EntityType, keys: Sequence[str]) -> list[str]:
    """What a list with these columns reads: the columns, what its rows are called, and the currencies of its amounts."""
    title = [entity.title_field] if entity.title_field != "id" else []
    return [*keys, *title, *currencies_of(entity, keys)]


def _list(
    registry: EntityRegistry, entity: EntityType, within: tuple[str, UUID], title: str, *, now: datetime, addresses: grids.Addresses
) -> dict[str, Any]:
    field, value = within
    keys = [key for key in entity.list_fields if key != field]
    query = ListQuery(size=RELATED_ROWS, within=(within,))
    page = queries.fetch(db(), entity, query, now=now, keys=wanted_of(entity, keys))
    names = queries.labels(db(), registry, entity, page.rows, keys)
    signs = grids.signs_of(entity, keys, page.rows)
    rows = grids.rows_of(entity, keys, page, labels=names, addresses=addresses, signs=signs)
    columns = grids.columns_of(entity, keys, ListArguments(query), signs)
    heads = [grid.Column(c.key, c.label, c.css, on_card=c.on_card, sign=c.sign) for c in columns]
    wanted: dict[str, Any] = {f"f.{field}": value}
    all_url = url_of(entity, "list", **wanted)
    add = f"{addresses.add}?{field}={value}" if addresses.add else ""
    table = grid.Grid(heads, rows, id=entity.resource, show_url=addresses.show, add_url=add, empty=None)
    return {"title": title, "url": all_url if page.next_cursor else "", "grid": table, "id": f"related-{entity.resource}"}
