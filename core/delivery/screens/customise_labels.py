"""Words for choices: what a business calls the values of built-in choices, such as the states of orders, and in which colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import current_app, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext

from core.delivery.screens import customise_facts as facts
from core.delivery.screens.customise import READ, WRITE
from core.delivery.screens.customise_door import carry_out, problems_of
from core.delivery.screens.customise_words import COLOUR_WORDS
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.schema import whole_schema
from core.delivery.web.unit import db
from core.engines.configuration import Change, ConfigRefused
from core.engines.configuration.queries import items_of
from core.engines.metadata.entity import Choice, EntityRegistry, EntityType, Field


class CustomiseLabelView(BaseView):
    """Words and colours of one kind of record's built-in choices."""

    route_base = "/customise"
    default_view = "list"
    class_permission_name = "CustomiseLabelView"
    permission_keys: ClassVar[Mapping[str, str]] = {"list": READ, "write": WRITE}

    @expose("/<entity>/words/", methods=["GET"])
    @has_access
    def list(self, entity: str) -> Any:
        """The choices with their words."""
        return self._page(facts.entity_of(entity), {})

    @expose("/<entity>/words/", methods=["POST"])
    @has_access
    @permission_name("write")
    def save(self, entity: str) -> Any:
        """Keep the words; an empty word and no colour mean the built-in ones."""
        found = facts.entity_of(entity)
        here = url_for("CustomiseLabelView.list", entity=entity)
        title = gettext("Words for choices")
        changes = _changes(found, request.form)
        try:
            return carry_out(changes, title=title, done=here, back=here, note=title)
        except ConfigRefused as error:
            problems = {change.key: list(wrong.values()) for change in changes if (wrong := _own(error, change.key))}
            return self._page(found, problems), 422

    def _page(self, entity: EntityType, problems: Mapping[str, Any]) -> Any:
        versions = {item.key: item.version for item in items_of(db(), "label")}
        fields = [
            {"label": gettext(item.label), "rows": [_row(entity, item, choice, versions, problems) for choice in built_in(entity, item)]}
            for item in entity.fields
            if item.choices and not item.slot
        ]
        return render_template(
            "pages/customise_labels.html",
            title=gettext(entity.label_plural),
            head=facts.head_of(entity, "labels"),
            fields=fields,
            colours=[("", gettext("As built in")), *((key, gettext(label)) for key, label in COLOUR_WORDS.items())],
            may=can(WRITE),
            entity=entity,
        )


def built_in(entity: EntityType, item: Field) -> tuple[Choice, ...]:
    """The choices of a field as the code describes them."""
    base: EntityRegistry = current_app.extensions["oms.system"].entities
    found = base.find(entity.key)
    return found.by_key[item.key].choices if found is not None and item.key in found.by_key else item.choices


def _row(entity: EntityType, item: Field, choice: Choice, versions: Mapping[str, int], problems: Mapping[str, Any]) -> dict[str, Any]:
    key = f"{entity.key}/{item.key}/{choice.value}"
    stored = whole_schema().draft.get("label", key) or {}
    given = request.form if request.method == "POST" else {}
    return {
        "name": f"{item.key}/{choice.value}",
        "value": choice.value,
        "built_in": gettext(choice.label),
        "built_in_kind": choice.kind,
        "icon": choice.icon,
        "label": given.get(f"label:{item.key}/{choice.value}", stored.get("label", "")),
        "kind": given.get(f"kind:{item.key}/{choice.value}", stored.get("kind", "")),
        "version": versions.get(key, 0),
        "problems": [in_words(message) for message in problems.get(key, ())],
    }


def _changes(entity: EntityType, form: Mapping[str, str]) -> list[Change]:
    found = []
    for item in entity.fields:
        for choice in built_in(entity, item) if not item.slot else ():
            name = f"{item.key}/{choice.value}"
            if f"label:{name}" not in form:
                continue
            key, said_now = f"{entity.key}/{name}", form[f"label:{name}"].strip()
            colour, base = form.get(f"kind:{name}", ""), form.get(f"base:{name}", "")
            body = {"entity": entity.key, "field": item.key, "value": choice.value, "label": said_now, "kind": colour}
            wanted = {one: value for one, value in body.items() if value} if said_now or colour else None
            if wanted != whole_schema().draft.get("label", key):
                found.append(Change("label", wanted, key, base=int(base) if base.isdecimal() and len(base) < 10 else None))
    return found


def _own(error: ConfigRefused, key: str) -> dict[str, str]:
    return {path: message for path, message in problems_of(error, "label", key).items() if not path.startswith("(")}
