"""Turns what Flask-AppBuilder's own list and show widgets pass into the contexts of our templates.

Only for views that still use FAB's widgets (its security pages, third-party add-ons); the crud kit builds the same contexts.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import current_app, request, url_for
from werkzeug.routing import BuildError

from core.delivery.web.theme.cells import plain
from core.delivery.web.theme.grid import KEY, Action, Bulk, Column, Grid, Pager, PageSize, Row


def _allowed(view: Any, method: str) -> bool:
    filters = current_app.jinja_env.filters
    return bool(filters["is_item_visible"](f"can_{method}", view))


def _url(endpoint: str, **values: Any) -> str:
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return ""


def _template_url(view: str, method: str) -> str:
    """The address of a row's page with the key left open, or nothing when the user may not open it."""
    return _url(f"{view}.{method}", pk="__pk__").replace("__pk__", KEY) if _allowed(view, method) else ""


def _with(**changes: Any) -> str:
    args = {**(request.view_args or {}), **request.args.to_dict(), **changes}
    return url_for(request.endpoint or "", **args)


def _columns(keys: list[str], labels: dict[str, Any], order_columns: list[str], view: str) -> list[Column]:
    column, way = request.args.get(f"_oc_{view}"), request.args.get(f"_od_{view}")
    found = []
    for key in keys:
        now = ("ascending" if way == "asc" else "descending") if key == column else ""
        turn = "desc" if now == "ascending" else "asc"
        sort_url = _with(**{f"_oc_{view}": key, f"_od_{view}": turn}) if key in (order_columns or []) else ""
        label = str(labels.get(key, key))
        found.append(Column(key, label, sort_url=sort_url, sorted=now))
    return found


def _pager(view: str, page: int | None, page_size: int, count: int) -> Pager:
    page = page or 0
    last = min(count, (page + 1) * page_size)
    return Pager(
        first=page * page_size + 1 if count else 0,
        last=last,
        total=count,
        previous_url=_with(**{f"page_{view}": page - 1}) if page > 0 else "",
        next_url=_with(**{f"page_{view}": page + 1}) if last < count else "",
        sizes=[PageSize(size, _with(**{f"psize_{view}": size}), size == page_size) for size in (25, 50, 100)],
    )


def _bulk(actions: dict[str, Any], view: str) -> Bulk | None:
    shown = current_app.jinja_env.filters["get_actions_on_list"](actions or {}, view)
    found = [
        Action(str(one.text), key=one.name, icon=one.icon or "", confirm=str(one.confirmation or "")) for one in shown.values()
    ]
    return Bulk(_url(f"{view}.action_post"), found, key_name="rowid") if found else None


def grid(args: dict[str, Any]) -> Grid:
    """The `grid` context of `kit/_table.html` from the arguments of FAB's ListWidget."""
    view, keys, formatters = args["modelview_name"], list(args["include_columns"]), args.get("formatters_columns") or {}
    rows = []
    for pk, item in zip(args["pks"], args["value_columns"], strict=True):
        cells = [formatters[key](item[key]) if key in formatters else plain(item[key]) for key in keys]
        rows.append(Row(str(pk), str(item[keys[0]]) if keys else str(pk), cells))
    return Grid(
        columns=_columns(keys, args.get("label_columns") or {}, args.get("order_columns") or [], view),
        rows=rows,
        pager=_pager(view, args.get("page"), args.get("page_size") or 25, args["count"]),
        id=view,
        show_url=_template_url(view, "show") or _template_url(view, "edit"),
        edit_url=_template_url(view, "edit"),
        delete_url=_template_url(view, "delete"),
        bulk=_bulk(args.get("actions") or {}, view),
        add_url=_url(f"{view}.add") if _allowed(view, "add") else "",
    )


def panels(args: dict[str, Any]) -> list[dict[str, Any]]:
    """The `panels` context of `kit/_details.html` from the arguments of FAB's ShowWidget."""
    keys, labels = list(args["include_columns"]), args.get("label_columns") or {}
    formatters = args.get("formatters_columns") or {}
    values = dict(zip(keys, args["value_columns"], strict=True))

    def field_of(key: str) -> dict[str, Any]:
        value = formatters[key](values[key]) if key in formatters else plain(values[key])
        return {"label": str(labels.get(key, key)), "value": value}

    fieldsets = args.get("fieldsets") or [("", {"fields": keys})]
    return [
        {"title": str(title), "fields": [field_of(key) for key in part["fields"] if key in values]} for title, part in fieldsets
    ]


def active_filters(filters: Any, labels: dict[str, Any]) -> list[dict[str, str]]:
    """The removable chips for FAB's `_flt_<index>_<column>` arguments in the address."""
    chips = []
    for name, value in request.args.items(multi=True):
        if not name.startswith("_flt_"):
            continue
        index, _, column = name[5:].partition("_")
        known = filters.get_search_filters().get(column) or []
        word = str(known[int(index)].name) if index.isdecimal() and int(index) < len(known) else ""
        rest = [(key, kept) for key, kept in request.args.items(multi=True) if (key, kept) != (name, value)]
        clear = request.script_root + request.path + (f"?{urlencode(rest)}" if rest else "")
        chips.append({"label": str(labels.get(column, column)), "operator": word, "value": value, "remove_url": clear})
    return chips
