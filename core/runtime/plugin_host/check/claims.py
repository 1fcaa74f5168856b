"""Rules on what the manifest claims: settings, quality."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator

from marshmallow import Schema

from core.runtime.plugin_host.check.assets import test_files, translation_findings
from core.runtime.plugin_host.check.code import defines, files_named
from core.runtime.plugin_host.check.report import Finding, Subject
from core.runtime.plugin_host.containment import attempt, told
from core.runtime.plugin_host.forms import FormField, form_of
from core.runtime.plugin_host.loading import schema_place
from core.runtime.plugin_host.quality import missing_for

_REMOVAL = re.compile(r"purg|disabl|switch\w* (\w+ )?off")


def settings_findings(subject: Subject) -> Iterator[Finding]:
    """The settings schema exists, can be shown as a form, explains itself, and has the fields that the manifest speaks of."""
    if not subject.manifest.settings:
        return
    line = subject.line_of("settings")
    form, error = attempt(_form, subject)
    if error is not None or form is None:
        reason = told(error) if error is not None else ""
        yield Finding("settings", subject.manifest_path, line, f"{subject.manifest.settings} cannot be used: {reason}")
        return
    names = {entry["name"] for entry in form}
    for name in subject.manifest.egress_from_settings:
        if name not in names:
            where = subject.line_of("egress_from_settings")
            yield Finding("settings", subject.manifest_path, where, f'"egress_from_settings" names {name}, which the form does not have')
    for entry in form:
        if entry["required"] and not entry["help"] and not subject.is_single_file:
            yield Finding("settings", subject.manifest_path, line, f'the required field "{entry["name"]}" has no help text')


def _form(subject: Subject) -> list[FormField]:
    place, attribute = schema_place(subject.manifest.settings, subject.top_module)
    module = importlib.import_module(place or subject.top_module)
    schema = getattr(module, attribute)
    if not (isinstance(schema, type) and issubclass(schema, Schema)):
        raise TypeError(f"{attribute} is no marshmallow schema")
    return form_of(schema())


def quality_findings(subject: Subject) -> Iterator[Finding]:
    """Bronze is complete, and what a machine can see of the rules stated as done is there."""
    if subject.is_single_file:
        return
    line = subject.line_of("quality")
    missing = missing_for("bronze", subject.manifest.quality)
    if missing:
        yield Finding("quality", subject.manifest_path, line, f"bronze lacks {', '.join(missing)}: done, or exempt with a reason")
    for rule, seen in _SEEN.items():
        if subject.manifest.quality.get(rule) == "" and not seen(subject):
            yield Finding("quality", subject.manifest_path, subject.line_of(rule), f"{rule} is stated as done, but nothing of it is seen")


def _documents_removal(subject: Subject) -> bool:
    readme = subject.source / "README.md"
    text = readme.read_text(encoding="utf-8").lower() if readme.is_file() else ""
    return bool(_REMOVAL.search(text))


_SEEN = {
    "connection_tested": lambda subject: defines(subject, "check_connection"),
    "simulator": lambda subject: bool(files_named(subject.source, "simulator.py", "simulator/__init__.py")),
    "removal_documented": _documents_removal,
    "two_tenant_tests": lambda subject: bool(test_files(subject)),
    "diagnostics": lambda subject: defines(subject, "health"),
    "translated": lambda subject: not list(translation_findings(subject)),
}
