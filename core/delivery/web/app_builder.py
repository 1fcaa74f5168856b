"""Flask-AppBuilder with our menu and security manager, without those of its views that do not fit.

Also the check at start-up that no address is open by accident.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Flask, current_app
from flask_appbuilder import AppBuilder
from flask_appbuilder.const import PERMISSION_PREFIX

from core.delivery.web.i18n import LocaleView
from core.delivery.web.marks import PUBLIC_VIEW, marks_of
from core.delivery.web.redirects import login_address, replace_fab_check
from core.delivery.web.security_manager import OmsSecurityManager, ViewUnprotected, permission_keys_of
from core.runtime.security.permissions import PUBLIC, PermissionRegistry


class OmsAppBuilder(AppBuilder):
    """The facade's AppBuilder. Its sign-in and sign-out addresses lie outside every tenant."""

    def __init__(self, app: Flask, session: Any, **options: Any) -> None:
        replace_fab_check()
        super().__init__(app, session, security_manager_class=OmsSecurityManager, update_perms=False, **options)

    def _add_global_static(self) -> None:
        """Its templates stay as a fallback; its scripts and style sheets are not served, since no page of ours uses them."""
        current_app.register_blueprint(Blueprint("appbuilder", "flask_appbuilder", template_folder="templates"))

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.bm.locale_view = self.add_view_no_menu(LocaleView)
        self.sm.register_views()
        self.openapi_manager.register_views()

    def get_url_for_login_with(self, next_url: str | None = None) -> str:
        """The sign-in page, leading on to `next_url` if that is an address of ours."""
        return login_address(next_url or "")

    @property
    def get_url_for_login(self) -> str:
        """The sign-in page."""
        return login_address()

    @property
    def get_url_for_logout(self) -> str:
        """The sign-out page."""
        return "/logout/"

    @property
    def get_url_for_userinfo(self) -> str:
        """The account page."""
        return "/account/"


def _exposed(view: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(type(view)):
        method = getattr(view, name, None)
        if not hasattr(method, "_urls") or name in (view.exclude_route_methods or ()):
            continue
        if view.include_route_methods is None or name in view.include_route_methods:
            yield name, method


def check_views(app: Flask, registry: PermissionRegistry) -> None:
    """Refuse to start when an address is open by accident. Call when all views are registered.

    Every exposed method has to be decorated with `has_access` or `protect` and mapped in `permission_keys`, or marked `public`; keys have
    to be registered. Routes that are no method of a view have to be marked `public`. Raises: ViewUnprotected.
    """
    builder = app.extensions["appbuilder"]
    for view in builder.baseviews:
        keys = permission_keys_of(view)
        for name, method in _exposed(view):
            if PUBLIC_VIEW in marks_of(method):
                continue
            if not hasattr(method, "_permission_name"):
                raise ViewUnprotected(f"{type(view).__name__}.{name} has neither has_access nor protect nor public")
            permission = view.get_method_permission(name)
            key = keys.get(f"{PERMISSION_PREFIX}{permission}")
            if key is None:
                raise ViewUnprotected(f"{type(view).__name__}.permission_keys has nothing for '{permission}'")
            if not key.startswith("@") and key not in registry:
                raise ViewUnprotected(f"{type(view).__name__} asks for '{key}', which is no registered permission")
            if key == PUBLIC:
                raise ViewUnprotected(f"{type(view).__name__}.{name} is public: say so with the mark `public`")
    views = {view.blueprint.name for view in builder.baseviews}
    for endpoint, function in app.view_functions.items():
        if endpoint.rpartition(".")[0] in views or PUBLIC_VIEW in marks_of(function):
            continue
        raise ViewUnprotected(f"The route '{endpoint}' belongs to no view and is not marked public")


def present_builder() -> OmsAppBuilder:
    """The AppBuilder of the running application."""
    builder: OmsAppBuilder = current_app.extensions["appbuilder"]
    return builder
