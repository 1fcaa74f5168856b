"""Finding the simulators of plugins."""

from __future__ import annotations

import click

from core.delivery.cli import simulator
from core.delivery.cli.main import run


def test_simulators_are_those_of_the_plugins_when_listed():
    assert set(simulator.packages_with_simulator()) >= {"jd", "taobao"}
    assert simulator.packages_with_simulator()["taobao"] == "plugins.taobao"


def test_simulator_of_each_plugin_loads_when_asked_for():
    context = click.Context(simulator.command)

    loaded = {name: simulator.command.get_command(context, name).short_help for name in simulator.packages_with_simulator()}

    assert "(cannot be loaded)" not in loaded.values()


def test_one_broken_simulator_leaves_the_others_when_it_cannot_be_imported(monkeypatch, capsys):
    monkeypatch.setattr(simulator, "packages_with_simulator", lambda: {"broken": "no_such_package", "taobao": "plugins.taobao"})

    assert run(["simulator", "--help"]) == 0
    assert "taobao" in capsys.readouterr().out
    assert run(["simulator", "broken"]) == 1
    assert capsys.readouterr().err == "oms: The simulator of broken cannot be loaded: No module named 'no_such_package'.\n"


def test_simulator_is_unknown_when_no_plugin_has_that_id(capsys):
    assert run(["simulator", "nobody"]) == 2
