"""Sample contexts for every template: a Chinese tea shop and an English gift wholesaler, in their own words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import url_for
from markupsafe import Markup
from theme_sample_words import WORDS
from wtforms import BooleanField, DecimalField, Form, PasswordField, SelectField, StringField, TextAreaField
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
from core.delivery.web.theme.shell import Addresses, Language, Link, NavItem, NavSection, Person, Shell, TenantLink

Context = dict[str, Any]
NOW = datetime.now(UTC)


def words(language: str) -> Any:
    """The sample's words in one language."""
    return WORDS[language]


class _Form(Form):
    def hidden_tag(self) -> Markup:
        return Markup("")


def _form(**fields: Any) -> type[_Form]:
    return type("SampleForm", (_Form,), fields)


def _page(language: str, page: str) -> str:
    return url_for("page", language=language, page=page)


def _bit(language: str, fragment: str) -> str:
    return url_for("fragment", language=language, fragment=fragment)


def shell_for(language: str, page: str = "") -> Shell:
    """The frame of the sample business."""
    say = words(language if language in WORDS else "en")
    language = language if language in WORDS else "en"
    tongues = tuple(Language(code, name, f"/{code}/{page or 'home'}", code == language) for code, name in (("en", "English"), ("zh", "简体中文")))
    if page in {"login", "tenants", "password", "invitation", "oauth"}:
        return Shell(languages=tongues)
    sections = []
    for title, items in say.nav:
        made = []
        for label, icon, target, count in items:
            views = tuple(Link(view, _page(language, "orders"), "bookmark") for view in say.views) if target == "orders" else ()
            made.append(NavItem(label, _page(language, target), icon, target == page, count, views=views))
        sections.append(NavSection(title, tuple(made)))
    tenants = tuple(TenantLink(name, f"t{i}", "#", i + 1) for i, name in enumerate(say.tenants))
    return Shell(
        tenant=TenantLink(say.tenants[0], "t0", "#", 1, "demo"),
        tenants=tenants,
        nav=tuple(sections),
        shops=tuple(Link(name, "#", "building-store", i == 0) for i, name in enumerate(say.shops)),
        person=Person(say.me, "me@example.test", say.role, (Link(say.profile, "#", "user-circle"), Link(say.tokens, "#", "key")), "#"),
        languages=tongues,
        urls=Addresses(
            home=_page(language, "home"), search=_bit(language, "palette"), bell=_bit(language, "bell"),
            notifications=_page(language, "notifications"), jobs=_page(language, "jobs"), help="#",
        ),
        unread=5,
        jobs_running=2,
        jumps=(("o", say.orders, _page(language, "orders")), ("h", say.home, _page(language, "home"))),
        version="0.1.0",
    )


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
        "tabs": tabs, "counts_url": _bit(language, "counts"), "tools": _tools(language), "grid": order_grid(language),
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
        "title": f"{say.prefix}240118", "url": _page(language, "order"), "head": {"states": list(say.states[0][:2]), "copy": "x"},
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


def _events(language: str) -> list[Context]:
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
                 "crumbs": [{"url": _page(language, "orders"), "label": say.orders}], "states": list(say.order_states), "copy": "SO"},
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
        "events": _events(language), "event_filters": [{"label": label, "url": "#", "active": i == 0} for i, label in enumerate(say.event_filters)],
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
        "related": [{"title": say.orders, "url": "#", "grid": grid, "id": "related-orders"}], "events": _events(language)[:2],
    }  # fmt: skip


def _sample_form(language: str) -> type[_Form]:
    say = words(language)
    return _form(
        name=StringField(say.fields[0], [InputRequired()]), code=StringField(say.fields[1], [InputRequired(message=say.required)], description=say.code_help),
        price=DecimalField(say.fields[2]), warehouse=SelectField(say.fields[3], choices=[("1", say.warehouses[0]), ("2", say.warehouses[1])]),
        active=BooleanField(say.active), note=TextAreaField(say.fields[4]),
    )  # fmt: skip


def form(language: str) -> Context:
    """A form that came back with an error and a version conflict."""
    say = words(language)
    made = _sample_form(language)(data={"name": say.goods[0], "price": Decimal("118.00")})
    made.validate()
    return {
        "title": say.edit_product, "head": {"crumbs": [{"url": "#", "label": say.nav[0][1][4][0]}]}, "form": made, "cancel_url": "#",
        "fieldsets": [{"title": say.details, "fields": ["name", "code", "price"]}, {"title": say.stock, "fields": ["warehouse", "active", "note"]}],
        "conflict": {"who": say.colleague, "at": NOW - timedelta(minutes=2), "url": "#",
                     "fields": [{"label": say.fields[2], "mine": "118.00", "theirs": "128.00"}]},
    }  # fmt: skip


def home(language: str) -> Context:
    """The start page."""
    say = words(language)
    kinds = [("info", "checklist"), ("bad", "alert-triangle"), ("warn", "clock-exclamation"), ("warn", "package-off"), ("bad", "plug-x"), ("neutral", "truck-delivery")]
    values = [12, 3, 7, 5, 0, 1204]
    return {
        "title": say.home,
        "stats": [{"label": label, "value": values[i], "url": "#", "kind": kinds[i][0] if values[i] else "neutral", "icon": kinds[i][1]}
                  for i, label in enumerate(say.stats)],
        "steps": [{"label": label, "state": state, "url": "#"} for label, state in zip(say.steps, ("done", "done", "now", "todo"), strict=True)],
        "queues": [{"label": f"{say.prefix}{240118 + i}", "url": "#", "states": [state], "text": text, "at": NOW - timedelta(minutes=31 * i + 5),
                    "action": Action(do, "#", "", "post")} for i, (state, text, do) in enumerate(say.trouble)],
        "shops": [{"name": name, "icon": "building-store", "kind": kind, "word": word, "at": NOW - timedelta(minutes=minutes), "url": "#"}
                  for name, kind, word, minutes in say.shop_states],
        "hours": [{"label": f"{8 + i}:00", "value": value, "compare": value - 7 + i * 3} for i, value in enumerate((23, 41, 67, 88, 52, 71))],
        "hours_max": 100,
    }  # fmt: skip


def plugins(language: str) -> Context:
    """The plugin catalogue."""
    say = words(language)
    return {
        "title": say.plugins_title, "q": "",
        "facets": [{"title": title, "options": [{"label": label, "url": "#", "count": n, "active": i == 0} for i, (label, n) in enumerate(options)]}
                   for title, options in say.facets],
        "plugins": [{"id": name, "name": name, "text": text, "maker": "Orderloom", "icon": icon, "url": _page(language, "plugin-overview"),
                     "health": health, "word": word, "is_on": is_on, "switch_url": "#", "confirm": say.switch_ask if is_on else "",
                     "setup_url": _page(language, "plugin-setup")} for name, text, icon, health, word, is_on in say.plugins],
    }  # fmt: skip


def _plugin(language: str, tab: str) -> Context:
    say = words(language)
    name, text, icon, health, word, is_on = say.plugins[0]
    keys = ["overview", "setup", "mapping", "activity", "permissions", "versions"]
    return {
        "plugin": {"id": "taobao", "name": name, "text": text, "maker": "Orderloom", "version": "0.1.0", "icon": icon, "health": health, "word": word,
                   "is_on": is_on, "switch_url": "#", "confirm": say.switch_ask},
        "plugins_url": _page(language, "plugins"), "tab": tab,
        "tabs": [Tab(key, label, f"/{language}/plugin-{key}", key == tab) for key, label in zip(keys, say.plugin_tabs, strict=True)],
    }  # fmt: skip


def plugin_overview(language: str) -> Context:
    """A plugin's first tab."""
    say = words(language)
    return {**_plugin(language, "overview"), "adds": say.adds, "readme": Markup("<h2>{}</h2><p>{}</p><ul><li>{}</li></ul>").format(*say.readme),
            "problems": [{"at": NOW - timedelta(minutes=12), "text": say.problem, "states": [("warn", "hourglass", "429")]}]}  # fmt: skip


def plugin_setup(language: str) -> Context:
    """A plugin's settings with secrets and the connection test."""
    say = words(language)
    made = _form(app_key=StringField(say.setup[0], [InputRequired()]), gateway=StringField(say.setup[1], description=say.setup[2]),
                 every=SelectField(say.setup[3], choices=[("1", "1 min"), ("5", "5 min")]), pull=BooleanField(say.setup[4]))  # fmt: skip
    return {
        **_plugin(language, "setup"), "form": made(data={"app_key": "12345678", "gateway": "http://127.0.0.1:8801"}),
        "fieldsets": [{"title": say.setup[5], "fields": ["app_key", "gateway"]}, {"title": say.setup[6], "fields": ["every", "pull"]}],
        "secrets": [{"name": "secret", "label": "App Secret", "is_set": True, "set_at": NOW - timedelta(days=3)},
                    {"name": "session", "label": "Session Key", "is_set": False, "help": say.setup[7]}],
        "test": {"url": _bit(language, "test"), "last": {"ok": True, "at": NOW - timedelta(minutes=9), "text": say.test_ok, "details": say.test_facts}},
        "impact": say.impact, "activate": Action(say.activate, "#", "player-play", "post"),
    }  # fmt: skip


def plugin_permissions(language: str) -> Context:
    """What a plugin may do."""
    say = words(language)
    return {**_plugin(language, "permissions"), "permissions": [
        {"label": label, "help": text, "hosts": hosts, "granted": granted} for label, text, hosts, granted in say.permissions]}  # fmt: skip


def plugin_versions(language: str) -> Context:
    """The settings of a plugin over time."""
    say = words(language)
    return {**_plugin(language, "versions"), "versions": [
        {"version": 3 - i, "at": NOW - timedelta(days=i), "who": say.me, "changes": [{"label": say.setup[3], "old": "5 min", "new": "1 min"}],
         "rollback": Action(say.rollback, "#", "arrow-back-up", "post") if i else None} for i in range(3)]}  # fmt: skip


def plugin_activity(language: str) -> Context:
    """The calls of a plugin."""
    return {**_plugin(language, "activity"), "grid": _log(language)}


def _log(language: str) -> Grid:
    say = words(language)
    rows = [
        Row(str(i), f"#{i}", [cells.moment(NOW - timedelta(minutes=5 * i)), cells.badge(*say.log_states[i % 3]), cells.number(12 + i * 3),
                              cells.number(i % 4), cells.number(340 + i * 21), say.log_texts[i % 3]]) for i in range(12)
    ]  # fmt: skip
    columns = [Column(f"l{i}", label, "num" if i in {2, 3, 4} else "wide" if i == 5 else "") for i, label in enumerate(say.log_columns)]
    return Grid(columns, rows, Pager(1, 12, 340, next_url="?x"), id="log", caption=say.log)


def sync(language: str) -> Context:
    """The sync page of a shop."""
    say = words(language)
    return {
        "shop": {"name": say.shops[1], "icon": "building-store", "platform": say.platform, "health": "ok", "word": say.shop_states[0][2]},
        "shops": [Tab(f"s{i}", name, "#", i == 0) for i, name in enumerate(say.shops[1:])], "sync_url": "#",
        "facts": [(say.sync_facts[0], cells.moment(NOW - timedelta(minutes=2))), (say.sync_facts[1], cells.ago(NOW - timedelta(minutes=1))),
                  (say.sync_facts[2], cells.ago(NOW + timedelta(minutes=1))), (say.sync_facts[3], cells.number(0))],
        "pull": {"url": "#"}, "grid": _log(language), "running": False, "status_url": "#",
    }  # fmt: skip


def jobs(language: str) -> Context:
    """The jobs page."""
    say = words(language)
    kinds = [("neutral", "hourglass", 14), ("info", "loader-2", 2), ("warn", "rotate", 6), ("bad", "circle-x", 31), ("ok", "circle-check", 48210)]
    return {
        "stats": [{"label": label, "value": kinds[i][2], "url": "#", "kind": kinds[i][0], "icon": kinds[i][1]} for i, label in enumerate(say.job_states)],
        "causes": [{"text": "plugins.jd.client.Refused: code=43 isv.invalid-token", "count": 31, "subscriber": "jd.push_tracking",
                    "first_at": NOW - timedelta(hours=5), "last_at": NOW - timedelta(minutes=3), "sample_url": "#",
                    "replay": Action(say.replay, "#", "rotate", "post"), "drop": Action(say.drop, "#", "trash", "post", say.drop_ask, kind="bad")}],
        "tabs": [Tab(f"j{i}", label, "#", i == 3, count=str(kinds[i][2])) for i, label in enumerate(say.job_states)], "grid": _log(language),
    }  # fmt: skip


def bulk_run(language: str) -> Context:
    """A bulk run that ended with failures."""
    say = words(language)
    run = {"title": say.run_title, "started_at": NOW - timedelta(seconds=40), "who": say.me, "done": 4812, "total": 4812, "ok": 4790, "failed": 19,
           "skipped": 3, "state": "done", "retry": Action(say.retry, "#", "rotate", "post"), "back_url": "#"}  # fmt: skip
    rows = [Row(str(i), f"{say.prefix}{i}", [f"{say.prefix}{240118 + i}", cells.badge("bad", "circle-x", say.failed), text]) for i, text in enumerate(say.fail_texts)]
    columns = [Column("a", say.columns[0]), Column("b", say.columns[1]), Column("c", say.log_columns[5], "wide")]
    tabs = [Tab("f", say.failed, "#", active=True, count="19"), Tab("o", say.done, "#", count="4790")]
    return {"run": run, "status_url": _bit(language, "bulk"), "tabs": tabs, "grid": Grid(columns, rows, id="rows", show_url="#{pk}")}


def audit(language: str) -> Context:
    """The audit trail."""
    say = words(language)
    return {"tools": Tools(search_hint=say.search_hint), "entries": [
        {"at": NOW - timedelta(minutes=17 * i), "who": who, "kind": kind, "subject": f"{say.prefix}{240118 + i}", "url": "#", "action": action,
         "address": "10.2.0.4" if kind == "person" else "", "changes": changes} for i, (who, kind, action, changes) in enumerate(say.audit * 4)],
        "pager": Pager(1, 12, None, next_url="?x")}  # fmt: skip


def tokens(language: str) -> Context:
    """API tokens just after one was made."""
    say = words(language)
    made = _form(name=StringField(say.fields[0], [InputRequired()]), expires=StringField(say.token_words[0]))
    return {
        "created": {"name": "ERP", "token": "olt_sample_not_a_real_token"}, "form": made(),
        "tokens": [{"name": name, "scopes": scopes, "last_used_at": NOW - timedelta(hours=2 + i * 30), "expires_at": NOW + timedelta(days=90 - i * 60),
                    "state": state, "revoke": Action(say.revoke, "#", "", "post", say.revoke_ask, kind="bad")}
                   for i, (name, scopes, state) in enumerate(say.token_list)],
        "scopes": [{"group": say.orders, "options": [{"value": "orders:read", "label": say.read, "checked": True}, {"value": "orders:write", "label": say.write}]}],
    }  # fmt: skip


def members(language: str) -> Context:
    """Members and invitations."""
    say = words(language)
    made = _form(email=StringField(say.email, [InputRequired()]), role=SelectField(say.role_word, choices=[(r, r) for r in say.roles]))
    return {
        "members": [{"name": name, "email": f"u{i}@example.test", "roles": [say.roles[i % len(say.roles)]], "state": ("ok", "check", say.active), "url": "#",
                     "last_seen_at": NOW - timedelta(hours=i * 9 + 1), "is_me": i == 0, "remove": Action(say.remove, "#", "", "post", say.remove_ask, kind="bad") if i else None}
                    for i, name in enumerate(say.people)],
        "invitations": [{"email": "new@example.test", "roles": [say.roles[2]], "expires_at": NOW + timedelta(days=6), "revoke": Action(say.revoke, "#", "", "post")}],
        "form": made(), "created": {"link": "http://127.0.0.1:8080/invitation/sample"},
    }  # fmt: skip


def roles(language: str) -> Context:
    """The matrix of rights."""
    say = words(language)
    return {
        "roles": [{"id": str(i), "label": label, "url": "#" if i > 1 else ""} for i, label in enumerate(say.roles)],
        "groups": [{"title": title, "rows": [{"key": f"{title}{i}", "label": label, "help": "", "cells": [
            {"checked": (i + j) % 3 != 2 or j == 0, "disabled": j == 0} for j in range(len(say.roles))]} for i, label in enumerate(rows)]} for title, rows in say.rights],
        "head": {"primary": Action(say.new_role, "#", "plus")},
    }  # fmt: skip


def notifications(language: str) -> Context:
    """The bell as a page."""
    say = words(language)
    items = [{"icon": icon, "text": text, "at": NOW - timedelta(minutes=26 * i + 1), "url": "#", "is_new": i < 2} for i, (icon, text) in enumerate(say.news)]
    return {"groups": [{"title": say.today, "items": items}], "items": items, "all_url": "#", "read_all": Action(say.read_all, "#", "check", "post")}


def webhooks(language: str) -> Context:
    """The list of subscriptions."""
    say = words(language)
    return {"head": {"primary": Action(say.new_hook, "#", "plus")}, "subscriptions": [
        {"name": name, "target": target, "events": ["order.accepted", "order.shipped"], "state": state, "url": _page(language, "webhook"), "failing": n, "last_at": NOW - timedelta(minutes=4)}
        for name, target, state, n in say.hooks]}  # fmt: skip


def webhook(language: str) -> Context:
    """One subscription with its log."""
    say = words(language)
    name, target, state, _n = say.hooks[0]
    return {
        "hook": {"name": name, "target": target, "events": ["order.accepted"], "state": state, "secret_tail": "…9f2c", "rotated_at": NOW - timedelta(days=12),
                 "rotate": Action(say.rotate, "#", "rotate", "post", say.rotate_ask), "test": Action(say.test_event, "#", "send", "post"), "edit_url": "#", "list_url": "#",
                 "toggle": Action(say.pause, "#", "player-pause", "post")},
        "replay_failed": Action(say.replay, "#", "rotate", "post"),
        "deliveries": [{"id": i, "event": "order.accepted", "at": NOW - timedelta(minutes=3 * i), "state": say.log_states[i % 3],
                        "attempts": [{"at": NOW - timedelta(minutes=3 * i), "status": "200" if i % 3 == 0 else "503", "took_ms": 84, "text": "", "request": '{"kind": "order.accepted"}', "response": "ok"}],
                        "replay": Action(say.replay, "#", "rotate", "post") if i % 3 else None} for i in range(5)],
    }  # fmt: skip


def unmapped(language: str) -> Context:
    """Values that no mapping knows."""
    say = words(language)
    return {"causes": [{"kind": kind, "value": value, "hint": hint, "count": n, "shop": say.shops[1], "first_at": NOW - timedelta(hours=3), "orders_url": "#",
                        "map": {"url": "#", "field": field, "options": [("1", say.goods[0]), ("2", say.goods[1])]}, "ignore": Action(say.ignore, "#", "", "post")}
                       for kind, value, hint, n, field in say.unknown]}  # fmt: skip


def login(language: str) -> Context:
    """Sign-in with a refused password."""
    say = words(language)
    made = _form(username=StringField("u"), password=PasswordField("p"))()
    made.password.errors = [say.refused]
    return {"form": made}


def tenants(language: str) -> Context:
    """The tenant chooser."""
    say = words(language)
    return {"tenants": [{"name": name, "url": "#", "colour": i + 1, "role": say.roles[i]} for i, name in enumerate(say.tenants)], "logout_url": "#"}


def password(language: str) -> Context:
    """Password change."""
    say = words(language)
    return {"form": _form(old=PasswordField(say.pw[0], [InputRequired()]), new=PasswordField(say.pw[1], [InputRequired()], description=say.pw[2]))(), "cancel_url": "#"}


def invitation(language: str) -> Context:
    """Accepting an invitation."""
    say = words(language)
    return {"invitation": {"tenant": say.tenants[0], "inviter": say.colleague, "roles": [say.roles[2]], "email": "new@example.test", "expires_at": NOW},
            "form": _form(name=StringField(say.fields[0]), password=PasswordField(say.pw[1]))()}  # fmt: skip


def fault(code: int) -> Callable[[str], Context]:
    """An error page."""
    return lambda _language: {"code": code, "trace": "0199aa-77" if code == 500 else ""}


def ui(language: str) -> Context:
    """The catalogue of the UI kit."""
    made = _sample_form(language)()
    made.validate()
    return {"form": made}


PAGES: dict[str, tuple[str, Callable[[str], Context]]] = {
    "home": ("pages/home.html", home), "orders": ("kit/list.html", orders), "orders-50": ("kit/list.html", orders_compact),
    "orders-empty": ("kit/list.html", orders_empty), "order": ("pages/order.html", order), "show": ("kit/show.html", show),
    "form": ("kit/form.html", form), "plugins": ("pages/plugins.html", plugins), "plugin-overview": ("pages/plugin.html", plugin_overview),
    "plugin-setup": ("pages/plugin.html", plugin_setup), "plugin-activity": ("pages/plugin.html", plugin_activity),
    "plugin-mapping": ("pages/plugin.html", plugin_activity), "plugin-permissions": ("pages/plugin.html", plugin_permissions),
    "plugin-versions": ("pages/plugin.html", plugin_versions), "sync": ("pages/sync.html", sync), "jobs": ("pages/jobs.html", jobs),
    "bulk-run": ("pages/bulk_run.html", bulk_run), "audit": ("pages/audit.html", audit), "tokens": ("pages/tokens.html", tokens),
    "members": ("pages/members.html", members), "roles": ("pages/roles.html", roles), "notifications": ("pages/notifications.html", notifications),
    "webhooks": ("pages/webhooks.html", webhooks), "webhook": ("pages/webhook.html", webhook), "unmapped": ("pages/unmapped.html", unmapped),
    "login": ("pages/login.html", login), "tenants": ("pages/tenants.html", tenants), "password": ("pages/password.html", password),
    "invitation": ("pages/invitation.html", invitation), "error-403": ("errors/error.html", fault(403)), "error-404": ("errors/error.html", fault(404)),
    "error-409": ("errors/error.html", fault(409)), "error-500": ("errors/error.html", fault(500)), "ui": ("dev/ui.html", ui),
    "search": ("shell/palette_page.html", palette),
}  # fmt: skip
FRAGMENTS: dict[str, tuple[str, Callable[[str], Context]]] = {
    "counts": ("kit/_counts.html", counts), "peek": ("kit/peek.html", peek), "palette": ("shell/_palette_results.html", palette),
    "bell": ("pages/_bell.html", notifications), "test": ("pages/_test_result.html", lambda language: {"last": plugin_setup(language)["test"]["last"]}),
    "bulk": ("pages/_bulk_progress.html", bulk_run),
}  # fmt: skip
