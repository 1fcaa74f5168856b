"""What a check found."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.runtime.plugin_host.manifest import Manifest
from core.runtime.plugin_host.sources import python_files


@dataclass(frozen=True, slots=True)
class Finding:
    """One place that breaks a rule. `line` counts from 1."""

    rule: str
    path: Path
    line: int
    message: str

    def shown(self, base: Path) -> str:
        """`file:line: rule: message`, the file relative to `base` where it lies below it."""
        path = self.path.relative_to(base) if self.path.is_relative_to(base) else self.path
        return f"{path}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True, slots=True)
class Report:
    """The findings in one plugin, the tier it reaches (empty: none) and the rules that the next tier lacks."""

    plugin: str
    findings: tuple[Finding, ...]
    tier: str = ""
    next_tier: str = ""
    lacking: tuple[str, ...] = ()

    @property
    def is_ok(self) -> bool:
        return not self.findings


@dataclass(frozen=True)
class Subject:
    """The plugin under check: its place, its manifest, its parsed files. `hooks` are the names that exist."""

    source: Path
    top_module: str
    manifest: Manifest
    hooks: frozenset[str]

    @property
    def is_single_file(self) -> bool:
        return self.source.is_file()

    @property
    def manifest_path(self) -> Path:
        """The file that holds the manifest."""
        return self.source if self.is_single_file else self.source / "plugin.toml"

    @property
    def hook_module(self) -> Path:
        """The file that holds the hook functions."""
        return self.source if self.is_single_file else self.source / "plugin.py"

    @cached_property
    def _parsed(self) -> dict[Path, ast.Module | tuple[int, str]]:
        """Every Python file, each read once: its tree, or the line and the reason why it has none."""
        parsed: dict[Path, ast.Module | tuple[int, str]] = {}
        for path in python_files(self.source):
            try:
                parsed[path] = ast.parse(path.read_bytes(), filename=str(path))
            except SyntaxError as error:
                parsed[path] = (error.lineno or 1, error.msg)
            except ValueError as error:
                parsed[path] = (1, str(error))
        return parsed

    @cached_property
    def unparsed(self) -> dict[Path, tuple[int, str]]:
        """The Python files that do not parse, each with the line and the reason."""
        return {path: found for path, found in self._parsed.items() if isinstance(found, tuple)}

    @cached_property
    def trees(self) -> dict[Path, ast.Module]:
        """The parsed Python files of the plugin, its tests left out; what does not parse stands in `unparsed`."""
        return {path: found for path, found in self._parsed.items() if isinstance(found, ast.Module)}

    def is_part(self, path: Path, *names: str) -> bool:
        """Whether the file belongs to a module or sub-package of one of these names (`simulator`, `migrations`)."""
        if self.is_single_file:
            return False
        return path.relative_to(self.source).parts[0].removesuffix(".py") in names

    def calls(self) -> Iterator[tuple[Path, ast.Call]]:
        """Every call in the plugin."""
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.Call):
                    yield path, node

    def line_of(self, key: str) -> int:
        """The line of the manifest that sets `key`; 1 when it does not."""
        for number, line in enumerate(self.manifest_path.read_text(encoding="utf-8").splitlines(), 1):
            if line.lstrip().startswith((f"{key} ", f"{key}=", f"[{key}]")) or f'"{key}"' in line:
                return number
        return 1
