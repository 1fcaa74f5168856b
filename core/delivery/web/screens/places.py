"""The start page: the tenant chooser outside tenants, the tenant's home inside; and joining a tenant by invitation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, g, make_response, redirect, request
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import refresh
from werkzeug.wrappers import Response

from core.delivery.web.frame import tenant_link
from core.delivery.web.identity import current_identity, current_tenant, require_identity
from core.delivery.web.marks import any_tenant, tenant_only
from core.delivery.web.redirects import login_address
from core.delivery.web.screens.auth import begin_session, remember_device
from core.delivery.web.screens.base import JoinForm, blame, password_rules, services, translated
from core.delivery.web.unit import db
from core.kernel.errors import Conflict, Invalid
from core.runtime.security import accounts, invitations
from core.runtime.security.accounts import LinkGone, Person
from core.runtime.security.members import places_of, roles_by_code
from core.runtime.security.models import Invitation
from core.runtime.security.permissions import SIGNED_IN
from core.runtime.tenancy.scope import Actor, Scope, require_scope

HomePage = Callable[[], Any]


class StartView(BaseView):
    """`/`: where somebody lands after signing in. Whoever builds the tenants' home sets `home_page` on the registered view."""

    route_base = ""
    default_view = "index"
    permission_keys: Mapping[str, str] = {"index": SIGNED_IN}
    home_page: HomePage | None = None

    @expose("/")
    @has_access
    def index(self) -> Any:
        """Outside tenants: on to the only one, or the chooser. Inside: the home page."""
        if current_tenant() is not None:
            page = self.home_page
            return page() if page is not None else self.render_template("appbuilder/index.html")
        places = places_of(db(), require_identity().person.user_id)
        if len(places) == 1 and "choose" not in request.args:
            return redirect(f"/t/{places[0].slug}/", 303)
        links = [tenant_link(place) for place in places]
        return self.render_template("pages/tenants.html", tenants=links, logout_url="/logout/")


class JoinView(BaseView):
    """Accepting an invitation. The link is the key: who has it sees the tenant's name, who has not sees nothing."""

    route_base = "/join"
    default_view = "join"
    permission_keys: Mapping[str, str] = {}

    @expose("/<string:secret>", methods=["GET", "POST"])
    @any_tenant
    @tenant_only
    def join(self, secret: str) -> Response:
        """Join with a new account, or with the one that is signed in."""
        invitation = self._find(secret)
        if invitation is None:
            g.tenant = None  # its language would tell that there is such a tenant
            refresh()
            return make_response(self.render_template("pages/invitation.html", invitation=None, form=None), 404)
        identity = current_identity()
        if identity is not None and identity.standing is not None:
            return redirect(f"{request.script_root}/", 303)
        existing = accounts.find_person(db(), invitation.email)
        if identity is None and existing is not None:
            return redirect(login_address(f"{request.script_root}/join/{secret}"), 303)
        if identity is not None:
            return self._join_signed_in(secret, invitation, identity.person)
        return self._join_new(secret, invitation)

    @staticmethod
    def _find(secret: str) -> Invitation | None:
        if current_tenant() is None:
            return None
        try:
            return invitations.get_invitation(db(), secret, now=services().now())
        except LinkGone:
            return None

    def _join_signed_in(self, secret: str, invitation: Invitation, person: Person) -> Response:
        if person.email != invitation.email:
            abort(403)
        if request.method == "POST":
            invitations.accept_as(db(), services().rights, secret, person=person, now=services().now())
            return redirect(f"{request.script_root}/", 303)
        return self._page(invitation, None)

    def _join_new(self, secret: str, invitation: Invitation) -> Response:
        form = JoinForm()
        if form.validate_on_submit():
            here = require_scope()
            scope = Scope(here.tenant_id, here.slug, Actor("system", "", invitation.email), here.trace)
            email = invitation.email
            db().rollback()  # the reading transaction must not hold what the joining one is about to lock
            try:
                person = self._accept(secret, form, scope)
            except (Invalid, Conflict) as error:
                blame(form, error, fallback="password")
            else:
                begin_session(person)
                answer = redirect(f"{request.script_root}/", 303)
                remember_device(answer, email)
                return answer
            invitation = invitations.get_invitation(db(), secret, now=services().now())
        return self._page(invitation, form)

    @staticmethod
    def _accept(secret: str, form: JoinForm, scope: Scope) -> Person:
        with services().database.unit(scope) as unit:
            return invitations.accept_with_new_account(
                unit, services().rights, secret, name=form.name.data, password=form.password.data, now=services().now()
            )

    def _page(self, invitation: Invitation, form: JoinForm | None) -> Response:
        tenant = current_tenant()
        shown = {
            "tenant": tenant.name if tenant is not None else "",
            "inviter": invitation.invited_by,
            "roles": translated(role.title for role in roles_by_code(db(), invitation.role_codes)),
            "email": invitation.email,
            "expires_at": invitation.expires_at,
        }
        return make_response(self.render_template("pages/invitation.html", invitation=shown, form=form, rules=password_rules()))
