"""Where things of the core have their pages, and what they are called there; for pages that speak of things of many kinds.

An address is empty when there is no such page, or when whoever makes the request may not open it.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app, url_for
from flask_babel import gettext
from werkzeug.routing import BuildError

from core.delivery.web.identity import can
from core.delivery.web.plugin_calls import plugin_runtime
from core.kernel.errors import NotFound
from core.runtime.security.permissions import MEMBER

# Subjects of events: the entity whose record they are, or the page that shows them with its argument and the permission to see it.
_ENTITIES = {"order": "orders.order", "sku": "catalog.sku"}
_PAGES = {
    "shop": ("SyncView.show", "pk", "channels.read"),
    "plugin": ("PluginView.show", "plugin", "plugins.read"),
    "bulk_run": ("BulkRunView.show", "pk", MEMBER),
}


def record_url(entity: str, record_id: UUID | str) -> str:
    """The address of a record's page in the present tenant (`orders.order`)."""
    return _of_entity(entity, "show", pk=str(record_id))


def list_url(entity: str, **arguments: str) -> str:
    """The address of an entity's list, with arguments such as `queue`."""
    return _of_entity(entity, "list", **arguments)


def subject_url(subject_type: str, subject_id: str) -> str:
    """The address of the page that shows the subject of an event. Of a plugin the id may be followed by a set-up (`jd/main`)."""
    if subject_type in _ENTITIES:
        return record_url(_ENTITIES[subject_type], subject_id)
    endpoint, argument, permission = _PAGES.get(subject_type, ("", "", ""))
    if not endpoint or not can(permission):
        return ""
    return _built(endpoint, **{argument: subject_id.split("/", maxsplit=1)[0] if subject_type == "plugin" else subject_id})


def choice_label(entity: str, field: str, value: str) -> str:
    """What a value of a choice field is called, in the reader's language; the value itself when it is not known."""
    described = _described(entity)
    found = described.by_key.get(field) if described is not None else None
    choices = found.choices if found is not None else ()
    return next((gettext(choice.label) for choice in choices if choice.value == value), value)


def action_label(key: str) -> str:
    """What an action on records is called (`orders.order.cancel`), in the reader's language; the key itself when it is not known."""
    entity, _, name = key.rpartition(".")
    described = _described(entity)
    action = described.action(name) if described is not None else None
    return gettext(action.label) if action is not None else key


def plugin_title(plugin: str) -> str:
    """What a plugin is called, in the reader's language; its id when it is not installed."""
    try:
        return gettext(plugin_runtime().host.package(plugin).title)
    except NotFound:
        return plugin


def _view(entity: str) -> Any:
    views = current_app.extensions["appbuilder"].baseviews
    described = (view for view in views if hasattr(view, "base_entity") and hasattr(view, "show"))
    return next((view for view in described if view.base_entity.key == entity), None)


def _described(entity: str) -> Any:
    return getattr(_view(entity), "entity", None)


def _of_entity(entity: str, method: str, **arguments: str) -> str:
    view = _view(entity)
    if view is None or not can(f"{view.entity.area}.read"):
        return ""
    return _built(f"{view.endpoint}.{method}", **arguments)


def _built(endpoint: str, **arguments: Any) -> str:
    try:
        return url_for(endpoint, **arguments)
    except BuildError:
        return ""
