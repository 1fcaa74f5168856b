"""Forms and pages as a layout arranges them, and the rules by which fields show, hide or are asked for while somebody fills a form in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flask_babel import gettext

from core.engines.metadata.columns import catalogue_of
from core.engines.metadata.entity import EntityType, Field
from core.engines.metadata.values import out
from core.kernel.conditions import ConditionInvalid, fields_in, parse_condition, to_json
from core.kernel.jsontext import encode_json

Shown = Mapping[str, Any]
RULES = ("visible_if", "required_if")


def form_tabs(entity: EntityType, fields: Iterable[Field]) -> list[dict[str, Any]]:
    """The form's fields in tabs of sections; what the layout leaves out but the form has stands at the end of the first tab."""
    keys = [item.key for item in fields]
    if not entity.tabs:
        return [{"title": "", "fieldsets": [{"title": "", "fields": keys}]}]
    placed = {key for tab in entity.tabs for section in tab.sections for key in section.fields}
    found = []
    for at, tab in enumerate(entity.tabs):
        parts = [
            {"title": one.title, "columns": one.columns, "fields": inside}
            for one in tab.sections
            if (inside := [key for key in one.fields if key in keys])
        ]
        left = [key for key in keys if key not in placed]
        if at == 0 and left:
            parts.append({"title": gettext("More") if parts else "", "fields": left})
        if parts:
            found.append({"title": tab.title or gettext("Tab %(number)s", number=at + 1), "fieldsets": parts})
    return found


def page_panels(entity: EntityType, fields: Sequence[Field], show: Callable[[Field], Shown]) -> list[dict[str, Any]]:
    """The fields of a record's page as `kit/_details.html` takes them: one panel, or those of the layout by tab."""
    if not entity.tabs:
        return [{"title": "", "fields": [show(item) for item in fields]}]
    known = {item.key: item for item in fields}
    found = []
    for at, tab in enumerate(entity.tabs):
        panels = [
            {"title": one.title, "columns": one.columns, "fields": inside}
            for one in tab.sections
            if (inside := [show(known[key]) for key in one.fields if key in known])
        ]
        if panels:
            found.append({"tab": tab.title or gettext("Tab %(number)s", number=at + 1), "panels": panels})
    return found


def ruled(entity: EntityType, fields: Sequence[Field], record: Any) -> str:
    """For the browser, as JSON: the conditions of the form's fields, the types they compare, and values that the form does not hold.

    The server judges again when the form is sent. Values of people and what is never given back are left out.
    """
    catalogue = catalogue_of(entity)
    rules: dict[str, dict[str, Any]] = {}
    named: set[str] = set()
    for item in fields:
        for name in RULES:
            tree = getattr(item, name)
            if not tree:
                continue
            try:
                condition = parse_condition(tree, catalogue)
            except ConditionInvalid:
                continue
            rules.setdefault(item.key, {})[name] = to_json(condition)
            named |= fields_in(condition)
    if not rules:
        return ""
    own = {item.key for item in fields}
    outside = [key for key in sorted(named - own) if key in entity.by_key and not entity.by_key[key].is_personal]
    values = {key: out(getattr(record, key, None)) for key in outside} if record is not None else {}
    types = {key: str(catalogue[key].type) for key in named if key in catalogue}
    return encode_json({"rules": rules, "types": types, "values": values})
