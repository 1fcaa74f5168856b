"""The command frame: finding subcommands, and turning errors into messages and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import click
import pytest
from psycopg.errors import UndefinedTable
from sqlalchemy.exc import OperationalError, ProgrammingError

from core import __version__
from core.delivery.cli import main
from core.delivery.cli.output import NeedsSetUp, table
from core.kernel.errors import Conflict
from core.runtime.db.embedded_process import EmbeddedNotPossible
from tests.fixtures.servers import ROOT


@pytest.fixture
def failing(monkeypatch):
    """A subcommand `fail` that raises what the test puts into it."""
    raised = []

    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def fail(as_json):
        raise raised[0]

    monkeypatch.setattr(main.ModuleGroup, "get_command", lambda _group, _context, name: fail if name == "fail" else None)
    return raised


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (Conflict("It is taken."), main.FAILED, "conflict"),
        (NeedsSetUp("It is taken."), main.NEEDS_SET_UP, "cli.needs_set_up"),
        (EmbeddedNotPossible("It is taken."), main.NEEDS_SET_UP, "embedded.not_possible"),
        (click.ClickException("It is taken."), main.FAILED, "cli.failed"),
    ],
)
def test_run_returns_a_code_and_a_message_when_a_command_fails(failing, capsys, error, code, name):
    failing.append(error)

    assert main.run(["fail"]) == code
    assert capsys.readouterr() == ("", "oms: It is taken.\n")
    assert main.run(["fail", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {"error": name, "message": "It is taken."}


@pytest.mark.parametrize(
    ("error", "name", "told"),
    [
        (ProgrammingError("SELECT secret", {}, UndefinedTable()), "cli.no_schema", "oms: This database has no tables of Orderloom."),
        (OperationalError("SELECT secret", {}, Exception("gone")), "cli.no_database", "oms: The database cannot be reached."),
    ],
)
def test_run_says_what_to_do_when_the_database_is_not_there(failing, capsys, error, name, told):
    failing.append(error)

    assert main.run(["fail"]) == main.NEEDS_SET_UP
    told_text = capsys.readouterr().err
    assert told_text.startswith(told)
    assert "secret" not in told_text
    assert main.run(["fail", "--json"]) == main.NEEDS_SET_UP
    assert json.loads(capsys.readouterr().out)["error"] == name


def test_run_lets_other_faults_of_the_database_out(failing):
    failing.append(ProgrammingError("SELECT", {}, Exception("no such column")))

    with pytest.raises(ProgrammingError):
        main.run(["fail"])


def test_data_folder_is_that_of_the_option_when_given(failing, monkeypatch, tmp_path):
    monkeypatch.setenv("OMS_DATA_DIR", "elsewhere")
    failing.append(Conflict("It is taken."))

    main.run(["--data", str(tmp_path), "fail"])

    assert os.environ["OMS_DATA_DIR"] == str(tmp_path)


def test_run_names_the_nearest_command_when_there_is_none_of_that_name(capsys):
    assert main.run(["serv"]) == main.USAGE
    assert "No such command 'serv'. Did you mean 'serve'?" in capsys.readouterr().err


def test_run_refuses_an_option_when_the_command_has_none_of_that_name(capsys):
    assert main.run(["serve", "--no-such-option"]) == main.USAGE


def test_commands_are_the_modules_that_define_one_when_listed():
    names = main.oms.list_commands(click.Context(main.oms))

    assert {"doctor", "migrate", "prepare", "serve", "settings", "simulator", "up"} <= set(names)
    assert {"main", "output", "supervisor", "installation", "listening"}.isdisjoint(names)


def test_every_command_loads_and_explains_itself_when_listed():
    context = click.Context(main.oms)

    without_help = [name for name in main.oms.list_commands(context) if not main.oms.get_command(context, name).get_short_help_str()]

    assert without_help == []


def test_help_of_one_command_imports_no_other_when_asked():
    code = "import sys; from core.delivery.cli.main import run; run(['settings', '--help']); print('flask' in sys.modules, 'redis' in sys.modules)"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout

    assert printed.splitlines()[-1] == "False False"


def test_version_is_the_projects_when_asked(capsys):
    assert main.run(["--version"]) == main.DONE
    assert capsys.readouterr().out == f"oms, version {__version__}\n"


def test_table_is_as_wide_as_its_values_when_printed():
    rows = [{"name": "a", "size": 10}, {"name": "longer", "size": 2}]

    assert table(rows, ["name", "size"]) == "name    size\na       10\nlonger  2"
