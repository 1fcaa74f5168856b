"""Pages of orders for a signed-in member of staff, at 10,000 and at 1,000,000 orders, in two databases of one server.

Measured are whole requests through the complete application, without a network between: the list (first page of 25 and 100, filtered
and sorted), the capped counts of its tabs, searches and the order's page. The limit runs the page's own statements on orders, counts
included, and renders the very same page, its frame as fixed text, with a compiled template in a bare Flask application. Growth compares
ours at many orders with ours at few; at last every statement of every page is explained, and one that reads a large table from end to end
is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from sqlalchemy import Connection, event
from werkzeug.test import create_environ, run_wsgi_app

from benchmarks import sample
from benchmarks.barepage import Asked, bare_page
from benchmarks.filling import fill
from benchmarks.measure import Figure, Options, Side, alternately, compared_sides, report
from benchmarks.plans import Scan, whole_reads
from benchmarks.stage import HOST, Stage, Visitor, server, stage
from core.kernel.collector import settle_collector

FEW, MANY = 10_000, 1_000_000
PAGE_TARGET, GROWTH_TARGET = 1.5, 1.2
ROUNDS, WARM = 60, 12
LIST = "/t/bench/orders/list/"
# (name, address, rows on a page; 0 where the limit needs none)
PAGES = (
    ("first 25", f"{LIST}?size=25", 25),
    ("first 100", f"{LIST}?size=100", 100),
    ("done, by shop, sorted", f"{LIST}?queue=done&f.shop_id={{shop}}&sort=placed_at&size=25", 25),
    ("by city, newest first", f"{LIST}?f.city={{city}}&size=25", 25),
    ("counts of the tabs", "/t/bench/orders/counts", 0),
)
GROWING = (
    ("search for a number", f"{LIST}?q={{number}}"),
    ("search for a common word", f"{LIST}?q={{word}}"),
    ("search for two words", f"{LIST}?q={{word}}+{{buyer}}"),
    ("order's page", "/t/bench/orders/show/{order}"),
    ("start page", "/t/bench/"),
)
Sent = list[tuple[str, Any]]


@dataclass
class Shelf:
    """One database of orders, with ours and the limit on it."""

    stage: Stage
    application: Flask
    visitor: Visitor
    values: dict[str, str]

    def request(self, address: str) -> Callable[[int], object]:
        """A function that makes this request as the signed-in member."""
        path = address.format(**self.values)
        environ = create_environ(path, HOST, headers={"Cookie": self.visitor.cookie})

        def ask(_number: int) -> object:
            _body, status, _headers = run_wsgi_app(self.application.wsgi_app, dict(environ), buffered=True)
            if not status.startswith("200"):
                raise RuntimeError(f"{path} answered {status}")
            return status

        return ask

    def page(self, address: str) -> str:
        """What this request answers."""
        return self.visitor.get(address.format(**self.values)).text

    def sent_for(self, address: str) -> Sent:
        """The statements that this request sends, once it is warm."""
        ask = self.request(address)
        for _ in range(2):
            ask(0)
        with _listening(self.stage.database.engine) as sent:
            ask(0)
        return sent


def run(options: Options) -> None:
    """Measure the pages."""
    many = options.rows or MANY
    few = min(FEW, max(100, many // 10))
    figures: list[Figure] = []
    with server() as cluster, _shelf(cluster, "few", few) as small, _shelf(cluster, "many", many) as large:
        settle_collector()
        for shelf, rows in ((small, few), (large, many)):
            figures += _pages(shelf, rows, options)
        figures += _growth(small, large, options)
        figures.append(_plans(large))
    report("list", figures, json=options.json)


@contextmanager
def _shelf(cluster: Any, name: str, rows: int) -> Iterator[Shelf]:
    with stage(cluster, name, db_pool_size=2) as place:
        with place.database.unit(place.scope) as session:
            goods = sample.furnish(session)
        place.member("staff@bench.example", "staff")
        fill(place, goods, rows)
        application = place.web()
        visitor = Visitor(application)
        visitor.sign_in("staff@bench.example")
        yield Shelf(place, application, visitor, _values(place, str(goods.shop.id), rows))


def _values(place: Stage, shop: str, rows: int) -> dict[str, str]:
    """What the addresses are filled with: an order on hold from the middle, a word that many orders have."""
    number = f"B{rows // 2 // 1000 * 1000 + 15:08d}"
    with place.keeper() as keeper:
        order = keeper.execute("SELECT id, city FROM sales_order WHERE number = %s", (number,)).fetchone()
        word = keeper.execute(
            "SELECT token FROM search_token WHERE token !~ '^#' AND length(token) = 2 GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        ).fetchone()
    if order is None or word is None:
        raise RuntimeError("the orders are not as they should be")
    return {"shop": shop, "number": number, "order": str(order[0]), "city": order[1], "word": word[0], "buyer": "138"}


def _pages(shelf: Shelf, rows: int, options: Options) -> Iterator[Figure]:
    with shelf.stage.raw() as connection:
        asked = {str(at): _asked(shelf, address, size) for at, (_name, address, size) in enumerate(PAGES)}
        bare = bare_page(connection, shelf.stage.scope.tenant_id, ZoneInfo("Asia/Shanghai"), asked)
        for at, (name, address, _size) in enumerate(PAGES):
            environ = create_environ(f"/{at}", HOST)
            ours = Side(shelf.request(address), shelf.stage.backends)
            limit = Side(_asking(bare, environ), lambda: [connection.info.backend_pid])
            alternately(options.rounds(ROUNDS), ours, limit, warm=options.rounds(WARM))
            yield compared_sides(f"{name}, {rows:,} orders", ours, limit, target=PAGE_TARGET, statements=len(shelf.sent_for(address)))


def _asking(application: Flask, environ: dict[str, Any]) -> Callable[[int], object]:
    return lambda _number: run_wsgi_app(application.wsgi_app, dict(environ), buffered=True)


def _asked(shelf: Shelf, address: str, size: int) -> Asked:
    """The statements for the page's contents, those that read orders, and the page itself."""
    contents = [(text, values) for text, values in shelf.sent_for(address) if "FROM sales_order" in text]
    if not contents:
        raise RuntimeError("a page reads no orders")
    return Asked(contents, size, shelf.page(address) if size else "")


def _growth(small: Shelf, large: Shelf, options: Options) -> Iterator[Figure]:
    pages = [(name, address) for name, address, _size in PAGES[:1]] + list(GROWING)
    for name, address in pages:
        many, few = Side(large.request(address), large.stage.backends), Side(small.request(address), small.stage.backends)
        alternately(options.rounds(ROUNDS), many, few, warm=options.rounds(WARM))
        yield compared_sides(f"{name}, many : few", many, few, target=GROWTH_TARGET)


def _plans(large: Shelf) -> Figure:
    found: list[Scan] = []
    statements = 0
    for name, address in [(name, address) for name, address, _size in PAGES] + list(GROWING):
        sent = [(text, values) for text, values in large.sent_for(address) if text.lstrip().upper().startswith(("SELECT", "WITH"))]
        statements += len(sent)
        with large.stage.raw() as connection:
            found += whole_reads(connection, large.stage.scope.tenant_id, name, sent)
    tables = sorted({f"{scan.page}: {scan.table}" for scan in found})
    return Figure(
        "whole reads of large tables", "scans", len(found), None, None, 0.0, notes={"statements": statements, "tables": "; ".join(tables)}
    )


@contextmanager
def _listening(engine: Any) -> Iterator[Sent]:
    sent: Sent = []

    def note(_connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


__all__: Sequence[str] = ["run"]
