"""For the pages and REST resources of plugins (`views`, `api`); apart from `core.sdk`, because it brings the web framework along.

Besides what stands here, views use Flask, Flask-Babel, Flask-WTF and WTForms as they are, and the templates of the theme.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app, url_for
from werkzeug.routing import BuildError

from core.delivery.api.idempotency import once
from core.delivery.api.plugin_api import ApiView, endpoint
from core.delivery.web.body import json_body, json_response, nothing
from core.delivery.web.errors import said_by
from core.delivery.web.identity import can, require_identity
from core.delivery.web.plugin_view import PageView, page
from core.delivery.web.theme.grid import Action, Pager, Tab
from core.engines.metadata.values import ValuesRefused
from core.runtime.security.permissions import MEMBER

__all__ = [
    "MEMBER",
    "Action",
    "ApiView",
    "PageView",
    "Pager",
    "Tab",
    "ValuesRefused",
    "can",
    "current_user_id",
    "endpoint",
    "json_body",
    "json_response",
    "list_url",
    "nothing",
    "once",
    "page",
    "record_url",
    "said_by",
]


def current_user_id() -> int:
    """The account of whoever makes this request. Raises NotSignedIn."""
    return require_identity().person.user_id


def record_url(entity: str, record_id: UUID | str) -> str:
    """The address of a record's page in the present tenant (`orders.order`); empty when there is none, or the reader may not open it."""
    return _url(entity, "show", pk=str(record_id))


def list_url(entity: str, **arguments: str) -> str:
    """The address of an entity's list, with arguments such as `queue`; empty when there is none, or the reader may not open it."""
    return _url(entity, "list", **arguments)


def _url(entity: str, method: str, **arguments: str) -> str:
    for view in current_app.extensions["appbuilder"].baseviews:
        described: Any = getattr(view, "entity", None)
        if described is not None and described.key == entity and hasattr(view, "show"):
            if not can(f"{described.area}.read"):
                return ""
            try:
                return url_for(f"{view.endpoint}.{method}", **arguments)  # type: ignore[arg-type]
            except BuildError:
                return ""
    return ""
