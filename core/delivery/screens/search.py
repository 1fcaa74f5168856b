"""Search everything that the reader may see: pages of the menu, orders, SKUs, customers, shipments; and what the frame shows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar

from flask import current_app, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_babel import gettext

from core.delivery.screens.order_facts import badge_of
from core.delivery.screens.shop_scope import shop_links
from core.delivery.web.crud.addressing import view_name
from core.delivery.web.identity import can
from core.delivery.web.menu import OmsMenu
from core.delivery.web.schema import present_schema
from core.delivery.web.theme.shell import Shell
from core.delivery.web.unit import db
from core.domain.orders.entities import STATE_CHOICES
from core.engines.metadata import queries
from core.engines.metadata.queries import ListQuery
from core.kernel.errors import Invalid
from core.kernel.text import SearchKind, SearchValue, preload_pinyin, search_tokens
from core.runtime.jobs.bulk import runs
from core.runtime.security.permissions import MEMBER

HITS = 6
PAGES = 5
LONGEST = 500
RECENT_RUNS = 20
ORDERS = view_name("orders.order")
JUMPS = (
    ("h", "StartView.index", MEMBER),
    ("o", f"{ORDERS}.list", "orders.read"),
    ("p", f"{view_name('catalog.sku')}.list", "catalog.read"),
)
MORE_JUMPS = (
    ("s", f"{view_name('inventory.stock')}.list", "inventory.read"),
    ("c", f"{view_name('customers.customer')}.list", "customers.read"),
)


class SearchView(BaseView):
    """The palette's answers, and the same search as a page."""

    route_base = "/search"
    default_view = "find"
    class_permission_name = "SearchView"
    permission_keys: ClassVar[Mapping[str, str]] = {"find": MEMBER}

    @expose("/", methods=["GET"])
    @has_access
    def find(self) -> Any:
        """What the text finds, best first: as a fragment for the palette, else as a page."""
        text = request.args.get("q", "").replace("\x00", "")[:LONGEST].strip()
        if not text:
            preload_pinyin()  # the palette has opened: its first letters are on their way
        groups = [group for group in _groups(text) if group["items"]]
        page = "shell/_palette_results.html" if request.headers.get("HX-Request") else "shell/palette_page.html"
        return render_template(page, groups=groups, q=text)


def _groups(text: str) -> Iterator[dict[str, Any]]:
    """Records first when the text could be a number, pages first when it is short words."""
    pages = {"title": gettext("Pages"), "items": _pages(text)}
    if not text:
        yield pages
        return
    records = [group for group in (_orders(text), _skus(text), _customers(text), _shipments(text)) if group is not None]
    has_digit = any(character.isdigit() for character in text)
    yield from [*records, pages] if has_digit else [pages, *records]


def _pages(text: str) -> list[dict[str, str]]:
    menu: OmsMenu = current_app.extensions["appbuilder"].menu
    wanted, found = text.casefold(), []
    for section, entries in menu.entries():
        for entry in entries:
            label, url = gettext(entry.label), entry.url()
            if url and (not wanted or wanted in label.casefold() or any(name.startswith(wanted) for name in _names_of(label, entry.label))):
                rank = 0 if label.casefold().startswith(wanted) else 1
                found.append((rank, {"label": label, "url": url, "icon": entry.icon or section.icon, "hint": gettext(section.label)}))
    return [hit for _rank, hit in sorted(found, key=lambda one: one[0])][: PAGES if wanted else PAGES * 3]


@lru_cache(maxsize=2_000)
def _names_of(*labels: str) -> frozenset[str]:
    """The words by which a page is found: in the reader's language and in English, Chinese ones also by pinyin and its first letters."""
    words = {word for label in labels for word in label.casefold().split()}
    return frozenset(words | search_tokens([SearchValue(SearchKind.TEXT, label) for label in labels]))


def _list_hit(endpoint: str, text: str, label: str, icon: str) -> dict[str, str]:
    return {"label": label, "url": url_for(f"{endpoint}.list", q=text, queue="all"), "icon": icon, "hint": ""}


def _orders(text: str) -> dict[str, Any] | None:
    if not can("orders.read"):
        return None
    found = _fetch("orders.order", text, ["number", "external_id", "state", "buyer_masked"])
    hits = [
        {
            "label": row.number,
            "url": url_for(f"{ORDERS}.show", pk=row.id),
            "icon": "file-invoice",
            "hint": " · ".join(part for part in (row.external_id, row.buyer_masked, badge_of(STATE_CHOICES, row.state)[2]) if part),
        }
        for row in found[:HITS]
    ]
    if len(found) > 1:
        hits.append(_list_hit(ORDERS, text, gettext("All orders that match"), "list-search"))
    return {"title": gettext("Orders"), "items": hits}


def _skus(text: str) -> dict[str, Any] | None:
    if not can("catalog.read"):
        return None
    endpoint = view_name("catalog.sku")
    found = _fetch("catalog.sku", text, ["code", "title"])[:HITS]
    hits = [{"label": row.code, "url": url_for(f"{endpoint}.show", pk=row.id), "icon": "tag", "hint": row.title} for row in found]
    return {"title": gettext("SKUs"), "items": hits}


def _customers(text: str) -> dict[str, Any] | None:
    if not can("customers.read"):
        return None
    endpoint = view_name("customers.customer")
    found = _fetch("customers.customer", text, ["name_masked", "phone_masked"])[:HITS]
    hits = [
        {"label": row.name_masked or "–", "url": url_for(f"{endpoint}.show", pk=row.id), "icon": "user", "hint": row.phone_masked}
        for row in found
    ]
    return {"title": gettext("Customers"), "items": hits}


def _shipments(text: str) -> dict[str, Any] | None:
    if not can("fulfilment.read"):
        return None
    endpoint = view_name("fulfilment.shipment")
    found = _fetch("fulfilment.shipment", text, ["number", "tracking_number"])[:HITS]
    hits = [
        {"label": row.number, "url": url_for(f"{endpoint}.show", pk=row.id), "icon": "truck", "hint": row.tracking_number} for row in found
    ]
    return {"title": gettext("Shipments"), "items": hits}


def _fetch(key: str, text: str, keys: list[str]) -> list[Any]:
    try:
        page = queries.fetch(db(), present_schema().get(key), ListQuery(search=text, size=HITS), now=datetime.now(UTC), keys=keys)
    except Invalid:
        return []
    return list(page.rows)


def complete_frame(shell: Shell) -> Shell:
    """Search, the jumps, the shops in the top bar and the number of bulk runs under way."""
    urls = replace(shell.urls, search=url_for("SearchView.find"))
    running, run_url = _running()
    if can("jobs.read"):
        urls = replace(urls, jobs=url_for("JobsView.list", state="runs" if running else None))
    elif run_url:
        urls = replace(urls, jobs=run_url)
    return replace(shell, urls=urls, jumps=tuple(_jumps()), shops=shop_links(), jobs_running=running)


def _jumps() -> Iterator[tuple[str, str, str]]:
    labels = {"h": gettext("Home"), "o": gettext("Orders"), "p": gettext("SKUs"), "s": gettext("Stock"), "c": gettext("Customers")}
    for letter, endpoint, permission in (*JUMPS, *MORE_JUMPS):
        if can(permission):
            yield letter, labels[letter], url_for(endpoint)


def _running() -> tuple[int, str]:
    """How many of the latest bulk runs go on, and the page of the newest of them."""
    going = [run for run in runs(db(), limit=RECENT_RUNS) if run.state in ("expanding", "running")]
    return len(going), url_for("BulkRunView.show", pk=going[0].id) if going else ""
