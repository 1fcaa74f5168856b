"""Signing in and out, and a new password by link. These pages lie outside every tenant."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Response as FlaskResponse
from flask import current_app, flash, make_response, redirect, request, session
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import get_locale, gettext, lazy_gettext
from flask_wtf import FlaskForm
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired

from core.delivery.web.identity import How, current_identity
from core.delivery.web.marks import before_change, platform_only, public
from core.delivery.web.redirects import safe_path
from core.delivery.web.resolver import COOKIE_KEY
from core.delivery.web.screens.base import NewPasswordForm, blame, full_link, password_rules, services
from core.delivery.web.unit import db
from core.kernel.errors import Invalid
from core.runtime.security import accounts
from core.runtime.security.accounts import Person
from core.runtime.security.models import digest
from core.runtime.security.sessions import Device, end_session, open_session
from core.runtime.security.throttle import TooManyAttempts

_YEAR_S = 365 * 24 * 3600


class LoginForm(FlaskForm):
    """Name or e-mail address, and the password."""

    username = StringField(lazy_gettext("Name or email address"), validators=[InputRequired()])
    password = PasswordField(lazy_gettext("Password"), validators=[InputRequired()])


class ForgotForm(FlaskForm):
    """The address that a reset link goes to."""

    email = StringField(lazy_gettext("Email address"), validators=[InputRequired()], render_kw={"autocomplete": "email"})


def _device_cookie() -> str:
    prefix = "__Host-" if current_app.config["SESSION_COOKIE_SECURE"] else ""
    return f"{prefix}oms_device"


def _device_signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="oms device")


def known_device(login: str) -> str:
    """The name of this device if it has signed in as `login` before, else nothing. The cookie is signed by us."""
    try:
        owner, name = _device_signer().loads(request.cookies.get(_device_cookie(), ""))
    except (BadData, TypeError, ValueError):
        return ""
    return f"{owner}:{name}" if owner == _owner_mark(login) else ""


def _owner_mark(login: str) -> str:
    return digest(login.strip().lower()).hex()[:32]


def remember_device(answer: Response, login: str) -> None:
    """Let this device try passwords of this account even while others are being slowed down."""
    value = _device_signer().dumps([_owner_mark(login), secrets.token_hex(8)])
    answer.set_cookie(
        _device_cookie(),
        value if isinstance(value, str) else value.decode(),
        max_age=_YEAR_S,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        path="/",
    )


def begin_session(person: Person) -> None:
    """Sign this browser in: a new secret and a new CSRF token, whatever the browser brought along."""
    device = Device(request.remote_addr or "", request.headers.get("User-Agent", ""))
    with services().database.platform() as unit:
        _, secret = open_session(unit, person, device, now=services().now(), rules=services().rules)
    session.clear()
    session[COOKIE_KEY] = secret
    session.permanent = True


class AuthView(BaseView):
    """Sign in, sign out, forgotten password."""

    route_base = ""
    default_view = "login"
    permission_keys: Mapping[str, str] = {}

    @expose("/login/", methods=["GET", "POST"])
    @public
    @platform_only
    @before_change
    def login(self) -> Response:
        """The sign-in form. Says the same for an unknown name, a wrong password and a switched-off account."""
        target = safe_path(request.args.get("next"))
        if current_identity() is not None:
            return redirect(target, 303)
        form, notice, status = LoginForm(), None, 200
        if form.validate_on_submit():
            try:
                person = self._check(form)
            except TooManyAttempts as error:
                text = gettext("Too many attempts. Wait %(seconds)s seconds and try again.", seconds=round(error.retry_after_s or 1))
                notice, status = {"kind": "bad", "text": text}, error.status
            else:
                if person is not None:
                    begin_session(person)
                    answer = redirect(target, 303)
                    remember_device(answer, form.username.data)
                    return answer
                notice, status = {"kind": "bad", "text": gettext("That name and password do not belong together.")}, 401
        return _page(self.render_template("screens/login.html", form=form, notice=notice), status)

    @staticmethod
    def _check(form: LoginForm) -> Person | None:
        return services().sign_in.check(
            form.username.data,
            form.password.data,
            address=request.remote_addr or "",
            agent=request.headers.get("User-Agent", ""),
            device=known_device(form.username.data),
        )

    @expose("/logout/", methods=["GET", "POST"])
    @public
    @platform_only
    @before_change
    def logout(self) -> Response:
        """Ask, then end this sign-in; another site cannot sign people out with a link."""
        identity = current_identity()
        if identity is None or identity.how is not How.SESSION:
            return redirect("/login/", 303)
        if request.method != "POST":
            return _page(self.render_template("screens/logout.html"))
        if identity.session_id is not None:
            with services().database.platform() as unit:
                end_session(unit, identity.session_id, user_id=identity.person.user_id, now=services().now())
        session.clear()
        return redirect("/login/", 303)

    @expose("/forgot/", methods=["GET", "POST"])
    @public
    @platform_only
    def forgot(self) -> Response:
        """Send a reset link, if there is such an account; the answer is the same if there is none."""
        form, status, sent = ForgotForm(), 200, False
        send = services().send_reset
        if form.validate_on_submit():
            try:
                throttle = services().sign_in.throttle
                throttle.take([(f"forgot:{request.remote_addr}", throttle.rules.per_address)])
            except TooManyAttempts as error:
                blame(form, error, fallback="email")
                status = error.status
            else:
                sent = True
                if send is not None:
                    self._send(form.email.data, send)
        return _page(self.render_template("screens/forgot.html", form=form, sent=sent, can_send=send is not None), status)

    @staticmethod
    def _send(email: str, send: Any) -> None:
        with services().database.platform() as unit:
            person = accounts.find_person(unit, email)
            if person is None or not person.is_active:
                return
            link = full_link(f"/reset/{accounts.make_reset_link(unit, person.user_id, now=services().now())}")
        send(person.email, link, str(get_locale() or "en"))

    @expose("/reset/<string:secret>", methods=["GET", "POST"])
    @public
    @platform_only
    def reset(self, secret: str) -> Response:
        """Choose a new password with a link that works once."""
        if not accounts.reset_is_open(db(), secret, now=services().now()):
            return _page(self.render_template("screens/link_gone.html"), 404)
        form = NewPasswordForm()
        if form.validate_on_submit():
            try:
                with services().database.platform() as unit:
                    accounts.use_reset_link(unit, secret, password=form.password.data, now=services().now())
            except Invalid as error:
                blame(form, error, fallback="password")
            else:
                flash(gettext("Your new password is set. Sign in with it."), "success")
                return redirect("/login/", 303)
        return _page(self.render_template("pages/password.html", form=form, rules=password_rules()))


def _page(body: str, status: int = 200) -> FlaskResponse:
    return make_response(body, status)
