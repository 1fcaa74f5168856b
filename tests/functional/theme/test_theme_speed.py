"""The list page stays cheap: 25 rows of ten columns, measured as the best of many renderings."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable

from flask import Flask

from core.delivery.web.theme.preferences import Preferences
from tests.functional.theme.theme_preview import make_app
from tests.functional.theme.theme_sample_base import shell_for
from tests.functional.theme.theme_sample_orders import orders

TABLE_MS, PAGE_MS, PAGE_BYTES, PAGE_PACKED = 2.5, 5.0, 60_000, 10_000


def _best_ms(render: Callable[[], str], times: int = 200) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        render()
        taken.append(time.perf_counter() - start)
    return min(taken) * 1000


def _context() -> dict[str, object]:
    return {**orders("en"), "shell": shell_for("en", "orders"), "prefs": Preferences(), "base_template": "appbuilder/baselayout.html"}


def _app_in_request() -> Flask:
    app = make_app()
    app.jinja_env.auto_reload = False
    return app


def test_list_renders_within_its_budget_when_it_shows_25_rows() -> None:
    app = _app_in_request()
    with app.test_request_context("/en/orders"):
        app.preprocess_request()
        context = _context()
        table, page = app.jinja_env.get_template("kit/_table.html"), app.jinja_env.get_template("kit/list.html")

        table_ms, page_ms = _best_ms(lambda: table.render(**context)), _best_ms(lambda: page.render(**context))

    assert table_ms < TABLE_MS
    assert page_ms < PAGE_MS


def test_list_page_is_small_when_it_shows_25_rows() -> None:
    html = _app_in_request().test_client().get("/en/orders").data

    assert len(html) < PAGE_BYTES
    assert len(gzip.compress(html)) < PAGE_PACKED
