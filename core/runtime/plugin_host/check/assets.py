"""Rules on what lies beside the code: templates, scripts, styles, translations, README, tests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from core.runtime.plugin_host.check.code import files_named
from core.runtime.plugin_host.check.report import Finding, Subject

SOURCE_LOCALE = "en"
MIN_README = 200
_MARKUP_RULES = (
    (re.compile(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", re.IGNORECASE), "holds a script; put it into static/ and use data- attributes"),
    (re.compile(r"<[^>]+\son[a-z]+\s*=", re.IGNORECASE), "binds an event in the markup; put it into a script in static/"),
    (re.compile(r"<style\b|<[^>]+\sstyle\s*=", re.IGNORECASE), "holds style; put it into a style sheet in static/"),
    (re.compile(r"javascript:", re.IGNORECASE), "holds a javascript: address"),
    (re.compile(r"\{\{[^}]*\|\s*safe\b"), "marks a value as safe; the page would show it unescaped"),
)
_OUTSIDE = re.compile(
    r"""(?:src|srcset|action|poster|data)\s*=\s*["'](?:https?:)?//|<link\b[^>]*href\s*=\s*["'](?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//|@import\s+["']?(?:https?:)?//|\bimport\s*\(?\s*["'](?:https?:)?//|\bfrom\s+["'](?:https?:)?//"""
    r"""|\bfetch\(\s*["'](?:https?:)?//""",
    re.IGNORECASE,
)


def markup_findings(subject: Subject) -> Iterator[Finding]:
    """Templates hold no script, style or event; nothing is fetched from outside; files lie in a folder of the plugin's name."""
    if subject.is_single_file:
        return
    for path in files_named(subject.source / "templates", "*.html", "*.svg", "*.txt"):
        text = path.read_text(encoding="utf-8", errors="replace")
        for rule, message in _MARKUP_RULES:
            for found in rule.finditer(text):
                yield Finding("templates", path, _line(text, found.start()), message)
    for folder in ("templates", "static"):
        for path in files_named(subject.source / folder, "*.html", "*.svg", "*.css", "*.js"):
            text = path.read_text(encoding="utf-8", errors="replace")
            for found in _OUTSIDE.finditer(text):
                yield Finding(folder, path, _line(text, found.start()), "fetches something from outside")
        for path in sorted((subject.source / folder).iterdir()) if (subject.source / folder).is_dir() else ():
            if path.name != subject.manifest.id:
                yield Finding(folder, path, 1, f"lies outside {folder}/{subject.manifest.id}/")


def translation_findings(subject: Subject) -> Iterator[Finding]:
    """Every language that the manifest names has a catalogue, compiled, and complete."""
    if subject.is_single_file:
        return
    for locale in subject.manifest.locales:
        if locale == SOURCE_LOCALE:
            continue
        folder = subject.source / "translations" / locale / "LC_MESSAGES"
        catalogues = files_named(folder, "*.po")
        if not catalogues:
            yield Finding(
                "translations", subject.manifest_path, subject.line_of("locales"), f'"locales" names {locale}, which has no catalogue'
            )
        for path in catalogues:
            if not path.with_suffix(".mo").is_file():
                yield Finding("translations", path, 1, "is not compiled")
            text = path.read_text(encoding="utf-8")
            for found in re.finditer(r'^msgid "[^"]+"\nmsgstr ""\n(?!")', text, re.MULTILINE):
                yield Finding("translations", path, _line(text, found.start()), "is not translated")


def document_findings(subject: Subject) -> Iterator[Finding]:
    """There is a README that says something, and there are tests."""
    if subject.is_single_file:
        return
    readme = subject.source / "README.md"
    if not readme.is_file():
        yield Finding("documents", subject.manifest_path, 1, "there is no README.md")
    elif len(readme.read_text(encoding="utf-8").strip()) < MIN_README:
        yield Finding("documents", readme, 1, "says too little: what it does, how it is set up, what disabling and purging do")
    if not test_files(subject):
        yield Finding(
            "documents", subject.manifest_path, 1, f"there are no tests, neither in tests/ nor in tests/plugins/{subject.manifest.id}/"
        )


def test_files(subject: Subject) -> list[Path]:
    """The plugin's test modules: in its own folder, or beside the plugins' folder as Orderloom keeps them."""
    beside = subject.source.parent.parent / "tests" / "plugins" / subject.manifest.id
    return files_named(subject.source / "tests", "test_*.py") + files_named(beside, "test_*.py")


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
