"""What the pages of this package share: the services they call, their forms, and how they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from flask import current_app, request
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from core.delivery.web.errors import said_by
from core.kernel.clock import Clock
from core.kernel.errors import Invalid, OrderloomError
from core.runtime.security.passwords import MAX_LENGTH, MIN_LENGTH
from core.runtime.security.permissions import Rights
from core.runtime.security.sessions import SessionRules, SignIn
from core.runtime.tenancy.database import Database

SERVICES = "oms.services"
TEMPLATES = Path(__file__).parent / "templates"
TRANSLATIONS = Path(__file__).parent / "translations"
SendLink = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Services:
    """What pages and endpoints work with; made once by the factory.

    `send_reset(email, link, locale)` queues a message and returns at once; None when the installation sends none. Links in messages begin
    with `public_url`; when it is empty they take the address of the request.
    """

    database: Database
    rights: Rights
    clock: Clock
    sign_in: SignIn
    rules: SessionRules
    public_url: str = ""
    send_reset: SendLink | None = None

    def now(self) -> datetime:
        """The present moment."""
        return self.clock.now()


def services() -> Services:
    """The services of the running application."""
    return cast("Services", current_app.extensions[SERVICES])


def full_link(path: str) -> str:
    """`path` as an address that can be sent to somebody."""
    base = services().public_url or request.host_url
    return base.rstrip("/") + path


def password_rules() -> list[str]:
    """The policy in words, for the form."""
    return [
        gettext("At least %(count)s characters; a few words that do not belong together are best.", count=MIN_LENGTH),
        gettext("Not a common password, and not your name or email address."),
    ]


def blame(form: FlaskForm, error: OrderloomError, *, fallback: str = "") -> None:
    """Show `error` beside the field that it names, else beside `fallback`, else above the form."""
    name = error.field if isinstance(error, Invalid) else getattr(error, "field", None)
    target: Any = form._fields.get(name or "") or form._fields.get(fallback)
    if isinstance(target, Field):
        target.errors = (*target.errors, said_by(error))
    else:
        form.form_errors.append(said_by(error))


class NewPasswordForm(FlaskForm):
    """A new password, typed twice."""

    password = PasswordField(
        lazy_gettext("New password"),
        validators=[InputRequired(), Length(max=MAX_LENGTH)],
        render_kw={"autocomplete": "new-password", "minlength": MIN_LENGTH},
    )
    again = PasswordField(lazy_gettext("New password again"), validators=[InputRequired()], render_kw={"autocomplete": "new-password"})

    def validate(self, extra_validators: Any = None) -> bool:
        """As WTForms does, and that both are the same."""
        good = super().validate(extra_validators)
        if good and self.password.data != self.again.data:
            self.again.errors = (*self.again.errors, gettext("The two passwords differ."))
            return False
        return good


class ChangePasswordForm(NewPasswordForm):
    """The present password and a new one."""

    current = PasswordField(lazy_gettext("Present password"), validators=[InputRequired()], render_kw={"autocomplete": "current-password"})
    field_order = ("current", "password", "again")
    _fields: dict[str, Field]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = self._fields
        self._fields = {name: fields[name] for name in (*self.field_order, *(set(fields) - set(self.field_order)))}


class JoinForm(NewPasswordForm):
    """A new account for somebody who was invited."""

    name = StringField(lazy_gettext("Your name"), validators=[InputRequired(), Length(max=64)], render_kw={"autocomplete": "name"})


def translated(titles: Iterable[str]) -> list[str]:
    """Titles of roles, which are message ids as long as nobody renames them."""
    return [gettext(title) for title in titles]
