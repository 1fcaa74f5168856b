"""Sample contexts around orders: the list, the order, a generated record and its form."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from markupsafe import Markup
from wtforms import BooleanField, DecimalField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from core.delivery.web.theme import cells
from core.delivery.web.theme.formats import formats
from core.delivery.web.theme.grid import (
    Action,
    Bulk,
    Chip,
    Column,
    ColumnChoice,
    Empty,
    Filter,
    Grid,
    Pager,
    PageSize,
    Row,
    Tab,
    Tools,
)  # fmt: skip
from tests.functional.theme.theme_sample_base import NOW, Context, SampleForm, bit_url, make_form, page_url, words


def _orders(language: str, count: int) -> list[Row]:
    say = words(language)
    rows, by = [], formats()
    for i in range(count):
        pay, ship, trouble = say.states[i % len(say.states)]
        number = f"{say.prefix}{240118 + i * 37}"
        states = [pay, ship, *([trouble] if trouble else [])]
        amount = Decimal(f"{68 + (i * 137) % 1900}.{(i * 17) % 100:02}")
        rows.append(
            Row(
                f"0199-{i:04}",
                number,
                [
                    Markup("{}").format(number), cells.badges(states), say.buyers[i % len(say.buyers)], say.goods[i % len(say.goods)],
                    cells.number(1 + i % 5, by=by), cells.money(amount, say.currency, bare=True, by=by), say.shops[1 + i % (len(say.shops) - 1)],
                    say.carriers[i % len(say.carriers)], cells.moment(NOW - timedelta(minutes=13 * i + 4), by=by),
                    cells.ago(NOW + timedelta(hours=20 - i), by=by),
                ],
                css="row-bad" if trouble and trouble[0] == "bad" else "row-warn" if trouble else "",
            )
        )  # fmt: skip
    return rows


def order_grid(language: str, count: int = 25) -> Grid:
    """A page of orders with ten columns."""
    say = words(language)
    css = ["", "states", "", "", "num", "num", "", "", "", ""]
    sign = ["", "", "", "", "", "¥" if say.currency == "CNY" else "£", "", "", "", ""]
    cards = {0, 1, 2, 5, 8}
    columns = [
        Column(f"c{i}", label, css[i], f"?sort=c{i}" if i in {0, 5, 8} else "", "descending" if i == 8 else "", i in cards, sign[i])
        for i, label in enumerate(say.columns)
    ]
    actions = [
        Action(say.release, key="release", icon="lock-open"),
        Action(say.ship, key="ship", icon="truck-delivery"),
        Action(say.print, key="print", icon="printer"),
        Action(say.tag, key="tag", icon="tag"),
        Action(say.cancel, key="cancel", icon="ban", kind="bad", confirm=say.cancel_ask),
    ]
    return Grid(
        columns, _orders(language, count), Pager(1, count, 10000, is_capped=True, next_url="?after=x", sizes=[PageSize(25, "#", active=True), PageSize(50, "#")]),
        id="orders", caption=say.orders, show_url=f"/{language}/order?pk={{pk}}", peek_url=f"/{language}/x/peek?pk={{pk}}",
        edit_url=f"/{language}/form?pk={{pk}}", row_actions=[Action(say.ship, "#{pk}", "truck-delivery", "post")],
        bulk=Bulk("#", actions, 4812, query=[("tab", "review")]),
    )  # fmt: skip


def _tools(language: str) -> Tools:
    say = words(language)
    return Tools(
        search_hint=say.search_hint,
        keep=[("tab", "review")],
        chips=[Chip(say.columns[6], say.shops[1], "#"), Chip(say.columns[5], "100", "#", "≥")],
        clear_url="#",
        conditions=[Tab("late", say.late, "#", count="7"), Tab("short", say.short, "#"), Tab("noted", say.noted, "#")],
        filters=[
            Filter("status", say.columns[1], "select", options=[("a", say.tabs[0]), ("b", say.tabs[1])]),
            Filter("paid", say.columns[5], "number", operators=[("ge", "≥"), ("le", "≤")], operator_name="paid_op"),
            Filter("from", say.columns[8], "date"),
            Filter("buyer", say.columns[2]),
        ],
        columns=[ColumnChoice(f"c{i}", label, i < 8) for i, label in enumerate(say.columns)],
        columns_url="#",
        save_view_url="#",
        exports=[Action("CSV", "#", "download")],
    )


def orders(language: str) -> Context:
    """The order list."""
    say = words(language)
    kinds = ["", "bad", "", "", "", "warn", ""]
    tabs = [Tab(f"t{i}", label, "#", i == 0, kinds[i]) for i, label in enumerate(say.tabs)]
    return {
        "title": say.orders,
        "head": {"primary": Action(say.new_order, "#", "plus"), "more": [Action(say.importing, "#", "upload")]},
        "tabs": tabs, "counts_url": bit_url(language, "counts"), "tools": _tools(language), "grid": order_grid(language),
    }  # fmt: skip


def orders_compact(language: str) -> Context:
    """The order list with many rows."""
    return {**orders(language), "grid": order_grid(language, 50)}


def orders_empty(language: str) -> Context:
    """A list that has nothing to show yet."""
    say = words(language)
    primary, link = Action(say.connect, "#", "plus"), Action(say.how, "#")
    grid = Grid([], [], empty=Empty("shopping-cart", say.no_orders, say.no_orders_text, primary, link))
    return {"title": say.orders, "head": {}, "grid": grid, "tabs": [], "tools": None}


def counts(language: str) -> Context:
    """The counters of the tabs."""
    return {"counts": [{"key": f"t{i}", "text": text, "kind": kind} for i, (text, kind) in enumerate(words(language).counts)]}


def peek(language: str) -> Context:
    """The preview of one order."""
    say = words(language)
    return {
        "title": f"{say.prefix}240118", "url": page_url(language, "order"), "head": {"states": list(say.states[0][:2]), "copy": "x"},
        "actions": [Action(say.ship, "#", "truck-delivery", "post"), Action(say.columns[0], "#")],
        "panels": [{"title": say.columns[2], "fields": [{"label": k, "value": v} for k, v in say.facts]}],
    }  # fmt: skip


def palette(language: str) -> Context:
    """Hits of the palette."""
    say = words(language)
    return {"q": "jst", "groups": [
        {"title": say.orders, "items": [{"label": f"{say.prefix}240118 · {say.buyers[0]}", "url": "#", "icon": "shopping-cart", "hint": say.tabs[0]},
                                        {"label": f"{say.prefix}240155 · {say.buyers[1]}", "url": "#", "icon": "shopping-cart", "hint": say.tabs[1]}]},
        {"title": say.pages, "items": [{"label": label, "url": "#", "icon": icon} for label, icon, _t, _c in say.nav[0][1][:3]]},
    ]}  # fmt: skip


def event_list(language: str) -> list[Context]:
    say = words(language)
    return [
        {"at": NOW - timedelta(minutes=minutes), "actor": actor, "actor_kind": kind, "icon": icon, "kind": colour, "text": text,
         "changes": changes, "note": note}
        for minutes, actor, kind, icon, colour, text, changes, note in say.events
    ]  # fmt: skip


def order(language: str) -> Context:
    """The page of an order that is held."""
    say = words(language)
    lines = [
        {"title": title, "code": code, "variant": variant, "ordered": n, "reserved": r, "shipped": 0, "short": r < n,
         "price": Decimal(price), "paid": Decimal(price) * n, "url": "#"}
        for title, code, variant, n, r, price in say.lines
    ]  # fmt: skip
    goods = sum((line["paid"] for line in lines), Decimal(0))
    return {
        "title": f"{say.prefix}240118",
        "head": {"primary": Action(say.ship, "#", "truck-delivery", "post", off=say.stuck_title),
                 "more": [Action(say.hold, "#", "player-pause"), Action(say.split, "#", "arrows-split"), Action(say.print, "#", "printer"),
                          Action(say.cancel, "#", "ban", "post", say.cancel_ask, kind="bad")],
                 "crumbs": [{"url": page_url(language, "orders"), "label": say.orders}], "states": list(say.order_states), "copy": "SO"},
        "origin": {"icon": "building-store", "platform": say.platform, "shop": say.shops[1], "number": "3938201120384", "placed_at": NOW - timedelta(hours=3)},
        "neighbours": {"previous": "#p", "next": "#n"}, "edit_url": "#e",
        "stuck": {"kind": "warn", "title": say.stuck_title, "why": say.stuck_why, "since": NOW - timedelta(hours=2), "rule": say.stuck_rule,
                  "actions": [Action(say.release, "#", "lock-open", "post"), Action(say.restock, "#", "packages")]},
        "lines": lines, "currency": say.currency,
        "sums": [{"label": say.goods_total, "amount": goods}, {"label": say.discount, "amount": Decimal("-12.50"), "how": say.discount_how},
                 {"label": say.postage, "amount": Decimal("8.00")}],
        "total": {"label": say.total, "amount": goods - Decimal("4.50")}, "paid": {"label": say.paid, "amount": goods - Decimal("4.50")},
        "parcels": [{"carrier": say.carriers[0], "number": "SF1420098811233", "states": [say.states[3][1]],
                     "steps": [{"at": NOW - timedelta(hours=i), "text": text} for i, text in enumerate(say.track)],
                     "actions": [Action(say.print, "#", "printer")]}],
        "parcel_add_url": "#",
        "buyer": {"name": say.buyers[0], "phone": "138****5678", "nick": "tb_19820", "address": say.address, "is_masked": True, "url": "#"},
        "reveal": {"url": "#"}, "said": {"buyer": say.buyer_note, "seller": "", "internal": say.internal_note, "edit_url": "#"},
        "tags": [{"label": label, "remove_url": "#"} for label in say.tags], "tag_url": "#",
        "slots": {"order.side": [Markup('<section class="card"><header class="card-top"><h2 class="card-name">{}</h2></header>'
                                        '<div class="card-in">{}</div></section>').format(say.risk, cells.badge("ok", "shield-check", say.risk_low))]},
        "events": event_list(language), "event_filters": [{"label": label, "url": "#", "active": i == 0} for i, label in enumerate(say.event_filters)],
        "note_url": "#",
    }  # fmt: skip


def show(language: str) -> Context:
    """A generated record page with a related list."""
    say = words(language)
    grid = order_grid(language, 4)
    grid.bulk = None
    return {
        "title": say.goods[0], "head": {"primary": Action(say.edit, "#", "edit"), "copy": "TEA-100", "sub": "TEA-100"},
        "panels": [{"title": say.details, "fields": [{"label": k, "value": v} for k, v in say.facts]},
                   {"title": say.stock, "fields": [{"label": say.columns[4], "value": cells.number(1204)}, {"label": say.active, "value": True},
                                                   {"label": say.columns[8], "value": NOW}, {"label": say.columns[7], "value": None}]}],
        "related": [{"title": say.orders, "url": "#", "grid": grid, "id": "related-orders"}], "events": event_list(language)[:2],
    }  # fmt: skip


def product_form(language: str) -> type[SampleForm]:
    say = words(language)
    return make_form(
        name=StringField(say.fields[0], [InputRequired()]), code=StringField(say.fields[1], [InputRequired(message=say.required)], description=say.code_help),
        price=DecimalField(say.fields[2]), warehouse=SelectField(say.fields[3], choices=[("1", say.warehouses[0]), ("2", say.warehouses[1])]),
        active=BooleanField(say.active), note=TextAreaField(say.fields[4]),
    )  # fmt: skip


def form(language: str) -> Context:
    """A form that came back with an error and a version conflict."""
    say = words(language)
    made = product_form(language)(data={"name": say.goods[0], "price": Decimal("118.00")})
    made.validate()
    return {
        "title": say.edit_product, "head": {"crumbs": [{"url": "#", "label": say.nav[0][1][4][0]}]}, "form": made, "cancel_url": "#",
        "fieldsets": [{"title": say.details, "fields": ["name", "code", "price"]}, {"title": say.stock, "fields": ["warehouse", "active", "note"]}],
        "conflict": {"who": say.colleague, "at": NOW - timedelta(minutes=2), "url": "#",
                     "fields": [{"label": say.fields[2], "mine": "118.00", "theirs": "128.00"}]},
    }  # fmt: skip
