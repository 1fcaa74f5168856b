"""Changes of configuration as people read them: what changed on which item, property by property, old and new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext

from core.delivery.screens.customise_types import TYPE_CARDS
from core.delivery.screens.customise_words import BODY_WORDS, FALLBACK_LABELS, KIND_ICONS
from core.engines.configuration.changes import Step
from core.engines.metadata.columns import catalogue_of
from core.engines.metadata.entity import EntityRegistry, EntityType
from core.kernel.conditions import ConditionInvalid, describe, parse_condition
from core.kernel.jsontext import encode_json

Body = Mapping[str, Any]
CONDITIONS = frozenset({"visible_if", "required_if", "condition", "where"})
_LONG = 300


def shown_step(schema: EntityRegistry, step: Step) -> dict[str, Any]:
    """One change: a sign, a headline, and its parts with label, old and new."""
    body = step.after or step.before or {}
    what = {"kind": _kind(step.kind), "name": name_of(schema, step.kind, step.key, body)}
    if step.before is None:
        line, sign = gettext("%(kind)s “%(name)s” added", **what), "plus"
    elif step.after is None:
        line, sign = gettext("%(kind)s “%(name)s” removed", **what), "trash"
    elif bool(step.after.get("archived")) != bool(step.before.get("archived")):
        archived = bool(step.after.get("archived"))
        line = gettext("%(kind)s “%(name)s” archived", **what) if archived else gettext("%(kind)s “%(name)s” restored", **what)
        sign = "box" if archived else "arrow-back-up"
    else:
        line, sign = gettext("%(kind)s “%(name)s” changed", **what), "edit"
    return {"line": line, "sign": sign, "icon": KIND_ICONS.get(step.kind, "settings"), "changes": _parts(schema, step)}


def name_of(schema: EntityRegistry, kind: str, key: str, body: Body) -> str:
    """What to call an item, with the kind of record that it is about."""
    label = str(body.get("label") or "")
    entity = schema.find(str(body.get("entity", "")))
    about = gettext(entity.label_plural) if entity is not None else str(body.get("entity", ""))
    if kind in ("layout", "access", "label"):
        rest = [str(body[name]) for name in ("field", "value", "role") if body.get(name)]
        label = " · ".join(rest) if kind != "label" else " · ".join([*rest[:2], label] if label else rest[:2])
    parts = [part for part in (about, label) if part]
    return " · ".join(parts) or key


def _kind(kind: str) -> str:
    return gettext(FALLBACK_LABELS.get(kind, kind))


def _parts(schema: EntityRegistry, step: Step) -> list[dict[str, Any]]:
    before, after = step.before or {}, step.after or {}
    entity = schema.find(str((after or before).get("entity", "")))
    found = []
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name) and not (name == "entity" and not (before and after)):
            old, new = (shown_value(name, body.get(name), entity) for body in (before, after))
            found.append({"label": label_of(step.kind, name), "old": old, "new": new})
    return found


def label_of(kind: str, name: str) -> str:
    """What a property of a body is called."""
    return gettext(BODY_WORDS.get(kind, {}).get(name, (name, ""))[0])


def shown_value(name: str, value: Any, entity: EntityType | None) -> str:
    """A property's value as a short text."""
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name == "type" and value in TYPE_CARDS:
        return gettext(TYPE_CARDS[value].label)
    if name in CONDITIONS and isinstance(value, Mapping):
        return sentence_of(value, entity)
    if name == "choices" and isinstance(value, list):
        return ", ".join(str(one.get("label") or one.get("value")) for one in value)
    if name == "tabs" and isinstance(value, list):
        return _tabs(value, entity)
    if isinstance(value, list):
        return ", ".join(_field_label(entity, str(one)) for one in value)
    return encode_json(value)[:_LONG] if isinstance(value, Mapping) else str(value)[:_LONG]


def _tabs(tabs: list[Body], entity: EntityType | None) -> str:
    parts = []
    for tab in tabs:
        for section in tab.get("sections", ()):
            head = " / ".join(text for text in (tab.get("title", ""), section.get("title", "")) if text)
            names = ", ".join(_field_label(entity, key) for key in section.get("fields", ()))
            parts.append(f"{head}: {names}" if head else names)
    return "; ".join(parts)


def _field_label(entity: EntityType | None, key: str) -> str:
    item = entity.by_key.get(key) if entity is not None else None
    return gettext(item.label) if item is not None else key


def sentence_of(tree: Any, entity: EntityType | None) -> str:
    """A condition as a sentence; its JSON where the fields that it names are no longer there."""
    if entity is not None:
        known = catalogue_of(entity)
        try:
            return describe(parse_condition(tree, known), known, gettext)
        except ConditionInvalid:
            pass
    return encode_json(tree)[:_LONG]
