"""Sample contexts of the pages around the orders: home, plugins, jobs, members and the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from markupsafe import Markup
from wtforms import BooleanField, PasswordField, SelectField, StringField
from wtforms.validators import InputRequired

from core.delivery.web.theme import cells
from core.delivery.web.theme.grid import Action, Column, Grid, Pager, Row, Tab, Tools
from tests.functional.theme.theme_sample_base import NOW, Context, bit_url, make_form, page_url, words
from tests.functional.theme.theme_sample_orders import product_form


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
        "plugins": [{"id": name, "name": name, "text": text, "maker": "Orderloom", "icon": icon, "url": page_url(language, "plugin-overview"),
                     "health": health, "word": word, "is_on": is_on, "switch_url": "#", "confirm": say.switch_ask if is_on else "",
                     "setup_url": page_url(language, "plugin-setup")} for name, text, icon, health, word, is_on in say.plugins],
    }  # fmt: skip


def _plugin(language: str, tab: str) -> Context:
    say = words(language)
    name, text, icon, health, word, is_on = say.plugins[0]
    keys = ["overview", "setup", "mapping", "activity", "permissions", "versions"]
    return {
        "plugin": {"id": "taobao", "name": name, "text": text, "maker": "Orderloom", "version": "0.1.0", "icon": icon, "health": health, "word": word,
                   "is_on": is_on, "switch_url": "#", "confirm": say.switch_ask},
        "plugins_url": page_url(language, "plugins"), "tab": tab,
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
    made = make_form(app_key=StringField(say.setup[0], [InputRequired()]), gateway=StringField(say.setup[1], description=say.setup[2]),
                 every=SelectField(say.setup[3], choices=[("1", "1 min"), ("5", "5 min")]), pull=BooleanField(say.setup[4]))  # fmt: skip
    return {
        **_plugin(language, "setup"), "form": made(data={"app_key": "12345678", "gateway": "http://127.0.0.1:8801"}),
        "fieldsets": [{"title": say.setup[5], "fields": ["app_key", "gateway"]}, {"title": say.setup[6], "fields": ["every", "pull"]}],
        "secrets": [{"name": "secret", "label": "App Secret", "is_set": True, "set_at": NOW - timedelta(days=3)},
                    {"name": "session", "label": "Session Key", "is_set": False, "help": say.setup[7]}],
        "test": {"url": bit_url(language, "test"), "last": {"ok": True, "at": NOW - timedelta(minutes=9), "text": say.test_ok, "details": say.test_facts}},
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
    return {**_plugin(language, "activity"), "grid": log_grid(language)}


def log_grid(language: str) -> Grid:
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
        "pull": {"url": "#"}, "grid": log_grid(language), "running": False, "status_url": "#",
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
        "tabs": [Tab(f"j{i}", label, "#", i == 3, count=str(kinds[i][2])) for i, label in enumerate(say.job_states)], "grid": log_grid(language),
    }  # fmt: skip


def bulk_run(language: str) -> Context:
    """A bulk run that ended with failures."""
    say = words(language)
    run = {"title": say.run_title, "started_at": NOW - timedelta(seconds=40), "who": say.me, "done": 4812, "total": 4812, "ok": 4790, "failed": 19,
           "skipped": 3, "state": "done", "retry": Action(say.retry, "#", "rotate", "post"), "back_url": "#"}  # fmt: skip
    rows = [Row(str(i), f"{say.prefix}{i}", [f"{say.prefix}{240118 + i}", cells.badge("bad", "circle-x", say.failed), text]) for i, text in enumerate(say.fail_texts)]
    columns = [Column("a", say.columns[0]), Column("b", say.columns[1]), Column("c", say.log_columns[5], "wide")]
    tabs = [Tab("f", say.failed, "#", active=True, count="19"), Tab("o", say.done, "#", count="4790")]
    return {"run": run, "status_url": bit_url(language, "bulk"), "tabs": tabs, "grid": Grid(columns, rows, id="rows", show_url="#{pk}")}


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
    made = make_form(name=StringField(say.fields[0], [InputRequired()]), expires=StringField(say.token_words[0]))
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
    made = make_form(email=StringField(say.email, [InputRequired()]), role=SelectField(say.role_word, choices=[(r, r) for r in say.roles]))
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
        {"name": name, "target": target, "events": ["order.accepted", "order.shipped"], "state": state, "url": page_url(language, "webhook"), "failing": n, "last_at": NOW - timedelta(minutes=4)}
        for name, target, state, n in say.hooks]}  # fmt: skip


def webhook(language: str) -> Context:
    """One subscription with its log."""
    say = words(language)
    name, target, state, _n = say.hooks[0]
    return {
        "hook": {"name": name, "target": target, "events": ["order.accepted"], "state": state, "secret_tail": "…9f2c", "rotated_at": NOW - timedelta(days=12),
                 "rotate": Action(say.rotate, "#", "rotate", "post", say.rotate_ask), "test": Action(say.test_event, "#", "send", "post"), "edit_url": "#", "list_url": "#",
                 "toggle": Action(say.pause, "#", "player-pause", "post"), "remove": Action(say.pause, "#", "trash", "post", kind="bad")},
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
    made = make_form(username=StringField("u"), password=PasswordField("p"))()
    made.password.errors = [say.refused]
    return {"form": made}


def tenants(language: str) -> Context:
    """The tenant chooser."""
    say = words(language)
    return {"tenants": [{"name": name, "url": "#", "colour": i + 1, "role": say.roles[i]} for i, name in enumerate(say.tenants)], "logout_url": "#"}


def password(language: str) -> Context:
    """Password change."""
    say = words(language)
    return {"form": make_form(old=PasswordField(say.pw[0], [InputRequired()]), new=PasswordField(say.pw[1], [InputRequired()], description=say.pw[2]))(), "cancel_url": "#"}


def invitation(language: str) -> Context:
    """Accepting an invitation."""
    say = words(language)
    return {"invitation": {"tenant": say.tenants[0], "inviter": say.colleague, "roles": [say.roles[2]], "email": "new@example.test", "expires_at": NOW},
            "form": make_form(name=StringField(say.fields[0]), password=PasswordField(say.pw[1]))()}  # fmt: skip


def fault(code: int) -> Callable[[str], Context]:
    """An error page."""
    return lambda _language: {"code": code, "trace": "0199aa-77" if code == 500 else ""}


def ui(language: str) -> Context:
    """The catalogue of the UI kit."""
    made = product_form(language)()
    made.validate()
    return {"form": made}
