"""Field widgets for WTForms that need no library: native date and time inputs, selects, numbers, money.

The crud kit sets them in its field converter in place of FAB's date picker and Select2. `ui.field` adds class, help and errors.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from markupsafe import Markup, escape
from wtforms import Field, SelectMultipleField, widgets

from core.delivery.web.theme.formats import formats


class DateWidget(widgets.DateInput):
    """The browser's own date field; the value is ISO 8601."""


class MomentWidget(widgets.DateTimeLocalInput):
    """The browser's own field for date and time, to the minute, in the reader's zone; the form field converts back to UTC."""

    def __call__(self, field: Field, **kwargs: Any) -> str:
        """The input; an aware value of the field is shown in the reader's zone."""
        value = field.data
        if isinstance(value, datetime):
            aware = value if value.tzinfo else value.replace(tzinfo=UTC)
            kwargs.setdefault("value", formats().local(aware).strftime("%Y-%m-%dT%H:%M"))
        return super().__call__(field, **kwargs)


class NumberWidget(widgets.TextInput):
    """A number as text, so that no browser changes its digits; phones show the number keys."""

    def __call__(self, field: Field, **kwargs: Any) -> str:
        """The input."""
        kwargs.setdefault("inputmode", "decimal")
        kwargs.setdefault("autocomplete", "off")
        return super().__call__(field, **kwargs)


class MoneyWidget(NumberWidget):
    """An amount with its currency beside it."""

    def __init__(self, currency: str = "") -> None:
        super().__init__()
        self.currency = currency

    def __call__(self, field: Field, **kwargs: Any) -> str:
        """The input in a group with the currency's sign."""
        sign = escape(formats().currency_sign(self.currency)) if self.currency else ""
        body = super().__call__(field, **kwargs)
        if not sign:
            return body
        return Markup('<div class="input-group"><span class="input-group-text">{}</span>{}</div>').format(sign, body)


class CheckColumn:
    """Draws the choices of a field as check boxes below each other."""

    def __call__(self, field: Field, **_attributes: Any) -> Markup:
        """The HTML of all choices, as one group with the field's name."""
        boxes = Markup("").join(
            Markup('<label class="check">{}<span>{}</span></label>').format(one(class_="form-check-input"), one.label.text) for one in field
        )
        return Markup('<div class="check-col" id="{}" role="group" aria-label="{}">{}</div>').format(field.id, field.label.text, boxes)


class ChecksField(SelectMultipleField):
    """Several of some choices, as check boxes."""

    widget = CheckColumn()
    option_widget = widgets.CheckboxInput()


class ChoiceWidget(widgets.Select):
    """A select, searchable when it has many options; with a `source` it asks there while one types.

    The source gets `?q=<text>` and answers JSON: [{"value": …, "label": …}].
    """

    MANY = 12

    def __init__(self, source: str = "", *, multiple: bool = False) -> None:
        super().__init__(multiple=multiple)
        self.source = source

    def __call__(self, field: Field, **kwargs: Any) -> str:
        """The select."""
        if self.source:
            kwargs["data-pick"] = self.source
        elif self.multiple or len(list(field.iter_choices())) > self.MANY:
            kwargs["data-pick"] = True
        return super().__call__(field, **kwargs)
