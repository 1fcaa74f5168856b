"""What a person chose for this browser: colours, row height, folded sidebar, shortcuts. In cookies, so it costs no query."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, Request, abort, redirect, request
from werkzeug.wrappers import Response

_YEAR_S = 365 * 24 * 3600
#: Cookie by cookie: the allowed values, the first one being what counts when nothing was chosen.
CHOICES = {
    "theme": ("system", "light", "dark"),
    "density": ("normal", "compact", "roomy"),
    "sidebar": ("open", "folded"),
    "shortcuts": ("on", "off"),
}


@dataclass(frozen=True, slots=True)
class Preferences:
    """The choices that this request came with."""

    theme: str = "system"
    density: str = "normal"
    sidebar: str = "open"
    shortcuts: str = "on"


def cookie_name(choice: str) -> str:
    """The cookie of one choice; scripts write the same names."""
    return f"ol_{choice}"


def preferences_of(asked: Request) -> Preferences:
    """Read the cookies; an unknown value counts as not chosen."""
    found = {name: asked.cookies.get(cookie_name(name), "") for name in CHOICES}
    return Preferences(**{name: value for name, value in found.items() if value in CHOICES[name]})


def _way_back() -> str:
    """The page that the form was on, if it is one of ours."""
    parts = urlsplit(request.referrer or "")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/" if parts.netloc == request.host else "/"


def blueprint() -> Blueprint:
    """The form target for pages without scripts; scripts write the cookies themselves."""
    views = Blueprint("theme_preferences", __name__)

    @views.post("/preferences")
    def choose() -> Response:
        chosen = {name: request.form[name] for name in CHOICES if name in request.form}
        if not chosen or any(value not in CHOICES[name] for name, value in chosen.items()):
            abort(400)
        answer = redirect(_way_back(), 303)
        for name, value in chosen.items():
            answer.set_cookie(cookie_name(name), value, max_age=_YEAR_S, samesite="Lax", secure=request.is_secure, path="/")
        return answer

    return views
