"""Rules on a plugin's Python: hooks, imports, tables, hosts, size, and what does not belong there."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from core.runtime.plugin_host.addresses import matches
from core.runtime.plugin_host.check.report import Finding, Subject
from core.runtime.plugin_host.sources import boundary_breaches, declared_tables, imported_names, package_of, table_breaches

# What Orderloom brings and plugins may use without naming it.
PROVIDED = frozenset({"core", "plugins", "marshmallow", "sqlalchemy", "click", "babel"})
NETWORK = frozenset({"socket", "ssl", "http", "urllib3", "requests", "httpx", "aiohttp", "ftplib", "smtplib", "telnetlib", "websockets"})
WEB = frozenset({"flask", "werkzeug", "wtforms", "flask_babel", "flask_wtf", "markupsafe", "jinja2"})
WEB_MODULES = ("views", "api", "forms", "simulator")
DANGEROUS = frozenset({"eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads", "marshal.loads"})
MAX_HOOK_LINES, MAX_LINES = 120, 500
_NETWORK_MODULES = ("urllib.request", "http.client", "http.server")
_SECRET_NAME = re.compile(r"(secret|passw|token|(^|_)session($|_)|api_key|private|credential)", re.IGNORECASE)


def syntax_findings(subject: Subject) -> Iterator[Finding]:
    """Files that are not Python."""
    for path, (line, reason) in subject.unparsed.items():
        yield Finding("syntax", path, line, reason)


def hook_findings(subject: Subject) -> Iterator[Finding]:
    """Hook functions have names that exist, take nothing and wrap nothing."""
    tree = subject.trees.get(subject.hook_module)
    for node in ast.walk(tree) if tree is not None else ():
        if not isinstance(node, ast.FunctionDef) or not any(_is_hookimpl(mark) for mark in node.decorator_list):
            continue
        if node.name not in subject.hooks:
            close = get_close_matches(node.name, sorted(subject.hooks), n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield Finding("hooks", subject.hook_module, node.lineno, f"there is no hook {node.name}{hint}")
        if node.args.args or node.args.vararg or node.args.kwonlyargs:
            yield Finding(
                "hooks", subject.hook_module, node.lineno, f"{node.name} takes arguments; hooks run once, at start-up, without any"
            )
        if any(isinstance(mark, ast.Call) and mark.keywords for mark in node.decorator_list):
            yield Finding("hooks", subject.hook_module, node.lineno, f"{node.name} sets hookimpl options; the host decides the order")


def _is_hookimpl(mark: ast.expr) -> bool:
    target = mark.func if isinstance(mark, ast.Call) else mark
    return getattr(target, "id", getattr(target, "attr", "")) == "hookimpl"


def import_findings(subject: Subject) -> Iterator[Finding]:
    """Imports stay within the SDK, the plugin itself, and the libraries it names; the network is left to `ctx.http`."""
    for breach in boundary_breaches(subject.source, subject.top_module):
        yield Finding("imports", breach.path, breach.line, breach.message)
    own, declared = subject.top_module.split(".")[0], {name.split(".")[0] for name in subject.manifest.libraries}
    known = PROVIDED | declared | {own, "tests"}
    for path, tree in subject.trees.items():
        is_simulator, is_migration = subject.is_part(path, "simulator"), subject.is_part(path, "migrations")
        for line, name in imported_names(tree, package_of(path, subject.source, subject.top_module)):
            top = name.split(".")[0]
            if top in WEB and not subject.is_part(path, *WEB_MODULES):
                yield Finding("imports", path, line, f"imports {name}; the web framework belongs into views, api and forms")
            elif (top in NETWORK or name.startswith(_NETWORK_MODULES)) and not is_simulator and top not in declared:
                yield Finding("imports", path, line, f"imports {name}; outgoing calls go through ctx.http")
            elif not (top in known or top in sys.stdlib_module_names or top in WEB or (is_migration and top == "alembic")):
                yield Finding("imports", path, line, f'imports {top}, which the manifest\'s "libraries" does not name')


def table_findings(subject: Subject) -> Iterator[Finding]:
    """Tables carry the plugin's prefix, and manifest, code and migrations agree on them."""
    for breach in table_breaches(subject.source, subject.manifest.id):
        yield Finding("tables", breach.path, breach.line, breach.message)
    found = declared_tables(subject.source)
    for path, line, name in found:
        if name.startswith(f"plg_{subject.manifest.id}_") and name not in subject.manifest.tables:
            yield Finding("tables", path, line, f'the manifest\'s "tables" does not name {name}')
    for name in sorted(set(subject.manifest.tables) - {name for _path, _line, name in found}):
        yield Finding("tables", subject.manifest_path, subject.line_of("tables"), f'"tables" names {name}, which no class declares')
    if found and not subject.is_single_file and not any((subject.source / "migrations").rglob("*.py")):
        yield Finding("tables", found[0][0], found[0][1], "declares tables, but there are no migrations")


def host_findings(subject: Subject) -> Iterator[Finding]:
    """Addresses in the code are on the manifest's list."""
    for path, tree in subject.trees.items():
        if subject.is_part(path, "simulator"):
            continue
        for line, text in _texts(tree):
            parts = urlsplit(text) if text.startswith(("http://", "https://")) else None
            host = parts.hostname if parts is not None else None
            if parts is None or not host or "{" in host or "%" in host:
                continue
            if not any(matches(pattern, host, 443) for pattern in subject.manifest.egress):
                yield Finding("egress", path, line, f'names the host {host}, which is not in "egress"')
            elif parts.scheme == "http":
                yield Finding("egress", path, line, f"names {host} without encryption")


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and value of text literals, docstrings left out."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def danger_findings(subject: Subject) -> Iterator[Finding]:
    """Nothing turns data into code, or starts programs."""
    for path, call in subject.calls():
        name = ast.unparse(call.func)
        if name in DANGEROUS or name.startswith("subprocess."):
            yield Finding("danger", path, call.lineno, f"calls {name}; plugins neither turn data into code nor start programs")


def secret_findings(subject: Subject) -> Iterator[Finding]:
    """Settings whose names speak of secrets are stored as such."""
    for path, tree in subject.trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef) or not any("Schema" in ast.unparse(base) for base in node.bases):
                continue
            for line in node.body:
                if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call) and isinstance(line.targets[0], ast.Name):
                    name, text = line.targets[0].id, ast.unparse(line.value)
                    if _SECRET_NAME.search(name) and not text.startswith("Secret(") and "'secret': True" not in text:
                        yield Finding("secrets", path, line.lineno, f"{name} looks like a secret, but is stored and shown in the clear")


def size_findings(subject: Subject) -> Iterator[Finding]:
    """Files stay small enough to read; `plugin.py` holds hook functions only."""
    for path in subject.trees:
        count = len(path.read_text(encoding="utf-8").splitlines())
        limit = MAX_HOOK_LINES if path == subject.hook_module and not subject.is_single_file else MAX_LINES
        if count > limit:
            yield Finding("size", path, limit + 1, f"has {count} lines; {limit} are the limit")


def defines(subject: Subject, word: str) -> bool:
    """Whether the plugin's code speaks of `word` at all, as a name, an argument or an attribute."""
    return any(
        word in (getattr(node, "arg", None), getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "name", None))
        for tree in subject.trees.values()
        for node in ast.walk(tree)
    )


def files_named(folder: Path, *patterns: str) -> list[Path]:
    """Files below `folder` that match one of the patterns, sorted; none when it does not exist."""
    return sorted(path for pattern in patterns for path in folder.rglob(pattern)) if folder.is_dir() else []
