"""Forms with a head and typed lines, each line with a SKU: how many there are, what their inputs are called, what stands beside them."""

from __future__ import annotations

from uuid import UUID

from flask import request
from flask_wtf import FlaskForm

from core.delivery.web.messages import in_words
from core.delivery.web.schema import present_schema
from core.delivery.web.unit import db
from core.engines.metadata import queries
from core.kernel.ids import parse_id

MOST_LINES = 100


def line_count(*, first: int, more: int) -> int:
    """How many lines the form has: `first`, or as many as it was sent with, and `more` when they were asked for."""
    text = request.form.get("count", "")
    count = int(text) if text.isdecimal() and len(text) < 4 else first
    return min(count + (more if "more" in request.form else 0), MOST_LINES)


def prefix_of(number: int) -> str:
    """What the names of a line's inputs begin with."""
    return f"l{number}."


def blame(form: FlaskForm, key: str, message: str) -> None:
    """Put an error beside the input that it names, or on top of the form."""
    if key in form:
        form[key].errors = [*form[key].errors, in_words(message)]
    else:
        form.form_errors.append(in_words(message))


def keep_goods(form: FlaskForm, count: int) -> None:
    """Let the SKUs that are chosen stay chosen, by the names of those that the reader may see."""
    fields = [form[f"{prefix_of(number)}sku_id"] for number in range(count)]
    ids = [found for field in fields if (found := parse_id(field.data or "")) is not None]
    names: dict[UUID, str] = queries.titles(db(), present_schema().get("catalog.sku"), ids) if ids else {}
    for field in fields:
        target = parse_id(field.data or "")
        field.choices = [("", ""), *([(str(target), names.get(target, str(target)))] if target is not None else [])]
