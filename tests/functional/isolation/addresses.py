"""Addresses of every route, with ids of a given tenant wherever an address takes one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.routing import Rule

# Which table an argument's id belongs to; `pk` of generated views and resources is their entity's.
TABLES: Mapping[str, str] = {
    "session_id": "login_session",
    "membership_id": "membership",
    "invitation_id": "invitation",
    "role_id": "role",
    "token_id": "api_token",
    "hook_id": "plg_outbound_webhooks_hook",
    "message_id": "plg_outbound_webhooks_message",
    "notice_id": "plg_notify_inapp_notice",
}
PK_TABLES: Mapping[str, str] = {
    "BulkRunView": "bulk_run",
    "JobsView": "delivery",
    "OrderApi": "sales_order",
    "RefundOrderView": "sales_order",
    "ShipOrderView": "sales_order",
    "ShopScopeView": "shop",
    "SyncView": "shop",
    "UnmappedView.sku": "sku_alias",
    "UnmappedView.value": "channel_unmapped",
}
# Arguments that are no id of a record, each with what is put there.
WORDS: Mapping[str, str] = {
    "build": "x",
    "name": "x",
    "locale": "en",
    "plugin": "outbound_webhooks",
    "key": "x",
    "own_entity": "thing",
    "number": "1",
    "entity": "catalog.product",
    "role": "everybody",
    "form": "json",
    "field": "x",
}
SECRETS: Mapping[str, str] = {"JoinView.join": "join", "AuthView.reset": "reset"}
NOBODY = UUID(int=7)


def id_arguments(app: Flask, rule: Rule) -> dict[str, str]:
    """The arguments of a rule that are ids, each with its table. Raises KeyError for an argument that nothing here knows."""
    return {name: _table(app, rule, name) for name in rule.arguments if name not in WORDS and name != "secret"}


def _table(app: Flask, rule: Rule, name: str) -> str:
    if name != "pk":
        return TABLES[name]
    view = view_of(app, rule)
    entity = getattr(view, "entity", None)
    if entity is not None:
        return str(entity.model.__table__.name)
    return PK_TABLES.get(rule.endpoint) or PK_TABLES[type(view).__name__]


def view_of(app: Flask, rule: Rule) -> Any:
    """The view or REST class behind a rule; None for routes that belong to none."""
    blueprint = rule.endpoint.rpartition(".")[0]
    return next((view for view in app.extensions["appbuilder"].baseviews if view.blueprint.name == blueprint), None)


def addresses(app: Flask, rule: Rule, ids: Mapping[str, list[Any]], secrets: Mapping[str, str] | None = None) -> Iterator[str]:
    """The rule's address with the first row of each table; with each of its actions where it takes one."""
    tables = id_arguments(app, rule)
    values: dict[str, Any] = {name: ids.get(table, [NOBODY])[0] or NOBODY for name, table in tables.items()}
    values.update({name: word for name, word in WORDS.items() if name in rule.arguments})
    if "secret" in rule.arguments:
        values["secret"] = (secrets or {}).get(SECRETS[rule.endpoint], "x" * 43)
    entity = getattr(view_of(app, rule), "entity", None)
    keys = [action.key for action in getattr(entity, "actions", ())] if rule.rule.endswith("/actions/<key>") else []
    for key in keys or [""]:
        yield _built(app, rule, {**values, **({"key": key} if key else {})})


# These switch a plugin off or on; the suite puts things right after them.
SWITCHES = frozenset({"PluginView.switch"})


def _built(app: Flask, rule: Rule, values: Mapping[str, Any]) -> str:
    with app.test_request_context(base_url="http://orders.example.test"):
        return app.url_map.bind("orders.example.test").build(rule.endpoint, dict(values), method=next(iter(rule.methods)))
