"""Settings forms of plugins, drawn from the stored description, so that also a broken plugin shows its form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField, TextAreaField

from core.delivery.web.crud.forms import TypedInput

FormField = Mapping[str, Any]
_INPUTS = {"url": "url", "email": "email", "number": "number", "date": "date", "time": "time", "moment": "datetime-local"}


def settings_form(entries: Sequence[FormField], choices: Mapping[str, Sequence[tuple[str, str]]]) -> FlaskForm:
    """A form for the fields that are no secrets. `choices` are what the plugin offers for fields with dynamic choices."""
    members = {entry["name"]: _field(entry, choices.get(entry["name"], ())) for entry in entries if not entry["secret"]}
    made: FlaskForm = type("SettingsForm", (FlaskForm,), members)()
    return made


def _field(entry: FormField, offered: Sequence[tuple[str, str]]) -> Any:
    common: dict[str, Any] = {
        "label": gettext(entry["label"]),
        "description": gettext(entry["help"]) if entry.get("help") else "",
        "default": _shown(entry.get("value", entry.get("default"))),
        "render_kw": {"required": True} if entry.get("required") and entry["widget"] != "switch" else {},
    }
    widget = entry["widget"]
    if widget == "switch":
        return BooleanField(**{**common, "default": bool(entry.get("value", entry.get("default")))})
    if widget == "select" or offered:
        pairs = [(str(value), gettext(str(label))) for value, label in entry.get("choices") or offered]
        return SelectField(**common, choices=pairs if entry.get("required") else [("", "–"), *pairs], validate_choice=False)
    if widget in ("lines", "pairs", "textarea"):
        return TextAreaField(**common)
    if widget in _INPUTS:
        return StringField(**common, widget=TypedInput(_INPUTS[widget], {}))
    return StringField(**common)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def posted_values(entries: Sequence[FormField], form: FlaskForm, raw: Mapping[str, str]) -> dict[str, Any]:
    """What the form says, as plain values for the plugin's own schema; secrets come from `raw`, empty ones are left out."""
    values: dict[str, Any] = {}
    for entry in entries:
        name = entry["name"]
        if entry["secret"]:
            if raw.get(name):
                values[name] = raw[name]
            continue
        value = form[name].data
        if entry["widget"] == "lines":
            value = [line.strip() for line in (value or "").splitlines() if line.strip()]
        elif entry["widget"] == "pairs":
            value = json.loads(value) if value else {}
        if value not in ("", None):
            values[name] = value
    return values


def groups_of(entries: Sequence[FormField]) -> list[dict[str, Any]]:
    """The form's fields by group, in order."""
    groups: dict[str, list[str]] = {}
    for entry in entries:
        if not entry["secret"]:
            groups.setdefault(entry.get("group") or "", []).append(entry["name"])
    return [{"title": gettext(title) if title else gettext("Settings"), "fields": names} for title, names in groups.items()]
