"""What is installed, written down: so that a plugin whose code is broken or gone still shows its title, version, form and reason."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.runtime.plugin_host.discovery import Package
from core.runtime.plugin_host.forms import FormField
from core.runtime.plugin_host.host import PluginHost
from core.runtime.plugin_host.manifest import Manifest
from core.runtime.plugin_host.models import PluginPackage


def record_packages(session: Session, host: PluginHost) -> list[str]:
    """Write down what `host` found, in a session outside every tenant; `oms migrate` does this, and a start when something is new.

    A plugin that is known but was not found this time is marked unavailable; its form stays. Returns the ids that changed.
    """
    known = {row.id: row for row in session.scalars(select(PluginPackage))}
    changed: list[str] = []
    for name, package in host.packages.items():
        facts = _facts(host, package)
        if name in known and all(getattr(known[name], key) == value for key, value in facts.items()):
            continue
        fresh = insert(PluginPackage).values(id=name, **facts, seen_at=func.clock_timestamp())
        session.execute(
            fresh.on_conflict_do_update(
                index_elements=["id"], set_={**{key: fresh.excluded[key] for key in facts}, "seen_at": fresh.excluded.seen_at}
            )
        )
        changed.append(name)
    for name, row in known.items():
        if name not in host.packages and row.fault_code != "plugin.missing":
            row.state, row.fault_code, row.fault_message = "unavailable", "plugin.missing", "The plugin is no longer installed."
            changed.append(name)
    session.flush()
    session.expire_all()
    return sorted(changed)


def stored_form(session: Session, host: PluginHost, plugin: str) -> list[FormField]:
    """The settings form of a plugin: the running code's, else the one stored when it last ran; empty when it has none."""
    loaded = host.loaded.get(plugin)
    if loaded is not None:
        return list(loaded.form)
    return session.scalar(select(PluginPackage.form).where(PluginPackage.id == plugin)) or []


def _facts(host: PluginHost, package: Package) -> dict[str, Any]:
    loaded, manifest = host.loaded.get(package.id), package.manifest
    facts: dict[str, Any] = {
        "title": package.title,
        "state": package.state,
        "fault_code": package.fault.code if package.fault is not None else "",
        "fault_message": package.fault.message if package.fault is not None else "",
    }
    if manifest is not None:
        facts |= {"version": manifest.version, "manifest": _plain(manifest)}
    if loaded is not None:
        facts["form"] = [dict(entry) for entry in loaded.form]
    return facts


def _plain(manifest: Manifest) -> dict[str, Any]:
    """The manifest as JSON."""
    shown = {}
    for item in fields(manifest):
        value = getattr(manifest, item.name)
        if item.name == "quota":
            value = {host: {"per_s": quota.per_s, "burst": quota.burst} for host, quota in value.items()}
        elif item.name in ("data_classes", "quality", "localized"):
            value = {key: list(inner) if isinstance(inner, tuple) else inner for key, inner in value.items()}
        shown[item.name] = list(value) if isinstance(value, tuple) else value
    return shown
