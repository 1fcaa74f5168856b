"""The roles of a tenant as a matrix: permissions in business words down, roles across."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from core.delivery.web.identity import can, require_identity
from core.delivery.web.marks import tenant_only
from core.delivery.web.screens.base import blame, services
from core.delivery.web.theme.grid import Action
from core.delivery.web.unit import db
from core.kernel.errors import Conflict, Denied, Invalid
from core.runtime.security import roles
from core.runtime.security.models import Role
from core.runtime.security.permissions import Permission


class RoleForm(FlaskForm):
    """A role's name."""

    title = StringField(lazy_gettext("Name"), validators=[InputRequired(), Length(max=60)])


class NewRoleForm(RoleForm):
    """A role's name and the short name under which programs know it."""

    code = StringField(
        lazy_gettext("Short name"),
        validators=[InputRequired(), Length(max=40)],
        description=lazy_gettext("Letters a-z, digits and dashes; it cannot be changed later."),
    )


class RoleView(BaseView):
    """The matrix, and adding, renaming and deleting of roles. Seeds show what they may but keep it."""

    route_base = "/roles"
    default_view = "list"
    permission_keys: Mapping[str, str] = {
        "list": "roles.read",
        "save": "roles.write",
        "add": "roles.write",
        "edit": "roles.write",
        "delete": "roles.write",
    }

    @expose("/")
    @has_access
    @tenant_only
    def list(self) -> str:
        """The matrix."""
        may_write, held = can("roles.write"), require_identity().permissions
        shown = [role for role, _users in roles.roles(db())]
        allowed = {role.id: services().rights.expand(db(), role.patterns) for role in shown}
        editable = {role.id for role in shown if may_write and not role.is_seed and not allowed[role.id] - held}

        def row(permission: Permission) -> dict[str, Any]:
            cells = [
                {"role": role, "checked": permission.key in allowed[role.id], "disabled": _is_locked(permission.key, role)}
                for role in shown
            ]
            return {"key": permission.key, "label": gettext(permission.title), "cells": cells}

        def _is_locked(key: str, role: Role) -> bool:
            return role.id not in editable or key not in held

        primary = Action(gettext("New role"), url_for(".add"), icon="plus") if may_write else None
        return self.render_template(
            "pages/roles.html",
            roles=[
                {"id": role.id, "label": gettext(role.title), "is_fixed": role.is_seed, "url": url_for(".edit", role_id=role.id)}
                if may_write
                else {"id": role.id, "label": gettext(role.title), "is_fixed": role.is_seed}
                for role in shown
            ],
            groups=[{"title": gettext(group), "rows": [row(one) for one in found]} for group, found in permission_groups()],
            marks=[f"{role.id}:{role.row_version}" for role in shown if role.id in editable],
            form_action=url_for(".save"),
            head={"primary": primary, "more": None},
        )

    @expose("/save", methods=["POST"])
    @has_access
    @tenant_only
    def save(self) -> Response:
        """Give the roles that the page showed exactly the ticked permissions; none is changed when one of them was in the meantime."""
        shown = dict(mark.partition(":")[::2] for mark in request.form.getlist("role"))
        ticked: dict[str, set[str]] = {}
        for grant in request.form.getlist("grant"):
            role_id, _, key = grant.partition(":")
            ticked.setdefault(role_id, set()).add(key)
        held, rights = require_identity().permissions, services().rights
        named = [role for role, _users in roles.roles(db()) if str(role.id) in shown and not role.is_seed]
        stale = [role.title for role in named if shown[str(role.id)] != str(role.row_version)]
        if stale:
            names = ", ".join(stale)
            flash(gettext("Somebody has changed %(roles)s in the meantime. Nothing was saved; look again.", roles=names), "danger")
            return redirect(url_for(".list"), 303)
        for role in named:
            if rights.expand(db(), role.patterns) - held:
                continue
            # Keys that the matrix does not show now (plugins that are off) stay as they are.
            hidden = {pattern for pattern in role.patterns if "*" not in pattern and pattern not in rights.usable_keys(db())}
            wanted = sorted(ticked.get(str(role.id), set()) | hidden)
            if wanted != role.patterns:
                roles.change_role(db(), rights, role.id, title=role.title, patterns=wanted, by=held | hidden)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".list"), 303)

    @expose("/add", methods=["GET", "POST"])
    @has_access
    @tenant_only
    def add(self) -> Any:
        """A new role, without permissions at first."""
        form = NewRoleForm()
        if form.validate_on_submit():
            try:
                roles.create_role(
                    db(),
                    services().rights,
                    code=form.code.data,
                    title=form.title.data,
                    patterns=[],
                    by=require_identity().permissions,
                )
            except (Invalid, Conflict) as error:
                blame(form, error, fallback="code")
                return self._form(form, gettext("New role")), error.status
            return redirect(url_for(".list"), 303)
        return self._form(form, gettext("New role"))

    @expose("/<uuid:role_id>", methods=["GET", "POST"])
    @has_access
    @tenant_only
    def edit(self, role_id: UUID) -> Any:
        """Rename a role."""
        role = roles.get_role(db(), role_id)
        form = RoleForm(title=gettext(role.title))
        if form.validate_on_submit():
            try:
                roles.change_role(
                    db(),
                    services().rights,
                    role_id,
                    title=form.title.data,
                    patterns=role.patterns,
                    by=require_identity().permissions,
                )
            except (Invalid, Denied) as error:
                blame(form, error, fallback="title")
                return self._form(form, gettext(role.title), role), error.status
            return redirect(url_for(".list"), 303)
        return self._form(form, gettext(role.title), role)

    @expose("/<uuid:role_id>/delete", methods=["POST"])
    @has_access
    @tenant_only
    def delete(self, role_id: UUID) -> Response:
        """Delete a role that nobody has."""
        roles.delete_role(db(), services().rights, role_id, by=require_identity().permissions)
        flash(gettext("The role is deleted."), "success")
        return redirect(url_for(".list"), 303)

    def _form(self, form: RoleForm, title: str, role: Role | None = None) -> str:
        delete = None
        if role is not None and not role.is_seed:
            delete = Action(
                gettext("Delete"),
                url_for(".delete", role_id=role.id),
                method="post",
                kind="bad",
                confirm=gettext("Delete the role %(name)s?", name=gettext(role.title)),
            )
        crumbs = [{"label": gettext("Roles"), "url": url_for(".list")}]
        return self.render_template("screens/role.html", form=form, title=title, delete=delete, crumbs=crumbs, cancel_url=url_for(".list"))


def permission_groups() -> Iterator[tuple[str, Iterator[Permission]]]:
    """The permissions that can be held in this tenant now, under their headings; the core's first, then the plugins'."""
    found = sorted(services().rights.usable(db()), key=lambda one: (one.plugin or "", one.group))
    return groupby(found, key=lambda one: one.group)
