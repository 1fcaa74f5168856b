"""The limit of every page: bare Flask with one compiled template over one psycopg connection; nobody is asked who is there."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

import psycopg
from flask import Flask
from markupsafe import Markup
from psycopg.rows import namedtuple_row
from werkzeug.serving import make_server

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Orders</title><link rel="stylesheet" href="/static/app.css"></head><body>
<header><a href="/">Bench</a><nav>{% for name in names %}<a href="/{{ name }}/">{{ name }}</a>{% endfor %}</nav></header>
<main><h1>Orders</h1><p>{{ total }}</p>
<table><thead><tr><th></th>{% for name in names %}<th><a href="?sort={{ name }}">{{ name }}</a></th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr id="r-{{ row[0] }}"><td><input type="checkbox" name="pk" value="{{ row[0] }}"></td>
<td><a href="/orders/show/{{ row[0] }}">{{ row[1] }}</a></td>
{% for value in row[2:] %}<td>{{ value if value is not none else "" }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table>
<p><a href="?cursor={{ rows[-1][0] if rows else '' }}">Next</a></p></main></body></html>
"""


# What our list shows of each field of an order, in the order of its columns; the texts around it are taken from our own page.
_CELLS = {
    "number": '<a href="/t/bench/orders/show/{{ row.id }}">{{ row.number }}</a>',
    "state": "{{ known.state[row.state] }}",
    "payment": "{{ known.payment[row.payment] }}",
    "hold_code": "{{ known.hold_code[row.hold_code] }}",
    "shop_id": "{{ known.shop_id[row.shop_id] }}",
    "external_id": "{{ row.external_id or dash }}",
    "buyer_masked": "{{ row.buyer_masked or dash }}",
    "city": "{{ row.city or dash }}",
    "paid_total": '<span class="n">{{ "{:,.2f}".format(row.paid_total) }}</span>',
    "quantity_total": '<span class="n">{{ row.quantity_total|int }}</span>',
    "tags": "{{ known.tags[row.tags|string] }}",
    "placed_at": "{{ moment(row.placed_at) }}",
}
_FEW_VALUES = ("state", "payment", "hold_code", "shop_id", "tags")
_DASH = Markup('<span class="nil">–</span>')
_ROW, _CELL = re.compile(r"<tr data-pk.*?</tr>", re.DOTALL), re.compile(r"(<td[^>]*>)(.*?)</td>", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """Statements that a page of ours sends for its contents, with their parameters; the first one's rows are the page's.

    `page` is what our page answered: its frame, menus and filters become the template's fixed text.
    """

    statements: Sequence[tuple[str, Any]] = field(repr=False)
    size: int = 0
    page: str = field(default="", repr=False)


def bare_page(connection: psycopg.Connection[Any], tenant_id: int, zone: tzinfo, pages: dict[str, Asked]) -> Flask:
    """Answers `/<name>` with the rows of the first statement of `pages[name]`, having run the others too.

    The page is letter for letter ours, dates in `zone`: what is compared shows the same. Raises RuntimeError where it differs.
    """
    app = Flask("limit", static_folder=None)
    this_year = datetime.now(zone).year

    def moment(at: datetime) -> Markup:
        there = at.astimezone(zone)
        shown = there.strftime("%m-%d %H:%M" if there.year == this_year else "%Y-%m-%d %H:%M")
        return Markup(f'<time datetime="{there.isoformat(timespec="seconds")}">{shown}</time>')

    def read(asked: Asked) -> list[list[Any]]:
        with connection.transaction(), connection.cursor(row_factory=namedtuple_row) as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, true)", (str(tenant_id),))
            return [cursor.execute(text.encode(), values).fetchall() for text, values in asked.statements]

    app.jinja_env.globals.update(moment=moment, dash=_DASH)
    renderers = {name: _renderer(app, asked, read(asked)[0]) for name, asked in pages.items()}

    @app.get("/<name>")
    def page(name: str) -> str:
        found = read(pages[name])
        return renderers[name](found[0][: pages[name].size], " ".join(str(part[0][0]) for part in found[1:] if part))

    for name, asked in pages.items():
        if asked.size and _table(page(name)) != _table(asked.page):
            raise RuntimeError(f"the limit shows another page than ours: {name}")
    return app


def _renderer(app: Flask, asked: Asked, rows: Sequence[Any]) -> Callable[[Sequence[Any], str], str]:
    """A function that renders rows as our page does, by a compiled template."""
    ours = _ROW.findall(asked.page)
    if not ours:
        plain = app.jinja_env.from_string(PAGE)
        return lambda found, total: plain.render(rows=found, names=(), total=total)
    known: dict[str, dict[Any, Markup]] = {name: {} for name in _FEW_VALUES}
    for row, line in zip(rows, ours, strict=False):
        shown = dict(zip(_CELLS, (content for _attributes, content in _CELL.findall(line)[1:]), strict=False))
        for name in _FEW_VALUES:
            value = getattr(row, name)
            known[name][str(value) if name == "tags" else value] = Markup(shown[name])
    head, _first, rest = asked.page.partition(ours[0])
    tail = rest[rest.index("</tbody>") :]
    raw = "{{% raw %}}{}{{% endraw %}}"
    line = "{% for row in rows %}" + _line(ours[0], rows[0]) + "\n{% endfor %}"
    template = app.jinja_env.from_string(raw.format(head) + line + raw.format(tail) + "<p>{{ total }}</p>")
    return lambda found, total: template.render(rows=found, known=known, total=total)


def _line(ours: str, row: Any) -> str:
    """Our first row as a template for all rows."""
    contents = iter(_CELLS.values())
    cells = _CELL.findall(ours)
    edges = (0, len(cells) - 1)
    made = [f"{attributes}{content if at in edges else next(contents)}</td>" for at, (attributes, content) in enumerate(cells)]
    text = ours[: ours.index("<td")] + "".join(made) + "</tr>"
    return text.replace(str(row.id), "{{ row.id }}").replace(str(row.number), "{{ row.number }}")


def _table(page: str) -> list[str]:
    return [line.strip() for line in page[page.index("<tbody") : page.index("</tbody>")].splitlines() if line.strip()]


def main() -> None:
    """`python -m benchmarks.barepage PORT`: a site with this page alone, for the size and start of a bare process."""
    app = Flask("limit", static_folder=None)
    template = app.jinja_env.from_string(PAGE)
    app.add_url_rule("/readyz", "ready", lambda: template.render(rows=(), names=(), total="ok"))
    make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
