"""Refusals before a view runs: forged forms, pages of plugins that are off, arguments that no page can mean."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, abort, current_app, g, request
from flask_wtf.csrf import CSRFProtect

from core.delivery.web.identity import How, current_identity
from core.delivery.web.marks import ASSET, STATELESS, marks_of

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_PAGE_SIZE = 200
MAX_PAGE = 1_000_000
GATE = "oms.plugin_gate"


def init_csrf(app: Flask) -> CSRFProtect:
    """Ask for the token on every unsafe request that a browser could have been made to send.

    Flask-AppBuilder exempts its REST views altogether, although they also accept the session cookie; here only a request with credentials
    of its own, which no other site can attach, goes without. Register after the resolver.
    """
    app.config.update(WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_METHODS=["POST", "PUT", "PATCH", "DELETE"])
    csrf = CSRFProtect(app)

    @app.before_request
    def refuse_forged() -> None:
        if request.method in SAFE_METHODS or request.routing_exception is not None:
            return
        if STATELESS in marks_of(current_app.view_functions.get(request.endpoint or "")):
            return
        identity = current_identity()
        if identity is not None and identity.how is not How.SESSION:
            return
        csrf.protect()

    return csrf


class PluginGate:
    """Knows which plugin a page belongs to, and answers 404 when that plugin is off for the request's tenant."""

    def __init__(self, plugin_is_on: Callable[[str], bool]) -> None:
        self._plugin_is_on = plugin_is_on
        self._plugins: dict[str, str] = {}
        self._known_views = 0

    def assign(self, blueprint: str, plugin: str) -> None:
        """Everything below `blueprint` belongs to `plugin`."""
        self._plugins[blueprint] = plugin

    def init_app(self, app: Flask) -> None:
        """Check before every request; a plugin that is off looks as if it were not installed."""
        app.extensions[GATE] = self

        @app.before_request
        def refuse_plugin_that_is_off() -> None:
            plugin = self.plugin_of(request.blueprint)
            if plugin is not None and not self.is_on(plugin):
                abort(404)

    def plugin_of(self, blueprint: str | None) -> str | None:
        """The plugin that a blueprint belongs to: assigned, or said by the view (`plugin = "jd"`)."""
        if blueprint is None:
            return None
        views = current_app.extensions["appbuilder"].baseviews
        if len(views) != self._known_views:
            said = {view.blueprint.name: plugin for view in views if (plugin := getattr(view, "plugin", None)) is not None}
            self._plugins = {**said, **self._plugins}
            self._known_views = len(views)
        return self._plugins.get(blueprint)

    def is_on(self, plugin: str) -> bool:
        """Whether the plugin is on for the request's tenant; off where there is no tenant."""
        return g.get("tenant") is not None and self._plugin_is_on(plugin)


def init_limits(app: Flask) -> None:
    """Refuse page numbers and sizes that Flask-AppBuilder would take unchecked, and bytes that no text column can hold."""

    @app.before_request
    def refuse_unfit_arguments() -> None:
        if request.routing_exception is not None or ASSET in marks_of(current_app.view_functions.get(request.endpoint or "")):
            return
        if b"%00" in request.query_string or any("\0" in str(value) for value in (request.view_args or {}).values()):
            abort(400)
        for name, value in request.args.items():
            if name.startswith(("psize_", "page_")):
                most = MAX_PAGE_SIZE if name.startswith("psize_") else MAX_PAGE
                if not value.isascii() or not value.isdecimal() or not int(name.startswith("psize_")) <= int(value[:12]) <= most:
                    abort(400)
