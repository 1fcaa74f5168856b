"""Signing in for programs: `/api/v1/security/login`, `refresh` and `logout`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import jsonify, request
from flask_appbuilder.baseviews import BaseView, expose
from werkzeug.wrappers import Response

from core.delivery.web.body import arguments, json_body, nothing
from core.delivery.web.identity import How, NotSignedIn, current_identity
from core.delivery.web.jwt import ACCESS_FOR, Claims, access_token, read_token, refresh_token
from core.delivery.web.marks import platform_only, public, stateless
from core.delivery.web.screens.base import services
from core.delivery.web.unit import db
from core.kernel.errors import Denied, Invalid
from core.runtime.security.accounts import Person
from core.runtime.security.members import Place, places_of
from core.runtime.security.sessions import Device, announce_user, end_session, find_signed_in, open_session, touch_session

SIGN_IN_FIELDS = ("username", "password", "tenant", "refresh")
MAX_SIGN_IN_BYTES = 10_000


class SignInRefused(Denied):
    """That name and password do not belong together."""

    code = "security.sign_in_refused"
    status = 401


class TenantNeeded(Invalid):
    """Name the business to sign in to."""

    code = "security.tenant_needed"


class SecurityApi(BaseView):
    """Tokens for a name and a password. Long-running programs use API tokens instead."""

    route_base = "/api/v1/security"
    default_view = "login"
    permission_keys: Mapping[str, str] = {}

    @expose("/login", methods=["POST"])
    @public
    @stateless
    @platform_only
    def login(self) -> Response:
        """Body: `username`, `password`, `tenant` (a short name; not needed with one membership), `refresh` (true: a refresh token too).

        Answers `access_token` (15 minutes), `expires_in`, `tenant` and, if asked for, `refresh_token`. 401 for whatever does not fit, with
        the same answer for unknown accounts and wrong passwords; 429 when slowed down.
        """
        arguments()
        body = _body()
        username, password, tenant = _text(body, "username"), _text(body, "password"), _text(body, "tenant", default="")
        address, agent = request.remote_addr or "", request.headers.get("User-Agent", "")
        person = services().sign_in.check(username, password, address=address, agent=agent)
        if person is None or person.must_change:
            raise SignInRefused
        place = _choose(person, tenant)
        with services().database.platform() as unit:
            session_id, _ = open_session(unit, person, Device(address, agent, is_api=True), now=services().now(), rules=services().rules)
        claims = Claims(session_id, person.user_id, place.tenant_id)
        answer = {**_tokens(claims), "tenant": place.slug}
        if body.get("refresh") is True:
            answer["refresh_token"] = refresh_token(claims)
        return jsonify(answer)

    @expose("/refresh", methods=["POST"])
    @public
    @stateless
    @platform_only
    def refresh(self) -> Response:
        """Authorization: the refresh token. Answers a new access token while the sign-in lives and the membership holds."""
        claims = read_token(_bearer(), kind="refresh")
        now = services().now()
        found = find_signed_in(db(), claims.session_id, now=now, tenant=claims.tenant_id, rules=services().rules)
        if found is None or found.tenant is None or found.person.user_id != claims.user_id:
            raise NotSignedIn
        if claims.tenant_id not in {place.tenant_id for place in _places(found.person)}:
            raise NotSignedIn
        if found.is_due(now):
            with services().database.platform() as unit:
                touch_session(unit, found.session_id, now=now)
        return jsonify(_tokens(claims))

    @expose("/logout", methods=["POST"])
    @public
    @stateless
    @platform_only
    def logout(self) -> Response:
        """Authorization: an access token. Ends the sign-in, and with it every token made from it."""
        identity = current_identity()
        if identity is None or identity.how is not How.JWT or identity.session_id is None:
            raise NotSignedIn
        with services().database.platform() as unit:
            end_session(unit, identity.session_id, user_id=identity.person.user_id, now=services().now())
        return nothing()


def _body() -> Mapping[str, Any]:
    body = json_body(max_bytes=MAX_SIGN_IN_BYTES)
    for name in body:
        if name not in SIGN_IN_FIELDS:
            raise Invalid("This field is not known.", field=name)
    if not isinstance(body.get("refresh", False), bool):
        raise Invalid("This is true or false.", field="refresh")
    return body


def _text(body: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or (not value and default is None):
        raise Invalid("This is needed, as text.", field=name)
    return value


def _bearer() -> str:
    given = request.authorization
    if given is None or given.type != "bearer" or not given.token:
        raise NotSignedIn
    return given.token


def _tokens(claims: Claims) -> dict[str, Any]:
    return {"access_token": access_token(claims), "token_type": "Bearer", "expires_in": int(ACCESS_FOR.total_seconds())}


def _places(person: Person) -> list[Place]:
    announce_user(db(), person.user_id)
    return places_of(db(), person.user_id)


def _choose(person: Person, slug: str) -> Place:
    places = _places(person)
    if slug:
        place = next((one for one in places if one.slug == slug), None)
        if place is None:
            raise SignInRefused
        return place
    if len(places) != 1:
        raise TenantNeeded(field="tenant")
    return places[0]
