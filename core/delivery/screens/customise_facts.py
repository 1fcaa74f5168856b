"""What the pages of Fields and records show: kinds with what was added to them, fields with their properties, the tabs of a kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for
from flask_babel import gettext

from core.delivery.screens.customise_types import TYPE_CARDS
from core.delivery.screens.customise_words import FIELD_WORDS
from core.delivery.web.crud.addressing import url_of
from core.delivery.web.identity import can
from core.delivery.web.schema import whole_schema
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.engines.configuration import Draft
from core.engines.configuration.queries import item as stored_item
from core.engines.metadata.entity import EntityType, Field
from core.engines.metadata.stored import CustomRecord
from core.engines.metadata.tailor import is_own
from core.engines.metadata.tailor.compiled import CUSTOM, own_key
from core.engines.metadata.tailor.kinds import MAX_ENTITIES, MAX_OF_ENTITY
from core.kernel.errors import NotFound

Body = Mapping[str, Any]
WRITE = "config.write"
FLAGS = ("required", "unique", "in_list", "sealed", "personal")
_SHORT = {"required": "required", "unique": "unique", "in_list": "in the list", "sealed": "encrypted", "personal": "personal"}
_TYPES_OF_CODE = {"quantity": "decimal", "tags": "choices"}


def entity_of(key: str) -> EntityType:
    """The kind of record with this key, archived ones too. Raises NotFound."""
    found = whole_schema().find(key)
    if found is not None:
        return found
    body = whole_schema().draft.get("entity", key.removeprefix(f"{CUSTOM}."))
    if body is None or not key.startswith(f"{CUSTOM}."):
        raise NotFound(entity=key)
    resource = body.get("resource") or body["key"]
    return EntityType(key, resource, CustomRecord, body["label"], body["label_plural"], body["key"], (), (), icon=body.get("icon", "table"))


def body_of(kind: str, key: str) -> tuple[dict[str, Any], int]:
    """A stored item's body and version. Raises NotFound."""
    found = stored_item(db(), kind, key)
    if found is None:
        raise NotFound(kind=kind, key=key)
    return dict(found.body), found.version


def own_fields(draft: Draft, entity: str) -> list[Body]:
    """The fields that the business added to a kind of record, archived ones too, in their order."""
    found = [body for body in draft.of("field").values() if body["entity"] == entity]
    return sorted(found, key=lambda body: (body.get("position", 0), body["key"]))


def kinds_shown() -> dict[str, Any]:
    """The overview: the business's own kinds, archived ones, and the built-in ones, each with counts."""
    schema = whole_schema()
    draft = schema.draft
    counts = {
        kind: Counter(body["entity"] for body in draft.of(kind).values() if not body.get("archived")) for kind in ("field", "view", "rule")
    }
    rows = [_kind_row(entity, counts) for entity in schema]
    archived = [
        {
            "label": body["label_plural"],
            "icon": body.get("icon", "table"),
            "key": key,
            "url": url_for("CustomiseFieldView.list", entity=own_key(key)),
        }
        for key, body in sorted(draft.of("entity").items())
        if body.get("archived")
    ]
    own = [row for row in rows if row["is_own"]]
    built_in = sorted((row for row in rows if not row["is_own"]), key=lambda row: (-row["fields"], row["label"]))
    return {"own": own, "built_in": built_in, "archived": archived, "left": MAX_ENTITIES - len(draft.of("entity")), "limit": MAX_ENTITIES}


def _kind_row(entity: EntityType, counts: Mapping[str, Counter[str]]) -> dict[str, Any]:
    parent = whole_schema().find(entity.parent[0]) if entity.parent is not None else None
    return {
        "key": entity.key,
        "label": gettext(entity.label_plural),
        "icon": entity.icon or "table",
        "text": gettext(entity.help) if entity.help else "",
        "is_own": is_own(entity),
        "parent": gettext(parent.label_plural) if parent is not None and is_own(entity) else "",
        "url": url_for("CustomiseFieldView.list", entity=entity.key),
        "fields": counts["field"][entity.key],
        "views": counts["view"][entity.key],
        "rules": counts["rule"][entity.key],
    }


def fields_shown(entity: EntityType) -> dict[str, Any]:
    """The fields of a kind: its own ones in order, archived ones, and those of the code."""
    bodies = own_fields(whole_schema().draft, entity.key)
    live = [_own_row(entity, body) for body in bodies if not body.get("archived")]
    names = {body["key"] for body in bodies}
    return {
        "own": live,
        "archived": [_own_row(entity, body) for body in bodies if body.get("archived")],
        "built_in": [_code_row(entity, item) for item in entity.fields if item.key not in names],
        "used": len(bodies),
        "limit": MAX_OF_ENTITY,
    }


def _own_row(entity: EntityType, body: Body) -> dict[str, Any]:
    card = TYPE_CARDS[body["type"]]
    flags = [name for name in FLAGS if body.get(name)] + (["visible_if"] if body.get("visible_if") else [])
    return {
        "key": body["key"],
        "label": body["label"],
        "type": gettext(card.label),
        "icon": card.icon,
        "flags": [gettext(_SHORT.get(name, "conditional")) for name in flags],
        "help": body.get("help", ""),
        "url": url_for("CustomiseFieldView.edit", entity=entity.key, key=body["key"]),
    }


def _code_row(entity: EntityType, item: Field) -> dict[str, Any]:
    card = TYPE_CARDS.get(_TYPES_OF_CODE.get(str(item.type), str(item.type)))
    said = {"required": item.is_required, "unique": item.is_unique, "in_list": item.key in entity.list_fields, "personal": item.is_personal}
    return {
        "key": item.key,
        "label": gettext(item.label),
        "type": gettext(card.label) if card is not None else str(item.type),
        "icon": card.icon if card is not None else "point",
        "flags": [gettext(_SHORT[name]) for name, holds in said.items() if holds],
    }


def head_of(entity: EntityType, tab: str, *, primary: grid.Action | None = None, more: Sequence[grid.Action] = ()) -> dict[str, Any]:
    """Title row and tabs of a kind's pages, for `pages/_customise_head.html`."""
    tabs = {
        "fields": (gettext("Fields"), url_for("CustomiseFieldView.list", entity=entity.key)),
        "layouts": (gettext("Layouts"), url_for("CustomiseLayoutView.list", entity=entity.key)),
        "labels": (gettext("Words for choices"), url_for("CustomiseLabelView.list", entity=entity.key)),
    }
    if is_own(entity):
        tabs["settings"] = (gettext("Settings"), url_for("CustomiseView.edit", entity=entity.key))
    if is_own(entity) and not any(item.choices and not item.slot for item in entity.fields):
        del tabs["labels"]
    listed = url_of(entity, "list") if whole_schema().find(entity.key) is not None and can(f"{entity.area}.read") else ""
    links = [*more, grid.Action(gettext("Open the list"), listed, "external-link")] if listed else list(more)
    return {
        "title": gettext(entity.label_plural),
        "crumbs": [{"label": gettext("Fields and records"), "url": url_for("CustomiseView.list")}],
        "primary": primary,
        "more": links,
        "tabs": [grid.Tab(key, label, url, key == tab) for key, (label, url) in tabs.items()],
    }


def entity_options(*, but: str = "") -> list[tuple[str, str]]:
    """Kinds of records to choose from, the business's own first."""
    found = sorted(whole_schema(), key=lambda one: (not is_own(one), gettext(one.label_plural)))
    return [(one.key, gettext(one.label_plural)) for one in found if one.key != but]


def field_words() -> Mapping[str, tuple[str, str]]:
    """Labels and helps of a field's inputs."""
    return FIELD_WORDS
