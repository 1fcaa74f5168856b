"""Puts the theme into a Flask application: template folder, globals and filters, static files, policy, the frame's context."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, request
from flask_babel import get_locale
from jinja2 import ChoiceLoader, FileSystemLoader

from core.delivery.web.theme import assets as asset_files
from core.delivery.web.theme import cells, fab, preferences
from core.delivery.web.theme.csp import init_csp
from core.delivery.web.theme.formats import formats
from core.delivery.web.theme.fragments import frame_dialogs
from core.delivery.web.theme.shell import Shell, shell_from_menu
from core.delivery.web.theme.words import init_words

TEMPLATES = Path(__file__).parent / "templates"
#: Hand this to FAB through BABEL_TRANSLATION_DIRECTORIES (FAB puts its own folder first).
TRANSLATIONS = Path(__file__).parent.parent / "translations"


def language_tag() -> str:
    """The page's language as HTML wants it: `en`, `zh-Hans`."""
    locale = get_locale()
    if locale is None:
        return "en"
    if locale.language == "zh":
        return "zh-Hant" if locale.script == "Hant" or locale.territory in {"TW", "HK"} else "zh-Hans"
    return locale.language


def _globals(assets: asset_files.Assets) -> dict[str, Any]:
    return {
        "asset": assets.url,
        "vendor": assets.vendor_url,
        "integrity": assets.integrity,
        "language_tag": language_tag,
        "formats": formats,
        "icon": cells.icon,
        "badge": cells.badge,
        "badges": cells.badges,
        "cells": cells,
        "line": cells.line,
        "options": cells.options,
        "frame_dialogs": frame_dialogs,
        "fab_grid": fab.grid,
        "fab_panels": fab.panels,
        "fab_active_filters": fab.active_filters,
        "zip": zip,
    }


def _filters() -> dict[str, Callable[..., Any]]:
    return {
        "money": cells.money,
        "number": cells.number,
        "moment": cells.moment,
        "ago": cells.ago,
        "day": lambda value: formats().day(value),
        "span": lambda value: formats().span(value),
        "cell": cells.plain,
    }


def init_theme(app: Flask, shell: Callable[[], Shell] = shell_from_menu) -> asset_files.Assets:
    """Set the theme up on `app`, before AppBuilder is made, so that our templates win over FAB's by path.

    Args:
        shell: makes the frame's values, called at most once per rendered page, inside the request.
    Returns: the static files, whose `build` names the present version.
    """
    assets = asset_files.Assets()
    own = FileSystemLoader(TEMPLATES)
    app.jinja_loader = ChoiceLoader([own, app.jinja_loader]) if app.jinja_loader else own  # type: ignore[assignment]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(_globals(assets))
    app.jinja_env.filters.update(_filters())
    app.config.setdefault("FAB_BASE_TEMPLATE", "appbuilder/baselayout.html")
    app.register_blueprint(asset_files.blueprint(assets))
    app.register_blueprint(preferences.blueprint())
    init_csp(app)
    init_words(app)

    @app.context_processor
    def frame() -> dict[str, Any]:
        return {"shell": shell(), "prefs": preferences.preferences_of(request)}

    return assets
