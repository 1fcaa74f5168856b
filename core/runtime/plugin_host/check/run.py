"""Running all rules over one plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from core.runtime.plugin_host.check import assets, claims, code, trial
from core.runtime.plugin_host.check.report import Finding, Report, Subject
from core.runtime.plugin_host.discovery import FOLDER_PACKAGE, package_at, single_file_at
from core.runtime.plugin_host.loading import make_importable
from core.runtime.plugin_host.manifest import CORE_VERSION, MANIFEST_NAME, fits
from core.runtime.plugin_host.quality import TIERS, missing_for, tier_of

_RULES: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    code.syntax_findings,
    code.hook_findings,
    code.import_findings,
    code.table_findings,
    code.host_findings,
    code.danger_findings,
    code.secret_findings,
    code.size_findings,
    claims.settings_findings,
    claims.quality_findings,
    assets.markup_findings,
    assets.translation_findings,
    assets.document_findings,
)


# What the host finds by itself before it runs any code of the plugin; trying to load would only say it once more.
_STOPPING = frozenset({"syntax", "hooks", "imports", "tables", "manifest"})


def check_plugin(source: Path, hooks: frozenset[str], *, top_module: str = "", spec_modules: Sequence[str] = ()) -> Report:
    """Check the plugin in `source`, a folder with a plugin.toml or a single Python file.

    `hooks` are the hooks that exist. Here only the settings module is imported, as part of `top_module` (by default the plugin lies in a
    folder of plugins); everything else is read. With `spec_modules`, the modules that declare the hooks, the plugin is also loaded, in a
    process of its own.
    """
    source = source.resolve()
    module = top_module or f"{FOLDER_PACKAGE}.{source.stem}"
    package = single_file_at(source, module) if source.is_file() else package_at(source, module)
    if package is None or package.manifest is None:
        told = "There is no PLUGIN = {...} in it." if package is None or package.fault is None else package.fault.message
        return Report(source.stem, (Finding("manifest", source if source.is_file() else source / MANIFEST_NAME, 1, told),))
    if not top_module:
        make_importable(source.parent)
    subject = Subject(source, package.top_module, package.manifest, hooks)
    faults = [package.fault.message] if package.fault is not None else []
    if not fits(CORE_VERSION, package.manifest.core):
        faults.append(f'"core" is {package.manifest.core}, but this is {CORE_VERSION}')
    found = [Finding("manifest", subject.manifest_path, 1, message) for message in (*faults, *package.manifest.warnings)]
    found += [finding for rule in _RULES for finding in rule(subject)]
    if spec_modules and not any(one.rule in _STOPPING for one in found):
        found += trial.load_findings(subject, spec_modules)
    ordered = tuple(dict.fromkeys(sorted(found, key=lambda one: (str(one.path), one.line, one.rule, one.message))))
    stated = package.manifest.quality
    tier = "" if ordered else tier_of(stated)  # a plugin with findings reaches none
    following = _after(tier)
    return Report(package.id, ordered, tier, following, tuple(missing_for(following, stated)) if following else ())


def _after(tier: str) -> str:
    """The tier above this one; empty above the highest."""
    names = ["", *TIERS, ""]
    return names[names.index(tier) + 1] if tier else names[1]
