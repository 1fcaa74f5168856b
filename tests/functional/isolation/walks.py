"""What is sent to every route: forms and bodies that name the gift shop's records, and the walk through all routes with them."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Rule

from tests.functional.isolation.addresses import SWITCHES, addresses, id_arguments, view_of
from tests.functional.isolation.conftest import MARK, Caller, Walls, leaks, rules_of

REFUSED = {400, 403, 404, 405, 409, 415, 422}
# A form that names their records under every name that a form or a body of ours reads.
NAMES = {
    "sku_id": "sku", "shop_id": "shop", "carrier_id": "carrier", "warehouse_id": "warehouse", "customer_id": "customer", "order_id": "sales_order",
    "product_id": "product", "kit_id": "sku", "component_id": "sku", "p.carrier_id": "carrier", "p.sku_id": "sku", "line_id": "order_line",
}  # fmt: skip
# These end the caller's own sign-in, which is no leak: it signs in again.
ENDS_SIGN_IN = {"AccountView.end_all", "AuthView.logout", "AccountView.password"}


def put_right(walls: Walls, caller: Caller, rule: Rule) -> None:
    """After what ended the caller's own sign-in or switched our own plugin."""
    if rule.endpoint in ENDS_SIGN_IN and not caller.is_in():
        caller.sign_in()
    if rule.endpoint in SWITCHES:
        walls.switch_all_on()


def form_for(walls: Walls, table: str = "") -> dict:
    ids = {name: str(walls.theirs[target][0]) for name, target in NAMES.items()}
    chosen = [str(one) for one in walls.theirs.get(table, [])]
    words = {"reason": "why not", "text": "hello", "note": "hello", "tag": "vip", "code": "x-1", "title": "x", "name": "x", "q": "x", "go": "1"}
    return {**words, **ids, "target": str(walls.ours["sku"][0]), "pk": chosen, "ids": chosen, "p.reason": "why", "p.tags": "vip", "p.tracking_numbers": "SF9", "p.delta": "1", "p.note": "x"}


def json_for(walls: Walls, table: str = "") -> dict:
    form = form_for(walls, table)
    return {**{name: value for name, value in form.items() if not name.startswith("p.") and name != "pk"}, "params": {"reason": "x"}}


def crossings(walls: Walls, caller: Caller, app: Flask, *, only: str = "") -> tuple[dict[str, int], list[str], int]:
    """Ask every route of the tea shop with the gift shop's ids.

    Returns the addresses where something was found, those that showed a word of the gift shop, and how many were asked.
    """
    found, shown, asked = {}, [], 0
    for rule, method in rules_of(app):
        if not rule.endpoint.startswith(only):
            continue
        tables = id_arguments(app, rule)
        for path in _with_search(app, rule, method, addresses(app, rule, walls.theirs, walls.secrets)):
            table = next(iter(tables.values()), "")
            body = {"json": json_for(walls, table)} if rule.rule.startswith("/api/") and method != "GET" else {"form": form_for(walls, table)}
            answer = caller.ask(method, f"/t/tea{path}", **body)
            asked += 1
            if leaks(answer):
                shown.append(f"{method} {path}")
            if (tables or "secret" in rule.arguments) and answer.status_code not in REFUSED:
                found[f"{method} {path}"] = answer.status_code
            put_right(walls, caller, rule)
    return found, shown, asked


def _with_search(app: Flask, rule: Rule, method: str, paths: Iterator[str]) -> Iterator[str]:
    """Pages that are no generated view's might search for something, under the name that all searches here have."""
    for path in paths:
        yield path
        if method == "GET" and not rule.arguments and getattr(view_of(app, rule), "entity", None) is None:
            yield f"{path}?q={MARK[:6]}"
