"""Forms generated from entity fields: WTForms classes with native widgets, and the way from a posted form to raw values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField
from wtforms import Field as WtField
from wtforms.widgets import TextInput

from core.delivery.web.crud.kept import SealedField, UploadField, is_kept, is_removed
from core.delivery.web.theme.widgets import ChecksField
from core.engines.metadata.entity import TEXTS, Field, FieldType
from core.engines.metadata.values import plain_number
from core.kernel.errors import Invalid
from core.kernel.jsontext import decode_json, encode_json

VERSION = "row_version"
MAX_JSON_BYTES = 100_000
_INPUT = {
    FieldType.INTEGER: ("number", {"step": "1"}),
    FieldType.DECIMAL: ("text", {"inputmode": "decimal"}),
    FieldType.MONEY: ("text", {"inputmode": "decimal"}),
    FieldType.QUANTITY: ("text", {"inputmode": "decimal"}),
    FieldType.DATE: ("date", {}),
    FieldType.PHONE: ("tel", {}),
    FieldType.EMAIL: ("email", {}),
    FieldType.URL: ("url", {"placeholder": "https://"}),
    FieldType.DATETIME: ("datetime-local", {"step": "1"}),
}


REFERENCES = (FieldType.REFERENCE, FieldType.USER)


class TypedInput(TextInput):
    """A native input of a given type, with attributes of its own."""

    def __init__(self, input_type: str, attributes: Mapping[str, str]) -> None:
        super().__init__(input_type)
        self.attributes = attributes

    def __call__(self, field: WtField, **kwargs: Any) -> Any:
        return super().__call__(field, **{**self.attributes, **kwargs})


def form_class(fields: Iterable[Field], *, lookup_url: Any, prefix: str = "") -> type[FlaskForm]:
    """A form for these fields. `lookup_url(target)` gives the address where references are searched.

    Values are only carried: what is right is decided by `core.engines.metadata.values`, for forms and REST alike.
    """
    members: dict[str, Any] = {VERSION: HiddenField()}
    for item in fields:
        members[prefix + item.key] = _field(item, lookup_url)
    return type("EntityForm", (FlaskForm,), members)


def _field(item: Field, lookup_url: Any) -> Any:
    flags: dict[str, Any] = {}
    label, text = gettext(item.label), gettext(item.help) if item.help else ""
    keywords: dict[str, Any] = {"label": label, "description": text, "render_kw": flags}
    if item.is_required and item.type is not FieldType.BOOLEAN:
        flags["required"] = True
    if item.type is FieldType.FILE:
        return UploadField(**keywords)
    if item.is_sealed:
        flags["maxlength"] = item.max_length
        return SealedField(**keywords)
    if item.type is FieldType.BOOLEAN:
        return BooleanField(**keywords, false_values=(False, "false", "", "0"))
    if item.type is FieldType.CHOICE:
        choices = [(choice.value, gettext(choice.label)) for choice in item.choices]
        return SelectField(**keywords, choices=choices if item.is_required else [("", "–"), *choices], validate_choice=False)
    if item.type is FieldType.CHOICES:
        choices = [(choice.value, gettext(choice.label)) for choice in item.choices]
        return ChecksField(**keywords, choices=choices, validate_choice=False)
    if item.type in REFERENCES:
        flags["data-pick"] = lookup_url(item.target)
        return SelectField(**keywords, choices=[], validate_choice=False)
    if item.type in (FieldType.LONG_TEXT, FieldType.ADDRESS, FieldType.JSON):
        flags["rows"] = 6 if item.type is FieldType.JSON else 4
        return TextAreaField(**keywords)
    if item.type in _INPUT:
        kind, attributes = _INPUT[item.type]
        return StringField(**keywords, widget=TypedInput(kind, attributes))
    if item.type in TEXTS:
        flags["maxlength"] = item.max_length
    return StringField(**keywords)


def fill(form: FlaskForm, fields: Iterable[Field], record: Any, *, zone: tzinfo, labels: Mapping[Any, str]) -> None:
    """Show a record's values in a form; what may not be read back stays empty."""
    for item in fields:
        target = form[item.key]
        value = None if item.is_write_only else getattr(record, item.key, None)
        if is_kept(item):
            target.current = labels.get(value, value) if value is not None else ""
            continue
        if item.type in REFERENCES and value is not None:
            target.choices = [(str(value), labels.get(value, str(value)))]
        target.data = value if item.type in (FieldType.BOOLEAN, FieldType.CHOICES) else shown(item, value, zone)
    form[VERSION].data = str(getattr(record, "row_version", ""))


def keep_choices(form: FlaskForm, fields: Iterable[Field], labels: Mapping[str, str]) -> None:
    """Let posted references stay chosen when the form is shown again; `labels` is by the id's text."""
    for item in fields:
        if item.type in REFERENCES and form[item.key].data:
            value = form[item.key].data
            form[item.key].choices = [(value, labels.get(value, value))]


def shown(item: Field, value: Any, zone: tzinfo) -> str:
    """A value as the text that its input shows."""
    if value is None:
        return ""
    if item.type in (FieldType.DECIMAL, FieldType.MONEY, FieldType.QUANTITY):
        return plain_number(value)
    if item.type is FieldType.DATETIME:
        return str(value.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S"))
    if item.type in (FieldType.TAGS, FieldType.CHOICES):
        return ", ".join(value)
    if item.type is FieldType.JSON:
        return encode_json(value) if value else ""
    return str(value)


def raw_values(form: FlaskForm, fields: Iterable[Field], *, zone: tzinfo, is_new: bool, prefix: str = "") -> dict[str, Any]:
    """What a posted form says, as raw values for `values.take`. Empty write-only fields of a known record are left out: they keep what
    is stored.

    Raises: Invalid - a JSON field that is not JSON.
    """
    found: dict[str, Any] = {}
    for item in fields:
        value = form[prefix + item.key].data
        if item.create_only and not is_new:
            continue
        if item.is_write_only and not is_new and not value:
            continue
        if is_kept(item) and not value and not is_new:
            if is_removed(item, prefix):
                found[item.key] = None
            continue
        if item.type is FieldType.DATETIME and value:
            value = _aware(value, zone)
        elif item.type is FieldType.JSON:
            value = _json(item, value)
        found[item.key] = value
    return found


def _aware(text: str, zone: tzinfo) -> str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).isoformat()
    except ValueError:
        return text


def _json(item: Field, text: str | None) -> Any:
    if not text or not text.strip():
        return {}
    try:
        return decode_json(text, max_bytes=MAX_JSON_BYTES)
    except Invalid as error:
        raise Invalid(error.message, field=item.key) from error
