"""The limit of every page: bare Flask with one compiled template over one psycopg connection; nobody is asked who is there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from flask import Flask
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


@dataclass(frozen=True)
class Asked:
    """Statements that a page of ours sends for its contents, with their parameters; the first one's rows are the page's."""

    statements: Sequence[tuple[str, Any]] = field(repr=False)
    size: int = 0


def bare_page(connection: psycopg.Connection[Any], tenant_id: int, pages: dict[str, Asked]) -> Flask:
    """Answers `/<name>` with the rows of the first statement of `pages[name]`, having run the others too."""
    app = Flask("limit", static_folder=None)
    template = app.jinja_env.from_string(PAGE)

    @app.get("/<name>")
    def page(name: str) -> str:
        asked = pages[name]
        with connection.transaction(), connection.cursor(row_factory=namedtuple_row) as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, true)", (str(tenant_id),))
            found = [cursor.execute(text.encode(), values).fetchall() for text, values in asked.statements]
        rows = found[0][: asked.size]
        names = rows[0]._fields[1:] if rows else ()
        return template.render(rows=rows, names=names, total=" ".join(str(part[0][0]) for part in found[1:] if part))

    return app


def main() -> None:
    """`python -m benchmarks.barepage PORT`: a site with this page alone, for the size and start of a bare process."""
    app = Flask("limit", static_folder=None)
    template = app.jinja_env.from_string(PAGE)
    app.add_url_rule("/readyz", "ready", lambda: template.render(rows=(), names=(), total="ok"))
    make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
