"""Forms made from the shapes of configuration: an input for each name of a body, and the way back from a posted form to a body."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext
from flask_wtf import FlaskForm
from marshmallow import Schema, fields, validate
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from core.delivery.web.crud.forms import TypedInput
from core.delivery.web.messages import in_words
from core.kernel.errors import Invalid
from core.kernel.jsontext import decode_json, encode_json

Options = Mapping[str, Sequence[tuple[str, str]]]
Words = Mapping[str, tuple[str, str]]
MAX_CONDITION = 20_000


def body_form(schema: Schema, names: Sequence[str], *, words: Words, options: Options) -> type[FlaskForm]:
    """A form with an input for each of `names` (`rollup.entity` is one within). `options` makes selects of texts."""
    return type("BodyForm", (FlaskForm,), {name: _input(name, field_at(schema, name), words, options.get(name)) for name in names})


def field_at(schema: Schema, name: str) -> fields.Field[Any]:
    """The field of a shape, or of a shape within it."""
    first, _, rest = name.partition(".")
    found = schema.fields[first]
    return field_at(found.schema, rest) if rest and isinstance(found, fields.Nested) else found


def _input(name: str, item: fields.Field[Any], words: Words, offered: Sequence[tuple[str, str]] | None) -> Any:
    label, text = words.get(name, (name, ""))
    flags: dict[str, Any] = {"required": True} if item.required else {}
    common: dict[str, Any] = {"label": gettext(label), "description": gettext(text) if text else "", "render_kw": flags}
    if isinstance(item, fields.Boolean):
        return BooleanField(**common, false_values=(False, "false", "", "0"))
    choice = next((check for check in item.validators if isinstance(check, validate.OneOf)), None)
    if offered is not None or choice is not None:
        pairs = offered if offered is not None else [(str(value), str(value)) for value in (choice.choices if choice else ())]
        if len(pairs) > 12:
            flags["data-pick"] = ""
        return SelectField(**common, choices=list(pairs), validate_choice=False)
    if isinstance(item, fields.Dict):
        return TextAreaField(**common)
    if isinstance(item, fields.Integer):
        return StringField(**common, widget=TypedInput("number", {"step": "1"}))
    length = next((check for check in item.validators if isinstance(check, validate.Length)), None)
    if length is not None and length.max:
        flags["maxlength"] = length.max
        if length.max >= 1_000:
            return TextAreaField(**common)
    return StringField(**common)


def fill(form: FlaskForm, schema: Schema, body: Mapping[str, Any], names: Sequence[str]) -> None:
    """Show a body in a form; what it leaves out stands there as it is understood."""
    for name in names:
        item, value = field_at(schema, name), _value_at(body, name)
        if value is None:
            value = item.load_default() if callable(item.load_default) else item.load_default
        if isinstance(item, fields.Boolean):
            form[name].data = value is True
        elif isinstance(value, dict):
            form[name].data = encode_json(value)
        else:
            form[name].data = "" if value is None or not isinstance(value, str | int) else str(value)


def _value_at(body: Mapping[str, Any], name: str) -> Any:
    first, _, rest = name.partition(".")
    found = body.get(first)
    return _value_at(found or {}, rest) if rest else found


def read(form: FlaskForm, schema: Schema, names: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form says as a body without empty values, and what cannot even be read, by name."""
    body: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name in names:
        item = field_at(schema, name)
        try:
            value = _read(item, form[name].data)
        except Invalid as error:
            problems[name] = error.message
            continue
        first, _, rest = name.partition(".")
        if rest:
            body.setdefault(first, {})
            if value not in ("", None):
                body[first][rest] = value
        elif value not in ("", None):
            body[first] = value
    return body, problems


def _read(item: fields.Field[Any], data: Any) -> Any:
    if isinstance(item, fields.Boolean):
        return bool(data)
    text = (data or "").strip() if isinstance(data, str) else data
    if not text:
        return None
    if isinstance(item, fields.Dict):
        found = decode_json(text, max_bytes=MAX_CONDITION, unique_keys=True)
        if not isinstance(found, dict):
            raise Invalid("This is a table of names and values.")
        return found
    if isinstance(item, fields.Integer):
        return int(text) if re.fullmatch(r"[+-]?\d{1,15}", text) else text
    return text


def blame(form: FlaskForm, problems: Mapping[str, str], *, rows: dict[str, list[str]] | None = None) -> None:
    """Put each problem beside the input that its path names, in `rows` where that is a table of its own, else on top of the form."""
    for path, message in problems.items():
        name = next((one for one in (path, re.split(r"[.\[]", path, maxsplit=1)[0]) if one in form), "")
        root = re.split(r"[.\[]", path, maxsplit=1)[0]
        if name:
            form[name].errors = [*form[name].errors, in_words(message)]
        elif rows is not None and root in rows:
            rows[root].append(_placed(path, message))
        else:
            form.form_errors.append(in_words(message))


def _placed(path: str, message: str) -> str:
    at = re.search(r"\[(\d+)\]", path)
    return gettext("Row %(number)s: %(message)s", number=int(at[1]) + 1, message=in_words(message)) if at else in_words(message)
