"""Language and time zone of a request: what the browser was told to use, then the person's choice, the tenant's, the browser's wish."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask, current_app, has_request_context, redirect, request
from flask_appbuilder.baseviews import BaseView, expose
from flask_babel import get_babel
from werkzeug.wrappers import Response

from core.delivery.web.identity import current_identity, current_tenant
from core.delivery.web.marks import before_change, public
from core.delivery.web.redirects import safe_path
from core.runtime.security.permissions import PUBLIC

COOKIE = "ol_lang"
_YEAR_S = 365 * 24 * 3600
#: Languages by their own names; the flags are there because Flask-AppBuilder asks for them.
LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": {"name": "English", "flag": "gb"}, "zh": {"name": "中文", "flag": "cn"}}


def choose_locale() -> str:
    """The language of this request, one of LANGUAGES."""
    default: str = current_app.config["BABEL_DEFAULT_LOCALE"]
    if not has_request_context():
        return default
    identity, tenant = current_identity(), current_tenant()
    wishes = (
        request.cookies.get(COOKIE, ""),
        identity.person.locale if identity is not None else "",
        tenant.locale if tenant is not None else "",
    )
    for wish in wishes:
        language = wish.replace("-", "_").split("_")[0].lower()
        if language in LANGUAGES:
            return language
    return request.accept_languages.best_match(list(LANGUAGES), default) or default


def choose_timezone() -> str:
    """The time zone of this request."""
    identity, tenant = current_identity(), current_tenant()
    wishes = (
        identity.person.timezone if identity is not None else "",
        tenant.timezone if tenant is not None else "",
        current_app.config["BABEL_DEFAULT_TIMEZONE"],
    )
    return next((wish for wish in wishes if wish in _zones()), "UTC")


def reader_zone() -> ZoneInfo:
    """The time zone of this request, fit for `datetime.replace`; Flask-Babel's own is not (it belongs to a library with other rules)."""
    return ZoneInfo(choose_timezone())


def init_i18n(app: Flask) -> None:
    """Make Flask-Babel ask us, after Flask-AppBuilder has set it up with its own choice."""
    babel: Any = get_babel(app)
    babel.locale_selector = choose_locale
    babel.timezone_selector = choose_timezone


def time_zones() -> list[str]:
    """Names of all time zones that a person can choose, sorted."""
    return sorted(_zones())


def set_language(answer: Response, locale: str) -> Response:
    """Make this browser use `locale` from the next page on."""
    answer.set_cookie(COOKIE, locale, max_age=_YEAR_S, samesite="Lax", secure=request.is_secure, httponly=True, path="/")
    return answer


class LocaleView(BaseView):
    """The language switch. It changes this browser only; the account page changes the person's choice."""

    route_base = "/lang"
    default_view = "index"
    permission_keys: Mapping[str, str] = {"index": PUBLIC}

    @expose("/<string:locale>")
    @public
    @before_change
    def index(self, locale: str) -> Response:
        """Switch to `locale` and go back to the page that the link was on. An unknown language changes nothing."""
        answer = redirect(safe_path(request.referrer, fallback=f"{request.script_root}/"), 303)
        return set_language(answer, locale) if locale in LANGUAGES else answer


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
