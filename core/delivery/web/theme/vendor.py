"""Refreshes the third-party front-end files under `static/vendor/`; a developer's tool, never run by the product.

Run as `python3 dev.py vendor` or `python3 -m core.delivery.web.theme.vendor`. Each package is fetched with `npm pack` at its
pinned version, only the listed files are kept, its licence is put beside them, and `vendor.json` records versions and sha384
hashes (the form that the `integrity` attribute wants). The same pins give the same files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

VENDOR_DIR = Path(__file__).parent / "static" / "vendor"
MANIFEST = VENDOR_DIR / "vendor.json"

#: The outline icons in our sprite, by their Tabler names. Add a name here and run this module again.
_ICON_NAMES = """
activity adjustments alert-circle alert-triangle api arrow-back-up arrow-down arrow-right arrow-up arrows-exchange
arrows-split ballpen ban barcode bell bolt bookmark box box-multiple building-community building-store
building-warehouse calendar calendar-due cash chart-bar chart-line check checklist chevron-down chevron-left
chevron-right chevron-up chevrons-left circle circle-check circle-dashed circle-dot circle-plus circle-x clipboard-list
clock clock-exclamation cloud-download code coin columns-3 command copy credit-card currency currency-pound
currency-yuan database device-desktop dots dots-vertical download edit external-link eye eye-off file-download
file-export file-import file-invoice file-text filter gift git-branch git-merge grip-vertical hand-stop
heart-rate-monitor help help-circle history history-toggle home home-check hourglass id-badge inbox info-circle key
language layout-rows layout-sidebar-left-collapse layout-sidebar-left-expand link list list-details list-search loader-2
lock lock-open logout mail map-pin menu-2 message mood-empty moon note package package-export package-off packages phone
photo player-pause player-play player-skip-forward player-stop plug plug-connected plug-off plug-x plus point printer
puzzle receipt receipt-refund refresh report-analytics robot rotate rotate-clockwise route scan search selector send
server settings share shield shield-check shield-lock shopping-bag shopping-cart shopping-cart-plus sort-ascending stack
stack-2 star sun table table-export tag tag-off tags ticket transfer trash truck truck-delivery truck-return unlink
upload user user-circle user-plus users users-group versions webhook world x
"""
ICONS = tuple(_ICON_NAMES.split())

_MIT = """The MIT License (MIT)

{copyright}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


class Entry(TypedDict):
    """What the manifest says about one package; `files` maps a name to its `integrity` value."""

    name: str
    version: str
    licence: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Package:
    """One npm package: `folder` is its folder under `static/vendor/` without the version; `files` are paths inside it."""

    name: str
    version: str
    folder: str
    licence: str
    files: tuple[str, ...] = ()


PACKAGES = (
    Package("@tabler/core", "1.6.1", "tabler", "MIT", ("dist/css/tabler.min.css", "dist/js/tabler.min.js")),
    Package("htmx.org", "4.0.1", "htmx", "0BSD", ("dist/htmx.min.js",)),
    Package(
        "tom-select",
        "2.6.2",
        "tom-select",
        "Apache-2.0",
        ("dist/js/tom-select.base.min.js", "dist/css/tom-select.bootstrap5.min.css"),
    ),
    Package("sortablejs", "1.15.7", "sortablejs", "MIT", ("Sortable.min.js",)),
    Package("tinykeys", "3.1.0", "tinykeys", "MIT", ("dist/tinykeys.module.js",)),
    Package("@fontsource-variable/inter", "5.3.0", "inter", "OFL-1.1", ("files/inter-latin-wght-normal.woff2",)),
    Package("@tabler/icons", "3.51.0", "tabler-icons", "MIT"),
)


def integrity(body: bytes) -> str:
    """The `integrity` value of `body`: `sha384-` and the base64 of its SHA-384."""
    return "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()


def sprite_of(icons: dict[str, str]) -> str:
    """One SVG file with a `<symbol>` per icon; `icons` maps a name to the text of its SVG file."""
    symbols = []
    for name, text in sorted(icons.items()):
        shapes = re.findall(r"<(?:path|circle|rect|line|polyline|ellipse)\b[^>]*>", text)
        kept = "".join(shape for shape in shapes if 'd="M0 0h24v24H0z"' not in shape)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{kept}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def fetch(package: Package, folder: Path) -> Path:
    """Download and unpack one package below `folder`; returns the folder that holds its files."""
    done = subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"], cwd=folder, check=True, capture_output=True, text=True
    )
    archive = folder / done.stdout.strip().splitlines()[-1]
    target = folder / package.folder
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    return next(path for path in target.iterdir() if path.is_dir())


def licence_text(package: Package, source: Path) -> str:
    """The package's licence file, or, where it ships none, the MIT text under the copyright lines of its first file."""
    for path in sorted(source.iterdir()):
        if path.name.lower().startswith("licen"):
            return path.read_text(encoding="utf-8")
    head = (source / package.files[0]).read_text(encoding="utf-8")[:600]
    lines = re.findall(r"Copyright [^\n*]+", head)
    return _MIT.format(copyright="\n".join(line.strip() for line in lines))


def install(package: Package, source: Path) -> Entry:
    """Copy the kept files and the licence of one unpacked package; returns its entry for the manifest."""
    target = VENDOR_DIR / f"{package.folder}-{package.version}"
    target.mkdir(parents=True)
    (target / "LICENSE").write_text(licence_text(package, source), encoding="utf-8")
    for name in package.files:
        body = (source / name).read_bytes()
        if name.endswith((".js", ".css")):
            body = re.sub(rb"\n?(//# sourceMappingURL=[^\n]*|/\*# sourceMappingURL=[^*]*\*/)\s*$", b"\n", body)
        (target / Path(name).name).write_bytes(body)
    if package.folder == "tabler-icons":
        texts = {name: (source / "icons" / "outline" / f"{name}.svg").read_text(encoding="utf-8") for name in ICONS}
        (target / "sprite.svg").write_text(sprite_of(texts), encoding="utf-8")
    files = {path.name: integrity(path.read_bytes()) for path in sorted(target.iterdir())}
    return {"name": package.name, "version": package.version, "licence": package.licence, "files": files}


def refresh() -> dict[str, Entry]:
    """Replace `static/vendor/` by freshly fetched files and write the manifest; returns the manifest."""
    with tempfile.TemporaryDirectory() as scratch:
        sources = {package: fetch(package, Path(scratch)) for package in PACKAGES}
        shutil.rmtree(VENDOR_DIR, ignore_errors=True)
        VENDOR_DIR.mkdir(parents=True)
        manifest = {f"{package.folder}-{package.version}": install(package, source) for package, source in sources.items()}
    MANIFEST.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return manifest


def main() -> None:
    """Refresh and say what is there now."""
    for folder, entry in refresh().items():
        sys.stdout.write(f"{folder}: {', '.join(entry['files'])}\n")


if __name__ == "__main__":
    main()
