#!/usr/bin/env python3
"""The two commands of Orderloom, and a few for maintainers. Needs Python 3.11 or newer and nothing else.

    python3 dev.py run  [--port N] [--no-demo] [--data DIR]   everything in one terminal; Ctrl-C stops it
    python3 dev.py test [pytest options]                      all tests

    python3 dev.py setup                                      only make .venv and the command .venv/bin/oms
    python3 dev.py check                                      lint, types, import contracts, house rules
    python3 dev.py bench [name] [--json]                      speed, as ratios to limits measured in the same run
    python3 dev.py reset [--data DIR] [--yes]                 stop the embedded servers and remove all their data

Standard library only, and no syntax newer than Python 3.7, so that older versions get as far as the message in `check_machine`.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

FAILED, USAGE, NEEDS_SET_UP = 1, 2, 3
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "orderloom.json"
LOG = ROOT / "var" / "log" / "setup.log"
# The tests' lock holds all of the first with the same versions (a test proves it), so installing it serves both.
LOCKS = {"run": ROOT / "requirements.lock", "test": ROOT / "tests" / "requirements.lock"}
# Long ones first, so that no process has to wait for another one at the end.
TEST_ORDER = ("scenarios", "functional", "integration", "plugins", "unit", "contracts")
TEST_PROCESSES = 4


class Stop(Exception):
    """Ends the program with a message for people and an exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def check_machine() -> None:
    """Stop with advice where Orderloom cannot run."""
    if sys.version_info < (3, 11):  # noqa: UP036 - older versions are what the message is for
        raise Stop(
            f"Orderloom needs Python 3.11 or newer; {sys.executable} is {platform.python_version()}.\n"
            "Start it with a newer one, for example: python3.12 dev.py run",
            NEEDS_SET_UP,
        )
    if os.name != "posix":
        raise Stop("Orderloom runs on Linux and macOS. On Windows use WSL, or the containers in deploy/.", NEEDS_SET_UP)


def set_up(kind: str) -> None:
    """Make .venv hold what the lock of this kind lists; the stamp tells whether it does, so a second start does nothing."""
    wanted = {kind: fingerprint(LOCKS[kind])}
    if is_stamped(wanted):
        return
    try:
        LOG.parent.mkdir(parents=True, exist_ok=True)
        log = LOG.open("a")
    except PermissionError as error:
        raise Stop(f"{error.filename} belongs to another user. Start as that user, or make a checkout of your own.") from error
    with log, only_one(log):
        if is_stamped(wanted):
            return
        print(f"Setting up in {VENV} (details in {LOG.relative_to(ROOT)}):")
        log.write(f"\n--- {time.strftime('%Y-%m-%d %H:%M:%S')} {sys.executable} {platform.python_version()}\n")
        uv = shutil.which("uv")
        if not (PYTHON.exists() and read_stamp().get("python") == platform.python_version()):
            shutil.rmtree(VENV, ignore_errors=True)
            make_venv(uv, log)
        install(uv, LOCKS[kind], log)
        write_launcher()
        if kind == "test":
            wanted["run"] = fingerprint(LOCKS["run"])
        STAMP.write_text(json.dumps({"python": platform.python_version(), **wanted}))


def fingerprint(lock: Path) -> str:
    """Changes with the lock file, the Python version and the place of the checkout (which the launcher names)."""
    parts = (lock.read_bytes(), platform.python_version().encode(), platform.machine().encode(), os.fsencode(ROOT))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_stamp() -> dict[str, str]:
    """What was installed, or nothing when that is not known."""
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def is_stamped(wanted: dict[str, str]) -> bool:
    """Whether all of `wanted` was installed and still stands."""
    return PYTHON.exists() and wanted.items() <= read_stamp().items()


def make_venv(uv: str | None, log: TextIO) -> None:
    """Make an empty .venv, with uv or with the standard library."""
    if uv and step("new environment", [uv, "venv", "--quiet", "--python", sys.executable, str(VENV)], log):
        return
    try:
        import ensurepip  # noqa: F401 - optional dependency: Debian and Ubuntu split it off
    except ImportError:
        raise Stop(
            "This Python cannot make virtual environments: its module ensurepip is missing.\n"
            f"On Debian and Ubuntu install it with: apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv",
            NEEDS_SET_UP,
        ) from None
    step("new environment", [sys.executable, "-m", "venv", str(VENV)], log, must=True)


def install(uv: str | None, lock: Path, log: TextIO) -> None:
    """Install exactly what the lock lists, checked against its hashes; with uv if it is there and works, else with pip."""
    name = f"packages of {lock.relative_to(ROOT)}"
    hashed = ["--require-hashes", "--no-deps", "-r", str(lock)]
    if uv and step(name, [uv, "pip", "install", "--quiet", "--python", str(PYTHON), *hashed], log):
        return
    pip = [str(PYTHON), "-m", "pip"]
    if subprocess.call([*pip, "--version"], stdout=log, stderr=log) != 0:
        step("pip", [str(PYTHON), "-m", "ensurepip", "--default-pip"], log, must=True)
    step(name, [*pip, "install", "--no-input", "--disable-pip-version-check", "--no-compile", *hashed], log, must=True)


def write_launcher() -> None:
    """Make the project importable from .venv, and write the command .venv/bin/oms.

    An ordinary editable install would need a build backend, thus the network; a path file and five words of shell do the same. The
    command is a shell script because the `#!` line of a Python script can hold neither spaces nor more than 127 characters.
    """
    places = list((VENV / "lib").glob("python*/site-packages"))
    (places[0] / "orderloom.pth").write_text(f"{ROOT}\n")
    launcher = VENV / "bin" / "oms"
    launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(str(PYTHON))} -P -m core.delivery.cli.main "$@"\n')
    launcher.chmod(0o755)


def step(name: str, command: list[str], log: TextIO, *, must: bool = False) -> bool:
    """Run one step with its output in the log, and print one line about it. False when it failed and that may be."""
    began = time.monotonic()
    log.write(f"$ {' '.join(command)}\n")
    log.flush()
    start = LOG.stat().st_size
    code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=str(ROOT))
    word = "done" if code == 0 else "failed" if must else "did not work, trying another way"
    print(f"  {name}: {word} ({time.monotonic() - began:.1f} s)", flush=True)
    if code != 0 and must:
        said = LOG.read_bytes()[start:].decode(errors="replace").strip().splitlines()[-15:]
        raise Stop("\n".join([f"This failed: {' '.join(command)}", *said]))
    return code == 0


@contextlib.contextmanager
def only_one(file: TextIO) -> Iterator[None]:
    """Two starts at once set up one after the other."""
    import fcntl  # optional dependency: missing on Windows, where the check of the machine must still speak

    fcntl.flock(file, fcntl.LOCK_EX)
    yield


def run(arguments: list[str]) -> None:
    """Become `oms up`."""
    set_up("run")
    become("core.delivery.cli.main", "up", *arguments)


def test(arguments: list[str]) -> None:
    """Become pytest; without a path, all tests, side by side on the processors (`-n 0`: in one process)."""
    set_up("test")
    forget_settings()
    os.chdir(ROOT)
    if not any(Path(word.split("::")[0]).exists() for word in arguments if not word.startswith("-")):
        named = [ROOT / "tests" / name for name in TEST_ORDER]
        others = sorted(set((ROOT / "tests").glob("*/")) - {*named, ROOT / "tests" / "fixtures"})
        arguments = [*arguments, *(str(path.relative_to(ROOT)) for path in [*named, *others] if any(path.rglob("test_*.py")))]
        if not any(word.startswith("-n") for word in arguments):
            arguments = ["-n", str(min(os.cpu_count() or 1, TEST_PROCESSES)), "--dist", "loadfile", "--no-loadscope-reorder", *arguments]
    become("pytest", *arguments)


def setup(arguments: list[str]) -> None:
    """Install only."""
    argparse.ArgumentParser(prog="dev.py setup").parse_args(arguments)
    set_up("run")
    print(f"Ready. The command is {VENV / 'bin' / 'oms'}")


def check(arguments: list[str]) -> None:
    """Run every check, also after one has failed."""
    argparse.ArgumentParser(prog="dev.py check").parse_args(arguments)
    set_up("test")
    forget_settings()
    commands = {
        "lint": ["-m", "ruff", "check", "."],
        "types": ["-m", "mypy"],
        "imports": ["-c", "from importlinter.cli import lint_imports_command as run; run()"],
        "house rules": ["-m", "pytest", "-q", "tests/contracts"],
    }
    failed = [name for name, command in commands.items() if subprocess.call([str(PYTHON), *command], cwd=str(ROOT)) != 0]
    if failed:
        raise Stop(f"Failed: {', '.join(failed)}")
    print("All checks passed.")


def bench(arguments: list[str]) -> None:
    """Become the benchmarks."""
    set_up("test")
    forget_settings()
    os.chdir(ROOT)
    become("benchmarks", *arguments)


def reset(arguments: list[str]) -> None:
    """Stop what runs on the data folder and remove it."""
    parser = argparse.ArgumentParser(prog="dev.py reset")
    parser.add_argument("--data", type=Path, default=ROOT / "var")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    options = parser.parse_args(arguments)
    data = options.data.resolve()
    marks = [name for name in ("up.json", "keys.json", "postgres", "valkey", "log") if (data / name).exists()]
    if not marks:
        print(f"There is nothing to remove in {data}.")
        return
    if not options.yes and input(f"Remove all orders, accounts and keys in {data}? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Stop("Nothing was removed.")
    stop_site(data)
    outside = data / "postgres" / "outside"
    if outside.is_symlink():
        shutil.rmtree(outside.resolve(), ignore_errors=True)
    shutil.rmtree(data)
    print(f"Removed {data}.")


def stop_site(data: Path) -> None:
    """End the `oms up` that holds this data folder, if one does, and wait for it."""
    import fcntl  # optional dependency: missing on Windows, where the check of the machine must still speak

    if not (data / "up.json").exists():
        return
    with (data / "up.json").open() as file:
        for patience in range(150):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if patience == 0:
                    os.kill(json.load(file)["pid"], signal.SIGTERM)
                time.sleep(0.1)
            else:
                return
    raise Stop(f"Orderloom still runs on {data}; stop it first.")


def become(module: str, *arguments: str) -> None:
    """Replace this process by a Python module of .venv, so that signals and the exit code are its own."""
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), "-P", "-m", module, *arguments])


def forget_settings() -> None:
    """Tests and measurements must not depend on the settings of the person who starts them."""
    for name in [name for name in os.environ if name.startswith("OMS_")]:
        del os.environ[name]


VERBS = {verb.__name__: verb for verb in (run, test, setup, check, bench, reset)}


def main(words: list[str]) -> int:
    """Run one verb; returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 something is missing on this machine."""
    if not words or words[0] not in VERBS:
        asked = words[:1] in (["-h"], ["--help"], ["help"])
        print(__doc__.strip(), file=sys.stdout if asked else sys.stderr)
        return 0 if asked else USAGE
    try:
        check_machine()
        VERBS[words[0]](words[1:])
    except Stop as stop:
        print(f"dev.py: {stop}", file=sys.stderr)
        return stop.code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
