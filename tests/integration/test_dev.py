"""The file of the two commands: what it says where it cannot work, when it has nothing to do, and what it removes."""

from __future__ import annotations

import ast
import fcntl
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from tests.fixtures.servers import ROOT

Version = namedtuple("Version", "major minor micro releaselevel serial")


@pytest.fixture
def dev(tmp_path, monkeypatch):
    """The module, working on a scratch project whose path holds a space."""
    spec = importlib.util.spec_from_file_location("dev_under_test", ROOT / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    root = tmp_path / "a project"
    (root / "tests").mkdir(parents=True)
    for name in ("requirements.lock", "tests/requirements.lock"):
        (root / name).write_text(f"# nothing in {name}\n")
    for name, value in {
        "ROOT": root,
        "VENV": root / ".venv",
        "PYTHON": root / ".venv/bin/python",
        "STAMP": root / ".venv/orderloom.json",
        "LOG": root / "var/log/setup.log",
        "LOCKS": {"run": root / "requirements.lock", "test": root / "tests/requirements.lock"},
    }.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return module


def test_file_uses_the_standard_library_only_when_imported():
    tree = ast.parse((ROOT / "dev.py").read_text())

    imported = {alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert imported <= sys.stdlib_module_names


def test_file_is_understood_by_python_3_7_when_it_must_say_that_it_needs_a_newer_one():
    tree = ast.parse((ROOT / "dev.py").read_text(), feature_version=(3, 7))

    assert "main" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    with pytest.raises(SyntaxError):
        ast.parse("if (n := 1): pass", feature_version=(3, 7))  # the check can tell


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["no-such-verb"], 2), (["--help"], 0)])
def test_usage_is_shown_when_the_verb_is_missing_or_unknown(arguments, code):
    result = subprocess.run([sys.executable, ROOT / "dev.py", *arguments], capture_output=True, text=True, check=False)

    assert result.returncode == code
    assert "python3 dev.py run" in (result.stdout if code == 0 else result.stderr)


def test_start_stops_with_advice_when_python_is_too_old(dev, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", Version(3, 10, 4, "final", 0))

    assert dev.main(["setup"]) == 3
    assert "Orderloom needs Python 3.11 or newer" in capsys.readouterr().err
    assert not dev.VENV.exists()


def test_start_names_the_package_to_install_when_ensurepip_is_missing(dev, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ensurepip", None)

    assert dev.main(["setup"]) == 3
    assert f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in capsys.readouterr().err


def test_setup_makes_the_command_once_when_run_twice(dev, capsys):
    assert dev.main(["setup"]) == 0
    first = capsys.readouterr().out
    began = time.monotonic()
    assert dev.main(["setup"]) == 0

    assert time.monotonic() - began < 0.2
    assert re.findall(r"^  (.+): done", first, re.MULTILINE) == ["new environment", "packages of requirements.lock"]
    assert capsys.readouterr().out == f"Ready. The command is {dev.VENV / 'bin/oms'}\n"
    (dev.ROOT / "core/delivery/cli").mkdir(parents=True)
    (dev.ROOT / "core/delivery/cli/main.py").write_text("import sys; print(sys.argv[1:])")
    called = subprocess.run([dev.VENV / "bin/oms", "a b", "$c"], capture_output=True, text=True, check=True, cwd="/")
    assert called.stdout == "['a b', '$c']\n"


def test_stamp_is_old_when_the_lock_changes_or_the_project_moves(dev, monkeypatch):
    lock = dev.LOCKS["run"]
    prints = {dev.fingerprint(lock)}
    lock.write_text("# another")
    prints.add(dev.fingerprint(lock))
    monkeypatch.setattr(dev, "ROOT", dev.ROOT / "moved")
    prints.add(dev.fingerprint(lock))

    assert len(prints) == 3


def test_setup_shows_the_end_of_the_log_when_a_package_cannot_be_installed(dev, capsys):
    dev.LOCKS["run"].write_text("no-such-package-of-orderloom @ file:///no/such/file.whl --hash=sha256:00\n")

    assert dev.main(["setup"]) == 1
    assert "file.whl is not a valid wheel filename" in capsys.readouterr().err
    assert not dev.STAMP.exists()


def test_tests_lock_holds_the_other_lock_when_both_are_made():
    def pins(path: Path) -> set[str]:
        return set(re.findall(r"^[\w.\-]+==[^\s\\;]+", path.read_text(), re.MULTILINE))

    run, test = pins(ROOT / "requirements.lock"), pins(ROOT / "tests/requirements.lock")

    assert len(run) > 50
    assert run - test == set()


def test_test_runs_everything_side_by_side_when_no_path_is_given(dev, monkeypatch):
    for name in ("unit", "scenarios", "integration", "fixtures", "other"):
        (dev.ROOT / "tests" / name).mkdir()
        (dev.ROOT / "tests" / name / "test_it.py").write_text("")
    folders = ("tests/scenarios", "tests/integration", "tests/unit", "tests/other")
    started = []
    monkeypatch.setattr(dev, "set_up", started.append)
    monkeypatch.setattr(dev, "become", lambda *command: started.append(command))
    monkeypatch.setenv("OMS_PORT", "1")
    monkeypatch.chdir(ROOT)

    monkeypatch.setattr(dev.os, "cpu_count", lambda: 16)

    dev.test(["-q", "-k", "word"])
    dev.test(["-n", "0"])
    dev.test(["tests/unit/test_it.py::test_a"])

    assert started == [
        "test",
        ("pytest", "-n", "4", "--dist", "loadfile", "--no-loadscope-reorder", "-q", "-k", "word", *folders),
        "test",
        ("pytest", "-n", "0", *folders),
        "test",
        ("pytest", "tests/unit/test_it.py::test_a"),
    ]
    assert "OMS_PORT" not in os.environ


def test_reset_removes_the_data_and_what_lies_outside_when_told_yes(dev, tmp_path):
    data, outside = tmp_path / "data", tmp_path / "outside"
    (data / "postgres").mkdir(parents=True)
    outside.mkdir()
    (outside / "base").write_text("rows")
    (data / "postgres" / "outside").symlink_to(outside)

    assert dev.main(["reset", "--data", str(data), "--yes"]) == 0

    assert (data.exists(), outside.exists()) == (False, False)


def test_reset_removes_nothing_when_the_answer_is_no(dev, monkeypatch, tmp_path, capsys):
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    monkeypatch.setattr("builtins.input", lambda _question: "")

    assert dev.main(["reset", "--data", str(tmp_path / "data")]) == 1

    assert (tmp_path / "data" / "postgres").exists()
    assert capsys.readouterr().err == "dev.py: Nothing was removed.\n"


def test_reset_removes_nothing_when_the_folder_is_not_ours(dev, tmp_path):
    (tmp_path / "letters").mkdir()

    assert dev.main(["reset", "--data", str(tmp_path), "--yes"]) == 0

    assert (tmp_path / "letters").exists()


def test_reset_stops_the_running_site_first_when_there_is_one(dev, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    code = (
        "import fcntl, json, os, sys, time\n"
        "file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX)\n"
        "json.dump({'pid': os.getpid()}, file); file.flush(); print('up', flush=True); time.sleep(600)"
    )
    site = subprocess.Popen([sys.executable, "-c", code, data / "up.json"], stdout=subprocess.PIPE)
    site.stdout.readline()

    assert dev.main(["reset", "--data", str(data), "--yes"]) == 0

    assert site.wait(5) == -15
    assert not data.exists()


def test_setup_waits_when_another_one_is_at_work(dev):
    dev.LOG.parent.mkdir(parents=True)
    with dev.LOG.open("a") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        code = f"import importlib.util as u, sys; s = u.spec_from_file_location('dev', {str(ROOT / 'dev.py')!r}); m = u.module_from_spec(s); s.loader.exec_module(m)\n"
        code += f"from pathlib import Path; m.LOG = Path({str(dev.LOG)!r}); file = m.LOG.open('a')\n"
        code += "print('waits', flush=True)\nwith m.only_one(file): print('enters', flush=True)"
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert other.stdout.readline() == "waits\n"
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(0.3)

    assert other.communicate(timeout=5)[0] == "enters\n"


def test_build_server_script_runs_the_tests_when_called():
    script = (ROOT / ".ci" / "run").read_text()

    assert script.rstrip().endswith('exec "${PYTHON:-python3}" dev.py test "$@"')
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=False).returncode == 0
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    assert (
        json.dumps(sorted(re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)))
        == '["run test setup check bench reset"]'
    )
