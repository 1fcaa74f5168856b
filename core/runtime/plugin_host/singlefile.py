"""Plugins of one file: the manifest is the literal `PLUGIN = {...}` at the top of the module, read without running it."""

from __future__ import annotations

import ast
from pathlib import Path

from core.runtime.plugin_host.errors import ManifestInvalid
from core.runtime.plugin_host.manifest import CORE_VERSION, Manifest, manifest_from

NAME = "PLUGIN"


def read_single_file(path: Path) -> Manifest | None:
    """The manifest inside the Python file `path`, or None when the file holds none and so is no plugin.

    Left out, `title` is the first line of the module's docstring and `core` the present version. Raises ManifestInvalid.
    """
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        raise ManifestInvalid([f"{path.name} is not valid Python: {error}"]) from error
    for node in tree.body:
        if not isinstance(node, ast.Assign) or [getattr(target, "id", "") for target in node.targets] != [NAME]:
            continue
        try:
            raw = ast.literal_eval(node.value)
        except ValueError:
            raise ManifestInvalid([f"{path.name}:{node.lineno}: {NAME} must be a literal dictionary"]) from None
        if not isinstance(raw, dict):
            raise ManifestInvalid([f"{path.name}:{node.lineno}: {NAME} must be a literal dictionary"])
        title = (ast.get_docstring(tree) or path.stem).split("\n", 1)[0].rstrip(".")
        return manifest_from({"title": title, "core": f"~={CORE_VERSION}", **raw})
    return None
