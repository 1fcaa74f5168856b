"""Fields and records: the overview of what a business records, and making, changing, archiving its own kinds of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import jsonify, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext
from flask_wtf import FlaskForm

from core.delivery.screens import customise_facts as facts
from core.delivery.screens.customise_door import base_posted, carry_out, problems_of
from core.delivery.screens.customise_forms import blame, body_form, fill, read
from core.delivery.screens.customise_words import ENTITY_WORDS, ICONS, MENU_WORDS
from core.delivery.web.identity import can
from core.delivery.web.schema import whole_schema
from core.delivery.web.theme import grid
from core.engines.configuration import Change, ConfigRefused
from core.engines.metadata.tailor.compiled import CUSTOM, own_key
from core.engines.metadata.tailor.naming import propose_key
from core.engines.metadata.tailor.shapes import PREFIX, EntityShape
from core.kernel.errors import NotFound

READ, WRITE = "config.read", "config.write"
SHAPE = EntityShape()
NEW_NAMES = ("label", "label_plural", "key", "help", "icon", "menu", "parent")
EDIT_NAMES = ("label", "label_plural", "help", "icon", "menu", "title", "parent")
SERIES = "{yyyy}-{n:4}"
_CALLED = ("text", "number")


class CustomiseView(BaseView):
    """Kinds of records."""

    route_base = "/customise"
    default_view = "list"
    class_permission_name = "CustomiseView"
    permission_keys: ClassVar[Mapping[str, str]] = {"list": READ, "write": WRITE}

    @expose("/", methods=["GET"])
    @has_access
    def list(self) -> Any:
        """The overview."""
        found, may = facts.kinds_shown(), can(WRITE)
        primary = grid.Action(gettext("New kind of record"), url_for("CustomiseView.add"), "plus") if may and found["left"] > 0 else None
        more = [
            grid.Action(gettext("Versions"), url_for("CustomiseVersionView.list"), "history"),
            grid.Action(gettext("Export and import"), url_for("CustomiseFileView.show"), "file-export"),
        ]
        return render_template("pages/customise.html", title=gettext("Fields and records"), primary=primary, more=more, may=may, **found)

    @expose("/new", methods=["GET", "POST"])
    @has_access
    @permission_name("write")
    def add(self) -> Any:
        """A new kind of record, with the field that its records are called by."""
        form = _form(NEW_NAMES)
        called, naming = request.form.get("called", "text"), request.form.get("naming", "").strip()
        series = request.form.get("series", SERIES).strip()
        if request.method == "GET":
            fill(form, SHAPE, {"parent": request.args.get("parent", "")}, NEW_NAMES)
            return self._page(form, NEW_NAMES, title=gettext("New kind of record"), called="text", naming="", series=SERIES)
        body, problems = read(form, SHAPE, NEW_NAMES)
        label = str(body.get("label", ""))
        body.setdefault("label_plural", label)
        body["menu"] = form["menu"].data or ""
        body["key"] = body.get("key") or propose_key(label, taken=whole_schema().draft.of("entity"))
        if body["key"] in whole_schema().draft.of("entity"):
            problems["key"] = "This name is taken."
        changes = _new_kind(body, called if called in _CALLED else "text", naming, series)
        if not problems:
            try:
                done = url_for("CustomiseFieldView.list", entity=own_key(body["key"]))
                note = gettext("New kind of record: %(name)s", name=label)
                return carry_out(changes, title=gettext("New kind of record"), done=done, back=url_for("CustomiseView.list"), note=note)
            except ConfigRefused as error:
                problems = problems_of(error, "entity", body["key"])
        blame(form, problems)
        return self._page(form, NEW_NAMES, title=gettext("New kind of record"), called=called, naming=naming, series=series), 422

    @expose("/<entity>/edit", methods=["GET", "POST"])
    @has_access
    @permission_name("write")
    def edit(self, entity: str) -> Any:
        """Change a kind of record."""
        key = _own(entity)
        stored, version = facts.body_of("entity", key)
        form = _form(EDIT_NAMES, entity)
        head = facts.head_of(facts.entity_of(entity), "settings", more=_shelf(entity, stored))
        if request.method == "GET":
            fill(form, SHAPE, stored, EDIT_NAMES)
            return self._page(form, EDIT_NAMES, title=head["title"], head=head, base=version)
        body, problems = read(form, SHAPE, EDIT_NAMES)
        body = {**{name: value for name, value in stored.items() if name not in EDIT_NAMES}, **body, "menu": form["menu"].data or ""}
        if not problems:
            change = Change("entity", body, key, base=base_posted())
            try:
                return carry_out([change], title=head["title"], done=url_for("CustomiseFieldView.list", entity=entity), back=request.path)
            except ConfigRefused as error:
                problems = problems_of(error, "entity", key)
        blame(form, problems)
        return self._page(form, EDIT_NAMES, title=head["title"], head=head, base=base_posted() or version), 422

    @expose("/<entity>/archive", methods=["POST"])
    @has_access
    @permission_name("write")
    def archive(self, entity: str) -> Any:
        """Take a kind of record out of sight, or bring it back; its records stay stored."""
        key = _own(entity)
        stored, version = facts.body_of("entity", key)
        is_back = bool(stored.get("archived"))
        change = Change("entity", {**stored, "archived": not is_back}, key, base=base_posted() or version)
        here = url_for("CustomiseFieldView.list", entity=entity)
        title = (
            gettext("Restore %(name)s", name=stored["label_plural"])
            if is_back
            else gettext("Archive %(name)s", name=stored["label_plural"])
        )
        try:
            return carry_out([change], title=title, done=here if is_back else url_for("CustomiseView.list"), back=here, note=title)
        except ConfigRefused as error:
            return refused_page(error, title=title, back=here)

    @expose("/key", methods=["GET"])
    @has_access
    @permission_name("list")
    def key(self) -> Any:
        """A key proposed for a label: of a kind of record, or of a field of one (`entity`)."""
        label, entity = request.args.get("label", "")[:200], request.args.get("entity", "")
        return jsonify({"key": propose_field_key(label, entity) if entity else propose_key(label, taken=whole_schema().draft.of("entity"))})

    def _page(self, form: FlaskForm, names: tuple[str, ...], *, title: str, head: Any = None, base: int = 0, **more: Any) -> Any:
        back = url_for("CustomiseView.list")
        return render_template(
            "pages/customise_kind.html",
            title=title,
            form=form,
            names=names,
            head=head,
            base=base,
            icons=ICONS,
            back=back,
            is_new=head is None,
            **more,
        )


def refused_page(error: ConfigRefused, *, title: str, back: str) -> Any:
    """Why a change without a form cannot be made."""
    from_others = problems_of(error, "")
    return render_template("pages/customise_refused.html", title=title, problems=list(from_others.values()), back=back), error.status


def propose_field_key(label: str, entity: str) -> str:
    """A key for a new field of a kind of record."""
    found = whole_schema().find(entity)
    taken = {body["key"] for body in facts.own_fields(whole_schema().draft, entity)} | set(found.by_key if found is not None else ())
    return propose_key(label, taken=taken, prefix="" if entity.startswith(f"{CUSTOM}.") else PREFIX)


def _own(entity: str) -> str:
    prefix, _, key = entity.partition(".")
    if prefix != CUSTOM:
        raise NotFound(entity=entity)
    return key


def _new_kind(body: dict[str, Any], called: str, naming: str, series: str) -> list[Change]:
    """The kind of record together with the field that its records are called by."""
    own = own_key(body["key"])
    label = naming or (gettext("Number") if called == "number" else gettext("Name"))
    key = propose_key(label, taken=("title", "id"))
    field: dict[str, Any] = {"entity": own, "key": key, "label": label, "type": called, "position": 10}
    field |= {"series": series} if called == "number" else {"required": True}
    return [Change("entity", {**body, "title": key}, body["key"], base=base_posted() or 0), Change("field", field, base=0)]


def _shelf(entity: str, stored: Mapping[str, Any]) -> list[grid.Action]:
    label = gettext("Restore") if stored.get("archived") else gettext("Archive")
    return [
        grid.Action(
            label, url_for("CustomiseView.archive", entity=entity), "arrow-back-up" if stored.get("archived") else "box", method="post"
        )
    ]


def _form(names: tuple[str, ...], entity: str = "") -> Any:
    titles = [
        (body["key"], body["label"])
        for body in facts.own_fields(whole_schema().draft, entity)
        if body["type"] in ("text", "number", "phone", "email", "url")
    ]
    options = {
        "icon": [(name, name) for name in ICONS],
        "menu": [(key, gettext(label)) for key, label in MENU_WORDS.items()],
        "parent": [("", gettext("Nothing: it stands by itself")), *facts.entity_options(but=entity)],
        "title": [("", gettext("The first text field")), *titles],
    }
    form = body_form(SHAPE, names, words=ENTITY_WORDS, options=options)()
    for name in ("label_plural", "key"):
        if name in form:
            form[name].render_kw = {**(form[name].render_kw or {}), "required": False}
    return form
