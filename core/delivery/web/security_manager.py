"""Flask-AppBuilder's security manager with our accounts, our permissions and none of its role tables.

One mapping decides everything: a view names, for each of its methods, the permission key it needs,

    class ShopView(BaseView):
        permission_keys = {"list": "channels.read", "edit": "channels.write"}

and `has_access`, on which every decorator, button and menu of Flask-AppBuilder relies, looks the key up in the identity's permission set.
What no view maps is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import current_app, request
from flask_appbuilder.const import PERMISSION_PREFIX
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_login import LoginManager

from core.delivery.web.identity import How, WebUser, current_identity
from core.kernel.errors import OrderloomError
from core.runtime.security.permissions import PUBLIC
from core.runtime.security.sessions import SignIn
from core.runtime.security.throttle import TooManyAttempts

SIGN_IN = "oms.sign_in"


class ViewUnprotected(OrderloomError):
    """A view exposes an address without saying who may call it."""

    code = "web.view_unprotected"


def permission_keys_of(view: Any) -> dict[str, str]:
    """The keys by permission name (`can_list`) that a view declares."""
    return {f"{PERMISSION_PREFIX}{name}": key for name, key in getattr(view, "permission_keys", {}).items()}


class OmsSecurityManager(SecurityManager):
    """Answers Flask-AppBuilder's questions from the identity that the resolver found. Never queries by itself."""

    userstatschartview = None  # loads a script from another host

    def __init__(self, appbuilder: Any) -> None:
        super().__init__(appbuilder)
        self._keys: dict[tuple[str, str], str] = {}
        self._known_views = 0

    def create_login_manager(self, app: Any) -> LoginManager:
        """Flask-Login without its session keys: the user is whoever the resolver found for this request."""
        manager = LoginManager(app)
        manager.session_protection = None
        manager.user_loader(self.load_user)
        manager.request_loader(lambda _request: self.present_user())
        return manager

    def register_views(self) -> None:
        """None of Flask-AppBuilder's views for accounts, roles and passwords: they know no tenants. Ours are registered by the factory."""

    def create_db(self) -> None:
        """Migrations make the tables; Flask-AppBuilder's roles are not used."""

    @staticmethod
    def present_user() -> WebUser | None:
        """The person of this request in Flask-Login's shape, or None."""
        identity = current_identity()
        return WebUser(identity.person) if identity is not None else None

    def load_user(self, pk: Any) -> WebUser | None:
        """The user of this request if it is this one: an id in a cookie opens nothing without the row of a sign-in."""
        user = self.present_user()
        return user if user is not None and str(user.id) == str(pk) else None

    def load_user_jwt(self, _jwt_header: Any, jwt_data: Any) -> WebUser | None:
        """As `load_user`; the resolver has verified the token already."""
        return self.load_user(jwt_data.get("sub"))

    @staticmethod
    def extract_api_key_from_request() -> str | None:
        """Tells `protect` that the resolver has accepted the Authorization header, whichever kind of token it held."""
        identity = current_identity()
        return identity.how.value if identity is not None and identity.how is not How.SESSION else None

    def validate_api_key(self, api_key_string: str) -> WebUser | None:  # noqa: ARG002 - the resolver has validated it
        """The person for whom the accepted token acts."""
        return self.present_user()

    def auth_user_db(self, username: str, password: str) -> Any:
        """The account that the password opens, or None; also when there were too many attempts. Opens no sign-in."""
        sign_in: SignIn = current_app.extensions[SIGN_IN]
        try:
            person = sign_in.check(username or "", password or "", address=request.remote_addr or "")
        except TooManyAttempts:
            return None
        return WebUser(person) if person is not None else None

    def get_user_roles(self, user: Any) -> list[Any]:  # noqa: ARG002 - roles are rows of a tenant, not of this table
        """Nobody has a role of Flask-AppBuilder's; permissions come from the membership."""
        return []

    def get_public_role(self) -> None:
        """There is no public role."""

    def get_public_permissions(self) -> list[Any]:
        """There are none."""
        return []

    def get_user_permissions(self, user: Any) -> set[tuple[str, str]]:
        """All (permission, view) pairs that the present identity has, of the views that are registered."""
        present = self.present_user()
        if present is None or getattr(user, "id", None) != present.id:
            return set()
        return {(permission, view) for (view, permission) in self._index() if self.has_access(permission, view)}

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Whether the view says that everybody may call this."""
        return self.key_of(permission_name, view_name) == PUBLIC

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Whether whoever makes this request may use `permission_name` of the view (its class_permission_name)."""
        if permission_name == "menu_access":
            return bool(self.appbuilder.menu.shows(view_name))
        key = self.key_of(permission_name, view_name)
        if key is None:
            return False
        identity = current_identity()
        return identity.may(key) if identity is not None else key == PUBLIC

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """Which of these menu entries are shown."""
        return {name for name in menu_names or [] if self.appbuilder.menu.shows(name)}

    def key_of(self, permission_name: str, view_name: str) -> str | None:
        """The permission key behind one of Flask-AppBuilder's pairs; None when no view declares it."""
        return self._index().get((view_name, permission_name))

    def _index(self) -> dict[tuple[str, str], str]:
        views: Iterable[Any] = self.appbuilder.baseviews
        if len(self.appbuilder.baseviews) != self._known_views:
            keys: dict[tuple[str, str], str] = {}
            for view in views:
                for permission, key in permission_keys_of(view).items():
                    held = keys.setdefault((view.class_permission_name, permission), key)
                    if held != key:
                        raise ViewUnprotected(f"{view.class_permission_name} asks for two permissions: {held} and {key}")
            self._keys, self._known_views = keys, len(self.appbuilder.baseviews)
        return self._keys
