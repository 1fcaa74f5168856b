"""`oms plugin`: see, check, make and switch plugins."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from config.reading import load_settings
from config.schema import ROOT
from core.delivery.cli.installation import running_installation
from core.delivery.cli.output import json_option, show, table
from core.delivery.logs import configure_logging
from core.runtime.plugin_host.check import Report, check_plugin
from core.runtime.plugin_host.discovery import Package
from core.runtime.plugin_host.host import PluginHost
from core.runtime.plugin_host.instances import instances_of
from core.runtime.plugin_host.lifecycle import disable, enable
from core.runtime.plugin_host.models import PluginInstance
from core.runtime.plugin_host.problems import open_problems
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.scaffold import new_plugin
from core.runtime.tenancy.scope import Actor

COMMAND_LINE = Actor("system", "", "command line")
tenant_option = click.option("--tenant", required=True, help="The tenant's short name, as in its address.")
instance_option = click.option("--instance", default="main", show_default=True, help="The set-up, where a plugin has several.")


@click.group(short_help="See, check, make and switch plugins.")
def command() -> None:
    """Plugins of this installation and of its tenants."""


@command.command("list")
@click.option("--tenant", default="", help="Show how each stands for this tenant.")
@json_option
def list_plugins(tenant: str, as_json: bool) -> None:
    """All plugins known here, with the reason when one cannot be used."""
    if tenant:
        with _at_work() as runtime, runtime.database.tenant(tenant, COMMAND_LINE) as session:
            rows = _rows(runtime.host, instances_of(session))
    else:
        rows = _rows(_host(), ())
    columns = ["id", "version", "state", *(["tenant", "health"] if tenant else []), "title", "reason"]
    show(rows, table(rows, columns), as_json=as_json)


@command.command("show")
@click.argument("plugin")
@json_option
def show_plugin(plugin: str, as_json: bool) -> None:
    """What a plugin brings: hooks, rights, hosts, tables, personal data."""
    host = _host()
    package = host.package(plugin)
    facts = _facts(host, package)
    show(facts, "\n".join(f"{name + ':':<15} {_text(value)}" for name, value in facts.items()), as_json=as_json)


@command.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@json_option
@click.pass_context
def check(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Check a plugin's folder (or its single file) against the rules; ends with 1 when something is found."""
    host = _unbooted()
    report = check_plugin(folder, host.hook_names, spec_modules=[module.__name__ for module in host.options.spec_modules])
    base = Path.cwd()
    data = {
        "plugin": report.plugin,
        "tier": report.tier,
        "next_tier": report.next_tier,
        "lacking": report.lacking,
        "findings": [{"rule": one.rule, "path": str(one.path), "line": one.line, "message": one.message} for one in report.findings],
    }
    show(data, "\n".join([*(one.shown(base) for one in report.findings), _verdict(report)]), as_json=as_json)
    if not report.is_ok:
        ctx.exit(1)


@command.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "plugins", help="Where plugins lie.")
@click.option(
    "--tests", type=click.Path(file_okay=False, path_type=Path), default=ROOT / "tests" / "plugins", help="Where their tests lie."
)
@json_option
def new(name: str, folder: Path, tests: Path, as_json: bool) -> None:
    """Write a small plugin that works and passes the check."""
    made = new_plugin(name, folder, tests)
    lines = [
        *(str(path) for path in made.files),
        "",
        f'Next: add [[plugin]] id = "{name}" to plugins.toml, then: oms plugin check {made.folder}',
    ]
    show({"folder": str(made.folder), "files": [str(path) for path in made.files]}, "\n".join(lines), as_json=as_json)


@command.command("enable")
@click.argument("plugin")
@tenant_option
@instance_option
@json_option
def enable_plugin(plugin: str, tenant: str, instance: str, as_json: bool) -> None:
    """Switch a plugin on for a tenant; every process follows within five seconds."""
    with _at_work() as runtime, runtime.database.tenant(tenant, COMMAND_LINE) as session:
        row = enable(session, runtime, plugin, instance=instance)
        show(_standing(row), f"{plugin} is {row.state} for {tenant}.", as_json=as_json)


@command.command("disable")
@click.argument("plugin")
@tenant_option
@instance_option
@click.option("--mode", type=click.Choice(["drain", "park"]), help="What becomes of work in flight; by default as the plugin says.")
@json_option
def disable_plugin(plugin: str, tenant: str, instance: str, mode: str | None, as_json: bool) -> None:
    """Switch a plugin off for a tenant; its data stays."""
    with _at_work() as runtime, runtime.database.tenant(tenant, COMMAND_LINE) as session:
        done = disable(session, runtime, plugin, instance=instance, mode=mode)
        waiting = ", ".join(f"{count} {name}" for name, count in done.in_flight.items())
        text = f"{plugin} is {done.row.state} for {tenant}." + (f" In flight: {waiting}." if waiting else "")
        show({**_standing(done.row), "in_flight": dict(done.in_flight)}, text, as_json=as_json)


@command.command()
@tenant_option
@click.option("--plugin", default=None, help="Of this plugin only.")
@json_option
def problems(tenant: str, plugin: str | None, as_json: bool) -> None:
    """What is wrong with a tenant's plugins, worst first."""
    with _at_work() as runtime, runtime.database.tenant(tenant, COMMAND_LINE) as session:
        rows = [
            {
                "plugin": row.plugin,
                "instance": row.instance,
                "severity": row.severity,
                "code": row.code,
                "count": row.count,
                "affected": row.affected,
                "last_seen": row.last_seen.isoformat(timespec="seconds"),
                "facts": row.facts,
            }
            for row in open_problems(session, plugin)
        ]
    columns = ["severity", "plugin", "instance", "code", "count", "affected", "last_seen"]
    show(rows, table(rows, columns) if rows else "There are no problems.", as_json=as_json)


@contextmanager
def _at_work() -> Iterator[PluginRuntime]:
    """The plugin host on the installation's database."""
    with running_installation() as settings:
        system = importlib.import_module("app").compose(settings, name="oms-plugin")
        try:
            yield system.plugins
        finally:
            system.plugins.flush()
            system.database.dispose()


def _unbooted() -> PluginHost:
    """The host with all hooks and no plugin; needs no database and no listed plugin."""
    settings = load_settings()
    configure_logging("error", settings.log_format)  # what a start would warn of, these commands print
    return importlib.import_module("app").plugin_host(settings)


def _host() -> PluginHost:
    return _unbooted().boot()


def _rows(host: PluginHost, set_up: Any) -> list[dict[str, Any]]:
    by_plugin: dict[str, list[PluginInstance]] = {}
    for row in set_up:
        by_plugin.setdefault(row.plugin, []).append(row)
    return [
        {
            "id": package.id,
            "version": package.manifest.version if package.manifest is not None else "",
            "state": package.state,
            "tenant": ", ".join(_stands(row) for row in by_plugin.get(package.id, ())),
            "health": ", ".join(row.health for row in by_plugin.get(package.id, ()) if row.state == "enabled"),
            "title": package.title,
            "reason": package.fault.message if package.fault is not None else "",
        }
        for package in host.packages.values()
    ]


def _stands(row: PluginInstance) -> str:
    state = f"{row.state} ({row.mode})" if row.mode else row.state
    return state if row.instance == "main" else f"{row.instance}: {state}"


def _standing(row: PluginInstance) -> dict[str, Any]:
    return {"plugin": row.plugin, "instance": row.instance, "state": row.state, "mode": row.mode}


def _facts(host: PluginHost, package: Package) -> dict[str, Any]:
    loaded, manifest = host.loaded.get(package.id), package.manifest
    facts: dict[str, Any] = {"id": package.id, "title": package.title, "state": package.state}
    if package.fault is not None:
        facts["reason"] = package.fault.message
    if manifest is not None:
        facts |= {
            "version": manifest.version,
            "summary": manifest.summary,
            "core": manifest.core,
            "requires": list(manifest.requires),
            "after": list(manifest.after),
            "hosts": [*manifest.egress, *(f"as set in {name}" for name in manifest.egress_from_settings)],
            "personal data": list(manifest.data_classes),
            "tables": list(manifest.tables),
        }
    if loaded is not None:
        for kind, items in loaded.given.items():
            facts[kind] = [str(getattr(item, "key", type(item).__name__)) for item in items]
        facts["settings"] = [entry["name"] for entry in loaded.form]
    return facts


def _text(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


def _verdict(report: Report) -> str:
    count = len(report.findings)
    found = "No findings." if not count else f"{count} finding{'s' if count > 1 else ''}."
    reached = f" Tier: {report.tier or 'none'}."
    lacking = f" For {report.next_tier} it lacks: {', '.join(report.lacking)}." if report.next_tier and report.lacking else ""
    return f"{report.plugin}: {found}{reached}{lacking}"
