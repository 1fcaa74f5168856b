"""`oms plugin` from the command line."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest

from core.delivery.cli import plugin
from core.delivery.cli.installation import read_installation
from core.delivery.cli.main import DONE, FAILED, run
from core.runtime.events import install_registry

TOY = "tests/toy_plugins/toy_hello.py"


@pytest.fixture
def on_world(world, monkeypatch, tmp_path):
    """Let the commands work on the test's database, with a plugin that needs no settings listed."""
    listing = tmp_path / "plugins.toml"
    listing.write_text('[[plugin]]\nid = "jd"\n[[plugin]]\nid = "gone"\n')
    settings = replace(read_installation(data_dir=tmp_path), database_url=world.app_url, plugins_file=listing)

    @contextmanager
    def running():
        yield settings

    monkeypatch.setattr(plugin, "running_installation", running)
    monkeypatch.setenv("OMS_PLUGINS_FILE", str(listing))
    yield world
    install_registry(None)


def shown(capsys):
    return json.loads(capsys.readouterr().out)


def test_check_ends_well_when_nothing_is_found(capsys):
    assert run(["plugin", "check", TOY, "--json"]) == DONE
    assert shown(capsys)["findings"] == []


def test_check_ends_with_one_and_names_the_place_when_something_is_found(capsys):
    code = run(["plugin", "check", "tests/toy_plugins/toy_reaches_in.py"])

    *places, verdict = capsys.readouterr().out.splitlines()
    assert code == FAILED
    assert places == [
        "tests/toy_plugins/toy_reaches_in.py:3: imports: imports core.runtime.tenancy; plugins use core.sdk only",
        "tests/toy_plugins/toy_reaches_in.py:4: imports: imports plugins.toy_hello; plugins do not know each other",
    ]
    assert verdict.startswith("toy_reaches_in: 2 findings. Tier: none. For bronze it lacks: connection_tested, ")


def test_new_writes_a_plugin_that_passes_the_check(capsys, tmp_path):
    made = run(["plugin", "new", "cli_tea", "--folder", str(tmp_path / "plugins"), "--tests", str(tmp_path / "tests" / "plugins")])
    checked = run(["plugin", "check", str(tmp_path / "plugins" / "cli_tea")])

    assert (made, checked) == (DONE, DONE)
    assert capsys.readouterr().out.splitlines()[-1].startswith("cli_tea: No findings. Tier: bronze.")


@pytest.mark.database
def test_list_says_why_a_plugin_cannot_be_used(on_world, capsys):
    run(["plugin", "list", "--json"])

    rows = {row["id"]: (row["state"], row["reason"]) for row in shown(capsys) if row["state"] != "unlisted"}
    assert rows == {
        "gone": ("unavailable", "plugins.toml lists gone, but no such plugin is installed."),
        "jd": ("installed", ""),
    }


@pytest.mark.database
def test_show_names_what_a_plugin_brings(on_world, capsys):
    run(["plugin", "show", "jd", "--json"])

    facts = shown(capsys)
    assert (facts["marketplaces"], facts["hosts"]) == (["jd"], ["api.jd.com", "as set in gateway"])


@pytest.mark.database
def test_enable_is_refused_readably_when_settings_are_missing(on_world, capsys):
    code = run(["plugin", "enable", "jd", "--tenant", "tea", "--json"])

    assert (code, shown(capsys)["error"]) == (FAILED, "plugin.state_forbids")


@pytest.mark.database
def test_problems_are_none_when_nothing_went_wrong(on_world, capsys):
    assert run(["plugin", "problems", "--tenant", "tea"]) == DONE
    assert capsys.readouterr().out == "There are no problems.\n"


@pytest.mark.database
@pytest.mark.parametrize(
    ("arguments", "error"), [(["enable", "nothing"], "plugin.unknown"), (["disable", "jd"], "plugin.instance_unknown")]
)
def test_command_fails_readably_when_there_is_no_such_plugin(on_world, capsys, arguments, error):
    code = run(["plugin", *arguments, "--tenant", "tea", "--json"])

    assert (code, shown(capsys)["error"]) == (FAILED, error)
