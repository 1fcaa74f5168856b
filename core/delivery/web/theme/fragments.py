"""Pieces of the frame that are the same for every request of one language and tenant, rendered once and kept."""

from __future__ import annotations

from typing import Any

from flask import current_app
from flask_babel import get_locale
from markupsafe import Markup

from core.delivery.web.theme.shell import Shell

_MOST_KEPT = 512
_kept: dict[tuple[Any, ...], Markup] = {}


def frame_dialogs(shell: Shell) -> Markup:
    """The dialogs at the end of every page: they depend on the language, the search address and the jumps, on nothing secret."""
    key = (id(current_app.jinja_env), str(get_locale()), shell.urls.search, shell.jumps)
    found = _kept.get(key)
    if found is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        text = current_app.jinja_env.get_template("shell/_dialogs.html").render(shell=shell)
        found = _kept[key] = Markup(text)  # noqa: S704 - our own template, escaped by Jinja
    return found
