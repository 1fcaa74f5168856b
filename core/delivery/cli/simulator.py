"""`oms simulator <plugin>`: a stand-in for the vendor behind a plugin, speaking the vendor's own protocol on this machine."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import click

from config.schema import ROOT

PLUGIN_ENTRY_POINTS = "orderloom.plugins"


class PluginSimulators(click.Group):
    """One subcommand for each plugin that has a module `simulator` with a `simulator_command`; imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Plugins that bring a simulator: those in the project's folder, and installed ones."""
        return sorted(packages_with_simulator())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the signature is click's
        """The simulator of the plugin with this id, or None."""
        package = packages_with_simulator().get(cmd_name)
        if package is None:
            return None
        try:
            command: click.Command = importlib.import_module(f"{package}.simulator").simulator_command
        except (ImportError, AttributeError) as error:
            return _unusable(cmd_name, str(error))
        command.name = cmd_name
        return command


def _unusable(name: str, reason: str) -> click.Command:
    """A command that says why there is none, so that one broken plugin does not hide the others."""

    def explain() -> None:
        raise click.ClickException(f"The simulator of {name} cannot be loaded: {reason}.")

    return click.Command(name, callback=explain, short_help="(cannot be loaded)")


def packages_with_simulator() -> dict[str, str]:
    """Python packages of plugins with a simulator, by plugin id; nothing of them is imported. Blocked plugins count too."""
    local = {path.parent.name: f"plugins.{path.parent.name}" for path in (ROOT / "plugins").glob("*/simulator*") if _is_module(path.name)}
    installed = {point.name: point.module for point in entry_points(group=PLUGIN_ENTRY_POINTS) if _has_simulator(point.module)}
    return installed | local


def _has_simulator(package: str) -> bool:
    top, *rest = package.split(".")
    spec = find_spec(top)
    places = spec.submodule_search_locations if spec is not None else None
    return any(_is_module(path.name) for place in places or () for path in Path(place, *rest).glob("simulator*"))


def _is_module(name: str) -> bool:
    return name in ("simulator", "simulator.py")


@click.command(cls=PluginSimulators, short_help="Run a stand-in for a vendor, such as: oms simulator taobao.")
def command() -> None:
    """Run the simulator of a plugin in the foreground until Ctrl-C. Each has its own options: oms simulator taobao --help."""
