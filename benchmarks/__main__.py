"""`python -m benchmarks [name…] [--json] [--rows N] [--brief]`: runs the named benchmarks, or all of them one after the other."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Callable

import benchmarks
from benchmarks.measure import Options


def found() -> dict[str, Callable[[Options], None]]:
    """The benchmarks by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_"))
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module.run for name, module in modules.items() if hasattr(module, "run")}


def main(arguments: list[str]) -> int:
    """Run what the command line names; 2 when it names something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name")
    parser.add_argument("--json", action="store_true", help="one JSON object per benchmark, for machines")
    parser.add_argument("--rows", type=int, help="orders in the large list (default 1,000,000)")
    parser.add_argument("--brief", action="store_true", help="only see that it works; the figures say nothing")
    given = parser.parse_args(arguments)
    known = found()
    unknown = [name for name in given.names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(known)}")
    options = Options(json=given.json, rows=given.rows, is_brief=given.brief)
    for name in given.names or known:
        known[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
