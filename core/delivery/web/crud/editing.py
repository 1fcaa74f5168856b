"""Adding, changing and deleting records: the form's way there and back, with errors beside the fields and other people's changes shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose, has_access
from flask_babel import get_locale, get_timezone, gettext
from flask_wtf import FlaskForm

from core.delivery.web.crud import forms
from core.delivery.web.crud.arranged import form_tabs, ruled
from core.delivery.web.crud.kept import is_kept, take_files
from core.delivery.web.messages import in_words
from core.delivery.web.unit import db
from core.engines.metadata import queries, writing
from core.engines.metadata.entity import EntityRegistry, EntityType, Field
from core.engines.metadata.values import ValuesRefused, default_of, take
from core.kernel.errors import Conflict, Invalid, NotFound
from core.kernel.ids import parse_id
from core.runtime.security import audit

MAX_FORMS = 500


def in_sentence(label: str) -> str:
    """A label as it stands within a sentence: words in small letters, abbreviations as they are; Chinese leaves a gap before Latin."""
    gap = " " if label[:1].isascii() and str(get_locale() or "").startswith("zh") else ""
    return gap + " ".join(word if word.rstrip("s").isupper() else word.lower() for word in label.split(" "))


class Editing:
    """The editing half of a generated view; the other half gives `record`, `title_of`, `page_of`, `now`, `zone` and `lookup_url`."""

    entity: EntityType
    registry: EntityRegistry
    endpoint: str

    def record(self, pk: str) -> Any:
        """The record of an address. Raises NotFound."""
        raise NotFound(id=pk)

    def title_of(self, record: Any) -> str:
        """What to call a record."""
        return str(record)

    def page_of(self, name: str) -> str:
        """The template of a page."""
        return f"kit/{name}.html"

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)

    def zone(self) -> tzinfo:
        """The reader's time zone."""
        return get_timezone() or UTC

    def lookup_url(self, entity_key: str) -> str:
        """The address where records of an entity are searched."""
        return entity_key

    def link(self, entity_key: str, record_id: UUID) -> str:
        """The address of a referred record's page; empty when the reader may not open it."""
        return f"{entity_key}/{record_id}"

    @expose("/add", methods=["GET", "POST"])
    @has_access
    def add(self) -> Any:
        """A form for a new record."""
        if self.entity.create is None:
            raise NotFound
        fields = self.form_fields()
        form = self.form(fields)
        if not form.is_submitted():
            self._defaults(form, fields)
        else:
            values = self._posted(form, fields, is_new=True)
            if values is not None:
                try:
                    record = writing.create(db(), self.entity, values, now=self.now())
                    flash(gettext("%(name)s was added.", name=self.title_of(record)), "success")
                    return redirect(self._after(record))
                except (Invalid, Conflict) as error:
                    self.show_error(form, error)
        return self._form_page(form, fields, title=gettext("Add %(name)s", name=in_sentence(gettext(self.entity.label))))

    @expose("/edit/<pk>", methods=["GET", "POST"])
    @has_access
    def edit(self, pk: str) -> Any:
        """A form for a known record; somebody else's change in between is shown, never overwritten unasked."""
        if self.entity.update is None and not any(item.slot for item in self.form_fields()):
            raise NotFound
        record = self.record(pk)
        fields = [item for item in self.form_fields() if not item.create_only and (self.entity.update is not None or item.slot)]
        form = self.form(fields)
        conflict = None
        if not form.is_submitted():
            names = queries.labels(db(), self.registry, self.entity, [record], [item.key for item in fields])
            forms.fill(form, fields, record, zone=self.zone(), labels=names)
        else:
            conflict = self._conflict(form, fields, record)
            values = self._posted(form, fields, is_new=False) if conflict is None else None
            if values is not None:
                try:
                    writing.update(db(), self.entity, record, values, now=self.now())
                    flash(gettext("%(name)s was saved.", name=self.title_of(record)), "success")
                    return redirect(self._after(record))
                except (Invalid, Conflict) as error:
                    self.show_error(form, error)
        return self._form_page(form, fields, title=gettext("Edit %(name)s", name=self.title_of(record)), conflict=conflict, record=record)

    @expose("/delete/<pk>", methods=["POST"])
    @has_access
    def delete(self, pk: str) -> Any:
        """Delete a record; one that others refer to stays, with the reason."""
        if self.entity.delete is None:
            raise NotFound
        record = self.record(pk)
        name, parent = self.title_of(record), self._parent_url(getattr(record, self.entity.parent_field or "id"))
        try:
            writing.remove(db(), self.registry, self.entity, record)
            flash(gettext("%(name)s was deleted.", name=name), "success")
        except Conflict:
            flash(gettext("%(name)s is still in use and cannot be deleted.", name=name), "danger")
            return redirect(url_for(f"{self.endpoint}.show", pk=pk))
        return redirect(parent or url_for(f"{self.endpoint}.list"))

    def form_fields(self) -> Sequence[Field]:
        """The fields of the form, in order."""
        return [self.entity.by_key[key] for key in self.entity.form_fields]

    def form(self, fields: Sequence[Field]) -> FlaskForm:
        """A form for these fields, in the reader's language."""
        return _form_of(self, tuple(fields), str(get_locale()))

    def _defaults(self, form: FlaskForm, fields: Sequence[Field]) -> None:
        given = {item.key: request.args.get(item.key) for item in fields if request.args.get(item.key)}
        for item in fields:
            value = given[item.key] if item.key in given else default_of(db(), item)
            if value is None:
                continue
            form[item.key].data = value
            target = parse_id(value) if item.type in forms.REFERENCES else None
            if target is not None:
                names = queries.called(db(), self.registry, queries.named_kind(item), [target])
                form[item.key].choices = [(str(target), names.get(target, str(target)))]

    def _posted(self, form: FlaskForm, fields: Sequence[Field], *, is_new: bool) -> dict[str, Any] | None:
        """The form's values, or None with the errors put beside the fields."""
        if not form.validate():
            return None
        try:
            raw = forms.raw_values(form, fields, zone=self.zone(), is_new=is_new)
            take_files(fields, raw)
            return take(db(), self.registry, fields, raw, is_new=is_new, is_partial=not is_new)
        except Invalid as error:
            self.show_error(form, error)
            return None

    def show_error(self, form: FlaskForm, error: Invalid | Conflict, *, prefix: str = "") -> None:
        """Put an error beside the field that it names, or on top of the form."""
        problems = error.problems if isinstance(error, ValuesRefused) else {getattr(error, "field", None) or "": error.message}
        for key, message in problems.items():
            if prefix + key in form:
                form[prefix + key].errors = [*form[prefix + key].errors, in_words(message)]
            else:
                form.form_errors.append(in_words(message))

    def _conflict(self, form: FlaskForm, fields: Sequence[Field], record: Any) -> dict[str, Any] | None:
        """What somebody else saved since this form was opened; None when nobody did, or when the reader chose to overwrite."""
        version = getattr(record, "row_version", None)
        if version is None or form[forms.VERSION].data == str(version) or "overwrite" in request.form:
            return None
        zone = self.zone()
        compared = [item for item in fields if not item.is_write_only and not is_kept(item)]
        differing = [
            {"label": gettext(item.label), "mine": form[item.key].data, "theirs": forms.shown(item, getattr(record, item.key, None), zone)}
            for item in compared
            if str(form[item.key].data or "") != forms.shown(item, getattr(record, item.key, None), zone)
        ]
        form[forms.VERSION].data = form[forms.VERSION].raw_data = str(version)
        last = audit.entries(db(), audit.AuditFilter(subject_type=audit.subject_type(record), subject_id=str(record.id)), limit=1)
        who = last[0].actor_label if last else gettext("Somebody")
        return {"who": who, "at": record.updated_at, "url": request.url, "fields": differing}

    def _after(self, record: Any) -> str:
        return self._parent_url(getattr(record, self.entity.parent_field or "id")) or url_for(f"{self.endpoint}.show", pk=record.id)

    def _parent_url(self, parent: Any) -> str:
        """The page of the record that this kind of record is a part of; empty when it stands alone, or the reader may not see that."""
        item = self.entity.by_key.get(self.entity.parent_field)
        return self.link(item.target, parent) if item is not None and parent is not None else ""

    def _form_page(self, form: FlaskForm, fields: Sequence[Field], *, title: str, conflict: Any = None, record: Any = None) -> Any:
        here = url_for(f"{self.endpoint}.show", pk=record.id) if record is not None else ""
        back = here or self._parent_url(self._asked_parent()) or url_for(f"{self.endpoint}.list")
        forms.keep_choices(form, fields, self._posted_labels(form, fields))
        status = 422 if form.is_submitted() else 200
        page = render_template(
            self.page_of("form"),
            title=title,
            form=form,
            tabs=form_tabs(self.entity, fields),
            ruled=ruled(self.entity, fields, record),
            form_action="",
            cancel_url=back,
            head={"crumbs": [{"label": gettext(self.entity.label_plural), "url": url_for(f"{self.endpoint}.list")}]},
            conflict=conflict,
        )
        return page, status

    def _asked_parent(self) -> UUID | None:
        """The record of whose page this form was opened."""
        return parse_id(request.args.get(self.entity.parent_field, "")) if self.entity.parent_field else None

    def _posted_labels(self, form: FlaskForm, fields: Sequence[Field]) -> dict[str, str]:
        found: dict[str, str] = {}
        for item in fields:
            target = parse_id(form[item.key].data) if item.type in forms.REFERENCES else None
            if target is not None:
                names = queries.called(db(), self.registry, queries.named_kind(item), [target])
                found.update({str(key): text for key, text in names.items()})
        return found


def _form_of(view: Editing, fields: tuple[Field, ...], locale: str) -> FlaskForm:
    """A form of the view's entity type, from those that were made for this description of it."""
    made: dict[Any, type[FlaskForm]] = view.entity.memo.setdefault("forms", {})
    key = (request.script_root, tuple(item.key for item in fields), locale)
    found = made.get(key)
    if found is None:
        if len(made) > MAX_FORMS:
            made.clear()
        found = made[key] = forms.form_class(fields, lookup_url=view.lookup_url)
    return found()
