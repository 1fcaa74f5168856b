"""Before a request runs: who makes it, in which tenant, and may they be there at all.

Order: the credentials (Authorization header under /api/, else the session cookie), then the tenant (of the token, or of the path), then
membership. Only after that is the scope opened and the session bound, so no query of a page can run in a wrong tenant or in none. Unknown
tenants and tenants of others look the same: 404 for who is signed in, the sign-in page for who is not.
"""

from __future__ import annotations

from flask import Flask, abort, current_app, g, redirect, request, session
from werkzeug.wrappers import Response

from core.delivery.web.identity import How, Identity, MustChangePassword, NotSignedIn, WrongTenant
from core.delivery.web.jwt import read_token
from core.delivery.web.marks import ANY_TENANT, ASSET, BEFORE_CHANGE, PLATFORM_ONLY, PUBLIC_VIEW, TENANT_ONLY, marks_of
from core.delivery.web.redirects import login_address, present_address
from core.delivery.web.tenant_path import SLUG
from core.delivery.web.unit import db
from core.kernel.clock import Clock
from core.runtime.security import tokens
from core.runtime.security.accounts import get_person
from core.runtime.security.audit import Origin, set_origin
from core.runtime.security.permissions import Rights
from core.runtime.security.sessions import (
    SessionRules,
    SignedIn,
    TenantFacts,
    announce_user,
    find_signed_in,
    find_tenant,
    touch_session,
)
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Actor, Scope, set_scope
from core.runtime.tenancy.session import bind_scope

COOKIE_KEY = "sid"
VISITOR = Actor("system", "", "visitor")


def is_api() -> bool:
    """Whether this request is for programs: errors are Problem Details, nobody is sent to a sign-in page."""
    return request.path.startswith("/api/")


def _to_sign_in() -> Response:
    """Lead to the sign-in page; a fragment that htmx asked for must not show that page inside another one."""
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": login_address(f"{request.script_root}/")})
    return redirect(login_address(present_address() if request.method == "GET" else f"{request.script_root}/"), 303)


class Resolver:
    """Finds identity and tenant; one per application."""

    def __init__(self, database: Database, rights: Rights, clock: Clock, rules: SessionRules) -> None:
        self._database = database
        self._rights = rights
        self._clock = clock
        self._rules = rules

    def init_app(self, app: Flask) -> None:
        """Run before every request; has to be the first function registered."""
        app.before_request(self.resolve)

    def resolve(self) -> Response | None:
        """Set `g.identity` and `g.tenant`, open the scope, bind the session; or answer instead of the view."""
        set_scope(None)
        g.identity = g.tenant = None
        view = current_app.view_functions.get(request.endpoint or "")
        marks = marks_of(view)
        if view is None or request.routing_exception is not None or ASSET in marks:
            return None
        set_origin(Origin(address=request.remote_addr or ""))
        slug: str = request.environ.get(SLUG, "")
        if (slug and PLATFORM_ONLY in marks) or (not slug and TENANT_ONLY in marks and not self._has_bearer()):
            abort(404)
        try:
            self._identify(slug)
        except NotSignedIn:
            if PUBLIC_VIEW not in marks:
                raise
        return self._enter(slug, marks)

    def _enter(self, slug: str, marks: frozenset[str]) -> Response | None:
        identity: Identity | None = g.identity
        if PUBLIC_VIEW in marks:
            if identity is None or identity.standing is None:
                self._enter_as_visitor(slug, marks)
            return None
        if identity is None:
            if is_api():
                raise NotSignedIn
            return _to_sign_in()
        if slug and identity.standing is None:
            abort(404)
        if identity.person.must_change and identity.how is How.SESSION and BEFORE_CHANGE not in marks:
            if is_api():
                raise MustChangePassword
            return redirect("/account/password", 303)
        return None

    def _enter_as_visitor(self, slug: str, marks: frozenset[str]) -> None:
        """Open the tenant of the path for a public page, without any permission."""
        if not slug:
            return
        tenant = g.tenant or find_tenant(db(), slug=slug)
        if tenant is None:
            if ANY_TENANT not in marks:
                abort(404)
            return
        identity: Identity | None = g.identity
        actor = VISITOR if identity is None else Actor("user", str(identity.person.user_id), identity.person.name)
        self._open(tenant, actor)

    def _has_bearer(self) -> bool:
        return is_api() and request.authorization is not None and request.authorization.type == "bearer"

    def _identify(self, slug: str) -> None:
        if is_api() and request.headers.get("Authorization"):
            if not self._has_bearer():
                raise NotSignedIn
            text = (request.authorization.token or "") if request.authorization else ""
            if text.startswith(tokens.MARK):
                self._by_token(text, slug)
            else:
                self._by_jwt(text, slug)
            return
        secret = session.get(COOKIE_KEY)
        if isinstance(secret, str):
            self._by_session(secret, slug)

    def _by_session(self, secret: str, slug: str) -> None:
        now = self._clock.now()
        found = find_signed_in(db(), secret, now=now, tenant=slug or None, rules=self._rules)
        if found is None:
            session.pop(COOKIE_KEY)
            return
        self._touch(found)
        identity = Identity(How.SESSION, found.person, session_id=found.session_id)
        if found.tenant is None:
            announce_user(db(), found.person.user_id)
            g.identity = identity
            return
        self._join(identity, found.tenant)

    def _by_jwt(self, text: str, slug: str) -> None:
        claims = read_token(text, kind="access")
        now = self._clock.now()
        found = find_signed_in(db(), claims.session_id, now=now, tenant=claims.tenant_id, rules=self._rules)
        if found is None or found.person.user_id != claims.user_id or found.tenant is None:
            raise NotSignedIn
        self._check_path(found.tenant, slug)
        self._touch(found)
        self._join(Identity(How.JWT, found.person, session_id=found.session_id), found.tenant)
        if g.identity.standing is None:
            g.identity = None
            raise NotSignedIn

    def _by_token(self, text: str, slug: str) -> None:
        tenant_id = tokens.tenant_in(text)
        tenant = find_tenant(db(), tenant_id=tenant_id) if tenant_id is not None else None
        if tenant is None:
            raise NotSignedIn
        # The actor becomes the token itself once the token has proved good; until then it is nobody.
        self._open(tenant, VISITOR)
        now = self._clock.now()
        holder = tokens.find_holder(db(), self._rights, text, now=now, epoch=tenant.epoch)
        if holder is None:
            self._leave()
            raise NotSignedIn
        self._check_path(tenant, slug)
        standing = self._rights.standing(db(), holder.user_id, epoch=tenant.epoch)
        person = get_person(db(), holder.user_id)
        scope = self._open(tenant, Actor("token", str(holder.token_id), holder.title))
        if holder.is_due(now):
            with self._database.unit(scope) as unit:
                tokens.touch_token(unit, holder.token_id, now=now)
        g.identity = Identity(How.TOKEN, person, holder.permissions, standing, token_id=holder.token_id)

    def _check_path(self, tenant: TenantFacts, slug: str) -> None:
        if slug and slug != tenant.slug:
            self._leave()
            raise WrongTenant

    def _join(self, identity: Identity, tenant: TenantFacts) -> None:
        """Open the tenant for a person; without a membership they get no scope and no permission."""
        person = identity.person
        scope = self._open(tenant, Actor("user", str(person.user_id), person.name))
        standing = self._rights.standing(db(), person.user_id, epoch=tenant.epoch)
        if standing is None:
            self._leave()
            g.identity = identity
            return
        g.scope = scope
        g.identity = Identity(
            identity.how, person, standing.permissions, standing, session_id=identity.session_id, token_id=identity.token_id
        )

    def _open(self, tenant: TenantFacts, actor: Actor) -> Scope:
        scope = Scope(tenant_id=tenant.id, slug=tenant.slug, actor=actor)
        set_scope(scope)
        bind_scope(db(), scope)
        g.tenant, g.scope = tenant, scope
        return scope

    def _leave(self) -> None:
        """Forget a tenant that was entered to look whether one may: the session is closed, since it is bound for good."""
        set_scope(None)
        g.tenant = g.scope = None
        current_app.extensions["oms.sessions"].remove()

    def _touch(self, found: SignedIn) -> None:
        now = self._clock.now()
        if found.is_due(now):
            with self._database.platform() as unit:
                touch_session(unit, found.session_id, now=now)
