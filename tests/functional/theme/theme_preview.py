"""A small application that renders every template of the theme with sample contexts; run it to look at the pages by eye.

`python -m tests.functional.theme.theme_preview [port]` serves http://127.0.0.1:<port>/zh/orders and so on; `/` lists all pages.
"""

from __future__ import annotations

import sys
from zoneinfo import ZoneInfo

from flask import Flask, abort, g, render_template, request, session
from flask_babel import Babel
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response

from core.delivery.web.theme import TRANSLATIONS, init_theme
from tests.functional.theme.theme_sample_base import shell_for
from tests.functional.theme.theme_samples import FRAGMENTS, PAGES

LOCALES = {"zh": "zh_Hans_CN", "en": "en"}
ZONES = {"zh": "Asia/Shanghai", "en": "Europe/London"}


def _language() -> str:
    return (request.view_args or {}).get("language", "en")


def make_app() -> Flask:
    """The preview application: one route per language and page, answers to the htmx calls of the pages, errors as pages."""
    app = Flask(__name__, static_folder=None)
    app.secret_key = "preview only"
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    Babel(app, locale_selector=lambda: LOCALES.get(_language(), "en"), timezone_selector=lambda: ZONES.get(_language(), "UTC"))
    CSRFProtect(app)
    init_theme(app, shell=lambda: shell_for(_language(), (request.view_args or {}).get("page", "")))
    app.add_url_rule("/", view_func=_index)
    app.add_url_rule("/<language>/<page>", "page", _page, methods=["GET", "POST"])
    app.add_url_rule("/<language>/x/<fragment>", "fragment", _fragment, methods=["GET", "POST"])
    return app


def _index() -> str:
    return "".join(f'<p><a href="/{language}/{page}">{language} {page}</a></p>' for language in LOCALES for page in PAGES)


def _page(language: str, page: str) -> Response | str:
    if language not in LOCALES or page not in PAGES:
        abort(404)
    session["seen"] = 1
    g.zone = ZoneInfo(ZONES[language])
    template, make = PAGES[page]
    return render_template(template, **make(language))


def _fragment(language: str, fragment: str) -> str:
    if fragment not in FRAGMENTS:
        abort(404)
    template, make = FRAGMENTS[fragment]
    return render_template(template, **make(language))


if __name__ == "__main__":
    make_app().run(port=int(sys.argv[1]) if len(sys.argv) > 1 else 8090, threaded=True)
