"""Layouts of a kind of record: whose there are, and the designer in which forms, pages, lists and cards are arranged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext

from core.delivery.screens import customise_facts as facts
from core.delivery.screens.customise import READ, WRITE, refused_page
from core.delivery.screens.customise_designer import LISTS, MAX_CARDS, MAX_COLUMNS, Arrangement
from core.delivery.screens.customise_door import base_posted, carry_out
from core.delivery.web.crud import forms
from core.delivery.web.identity import can
from core.delivery.web.schema import whole_schema
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.engines.configuration import Change, ConfigRefused
from core.engines.configuration.queries import item as stored_item
from core.engines.metadata.entity import EntityType, Field, FieldType
from core.engines.metadata.queries import readable_fields
from core.engines.metadata.tailor import is_own
from core.kernel.errors import NotFound
from core.runtime.security.roles import roles

EVERYBODY = "everybody"
MOVE = "do"
SAVE = "save"


class CustomiseLayoutView(BaseView):
    """Layouts of one kind of record."""

    route_base = "/customise"
    default_view = "list"
    class_permission_name = "CustomiseLayoutView"
    permission_keys: ClassVar[Mapping[str, str]] = {"list": READ, "write": WRITE}

    @expose("/<entity>/layouts/", methods=["GET"])
    @has_access
    def list(self, entity: str) -> Any:
        """Whose layouts there are."""
        found, may = _living(entity), can(WRITE)
        bodies = [body for body in whole_schema().draft.of("layout").values() if body["entity"] == entity]
        names = _role_names()
        rows = [_row(entity, body, names, may=may) for body in sorted(bodies, key=lambda body: body.get("role", ""))]
        taken = {body.get("role", "") or EVERYBODY for body in bodies}
        left = [(code, label) for code, label in names.items() if code not in taken] if may else []
        return render_template(
            "pages/customise_layouts.html",
            title=gettext(found.label_plural),
            head=facts.head_of(found, "layouts"),
            rows=rows,
            left=left,
            may=may,
            new_url=url_for("CustomiseLayoutView.open", entity=entity),
            entity=found,
        )

    @expose("/<entity>/layouts/open", methods=["GET"])
    @has_access
    @permission_name("write")
    def open(self, entity: str) -> Any:
        """The designer for the role that a form chose."""
        return self.design(entity, request.args.get("role", EVERYBODY))

    @expose("/<entity>/layouts/<role>", methods=["GET", "POST"])
    @has_access
    @permission_name("write")
    def design(self, entity: str, role: str) -> Any:
        """The designer: each move posts the whole arrangement and gets it back moved; saving makes it live."""
        found, names = _living(entity), _role_names()
        if role not in names:
            raise NotFound(role=role)
        key = f"{entity}/{'' if role == EVERYBODY else role}"
        stored = stored_item(db(), "layout", key)
        base, said = (stored.version if stored is not None else 0), ""
        if request.method == "GET":
            body = stored.body if stored is not None else (whole_schema().draft.get("layout", f"{entity}/") or {})
            made = Arrangement.of(body, fields=found.form_fields, columns=found.list_fields, cards=found.card_fields)
        else:
            posted = base_posted()
            base = posted if posted is not None else base
            made = Arrangement.posted(request.form, found.by_key)
            asked = request.form.get(MOVE, "")
            if asked == SAVE:
                return self._save(found, role, made, base)
            made.move(asked)
            said = _said(found, made, asked)
        return self._page(found, role, names[role], made, base=base, said=said)

    @expose("/<entity>/layouts/<role>/delete", methods=["POST"])
    @has_access
    @permission_name("write")
    def delete(self, entity: str, role: str) -> Any:
        """Do without the layout: people of the role see everybody's, everybody the built-in one."""
        here = url_for("CustomiseLayoutView.list", entity=entity)
        key = f"{entity}/{'' if role == EVERYBODY else role}"
        title = gettext("Delete the layout")
        try:
            return carry_out([Change("layout", None, key, base=base_posted())], title=title, done=here, back=here)
        except ConfigRefused as error:
            return refused_page(error, title=title, back=here)

    def _save(self, entity: EntityType, role: str, made: Arrangement, base: int) -> Any:
        here = url_for("CustomiseLayoutView.list", entity=entity.key)
        code = "" if role == EVERYBODY else role
        body = {"entity": entity.key, "role": code, **made.body()}
        change = Change("layout", body, f"{entity.key}/{code}", base=base)
        title = gettext("Layout of %(name)s", name=gettext(entity.label_plural))
        try:
            answer = carry_out([change], title=title, done=here, back=request.path, note=title)
        except ConfigRefused as error:
            return refused_page(error, title=title, back=request.path)
        return answer

    def _page(self, entity: EntityType, role: str, name: str, made: Arrangement, *, base: int, said: str) -> Any:
        labels = {item.key: gettext(item.label) for item in entity.fields}
        choosable = [item.key for item in readable_fields(entity) if not _repeats(entity, item)]
        context = {
            "made": made,
            "labels": labels,
            "needed": {item.key for item in entity.fields if item.is_required and item.key in entity.form_fields},
            "unused": [key for key in choosable if key not in made.placed],
            "lists": _lists(entity, made, choosable),
            "base": base,
            "said": said,
            "url": url_for("CustomiseLayoutView.design", entity=entity.key, role=role),
            "back": url_for("CustomiseLayoutView.list", entity=entity.key),
            "preview": preview_form(entity, made),
            "entity": entity,
        }
        if "HX-Request" in request.headers:
            return render_template("pages/_customise_designer.html", **context)
        title = gettext("Layout of %(name)s", name=gettext(entity.label_plural))
        head = facts.head_of(entity, "layouts")
        return render_template("pages/customise_layout.html", title=title, head=head, role_name=name, **context)


def _repeats(entity: EntityType, item: Field) -> bool:
    """Whether a field only says again what records are called by."""
    return is_own(entity) and item.key == entity.title_field and any(one.slot and one.label == item.label for one in entity.fields)


def _living(key: str) -> EntityType:
    found = whole_schema().find(key)
    if found is None:
        raise NotFound(entity=key)
    return found


def _role_names() -> dict[str, str]:
    return {EVERYBODY: gettext("Everybody"), **{role.code: gettext(role.title) for role, _count in roles(db())}}


def _row(entity: str, body: Mapping[str, Any], names: Mapping[str, str], *, may: bool) -> dict[str, Any]:
    role = body.get("role", "") or EVERYBODY
    stored = stored_item(db(), "layout", f"{entity}/{body.get('role', '')}")
    sections = [section for tab in body.get("tabs", ()) for section in tab.get("sections", ())]
    drop = grid.Action(
        gettext("Delete"),
        url_for("CustomiseLayoutView.delete", entity=entity, role=role),
        "trash",
        method="post",
        kind="bad",
        confirm=gettext("Delete this layout?"),
        fields={"base": str(stored.version if stored is not None else 0)},
    )
    return {
        "name": names.get(role, role),
        "url": url_for("CustomiseLayoutView.design", entity=entity, role=role) if may else "",
        "tabs": len(body.get("tabs", ())),
        "sections": len(sections),
        "fields": sum(len(section.get("fields", ())) for section in sections),
        "columns": len(body.get("columns", ())),
        "delete": drop if may else None,
    }


def _lists(entity: EntityType, made: Arrangement, choosable: Sequence[str]) -> Sequence[dict[str, Any]]:
    titles = {"columns": gettext("Columns of the list"), "cards": gettext("Fields on cards")}
    helps = {
        "columns": gettext("In this order, from the left. Readers may still choose their own."),
        "cards": gettext("On narrow screens each row is a card with these; the first few columns where none are chosen."),
    }
    limits = {"columns": MAX_COLUMNS, "cards": MAX_CARDS}
    plain = [key for key in choosable if entity.by_key[key].type is not FieldType.LONG_TEXT]
    return [
        {
            "key": name,
            "title": titles[name],
            "help": helps[name],
            "fields": getattr(made, name),
            "left": [key for key in plain if key not in getattr(made, name)] if len(getattr(made, name)) < limits[name] else [],
        }
        for name in LISTS
    ]


def _said(entity: EntityType, made: Arrangement, asked: str) -> str:
    """What a move came to, for those who hear the page."""
    key = next((part for part in asked.split(":")[1:2] if part in entity.by_key), "")
    if not key:
        return gettext("The layout has changed.")
    name, place = gettext(entity.by_key[key].label), made.place_of(key)
    way = asked.partition(":")[0]
    for one in LISTS:
        if way.startswith(one):
            keys = getattr(made, one)
            if key not in keys:
                return gettext("%(name)s is taken out.", name=name)
            return gettext("%(name)s is at place %(at)s of %(count)s.", name=name, at=keys.index(key) + 1, count=len(keys))
    if place is None:
        return gettext("%(name)s is taken out.", name=name)
    section = made.tabs[place[0]].sections[place[1]]
    where = section.title or gettext("Section %(number)s", number=place[1] + 1)
    return gettext(
        "%(name)s is at place %(at)s of %(count)s in %(where)s.", name=name, at=place[2] + 1, count=len(section.fields), where=where
    )


def preview_form(entity: EntityType, made: Arrangement) -> Any:
    """The form as the arrangement would show it; nobody fills it in, so pickers are plain."""
    fields = [entity.by_key[key] for key in made.placed]
    form = forms.form_class(fields, lookup_url=lambda _target: "", prefix="preview.")()
    for item in form:
        if item.render_kw:
            item.render_kw.pop("data-pick", None)
    return form
