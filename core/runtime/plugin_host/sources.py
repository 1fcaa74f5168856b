"""Reading a plugin's source without running it: what it imports and which tables it declares.

The same rules hold at start-up, where a breach keeps the plugin out, and in `oms plugin check`, which shows file and line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ALLOWED_CORE = "core.sdk"
TEST_CORE = "core.testing"
FORBIDDEN = ("flask_appbuilder", "app", "config")
_SUSPECT = re.compile(rb"^\s*(?:from|import)\s+(?:core|plugins|flask_appbuilder|app|config|\.\.)", re.MULTILINE)
_TABLE = re.compile(rb"__tablename__|Table\(")


@dataclass(frozen=True, slots=True)
class Breach:
    """One place in a plugin's source that breaks a rule. `line` counts from 1."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}: {self.message}"


def python_files(source: Path, *, with_tests: bool = False) -> list[Path]:
    """The Python files of a plugin (a folder or one file), sorted; those under `tests/` only when asked for."""
    if source.is_file():
        return [source]
    files = sorted(path for path in source.rglob("*.py") if "__pycache__" not in path.parts)
    return [path for path in files if with_tests or "tests" not in path.relative_to(source).parts]


def boundary_breaches(source: Path, top_module: str) -> list[Breach]:
    """Imports that reach past `core.sdk`, into another plugin, or at the web framework's internals.

    Files whose text shows no suspicious import are not parsed, so the walk costs little at start-up. One that does not parse is a breach.
    """
    breaches: list[Breach] = []
    for path in python_files(source):
        text = path.read_bytes()
        if source.is_dir() and not _SUSPECT.search(text):
            continue
        tree = _parsed(path, text)
        if isinstance(tree, Breach):
            breaches.append(tree)
            continue
        for line, name in imported_names(tree, package_of(path, source, top_module)):
            reason = why_forbidden(name, top_module)
            if reason:
                breaches.append(Breach(path, line, reason))
    return breaches


def why_forbidden(name: str, top_module: str) -> str:
    """Why a plugin may not import the module `name`; empty when it may."""
    if _is_within(name, top_module) or _is_within(name, ALLOWED_CORE):
        return ""
    if _is_within(name, "core"):
        return f"imports {name}; plugins use core.sdk only"
    if _is_within(name, "plugins"):
        return f"imports {name}; plugins do not know each other"
    return f"imports {name}, which is not for plugins" if any(_is_within(name, top) for top in FORBIDDEN) else ""


def package_of(path: Path, source: Path, top_module: str) -> str:
    """The package that relative imports in `path` start from."""
    if source.is_file():
        return top_module.rpartition(".")[0]
    return ".".join((top_module, *path.relative_to(source).parent.parts))


def imported_names(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a module imports; relative imports are resolved against `package`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join((*parents[: len(parents) - node.level + 1], *filter(None, [base])))
            # `from core import sdk` names a module, `from core.sdk import hookimpl` names a thing in one.
            names = [base] if base not in ("core", "plugins", "") else [f"{base}.{alias.name}".strip(".") for alias in node.names]
            for name in names:
                yield node.lineno, name


def declared_tables(source: Path) -> list[tuple[Path, int, str]]:
    """File, line and name of every table that the source declares by a literal name."""
    found: list[tuple[Path, int, str]] = []
    for path in python_files(source):
        if "migrations" in path.parts:
            continue
        text = path.read_bytes()
        tree = _parsed(path, text) if _TABLE.search(text) else None
        if not isinstance(tree, ast.Module):
            continue
        for node in ast.walk(tree):
            name = _table_name(node)
            if name is not None:
                found.append((path, getattr(node, "lineno", 1), name))
    return found


def table_breaches(source: Path, plugin: str) -> list[Breach]:
    """Tables whose name does not carry the plugin's prefix."""
    prefix = f"plg_{plugin}_"
    return [
        Breach(path, line, f'declares the table "{name}"; its tables start with "{prefix}"')
        for path, line, name in declared_tables(source)
        if not name.startswith(prefix)
    ]


def shown(breaches: Sequence[Breach], limit: int = 3) -> str:
    """The first breaches as one readable line."""
    more = f" (and {len(breaches) - limit} more)" if len(breaches) > limit else ""
    return "; ".join(str(breach) for breach in breaches[:limit]) + more


def _parsed(path: Path, text: bytes) -> ast.Module | Breach:
    try:
        return ast.parse(text, filename=str(path))
    except (SyntaxError, ValueError) as error:
        return Breach(path, getattr(error, "lineno", 1) or 1, f"is not valid Python: {error}")


def _table_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__tablename__" for target in node.targets):
        value: ast.AST | None = node.value
    elif isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Table" and node.args:
        value = node.args[0]
    else:
        return None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _is_within(name: str, top: str) -> bool:
    return name == top or name.startswith(top + ".")
