"""Where a page may send people: to addresses of this site only.

Replaces Flask-AppBuilder's own check, which lets `/\\evil.example` and `\\\\evil.example` pass; browsers read a backslash as a slash.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import quote, urlsplit

from flask import request
from flask_appbuilder.utils import base as fab_base

MAX_LENGTH = 2000


def is_safe_path(target: str) -> bool:
    """Whether `target` is an absolute path on this site: one leading slash, nothing that a browser could read as another host."""
    if not target.startswith("/") or target.startswith("//") or len(target) > MAX_LENGTH:
        return False
    if "\\" in target or any(unicodedata.category(letter)[0] in "CZ" and letter != " " for letter in target):
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    if parts.scheme or parts.netloc:
        return False
    # A path that climbs, or that hides a slash behind a dot or an escape, could still become `//host` in a browser or proxy.
    lowered = parts.path.lower()
    return not any(piece in ("", ".", "..", "%2e", "%2e%2e", ".%2e", "%2e.") for piece in lowered.split("/")[1:-1]) and not any(
        part in lowered for part in ("%2f", "%5c", "%00", "%0a", "%0d", "%09")
    )


def safe_path(target: str | None, fallback: str = "/") -> str:
    """`target` if it is safe, else `fallback`. A full address of this very site is taken as its path."""
    if not target:
        return fallback
    own = request.host_url.rstrip("/")
    if target.startswith(own + "/"):
        target = target[len(own) :]
    return target if is_safe_path(target) else fallback


def login_address(target: str = "") -> str:
    """The sign-in page, which lies outside every tenant, leading on to `target` afterwards."""
    return f"/login/?next={quote(target, safe='/')}" if target and is_safe_path(target) and target != "/" else "/login/"


def present_address() -> str:
    """Path and query of this request, with the tenant."""
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return f"{request.script_root}{request.path}{query}"


def replace_fab_check() -> None:
    """Put our check in the place of Flask-AppBuilder's, which `get_safe_redirect` looks up by name in its module.

    Can go when Flask-AppBuilder refuses backslashes itself (seen in 5.3.0).
    """
    fab_base.is_safe_redirect_url = is_safe_path
