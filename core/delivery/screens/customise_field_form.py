"""The form of one field: the inputs that its type has, its table of choices, and what was posted, as a body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import request
from flask_babel import gettext
from wtforms import BooleanField, SelectField, StringField

from core.delivery.screens import customise_facts as facts
from core.delivery.screens.customise_forms import blame, body_form, fill, read
from core.delivery.screens.customise_types import AUTOMATIC, CONDITIONS, TYPE_CARDS
from core.delivery.screens.customise_words import COLOUR_WORDS, FIELD_WORDS, RESULT_WORDS, USE_WORDS
from core.delivery.web.crud.forms import TypedInput
from core.engines.metadata.tailor.naming import propose_key
from core.engines.metadata.tailor.shapes import FieldShape

SHAPE = FieldShape()
HEAD = ("label", "key", "help")
#: Inputs that the page draws in a way of their own.
APART = ("series", "pattern")
SPARE_ROWS = 3
MAX_ROWS = 200
#: How long texts are unless somebody says so, and how long those with a pattern may be.
WIDTH, PATTERN_WIDTH = 200, 64
_DEFAULT_INPUTS = {"date": "date", "integer": "number"}
#: Flags that say what may be entered, and those that say who gets to see it.
_RULES, _SIGHT = ("required", "unique", "filterable", "in_list"), ("personal", "sealed")
Row = dict[str, str]


class FieldForm:
    """The inputs of a field of one type. `fill` shows a body, `read` gives what was posted."""

    def __init__(self, entity: str, kind: str, *, is_new: bool = True) -> None:
        self.entity, self.kind, self.is_new = entity, kind, is_new
        card = TYPE_CARDS[kind]
        self.inputs = tuple(name for name in card.inputs if name != "choices")
        self.conditions = () if kind in AUTOMATIC else CONDITIONS
        self.names = (*HEAD, *self.inputs, *card.flags, *self.conditions)
        options = {
            "target": [("", "–"), *facts.entity_options()],
            "rollup.entity": [("", "–"), *facts.entity_options()],
            "rollup.use": [(key, gettext(label)) for key, label in USE_WORDS.items()],
            "result": [(key, gettext(label)) for key, label in RESULT_WORDS.items()],
        }
        made = body_form(SHAPE, self.names, words=FIELD_WORDS, options=options)
        if "default" in self.names:
            made.default = self._default_input()  # type: ignore[attr-defined]
        self.form: Any = made()
        self.has_choices = "choices" in card.inputs
        self.rows: list[Row] = []
        self.problems: dict[str, list[str]] = {"choices": [], "type": []}
        if is_new:
            self.form["key"].render_kw = {**(self.form["key"].render_kw or {}), "required": False}

    def _default_input(self) -> Any:
        label, text = FIELD_WORDS["default"]
        common = {"label": gettext(label), "description": gettext(text)}
        if self.kind == "boolean":
            return SelectField(**common, choices=[("", "–"), ("true", gettext("Yes")), ("false", gettext("No"))], validate_choice=False)
        if self.kind in ("choice", "choices"):
            hint = gettext("The value of a choice.") if self.kind == "choice" else gettext("Values of choices, with commas between.")
            return StringField(**{**common, "description": hint})
        return StringField(**common, widget=TypedInput(_DEFAULT_INPUTS.get(self.kind, "text"), {}))

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The inputs in groups, as the page shows them."""
        shown = [name for name in self.inputs if name not in ("default", *APART)]
        flags = TYPE_CARDS[self.kind].flags
        default = ["default"] if "default" in self.inputs else []
        found = [
            {"key": "head", "title": gettext("Field"), "fields": list(HEAD)},
            {"key": "type", "title": gettext(TYPE_CARDS[self.kind].label), "fields": shown},
            {"key": "rules", "title": gettext("Use"), "fields": [*(name for name in _RULES if name in flags), *default]},
            {"key": "sight", "title": gettext("Protection"), "fields": [name for name in _SIGHT if name in flags]},
        ]
        has_more = self.has_choices or any(name in self.inputs for name in APART)
        return [part for part in found if part["fields"] or (part["key"] == "type" and has_more)]

    @property
    def colours(self) -> list[tuple[str, str]]:
        """The colours that a choice may stand in."""
        return [(key, gettext(label)) for key, label in COLOUR_WORDS.items()]

    @property
    def is_asked(self) -> bool:
        """Whether the form was sent to be saved, not to have its table of choices changed."""
        return not request.form.get("row")

    def fill(self, body: Mapping[str, Any]) -> None:
        """Show a body, as it is stored or as a new one begins."""
        fill(self.form, SHAPE, body, self.names)
        default = body.get("default")
        if "default" in self.names:
            shown = {True: "true", False: "false", None: ""}.get(default, default) if isinstance(default, bool | None) else default
            self.form["default"].data = ", ".join(shown) if isinstance(shown, list) else str(shown)
        rows = [
            {"value": one["value"], "label": one.get("label", ""), "kind": one.get("kind", "neutral")} for one in body.get("choices", ())
        ]
        self.rows = [*rows, *self._spare(1 if rows else SPARE_ROWS)]

    def _spare(self, count: int) -> list[Row]:
        return [{"value": "", "label": "", "kind": "neutral"} for _at in range(count)]

    def read(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What was posted as a body, and what cannot be read, by name. Choices without a value get one made of their label."""
        body, problems = read(self.form, SHAPE, self.names)
        body |= {"entity": self.entity, "type": self.kind}
        if not body.get("default") and "default" in body:
            del body["default"]
        if "default" in body:
            body["default"] = self._typed(str(body["default"]))
        if body.get("pattern") and body.get("max_length", WIDTH) == WIDTH:
            body["max_length"] = PATTERN_WIDTH
        if self.has_choices:
            self.rows = [dict(zip(("value", "label", "kind"), row, strict=True)) for row in zip(*self._columns(), strict=False)][:MAX_ROWS]
            self._rearranged(request.form.get("row", ""))
            body["choices"] = self._choices()
        return body, problems

    def _columns(self) -> list[list[str]]:
        return [[text.strip() for text in request.form.getlist(f"choices.{name}")] for name in ("value", "label", "kind")]

    def _choices(self) -> list[dict[str, str]]:
        taken: set[str] = {row["value"] for row in self.rows if row["value"]}
        found = []
        for row in self.rows:
            if not row["value"] and row["label"]:
                row["value"] = propose_key(row["label"], taken=taken)
                taken.add(row["value"])
            if row["value"]:
                found.append({name: value for name, value in row.items() if value})
        return found

    def _rearranged(self, asked: str) -> None:
        """Carry out what a button beside a row asks for: `more`, `up:2`, `down:2`, `drop:2`."""
        way, _, at = asked.partition(":")
        if way == "more":
            self.rows += self._spare(SPARE_ROWS)
        if not at.isdecimal() or int(at) >= len(self.rows):
            return
        place = int(at)
        to = place + {"up": -1, "down": 1}.get(way, 0)
        if way == "drop":
            del self.rows[place]
        elif 0 <= to < len(self.rows):
            self.rows[place], self.rows[to] = self.rows[to], self.rows[place]

    def _typed(self, text: str) -> Any:
        if self.kind == "boolean":
            return text == "true"
        if self.kind == "choices":
            return [part.strip() for part in re.split(r"[,，;；]", text) if part.strip()]
        return int(text) if self.kind == "integer" and re.fullmatch(r"[+-]?\d{1,15}", text) else text

    def blame(self, problems: Mapping[str, str]) -> None:
        """Put what is wrong beside the inputs."""
        blame(self.form, problems, rows=self.problems)

    def is_flag(self, name: str) -> bool:
        """Whether an input is a check box."""
        return isinstance(self.form[name], BooleanField)
