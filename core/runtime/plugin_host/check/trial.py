"""Loading a plugin for trial, in a process of its own that can hang, exit or crash as it likes.

    python -m core.runtime.plugin_host.check.trial SOURCE TOP_MODULE SPEC_MODULE…     prints {"message": "", "file": "", "line": 1}
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pluggy

from core.runtime.plugin_host import hooks
from core.runtime.plugin_host.check.report import Finding, Subject
from core.runtime.plugin_host.containment import attempt, told
from core.runtime.plugin_host.discovery import package_at, single_file_at
from core.runtime.plugin_host.kinds import kinds_of
from core.runtime.plugin_host.loading import load, make_importable
from core.runtime.plugin_host.markers import PROJECT

LIMIT_S = 30.0
_MARK = "trial:"


def load_findings(subject: Subject, spec_modules: Sequence[str], *, limit_s: float = LIMIT_S) -> Iterator[Finding]:
    """What stands in the way of loading the plugin and its pages; runs its code, elsewhere."""
    command = [sys.executable, "-m", __name__, str(subject.source), subject.top_module, *spec_modules]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
    except subprocess.TimeoutExpired:
        yield Finding("loads", subject.hook_module, 1, f"its code has not loaded within {limit_s:g} seconds")
        return
    line = next((line for line in reversed(ended.stdout.splitlines()) if line.startswith(_MARK)), "")
    if not line:
        yield Finding("loads", subject.hook_module, 1, f"loading its code ended the process with {ended.returncode}")
        return
    answer = json.loads(line.removeprefix(_MARK))
    if answer["message"]:
        yield Finding("loads", Path(answer["file"] or subject.hook_module), answer["line"], answer["message"])


def try_loading(source: Path, top_module: str, spec_modules: Sequence[str]) -> dict[str, Any]:
    """Load the plugin here: the first fault with its place in the plugin, or an empty message."""
    specs = (hooks, *(importlib.import_module(name) for name in spec_modules))
    manager = pluggy.PluginManager(PROJECT)
    for module in specs:
        manager.add_hookspecs(module)
    package = single_file_at(source, top_module) if source.is_file() else package_at(source, top_module)
    if package is None or package.fault is not None:
        return _answer("" if package is None or package.fault is None else package.fault.message)
    make_importable(source.parent)
    _imported, error = attempt(importlib.import_module, package.module)
    if error is not None:
        return _answer(told(error), error, source)
    package, loaded = load(package, manager, kinds_of(specs))
    if loaded is None:
        return _answer(package.fault.message if package.fault is not None else "its code does not load")
    return _pages(loaded.given, source)


def _pages(given: Mapping[str, Sequence[Any]], source: Path) -> dict[str, Any]:
    for kind in ("views", "api"):
        for item in given.get(kind, ()):
            _class, error = attempt(item.load)
            if error is not None:
                return _answer(f"{item.key}: {told(error)}", error, source)
    return _answer("")


def _answer(message: str, error: BaseException | None = None, source: Path | None = None) -> dict[str, Any]:
    file, line = "", 1
    if error is not None and source is not None:
        if isinstance(error, SyntaxError) and error.filename:
            file, line = error.filename, error.lineno or 1
        for frame in traceback.extract_tb(error.__traceback__):
            if Path(frame.filename).is_relative_to(source):
                file, line = frame.filename, frame.lineno or 1
    return {"message": message, "file": file, "line": line}


def main() -> None:
    """Load what the arguments name and print the answer."""
    source, top_module, *spec_modules = sys.argv[1:]
    answer = try_loading(Path(source), top_module, spec_modules)
    print(f"\n{_MARK}{json.dumps(answer)}", flush=True)  # noqa: T201 - the answer to the process that asked


if __name__ == "__main__":
    main()
