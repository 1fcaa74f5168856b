"""One's own account: name of the language, password, devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, request, session
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import SelectField

from core.delivery.web.i18n import LANGUAGES, set_language, time_zones
from core.delivery.web.identity import require_identity
from core.delivery.web.marks import before_change
from core.delivery.web.screens.base import ChangePasswordForm, blame, password_rules, services
from core.kernel.errors import Denied, Invalid
from core.runtime.security import accounts
from core.runtime.security.models import LoginSession
from core.runtime.security.permissions import SIGNED_IN
from core.runtime.security.sessions import end_session, sessions_of
from core.runtime.security.throttle import TooManyAttempts

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("MicroMessenger", "WeChat"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


class PreferencesForm(FlaskForm):
    """Language and time zone; empty ones follow the tenant."""

    locale = SelectField(lazy_gettext("Language"))
    timezone = SelectField(lazy_gettext("Time zone"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_business = ("", gettext("As in the business"))
        self.locale.choices = [as_business, *((code, about["name"]) for code, about in LANGUAGES.items())]
        self.timezone.choices = [as_business, *((name, name) for name in time_zones())]


class AccountView(BaseView):
    """The page of the person who is signed in."""

    route_base = "/account"
    default_view = "show"
    permission_keys: Mapping[str, str] = {
        "show": SIGNED_IN,
        "preferences": SIGNED_IN,
        "password": SIGNED_IN,
        "end_one": SIGNED_IN,
        "end_all": SIGNED_IN,
    }

    @expose("/")
    @has_access
    def show(self) -> str:
        """Name, preferences, devices."""
        identity = require_identity()
        form = PreferencesForm(locale=identity.person.locale, timezone=identity.person.timezone)
        return self._page(form)

    @expose("/preferences", methods=["POST"])
    @has_access
    def preferences(self) -> Any:
        """Keep language and time zone, on all devices."""
        form = PreferencesForm()
        if not form.validate_on_submit():
            return self._page(form), 422
        with services().database.platform() as unit:
            accounts.set_preferences(unit, require_identity().person.user_id, locale=form.locale.data, timezone=form.timezone.data)
        flash(gettext("Saved."), "success")
        answer = redirect(self._here(), 303)
        return set_language(answer, form.locale.data) if form.locale.data else answer

    @expose("/password", methods=["GET", "POST"])
    @has_access
    @before_change
    def password(self) -> Any:
        """Change the password; every other sign-in ends."""
        form, identity = ChangePasswordForm(), require_identity()
        if form.validate_on_submit():
            try:
                self._change(form)
            except (Invalid, Denied, TooManyAttempts) as error:
                blame(form, error, fallback="current")
            else:
                flash(gettext("Your password is changed. All other devices are signed out."), "success")
                return redirect(self._here() if not identity.person.must_change else "/", 303)
        cancel = "" if identity.person.must_change else self._here()
        return self.render_template("pages/password.html", form=form, rules=password_rules(), cancel_url=cancel)

    @staticmethod
    def _change(form: ChangePasswordForm) -> None:
        identity, now = require_identity(), services().now()
        key = f"change:{identity.person.user_id}"
        throttle = services().sign_in.throttle
        throttle.take([(key, throttle.rules.per_address)])
        with services().database.platform() as unit:
            keep = unit.get(LoginSession, identity.session_id)
            accounts.change_password(unit, identity.person.user_id, current=form.current.data, new=form.password.data, now=now, keep=keep)
        throttle.forgive(cleared=[key])

    @expose("/sessions/<uuid:session_id>/end", methods=["POST"])
    @has_access
    def end_one(self, session_id: UUID) -> Response:
        """Sign one device out."""
        with services().database.platform() as unit:
            ended = end_session(unit, session_id, user_id=require_identity().person.user_id, now=services().now())
        if not ended:
            abort(404)
        flash(gettext("That device is signed out."), "success")
        return redirect(self._here(), 303)

    @expose("/sessions/end-all", methods=["POST"])
    @has_access
    def end_all(self) -> Response:
        """Sign out everywhere, here too."""
        with services().database.platform() as unit:
            accounts.end_all_sign_ins(unit, require_identity().person.user_id)
        session.clear()
        return redirect("/login/", 303)

    @staticmethod
    def _here() -> str:
        return f"{request.script_root}/account/"

    def _page(self, form: PreferencesForm) -> str:
        identity, now = require_identity(), services().now()
        with services().database.platform() as unit:
            devices = [
                {
                    "id": one.id,
                    "agent": device_name(one.agent),
                    "address": one.address,
                    "seen_at": one.last_seen_at,
                    "since": one.created_at,
                    "is_api": one.is_api,
                    "is_here": one.id == identity.session_id,
                }
                for one in sessions_of(unit, identity.person.user_id, now=now, rules=services().rules)
            ]
        return self.render_template("screens/account.html", person=identity.person, form=form, devices=devices)


def device_name(agent: str) -> str:
    """Browser and system, as far as the User-Agent header tells them."""
    found = [next((name for mark, name in marks if mark in agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return " · ".join(part for part in found if part) or agent.partition(" ")[0][:40]
