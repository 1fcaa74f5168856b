"""No test only runs something: each says what has to be true afterwards."""

import ast
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
SAYING = {"raises", "fail", "warns", "expect"}


def _says_something(test: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Assert) or getattr(node, "attr", getattr(node, "id", "")) in SAYING for node in ast.walk(test))


def test_every_test_asserts_something():
    silent = [
        f"{path.relative_to(TESTS)}:{node.lineno} {node.name}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _says_something(node)
    ]

    assert silent == []
