"""API tokens: making one, seeing which there are, ending them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired, Length

from core.delivery.web.identity import can, require_identity
from core.delivery.web.marks import tenant_only
from core.delivery.web.screens.base import blame, services
from core.delivery.web.screens.roles import permission_groups
from core.delivery.web.theme.grid import Action
from core.delivery.web.unit import db
from core.kernel.errors import Denied, Invalid
from core.runtime.security import tokens
from core.runtime.security.models import ApiToken
from core.runtime.security.tokens import NewToken

_DAYS = (30, 90, 365)


class TokenForm(FlaskForm):
    """A name and how long it lasts; the scopes are check boxes beside it."""

    name = StringField(lazy_gettext("Name"), validators=[InputRequired(), Length(max=60)])
    days = SelectField(lazy_gettext("Ends after"), default="90")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days.choices = [(str(days), gettext("%(count)s days", count=days)) for days in _DAYS]


class TokenView(BaseView):
    """One's own tokens; administrators see and end everybody's."""

    route_base = "/tokens"
    default_view = "list"
    permission_keys: Mapping[str, str] = {"list": "tokens.own", "add": "tokens.own", "revoke": "tokens.own"}

    @expose("/")
    @has_access
    @tenant_only
    def list(self) -> str:
        """The tokens and the form for a new one."""
        return self._page(TokenForm(formdata=None))

    @expose("/add", methods=["POST"])
    @has_access
    @tenant_only
    def add(self) -> Any:
        """Make a token and show it, once."""
        form, identity, now = TokenForm(), require_identity(), services().now()
        scopes = request.form.getlist("scopes")
        if not form.validate_on_submit():
            return self._page(form), 422
        try:
            new = NewToken(form.name.data, scopes, now + timedelta(days=int(form.days.data)))
            token, text = tokens.create_token(db(), services().rights, new, user_id=identity.person.user_id, now=now)
        except (Invalid, Denied) as error:
            blame(form, error, fallback="name")
            return self._page(form), error.status
        return self._page(TokenForm(formdata=None), created={"name": token.title, "token": text})

    @expose("/<uuid:token_id>/revoke", methods=["POST"])
    @has_access
    @tenant_only
    def revoke(self, token_id: UUID) -> Response:
        """End a token at once."""
        owner = None if can("tokens.write") else require_identity().person.user_id
        tokens.revoke_token(db(), token_id, now=services().now(), user_id=owner)
        flash(gettext("The token is revoked."), "success")
        return redirect(url_for(".list"), 303)

    def _page(self, form: TokenForm, *, created: dict[str, str] | None = None) -> str:
        everybody = can("tokens.write")
        found = tokens.tokens(db(), user_id=None if everybody else require_identity().person.user_id)
        chosen = set(request.form.getlist("scopes")) if created is None else set()
        may = require_identity().permissions
        groups = []
        for title, permissions in permission_groups():
            options = [
                {"value": one.key, "label": gettext(one.title), "help": "", "checked": one.key in chosen}
                for one in permissions
                if one.key in may
            ]
            if options:
                groups.append({"group": gettext(title), "options": options})
        return self.render_template(
            "pages/tokens.html",
            tokens=[self._shown(token, owner if everybody else "") for token, owner in found],
            form=form,
            scopes=groups,
            form_action=url_for(".add"),
            created=created,
        )

    @staticmethod
    def _shown(token: ApiToken, owner: str) -> dict[str, Any]:
        is_over = token.expires_at is not None and token.expires_at <= services().now()
        state = ("neutral", "ban", gettext("Expired")) if is_over else ("ok", "check", gettext("Active"))
        revoke = Action(
            gettext("Revoke"),
            url_for(".revoke", token_id=token.id),
            method="post",
            kind="bad",
            confirm=gettext("Programs that use “%(name)s” will be locked out at once.", name=token.title),
        )
        return {
            "name": f"{token.title} ({token.prefix}…)" + (f" · {owner}" if owner else ""),
            "scopes": token.scopes,
            "created_at": token.created_at,
            "last_used_at": token.last_used_at,
            "expires_at": token.expires_at,
            "state": state,
            "revoke": revoke,
        }
