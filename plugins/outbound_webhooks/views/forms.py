"""The form of a subscription."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from plugins.outbound_webhooks.events import AREAS, KINDS
from plugins.outbound_webhooks.models import Hook


class HookForm(FlaskForm):
    """Name, address and events. The rest is decided by `service.checked`, as for the REST interface."""

    name = StringField(lazy_gettext("Name"), validators=[InputRequired(), Length(max=80)])
    url = StringField(
        lazy_gettext("Address"),
        validators=[InputRequired(), Length(max=2000)],
        description=lazy_gettext("Where messages are sent by POST; it starts with https://."),
        render_kw={"type": "url", "inputmode": "url", "autocomplete": "off", "placeholder": "https://"},
    )
    events = SelectMultipleField(lazy_gettext("Events"), validators=[InputRequired()], render_kw={"data-pick": True})

    def __init__(self, *args: Any, hook: Hook | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {**AREAS, **KINDS}
        others = [one for one in (hook.events if hook is not None else ()) if one not in known]
        self.events.choices = [(kind, f"{gettext(label)} ({kind})") for kind, label in known.items()] + [(kind, kind) for kind in others]
        if hook is not None and not self.is_submitted():
            self.name.data, self.url.data, self.events.data = hook.name, hook.url, list(hook.events)
