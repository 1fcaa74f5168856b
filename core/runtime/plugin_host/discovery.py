"""Finding plugins: what `plugins.toml` lists, looked up in folders and among installed packages, without importing any of them.

Nothing here stops the start: what is missing, broken, blocked or too new is a `Package` that says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from core.runtime.plugin_host.errors import ManifestInvalid
from core.runtime.plugin_host.manifest import CORE_VERSION, ID_PATTERN, MANIFEST_NAME, Manifest, fits, read_manifest
from core.runtime.plugin_host.singlefile import read_single_file

ENTRY_POINTS = "orderloom.plugins"
FOLDER_PACKAGE = "plugins"

PackageState = Literal["ready", "installed", "unlisted", "blocked", "unavailable"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a plugin cannot be used: a stable `code`, and a `message` that tells the operator what to mend."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Package:
    """One plugin of this installation, usable or not.

    `source` is its folder, or its file when `is_single_file`; `module` the dotted name that holds its hook functions. States: ready (found,
    not loaded yet), installed (loaded), unlisted (present, but not in plugins.toml), blocked (by the operator), unavailable (see `fault`).
    """

    id: str
    state: PackageState
    manifest: Manifest | None = None
    source: Path | None = None
    module: str = ""
    is_single_file: bool = False
    default_on: bool = False
    fault: Fault | None = None

    @property
    def title(self) -> str:
        """The manifest's title; the id while no manifest can be read."""
        return self.manifest.title if self.manifest is not None else self.id

    @property
    def top_module(self) -> str:
        """The package that all modules of the plugin belong to."""
        return self.module if self.is_single_file else self.module.rpartition(".")[0]

    def failing(self, code: str, message: str) -> Package:
        """The same package, unavailable for this reason."""
        return replace(self, state="unavailable", fault=Fault(code, message))


@dataclass(frozen=True, slots=True)
class Listing:
    """The content of plugins.toml: plugin ids with their entries, in order. `fault` is set when the file cannot be used."""

    entries: Mapping[str, Mapping[str, Any]]
    fault: Fault | None = None


def read_listing(path: Path | None) -> Listing:
    """Read plugins.toml: `[[plugin]]` with `id`, and optionally `default` (on for new tenants) and `version` (a range).

    No file is an empty list. A file that cannot be used is an empty list with a fault.
    """
    if path is None or not path.exists():
        return Listing({})
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("plugin", [])
        entries = {str(row["id"]): row for row in rows}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError, KeyError, TypeError) as error:
        return Listing({}, Fault("plugin.listing_invalid", f"{path.name} cannot be used, no plugin is loaded: {error!r}"))
    return Listing(entries)


def discover(listing: Listing, folders: Sequence[Path], *, blocked: Sequence[str] = ()) -> dict[str, Package]:
    """All plugins known here, by id. `blocked` holds ids that must not load; `*` blocks all.

    The first folder that has a plugin wins, folders win over installed packages.
    """
    found: dict[str, Package] = {}
    for folder in folders:
        for package in _in_folder(folder):
            found.setdefault(package.id, package)
    for package in _among_installed():
        found.setdefault(package.id, package)
    packages = {name: _judged(found.get(name), name, entry) for name, entry in listing.entries.items()}
    packages |= {name: replace(package, state="unlisted") for name, package in found.items() if name not in packages}
    shut = set(blocked)
    return {
        name: replace(package, state="blocked", fault=Fault("plugin.blocked", "The operator's settings block this plugin."))
        if package.state != "unlisted" and (name in shut or "*" in shut)
        else package
        for name, package in sorted(packages.items())
    }


def _judged(package: Package | None, name: str, entry: Mapping[str, Any]) -> Package:
    if package is None:
        return Package(name, "unavailable").failing("plugin.missing", f"plugins.toml lists {name}, but no such plugin is installed.")
    package = replace(package, default_on=bool(entry.get("default", False)))
    if package.manifest is None:
        return package
    wanted = str(entry.get("version", ""))
    if not fits(CORE_VERSION, package.manifest.core):
        return package.failing("plugin.core_mismatch", f"It needs Orderloom {package.manifest.core}, this is {CORE_VERSION}.")
    if wanted and not fits(package.manifest.version, wanted):
        present = package.manifest.version
        return package.failing("plugin.version_mismatch", f"plugins.toml asks for {wanted}, version {present} is installed.")
    return package


def _in_folder(folder: Path) -> Iterator[Package]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.is_dir() and (path / MANIFEST_NAME).is_file():
            yield package_at(path, f"{FOLDER_PACKAGE}.{path.name}")
        elif path.suffix == ".py" and path.is_file():
            package = single_file_at(path, f"{FOLDER_PACKAGE}.{path.stem}")
            if package is not None:
                yield package


def package_at(folder: Path, top_module: str, *, name: str = "") -> Package:
    """The plugin in `folder`, whose Python package is `top_module`; unavailable when its manifest is not valid.

    It is installed as `name`, by default the folder's.
    """
    package = Package(name or folder.name, "ready", source=folder, module=f"{top_module}.plugin")
    try:
        manifest = read_manifest(folder / MANIFEST_NAME)
    except ManifestInvalid as error:
        return package.failing(error.code, error.message)
    if not (folder / "plugin.py").is_file():
        return replace(package, manifest=manifest).failing("plugin.no_code", "The folder has no plugin.py.")
    return _named(replace(package, manifest=manifest))


def single_file_at(path: Path, module: str) -> Package | None:
    """The plugin in the file `path`, or None when it is an ordinary module."""
    package = Package(path.stem, "ready", source=path, module=module, is_single_file=True)
    try:
        manifest = read_single_file(path)
    except ManifestInvalid as error:
        return package.failing(error.code, error.message)
    return None if manifest is None else _named(replace(package, manifest=manifest))


def _named(package: Package) -> Package:
    manifest = package.manifest
    if manifest is not None and manifest.id != package.id:
        return package.failing("plugin.id_mismatch", f'The manifest says "{manifest.id}", but the plugin is installed as "{package.id}".')
    return package


def _among_installed() -> Iterator[Package]:
    """Plugins of installed distributions: entry point `id = package`; only the place of its top package is looked up, nothing runs."""
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        if not ID_PATTERN.fullmatch(point.name):
            continue
        top, *rest = point.module.split(".")
        spec = find_spec(top)
        places = list(spec.submodule_search_locations or ()) if spec is not None else []
        folder = next((Path(place).joinpath(*rest) for place in places if Path(place).joinpath(*rest, MANIFEST_NAME).is_file()), None)
        if folder is None:
            yield Package(point.name, "unavailable").failing("plugin.no_manifest", f"{point.module} holds no {MANIFEST_NAME}.")
            continue
        yield package_at(folder, point.module, name=point.name)
