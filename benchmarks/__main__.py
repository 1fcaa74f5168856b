"""`python -m benchmarks [name…] [--json]`: runs the named benchmarks, or all of them one after the other."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Callable

import benchmarks


def found() -> dict[str, Callable[[bool], None]]:
    """The benchmarks by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.name.startswith("_"))
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module.run for name, module in modules.items() if hasattr(module, "run")}


def main(arguments: list[str]) -> int:
    """Run what the command line names; 2 when it names something else."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name")
    parser.add_argument("--json", action="store_true", help="one JSON object per benchmark, for machines")
    options = parser.parse_args(arguments)
    known = found()
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(known)}")
    for name in options.names or known:
        known[name](options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
