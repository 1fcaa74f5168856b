"""For the pages and REST resources of plugins (`views`, `api`); apart from `core.sdk`, because it brings the web framework along.

Besides what stands here, views use Flask, Flask-Babel, Flask-WTF and WTForms as they are, and the templates of the theme.
"""

from __future__ import annotations

from core.delivery.api.idempotency import once
from core.delivery.api.plugin_api import ApiView, Shape, endpoint
from core.delivery.web.addresses import action_label, choice_label, list_url, plugin_title, record_url, subject_url
from core.delivery.web.body import arguments, json_body, json_response, nothing
from core.delivery.web.errors import said_by
from core.delivery.web.identity import can, require_identity
from core.delivery.web.plugin_view import PageView, page
from core.delivery.web.theme.grid import Action, Pager, Tab
from core.runtime.security.permissions import MEMBER

__all__ = [
    "MEMBER",
    "Action",
    "ApiView",
    "PageView",
    "Pager",
    "Shape",
    "Tab",
    "action_label",
    "arguments",
    "can",
    "choice_label",
    "current_user_id",
    "endpoint",
    "json_body",
    "json_response",
    "list_url",
    "nothing",
    "once",
    "page",
    "plugin_title",
    "record_url",
    "said_by",
    "subject_url",
]


def current_user_id() -> int:
    """The account of whoever makes this request. Raises NotSignedIn."""
    return require_identity().person.user_id
