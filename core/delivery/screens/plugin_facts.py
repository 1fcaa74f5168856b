"""What the plugin pages show, read from the host and the tenant's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import nh3
from flask import url_for
from flask_babel import get_locale, gettext
from markdown_it import MarkdownIt
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.delivery.screens import plugin_words as words
from core.delivery.screens.plugin_words import word_of
from core.delivery.web.theme import cells, grid
from core.kernel.errors import OrderloomError
from core.kernel.messages import N_
from core.runtime.plugin_host import configs, lifecycle
from core.runtime.plugin_host.discovery import Package
from core.runtime.plugin_host.forms import form_of as form_of_schema
from core.runtime.plugin_host.instances import MAIN, instances_of
from core.runtime.plugin_host.models import PluginCall, PluginConfig, PluginInstance, PluginPackage, PluginProblem
from core.runtime.plugin_host.runtime import PluginRuntime

CALLS = 50
CATEGORIES = {
    "channel": N_("Sales channels"),
    "fulfilment": N_("Fulfilment"),
    "finance": N_("Finance"),
    "customers": N_("Customers"),
    "workflow": N_("Workflow"),
    "analytics": N_("Analytics"),
    "notification": N_("Notifications"),
    "files": N_("Files"),
    "developer": N_("Developer"),
    "other": N_("Other"),
}
_ICONS = {"channel": "building-store", "notification": "bell", "developer": "code", "finance": "receipt", "customers": "users"}
_REASONS = {
    "not_configured": N_("Fill in the form, test the connection and go live first."),
    "untested": N_("Test the connection first; only settings that work go live."),
    "paused": N_("It is paused; resume it."),
    "no_settings": N_("There is nothing to set up."),
}


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def refusal(error: OrderloomError) -> str:
    """Why a step was refused, in a sentence."""
    reason = error.facts.get("reason")
    return gettext(_REASONS[reason]) if reason in _REASONS else gettext(error.message)


def form_of(session: Session, plugin: str) -> list[dict[str, Any]]:
    """The form's fields as stored when the plugin was installed; empty when it has none."""
    form = session.scalar(select(PluginPackage.form).where(PluginPackage.id == plugin))
    return list(form or [])


def form_from_code(runtime: PluginRuntime, plugin: str) -> list[dict[str, Any]]:
    """The form's fields from the plugin's schema."""
    loaded = runtime.host.loaded.get(plugin)
    return form_of_schema(loaded.schema) if loaded is not None and loaded.schema is not None else []


def _health(package: Package, row: PluginInstance | None) -> tuple[str, str]:
    if package.state == "unavailable":
        return "bad", gettext("Not available")
    if package.state in ("blocked", "unlisted"):
        return "", gettext("Blocked by the operator") if package.state == "blocked" else gettext("Not installed")
    if row is None or row.state in ("draft", "disabled", "purged"):
        return "", gettext("Off") if row is None or row.state != "draft" else gettext("Being set up")
    states = {
        "ok": ("ok", gettext("Works")),
        "retrying": ("warn", gettext("Retrying")),
        "degraded": ("warn", gettext("Works partly")),
        "needs_reauth": ("bad", gettext("Needs to be connected again")),
        "breaker_open": ("bad", gettext("Resting after failures")),
        "down": ("bad", gettext("Down")),
    }
    if row.state == "paused":
        return "warn", gettext("Paused")
    if row.state == "disabling":
        return "warn", gettext("Finishing its work")
    return states.get(row.health, ("warn", row.health))


def catalogue(session: Session, runtime: PluginRuntime, *, may_write: bool) -> list[dict[str, Any]]:
    """Every plugin of the installation as a card."""
    rows = {row.plugin: row for row in instances_of(session) if row.instance == MAIN}
    cards = []
    for name, package in runtime.host.packages.items():
        if package.state == "unlisted":
            continue
        row = rows.get(name)
        head = plugin_head(runtime, package, row, may_write=may_write)
        needs_set_up = name in runtime.host.loaded and runtime.host.loaded[name].schema is not None
        cards.append(
            {
                **head,
                "url": url_for("PluginView.show", plugin=name),
                "category": package.manifest.category if package.manifest else "other",
                "off": package.fault.message if package.fault else "",
                "setup_url": url_for("PluginView.show", plugin=name, tab="setup") if needs_set_up else "",
            }
        )
    return cards


def said(package: Package, key: str) -> str:
    """A plugin's `title` or `summary` in the reader's language: from its manifest, else from its catalogue."""
    manifest = package.manifest
    own = manifest.localized.get(_language(), {}).get(key, "") if manifest is not None else ""
    text = package.title if key == "title" else manifest.summary if manifest is not None else ""
    return own or (gettext(text) if text else "")


def _language() -> str:
    return str(get_locale() or "en").partition("_")[0]


def plugin_head(runtime: PluginRuntime, package: Package, row: PluginInstance | None, *, may_write: bool) -> dict[str, Any]:
    """Name, state and switch of one plugin."""
    manifest = package.manifest
    health, word = _health(package, row)
    is_on = row is not None and row.state in lifecycle.ON
    usable = package.id in runtime.host.loaded or is_on
    switchable = may_write and usable and not (manifest is not None and manifest.mandatory)
    return {
        "id": package.id,
        "name": said(package, "title"),
        "text": said(package, "summary"),
        "maker": "Orderloom" if package.module.startswith("plugins.") else gettext("Third party"),
        "version": manifest.version if manifest is not None else "",
        "icon": _ICONS.get(manifest.category, "puzzle") if manifest is not None else "puzzle",
        "health": health,
        "word": word,
        "is_on": is_on,
        "switch_url": url_for("PluginView.switch", plugin=package.id) if switchable else "",
        "off_url": url_for("PluginView.off", plugin=package.id) if may_write and row is not None and row.state == "disabling" else "",
    }


def fits(card: Mapping[str, Any], q: str, category: str, shown: str) -> bool:
    """Whether a card fits the search, the category and the state asked for."""
    text = f"{card['name']} {card['text']} {card['id']}".lower()
    if q and q.lower() not in text:
        return False
    if category and card["category"] != category:
        return False
    return {"on": card["is_on"], "attention": card["health"] in ("warn", "bad")}.get(shown, True)


def facets(cards: Sequence[Mapping[str, Any]], category: str, shown: str) -> list[dict[str, Any]]:
    """The categories and states with their counts."""
    counts: dict[str, int] = {}
    for card in cards:
        counts[card["category"]] = counts.get(card["category"], 0) + 1
    kinds = [
        {
            "label": gettext(CATEGORIES.get(key, key)),
            "url": url_for("PluginView.list", category=key, show=shown or None),
            "count": n,
            "active": key == category,
        }
        for key, n in sorted(counts.items())
    ]
    every = {"label": gettext("All"), "url": url_for("PluginView.list", show=shown or None), "count": len(cards), "active": not category}
    states = [
        ("", gettext("All"), len(cards)),
        ("on", gettext("Switched on"), sum(1 for card in cards if card["is_on"])),
        ("attention", gettext("Needs attention"), sum(1 for card in cards if card["health"] in ("warn", "bad"))),
    ]
    shown_states = [
        {"label": label, "url": url_for("PluginView.list", show=key or None, category=category or None), "count": n, "active": key == shown}
        for key, label, n in states
    ]
    return [{"title": gettext("Category"), "options": [every, *kinds]}, {"title": gettext("State"), "options": shown_states}]


def notices(package: Package, row: PluginInstance | None) -> list[dict[str, str]]:
    """What must be said on top of the page."""
    found = []
    if package.fault is not None:
        found.append({"kind": "bad", "text": gettext(package.fault.message)})
    if row is not None and row.health_message and row.health != "ok":
        found.append({"kind": "warn", "text": gettext(row.health_message)})
    return found


def readme(package: Package) -> Markup:
    """The plugin's README, in the reader's language where there is one, as clean HTML."""
    folder = package.source if package.source is not None and package.source.is_dir() else None
    paths = [folder / name for name in (f"README.{_language()}.md", "README.md")] if folder is not None else []
    path = next((one for one in paths if one.is_file()), None)
    if path is None:
        return Markup("<p>{}</p>").format(gettext("This plugin has no description."))
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(path.read_text(encoding="utf-8"))
    return Markup(nh3.clean(html, link_rel="noopener noreferrer nofollow", url_schemes={"https"}))  # noqa: S704 - nh3 has cleaned it


def contributions(runtime: PluginRuntime, plugin: str) -> list[tuple[str, str]]:
    """What the plugin adds, by kind."""
    loaded = runtime.host.loaded.get(plugin)
    if loaded is None:
        return []
    found = []
    for kind, items in sorted(loaded.given.items()):
        if kind != "lifecycle" and items:
            found.append(
                (word_of(words.CONTRIBUTIONS, kind), ", ".join(str(getattr(one, "key", "") or getattr(one, "title", "")) for one in items))
            )
    return found


def problem(one: PluginProblem) -> dict[str, Any]:
    """A problem as the page lists it: a sentence that says what to do where there is one, else its code."""
    sentences = {
        "plugin.needs_reauth": gettext(
            "The other side refuses our credentials. Enter new ones under “Set up”, test the connection and go live; "
            "what waits goes on then."
        ),
        "plugin.worker_died": gettext(
            "Its work ended the process that does it. What it was at is tried again alone and given up after a few times; see Jobs."
        ),
        "plugin.breaker_open": gettext("It rests for some minutes because it kept failing. Then it is tried again by itself."),
    }
    kinds = {"info": "info", "warning": "warn", "error": "bad", "critical": "bad"}
    return {
        "at": one.last_seen,
        "text": f"{sentences.get(one.code, one.code)} ×{one.count}",
        "states": [(kinds[one.severity], "alert-triangle", word_of(words.SEVERITIES, one.severity))],
    }


def last_test(config: PluginConfig | None) -> dict[str, Any] | None:
    """How the newest draft's test went."""
    if config is None or config.tested_at is None:
        return None
    return {
        "ok": bool(config.is_test_ok),
        "at": config.tested_at,
        "text": gettext(config.test_message) if config.test_message else "",
        "details": [],
    }


def impact(session: Session, runtime: PluginRuntime, plugin: str) -> list[str]:
    """What switching the plugin on brings, in sentences."""
    if plugin not in runtime.host.loaded:
        return []
    found = lifecycle.preview_impact(session, runtime, plugin)
    lines = [f"{word_of(words.CONTRIBUTIONS, kind)}: {', '.join(names)}" for kind, names in found.contributions.items() if names]
    if found.hosts:
        lines.append(gettext("It may talk to: %(hosts)s", hosts=", ".join(found.hosts)))
    if found.personal_data:
        kinds = ", ".join(word_of(words.DATA, kind) for kind in found.personal_data)
        lines.append(gettext("It handles personal data: %(kinds)s", kinds=kinds))
    if found.missing:
        lines.append(gettext("It needs first: %(plugins)s", plugins=", ".join(found.missing)))
    return lines + [gettext(finding.message) for finding in found.findings]


def activity(session: Session, plugin: str) -> grid.Grid:
    """The calls worth remembering, newest first."""
    heads = [
        grid.Column("at", gettext("When")),
        grid.Column("kind", gettext("Kind"), on_card=False),
        grid.Column("name", gettext("What")),
        grid.Column("outcome", gettext("Outcome"), "pill"),
        grid.Column("ms", gettext("Took (ms)"), "num"),
        grid.Column("code", gettext("Answer")),
    ]
    statement = select(PluginCall).where(PluginCall.plugin == plugin).order_by(PluginCall.id.desc()).limit(CALLS)
    rows = [
        grid.Row(
            str(call.id),
            call.name,
            [
                cells.moment(call.started_at),
                word_of(words.CALLS, call.kind),
                call.name,
                cells.badge(*(("ok", "check") if call.outcome == "ok" else ("bad", "x")), word_of(words.OUTCOMES, call.outcome)),
                cells.number(call.elapsed_ms),
                call.code or cells.DASH,
            ],
        )
        for call in session.scalars(statement)
    ]
    return grid.Grid(
        heads, rows, id="activity", caption=gettext("Activity"), empty=grid.Empty("history", gettext("It has done nothing yet."))
    )


def permissions(runtime: PluginRuntime, plugin: str, package: Package, *, is_on: bool) -> list[dict[str, Any]]:
    """What the plugin may do once it is on."""
    manifest = package.manifest
    if manifest is None:
        return []
    found: list[dict[str, Any]] = []
    if manifest.egress:
        found.append(
            {"label": gettext("Talk to"), "hosts": list(manifest.egress), "help": gettext("It reaches no other hosts."), "granted": is_on}
        )
    found += [
        {"label": word_of(words.DATA, kind), "help": gettext("Personal data that it handles"), "hosts": None, "granted": is_on}
        for kind in manifest.data_classes
    ]
    found += [{"label": key, "help": gettext("Access that it asks for"), "hosts": None, "granted": is_on} for key in manifest.permissions]
    loaded = runtime.host.loaded.get(plugin)
    for one in loaded.given.get("permissions", ()) if loaded else ():
        found.append({"label": one.key, "help": gettext(one.title), "hosts": None, "granted": is_on})
    return found


def versions(plugin: str, row: PluginInstance | None, found: Sequence[PluginConfig], *, may_write: bool) -> list[dict[str, Any]]:
    """The settings over time."""
    shown = []
    for index, config in enumerate(found):
        older = found[index + 1] if index + 1 < len(found) else None
        is_live = row is not None and row.active_version == config.version
        back = grid.Action(
            gettext("Go back to this"),
            url_for("PluginView.activate", plugin=plugin),
            method="post",
            fields={"version": str(config.version)},
        )
        changes = [{"label": one.field, "old": one.old, "new": one.new} for one in configs.differences(older, config)]
        shown.append(
            {
                "version": config.version,
                "at": config.created_at,
                "who": config.author,
                "changes": changes,
                "rollback": back if may_write and not is_live else None,
            }
        )
    return shown
