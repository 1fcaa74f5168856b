"""Members of a tenant: who they are, what they may do, inviting and switching off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired

from core.delivery.web.identity import can, require_identity
from core.delivery.web.marks import tenant_only
from core.delivery.web.screens.base import blame, full_link, services, translated
from core.delivery.web.theme.grid import Action
from core.delivery.web.theme.widgets import ChecksField
from core.delivery.web.unit import db
from core.kernel.errors import Conflict, Denied, Invalid, NotFound
from core.runtime.security import accounts, invitations, members, roles
from core.runtime.security.members import Member, MemberUnknown
from core.runtime.security.permissions import MEMBER


class InviteForm(FlaskForm):
    """Whom to invite, and as what."""

    email = StringField(lazy_gettext("Email address"), validators=[InputRequired()], render_kw={"type": "email"})
    roles = ChecksField(lazy_gettext("Roles"))


class MemberForm(FlaskForm):
    """What a member may do."""

    roles = ChecksField(lazy_gettext("Roles"))


def role_choices() -> list[tuple[str, str]]:
    """The roles that whoever makes this request can give."""
    may, rights = require_identity().permissions, services().rights
    found = [role for role, _users in roles.roles(db()) if not rights.expand(db(), role.patterns) - may]
    return list(zip((role.code for role in found), translated(role.title for role in found), strict=True))


class MemberView(BaseView):
    """The list of members with its invitations, and the page of one member."""

    route_base = "/members"
    default_view = "list"
    permission_keys: Mapping[str, str] = {
        "list": "members.read",
        "show": "members.read",
        "invite": "members.write",
        "change": "members.write",
        "switch": "members.write",
        "revoke": "members.write",
        "lookup": MEMBER,
    }

    @expose("/")
    @has_access
    @tenant_only
    def list(self) -> str:
        """All members and open invitations."""
        return self._list(self._invite_form())

    @expose("/lookup", methods=["GET"])
    @has_access
    @tenant_only
    def lookup(self) -> dict[str, Any]:
        """Active members to choose from, for fields that name a person: every member may know who the others are, by name only."""
        found = members.find_members(db(), request.args.get("q", "")[:100].replace("\x00", ""))
        return {"options": [{"value": str(key), "text": name} for key, name in found]}

    @expose("/invite", methods=["POST"])
    @has_access
    @tenant_only
    def invite(self) -> Any:
        """Make an invitation and show its link, once."""
        form = InviteForm()
        form.roles.choices = role_choices()
        if not form.validate_on_submit():
            return self._list(form), 422
        try:
            _, secret = invitations.invite(
                db(),
                services().rights,
                email=form.email.data,
                role_codes=form.roles.data or [],
                now=services().now(),
                by=require_identity().permissions,
            )
        except (Invalid, Conflict, NotFound, Denied) as error:
            blame(form, error, fallback="email")
            return self._list(form), error.status
        return self._list(self._invite_form(), link=full_link(f"{request.script_root}/join/{secret}"))

    @expose("/invitations/<uuid:invitation_id>/revoke", methods=["POST"])
    @has_access
    @tenant_only
    def revoke(self, invitation_id: UUID) -> Response:
        """Make an invitation useless."""
        invitations.revoke_invitation(db(), invitation_id, now=services().now())
        flash(gettext("The invitation is withdrawn."), "success")
        return redirect(url_for(".list"), 303)

    @expose("/<uuid:membership_id>")
    @has_access
    @tenant_only
    def show(self, membership_id: UUID) -> str:
        """One member with their roles."""
        return self._member(self._find(membership_id), None)

    @expose("/<uuid:membership_id>/roles", methods=["POST"])
    @has_access
    @tenant_only
    def change(self, membership_id: UUID) -> Any:
        """Give the member other roles; it counts from their next request on."""
        member, form = self._find(membership_id), MemberForm()
        form.roles.choices = role_choices()
        if not form.validate_on_submit():
            return self._member(member, form), 422
        try:
            members.set_roles(db(), services().rights, membership_id, role_codes=form.roles.data or [], by=require_identity().permissions)
        except (Denied, Conflict) as error:
            db().rollback()
            blame(form, error, fallback="roles")
            return self._member(self._find(membership_id), form), error.status
        flash(gettext("Saved."), "success")
        return redirect(url_for(".list"), 303)

    @expose("/<uuid:membership_id>/switch", methods=["POST"])
    @has_access
    @tenant_only
    def switch(self, membership_id: UUID) -> Response:
        """Let the member in or no longer."""
        on = request.form.get("on") == "1"
        members.switch_member(db(), services().rights, membership_id, is_active=on, by=require_identity().permissions)
        flash(gettext("The member can sign in again.") if on else gettext("The member is switched off."), "success")
        return redirect(url_for(".list"), 303)

    @staticmethod
    def _find(membership_id: UUID) -> Member:
        found = next((one for one in members.members(db()) if one.id == membership_id), None)
        if found is None:
            raise MemberUnknown(membership_id=membership_id)
        return found

    @staticmethod
    def _invite_form() -> InviteForm | None:
        if not can("members.write"):
            return None
        form = InviteForm(formdata=None)
        form.roles.choices = role_choices()
        return form

    def _list(self, form: InviteForm | None, *, link: str = "") -> str:
        me, may = require_identity().person.user_id, can("members.write")
        shown = [
            {
                "name": one.name,
                "email": one.email,
                "roles": translated(one.roles),
                "state": _state(one),
                "last_seen_at": one.last_seen_at,
                "url": url_for(".show", membership_id=one.id),
                "is_me": one.user_id == me,
                "remove": _switch_action(one) if may and one.user_id != me else None,
            }
            for one in members.members(db())
        ]
        titles = {role.code: role.title for role, _users in roles.roles(db())}
        invited = [
            {
                "email": one.email,
                "roles": translated(titles.get(code, code) for code in one.role_codes),
                "expires_at": one.expires_at,
                "revoke": Action(gettext("Withdraw"), url_for(".revoke", invitation_id=one.id), method="post") if may else None,
            }
            for one in invitations.open_invitations(db(), now=services().now())
        ]
        return self.render_template(
            "pages/members.html",
            members=shown,
            invitations=invited,
            form=form,
            form_action=url_for(".invite"),
            created={"link": link} if link else None,
        )

    def _member(self, member: Member, form: MemberForm | None) -> str:
        if form is None:
            form = MemberForm(formdata=None, roles=[*member.role_codes])
            form.roles.choices = role_choices()
        person = accounts.get_person(db(), member.user_id)
        return self.render_template(
            "screens/member.html",
            member=member,
            person=person,
            roles=translated(member.roles),
            form=form if can("members.write") else None,
            switch=_switch_action(member) if can("members.write") else None,
            form_action=url_for(".change", membership_id=member.id),
            crumbs=[{"label": gettext("Members"), "url": url_for(".list")}],
        )


def _state(member: Member) -> tuple[str, str, str]:
    return ("ok", "check", gettext("Active")) if member.is_active else ("neutral", "ban", gettext("Switched off"))


def _switch_action(member: Member) -> Action:
    url = url_for(".switch", membership_id=member.id)
    if member.is_active:
        return Action(
            gettext("Switch off"),
            url,
            method="post",
            kind="bad",
            confirm=gettext("%(name)s will no longer get into this business.", name=member.name),
            fields={"on": "0"},
        )
    return Action(gettext("Switch on"), url, method="post", fields={"on": "1"})
