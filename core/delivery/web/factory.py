"""Building the web application: configuration, Flask, Flask-AppBuilder, our guards around it. `app.py` calls this and adds the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.middleware.proxy_fix import ProxyFix

from config.schema import Settings
from core.delivery.web.app_builder import OmsAppBuilder, check_views
from core.delivery.web.edge import Edge
from core.delivery.web.errors import ErrorPages
from core.delivery.web.frame import present_shell
from core.delivery.web.guards import PluginGate, init_csrf, init_limits
from core.delivery.web.i18n import LANGUAGES, init_i18n
from core.delivery.web.identity import can, current_identity
from core.delivery.web.jwt import configure_jwt
from core.delivery.web.marks import asset, before_change, public
from core.delivery.web.menu import Entry, OmsMenu
from core.delivery.web.resolver import Resolver
from core.delivery.web.screens.account import AccountView
from core.delivery.web.screens.api import SecurityApi
from core.delivery.web.screens.audit import AuditView
from core.delivery.web.screens.auth import AuthView
from core.delivery.web.screens.base import SERVICES, TEMPLATES, SendLink, Services
from core.delivery.web.screens.base import TRANSLATIONS as SCREEN_TRANSLATIONS
from core.delivery.web.screens.members import MemberView
from core.delivery.web.screens.places import JoinView, StartView
from core.delivery.web.screens.roles import RoleView
from core.delivery.web.screens.tokens import TokenView
from core.delivery.web.security_manager import SIGN_IN
from core.delivery.web.tenant_path import TenantPath
from core.delivery.web.theme import TRANSLATIONS, init_theme
from core.delivery.web.unit import WebApp, init_sessions
from core.kernel.clock import Clock, SystemClock
from core.kernel.messages import N_
from core.runtime.security.passwords import HASH_METHOD, SALT_LENGTH, fake_hash
from core.runtime.security.permissions import Rights
from core.runtime.security.sessions import SessionRules, SignIn
from core.runtime.security.throttle import ThrottleRules
from core.runtime.tenancy.database import Database

OWN_VIEWS: tuple[type, ...] = (AuthView, JoinView, AccountView, MemberView, RoleView, TokenView, AuditView, SecurityApi)
OWN_ENTRIES = (
    Entry("home", N_("Home"), "home", "StartView.index", icon="home", order=0),
    Entry("members", N_("Members"), "settings", "MemberView.list", "members.read", "users", order=10),
    Entry("roles", N_("Roles"), "settings", "RoleView.list", "roles.read", "shield", order=20),
    Entry("tokens", N_("API tokens"), "settings", "TokenView.list", "tokens.own", "key", order=30),
    Entry("audit", N_("Audit trail"), "settings", "AuditView.list", "audit.read", "history", order=40),
)


@dataclass(frozen=True)
class WebParts:
    """What the composition root hands in.

    `plugin_is_on(plugin)` asks for the tenant of the request; without it every plugin is off. `send_reset` queues a message with a reset
    link. `menu` entries and `register(builder)` functions add pages; `template_folders` come after our own.
    """

    rights: Rights
    clock: Clock = field(default_factory=SystemClock)
    plugin_is_on: Callable[[str], bool] = lambda _plugin: False
    send_reset: SendLink | None = None
    menu: Iterable[Entry] = ()
    register: Iterable[Callable[[OmsAppBuilder], None]] = ()
    template_folders: Iterable[Path] = ()
    translations: Iterable[Path] = ()


def build_app(settings: Settings, database: Database, parts: WebParts) -> Flask:
    """The complete WSGI application. Opens no connection and reads no environment; may be called more than once.

    Raises: ViewUnprotected - a page says nothing about who may open it.
    """
    app = WebApp("orderloom", static_folder=None, template_folder=None)
    app.config.update(flask_config(settings, parts))
    # Both would answer with a redirect to a full address, made from whatever host the request names.
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    configure_jwt(app, settings.secret_key)
    sessions = init_sessions(app, database)
    rules = SessionRules(timedelta(seconds=settings.session_idle_s), timedelta(seconds=settings.session_lifetime_s))
    sign_in = SignIn(database, parts.clock, ThrottleRules(settings.login_attempts, timedelta(seconds=settings.login_window_s)))
    app.extensions[SIGN_IN] = sign_in
    app.extensions[SERVICES] = Services(database, parts.rights, parts.clock, sign_in, rules, settings.public_url, parts.send_reset)
    fake_hash()
    Resolver(database, parts.rights, parts.clock, rules).init_app(app)
    init_csrf(app)
    init_limits(app)
    PluginGate(parts.plugin_is_on).init_app(app)
    _add_templates(app, parts)
    init_theme(app, present_shell)
    _mark_theme(app)
    app.jinja_env.globals["can"] = can
    ErrorPages(database).init_app(app)
    _forbid_storing(app)
    with app.app_context():
        menu = OmsMenu(parts.plugin_is_on)
        builder = OmsAppBuilder(app, sessions, menu=menu, indexview=StartView)
        init_i18n(app)
        for view in OWN_VIEWS:
            builder.add_view_no_menu(view)
        builder.sm.auth_view = next(view for view in builder.baseviews if isinstance(view, AuthView))
        for entry in (*OWN_ENTRIES, *parts.menu):
            menu.add(entry)
        for register in parts.register:
            register(builder)
        check_views(app, parts.rights.registry)
    _wrap(app, settings)
    return app


def flask_config(settings: Settings, parts: WebParts) -> dict[str, Any]:
    """Everything that Flask, Flask-AppBuilder and their friends are told.

    Source: shared notes on Flask-AppBuilder, "Security defaults to change"; OWASP ASVS 5.0, sections 3.3, 6.2, 7.2.
    """
    secure = settings.cookie_secure
    # Of two catalogues with the same text the later wins; a plugin does not reword the core.
    folders = [str(path) for path in (*parts.translations, SCREEN_TRANSLATIONS, TRANSLATIONS) if path.is_dir()]
    languages = {code: dict(about) for code, about in LANGUAGES.items()}
    return {
        "SECRET_KEY": settings.secret_key,
        "APP_NAME": settings.site_name,
        "TRUSTED_HOSTS": list(settings.trusted_hosts) or None,
        "MAX_CONTENT_LENGTH": settings.max_body_mb * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 2 * 1024 * 1024,
        "MAX_FORM_PARTS": 2000,
        "SESSION_COOKIE_NAME": "__Host-session" if secure else "oms_session",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_REFRESH_EACH_REQUEST": False,
        "PERMANENT_SESSION_LIFETIME": timedelta(seconds=settings.session_lifetime_s),
        "PREFERRED_URL_SCHEME": "https" if secure else "http",
        "TRAP_HTTP_EXCEPTIONS": False,
        "PROPAGATE_EXCEPTIONS": False,
        "BABEL_DEFAULT_LOCALE": settings.default_locale,
        "BABEL_DEFAULT_TIMEZONE": settings.default_timezone,
        "LANGUAGES": languages,
        **({"BABEL_TRANSLATION_DIRECTORIES": ";".join(folders)} if folders else {}),
        **_fab_config(settings),
    }


def _fab_config(settings: Settings) -> dict[str, Any]:
    """What Flask-AppBuilder is told: no tables, no users, no views of its own, nothing that shows internals."""
    return {
        "AUTH_TYPE": 1,
        "AUTH_USER_REGISTRATION": False,
        "AUTH_RATE_LIMITED": True,
        "AUTH_RATE_LIMIT": "5 per minute",
        "RATELIMIT_ENABLED": bool(settings.queue_url),
        "RATELIMIT_STORAGE_URI": _limiter_storage(settings.queue_url),
        "RATELIMIT_SWALLOW_ERRORS": True,
        "RATELIMIT_HEADERS_ENABLED": False,
        "AUTH_DB_FAKE_PASSWORD_HASH_CHECK": fake_hash(),
        "FAB_PASSWORD_HASH_METHOD": HASH_METHOD,
        "FAB_PASSWORD_HASH_SALT_LENGTH": SALT_LENGTH,
        "FAB_PASSWORD_COMPLEXITY_ENABLED": True,
        "FAB_SAFE_REDIRECT_HOSTS": list(settings.trusted_hosts),
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        "FAB_ADD_SECURITY_VIEWS": False,
        "FAB_ADD_SECURITY_API": False,
        "FAB_ADD_SECURITY_PERMISSION_VIEW": False,
        "FAB_ADD_SECURITY_VIEW_MENU_VIEW": False,
        "FAB_ADD_SECURITY_PERMISSION_VIEWS_VIEW": False,
        "FAB_ADD_MENU_API": False,
        "FAB_ADD_OPENAPI_VIEWS": False,
        "FAB_API_SWAGGER_UI": False,
        "FAB_API_SHOW_STACKTRACE": False,
        "FAB_API_MAX_PAGE_SIZE": 100,
        "FAB_API_KEY_ENABLED": True,  # asks OmsSecurityManager, which answers from the resolver; Flask-AppBuilder's own keys are not used
        "FAB_ALLOW_GET_UNSAFE_MUTATIONS": False,
    }


def _limiter_storage(queue_url: str) -> str:
    """The queue's address as the limiter spells it: it knows sockets as `redis+unix`."""
    return queue_url.replace("unix://", "redis+unix://", 1) if queue_url.startswith("unix://") else queue_url or "memory://"


def _limits_address(queue_url: str) -> str:
    """Valkey's address as the library behind Flask-Limiter spells it."""
    return f"redis+{queue_url}" if queue_url.startswith("unix://") else queue_url or "memory://"


def _add_templates(app: Flask, parts: WebParts) -> None:
    folders = (TEMPLATES, *parts.template_folders)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])  # type: ignore[assignment]


def _mark_theme(app: Flask) -> None:
    """The theme's own routes: files for everybody, and a form that only sets cookies."""
    asset(app.view_functions["theme_assets.file"])
    before_change(public(app.view_functions["theme_preferences.choose"]))


def _forbid_storing(app: Flask) -> None:
    @app.after_request
    def no_store(answer: Any) -> Any:
        """No cache may keep what somebody saw while signed in, nor any page with a form's token."""
        if current_identity() is not None or "Cache-Control" not in answer.headers:
            answer.headers["Cache-Control"] = "no-store"
        return answer


def _wrap(app: Flask, settings: Settings) -> None:
    app.wsgi_app = TenantPath(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0, x_port=0, x_prefix=0)  # type: ignore[method-assign]
    app.wsgi_app = Edge(app.wsgi_app, is_https=settings.cookie_secure)  # type: ignore[method-assign]
