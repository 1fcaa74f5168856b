"""The fields of a kind of record: listed, added in two steps, changed, put in order, archived, brought back, given another type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from flask import render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext

from core.delivery.screens import customise_facts as facts
from core.delivery.screens.customise import READ, WRITE, propose_field_key, refused_page
from core.delivery.screens.customise_door import base_posted, carry_out, problems_of
from core.delivery.screens.customise_field_form import FieldForm
from core.delivery.screens.customise_preview import change_preview
from core.delivery.screens.customise_types import AUTOMATIC, COMMON, TYPE_CARDS, TYPE_GROUPS
from core.delivery.web.identity import can
from core.delivery.web.schema import whole_schema
from core.delivery.web.theme import grid
from core.engines.configuration import Change, ConfigRefused
from core.engines.metadata.entity import EntityType
from core.engines.metadata.tailor import is_own
from core.kernel.errors import NotFound
from core.kernel.expressions import FUNCTIONS

Body = Mapping[str, Any]
STEP = 10
LONG = 5_000
ONLY_OWN = ("number",)


class CustomiseFieldView(BaseView):
    """Fields of one kind of record."""

    route_base = "/customise"
    default_view = "list"
    class_permission_name = "CustomiseFieldView"
    permission_keys: ClassVar[Mapping[str, str]] = {"list": READ, "write": WRITE}

    @expose("/<entity>/", methods=["GET"])
    @has_access
    def list(self, entity: str) -> Any:
        """All fields of a kind of record."""
        found = facts.entity_of(entity)
        shown, may = facts.fields_shown(found), can(WRITE)
        primary = None
        is_archived = whole_schema().find(entity) is None
        if may and not is_archived and shown["used"] < shown["limit"]:
            primary = grid.Action(gettext("Add a field"), url_for("CustomiseFieldView.add", entity=entity), "plus")
        head = facts.head_of(found, "fields", primary=primary)
        return render_template(
            "pages/customise_fields.html", title=head["title"], head=head, entity=found, is_archived=is_archived, may=may, **shown
        )

    @expose("/<entity>/fields/add", methods=["GET", "POST"])
    @has_access
    @permission_name("write")
    def add(self, entity: str) -> Any:
        """A new field: first its type, then what that type needs."""
        found, kind = facts.entity_of(entity), request.values.get("type", "")
        title = gettext("Add a field")
        if kind not in TYPE_CARDS:
            return self._types(found, title, url_for("CustomiseFieldView.add", entity=entity))
        form = FieldForm(entity, kind)
        if request.method == "GET":
            form.fill({"max_length": LONG} if kind == "long_text" else {})
            return self._form(found, form, title=title)
        body, problems = form.read()
        body["key"] = body.get("key") or propose_field_key(str(body.get("label", "")), entity)
        body["position"] = max((one.get("position", 0) for one in facts.own_fields(whole_schema().draft, entity)), default=0) + STEP
        if f"{entity}/{body['key']}" in whole_schema().draft.of("field"):
            problems["key"] = "This name is taken."
        done, back = url_for("CustomiseFieldView.list", entity=entity), url_for("CustomiseFieldView.list", entity=entity)
        if form.is_asked and not problems:
            try:
                change = Change("field", body, f"{entity}/{body['key']}", base=0)
                return carry_out(
                    [change], title=title, done=done, back=back, note=gettext("New field: %(name)s", name=body.get("label", ""))
                )
            except ConfigRefused as error:
                problems = problems_of(error, "field", f"{entity}/{body['key']}")
        return self._again(found, form, problems, title=title)

    @expose("/<entity>/fields/<key>", methods=["GET", "POST"])
    @has_access
    @permission_name("write")
    def edit(self, entity: str, key: str) -> Any:
        """Change a field; with another `type`, after a look at what that does to the values."""
        found, name = facts.entity_of(entity), f"{entity}/{key}"
        stored, version = facts.body_of("field", name)
        kind = request.values.get("type", "") or stored["type"]
        if kind not in TYPE_CARDS:
            raise NotFound(type=kind)
        form, title = FieldForm(entity, kind, is_new=False), stored["label"]
        if request.method == "GET":
            form.fill({**stored, "type": kind})
            return self._form(found, form, title=title, stored=stored, base=version)
        given, problems = form.read()
        left = set(COMMON) if kind != stored["type"] else set(stored) - {*form.names, *form.inputs, "choices"}
        body = {**{one: value for one, value in stored.items() if one in left}, **given}
        body["key"] = body.get("key") or key
        if form.is_asked and not problems:
            changes = [Change("field", body, name, base=base_posted()), *followers(entity, key, body["key"])]
            try:
                done = url_for("CustomiseFieldView.list", entity=entity)
                return carry_out(changes, title=title, done=done, back=request.path)
            except ConfigRefused as error:
                problems = problems_of(error, "field", name, f"{entity}/{body['key']}")
        return self._again(found, form, problems, title=title, stored=stored, base=base_posted() or version)

    @expose("/<entity>/fields/<key>/type", methods=["GET"])
    @has_access
    @permission_name("write")
    def type(self, entity: str, key: str) -> Any:
        """The types that a field may be given instead of its own."""
        stored, _version = facts.body_of("field", f"{entity}/{key}")
        url = url_for("CustomiseFieldView.edit", entity=entity, key=key)
        title = gettext("Another type for %(name)s", name=stored["label"])
        return self._types(facts.entity_of(entity), title, url, stored=stored)

    @expose("/<entity>/fields/<key>/archive", methods=["POST"])
    @has_access
    @permission_name("write")
    def archive(self, entity: str, key: str) -> Any:
        """Take a field out of sight, or bring it back; its values stay stored."""
        stored, version = facts.body_of("field", f"{entity}/{key}")
        is_back = bool(stored.get("archived"))
        changes = [Change("field", {**stored, "archived": not is_back}, f"{entity}/{key}", base=base_posted() or version)]
        if not is_back:
            changes += followers(entity, key, "")
        here = url_for("CustomiseFieldView.list", entity=entity)
        title = gettext("Restore %(name)s", name=stored["label"]) if is_back else gettext("Archive %(name)s", name=stored["label"])
        try:
            return carry_out(changes, title=title, done=here, back=here, note=title)
        except ConfigRefused as error:
            return refused_page(error, title=title, back=here)

    @expose("/<entity>/order", methods=["POST"])
    @has_access
    @permission_name("write")
    def order(self, entity: str) -> Any:
        """Put the fields in order: `move` is `<key>:up` or `<key>:down`, `order` the keys as they were shown, or dragged."""
        bodies = {body["key"]: body for body in facts.own_fields(whole_schema().draft, entity)}
        keys = [key for key in dict.fromkeys(request.form.getlist("order")) if key in bodies]
        keys = moved([*keys, *(key for key in bodies if key not in keys)], request.form.get("move", ""))
        changes = [
            Change("field", {**bodies[key], "position": at * STEP}, f"{entity}/{key}")
            for at, key in enumerate(keys, start=1)
            if bodies[key].get("position", 0) != at * STEP
        ]
        here = url_for("CustomiseFieldView.list", entity=entity)
        name = gettext(facts.entity_of(entity).label_plural)
        return carry_out(changes, title=name, done=here, back=here, note=gettext("Order of the fields of %(name)s", name=name))

    def _types(self, entity: EntityType, title: str, url: str, *, stored: Body | None = None) -> Any:
        hidden: tuple[str, ...] = () if is_own(entity) else ONLY_OWN
        if stored is not None:
            hidden = (stored["type"], *AUTOMATIC)
        groups = [(gettext(group.label), [card for card in group.cards if card.key not in hidden]) for group in TYPE_GROUPS]
        shown = [(label, cards) for label, cards in groups if cards and not (stored is not None and stored["type"] in AUTOMATIC)]
        head = facts.head_of(entity, "fields")
        return render_template("pages/customise_types.html", title=title, head=head, groups=shown, url=url, stored=stored, entity=entity)

    def _form(self, entity: EntityType, form: FieldForm, *, title: str, stored: Body | None = None, base: int = 0) -> Any:
        others = (
            [grid.Action(gettext("Another type"), url_for("CustomiseFieldView.type", entity=entity.key, key=stored["key"]), "rotate")]
            if stored
            else []
        )
        preview = change_preview(entity, stored, form.kind) if stored is not None and stored["type"] != form.kind else None
        return render_template(
            "pages/customise_field.html",
            title=title,
            head=facts.head_of(entity, "fields"),
            entity=entity,
            card=TYPE_CARDS[form.kind],
            field_form=form,
            form=form.form,
            base=base,
            stored=stored,
            others=others if stored is None or stored["type"] not in AUTOMATIC else [],
            preview=preview,
            functions=sorted(FUNCTIONS) if "formula" in form.inputs else (),
            back=url_for("CustomiseFieldView.list", entity=entity.key),
        )

    def _again(self, entity: EntityType, form: FieldForm, problems: Mapping[str, str], **context: Any) -> Any:
        form.blame(problems)
        return self._form(entity, form, **context), 422 if problems else 200


def moved(keys: Sequence[str], move: str) -> list[str]:
    """The keys with one of them moved up or down by one: `<key>:up`."""
    key, _, way = move.rpartition(":")
    found = list(keys)
    if key in found:
        at = found.index(key)
        to = at + {"up": -1, "down": 1}.get(way, 0)
        if 0 <= to < len(found):
            found[at], found[to] = found[to], found[at]
    return found


def followers(entity: str, old: str, new: str) -> Iterator[Change]:
    """What else names a field that is renamed, or goes (`new` empty): layouts and the columns of views."""
    if old == new:
        return

    def kept(keys: Sequence[str]) -> list[str]:
        return [new if key == old else key for key in keys if new or key != old]

    for kind in ("layout", "view"):
        for key, body in whole_schema().draft.of(kind).items():
            if body["entity"] != entity:
                continue
            after = {name: kept(value) if name in ("columns", "cards") else value for name, value in body.items()}
            if "tabs" in body:
                after["tabs"] = [
                    {**tab, "sections": [{**one, "fields": kept(one.get("fields", ()))} for one in tab.get("sections", ())]}
                    for tab in body["tabs"]
                ]
            if after != body:
                yield Change(kind, after, key)
