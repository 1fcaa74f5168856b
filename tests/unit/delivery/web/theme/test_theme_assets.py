"""Static files: what is vendored is what was recorded, addresses change with content, nothing reaches outside."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask

from core.delivery.web.theme.assets import STATIC, Assets, blueprint
from core.delivery.web.theme.cells import _ALIASES
from core.delivery.web.theme.vendor import ICONS, MANIFEST, PACKAGES, integrity, sprite_of

THEME = STATIC.parent


@pytest.fixture
def assets() -> Assets:
    """The theme's own files."""
    return Assets()


def test_vendored_files_match_the_recorded_hashes_when_compared(assets: Assets) -> None:
    found = {
        folder.name: {path.name: integrity(path.read_bytes()) for path in sorted(folder.iterdir())}
        for folder in sorted(MANIFEST.parent.iterdir())
        if folder.is_dir()
    }

    assert found == {name: entry["files"] for name, entry in assets.vendor.items()}
    assert sorted(found) == sorted(f"{package.folder}-{package.version}" for package in PACKAGES)
    assert all("LICENSE" in files for files in found.values())


def test_style_sheets_and_scripts_name_no_other_host_when_searched() -> None:
    urls = [
        (path.name, url)
        for path in STATIC.rglob("*.css")
        for url in re.findall(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)", path.read_text(encoding="utf-8"))
    ]

    assert urls == []


def test_our_style_sheets_use_neither_important_nor_ids_when_searched() -> None:
    faults = [
        (path.name, found)
        for path in (STATIC / "css").glob("*.css")
        for found in re.findall(r"!important|(?:^|[\s,}])#[a-z][\w-]*[^;]*\{", path.read_text(encoding="utf-8"))
    ]

    assert faults == []


def test_every_icon_that_is_used_is_in_the_sprite_when_searched(assets: Assets) -> None:
    sources = [*(THEME / "templates").rglob("*.html"), *(STATIC / "js").glob("*.js"), *THEME.glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(r"icon\('([\w-]+)'\)", text)) | set(re.findall(r"\bi i-([\w-]+)", text)) | set(_ALIASES.values())

    assert used - assets.icons == set()
    assert assets.icons == frozenset(ICONS)


def test_sprite_keeps_the_shapes_and_drops_the_empty_square_when_made() -> None:
    svg = '<svg>\n<path stroke="none" d="M0 0h24v24H0z" fill="none" />\n<path d="M1 1l2 2" />\n</svg>'

    assert '<symbol id="dot" viewBox="0 0 24 24"><path d="M1 1l2 2" /></symbol>' in sprite_of({"dot": svg})


def test_build_changes_when_a_file_changes(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    before = Assets(tmp_path).build
    (tmp_path / "a.css").write_text("b{}")

    assert before != Assets(tmp_path).build
    assert len(before) == 12


def test_theme_sheet_begins_with_tokens_and_holds_the_icons_when_joined(assets: Assets) -> None:
    sheet = assets.theme_css()

    assert sheet.startswith("/* Every colour, space and size.")
    assert sheet.count(".i-check{--icon:url(") == 1


def test_files_are_served_packed_and_for_good_when_the_build_is_right(assets: Assets) -> None:
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(blueprint(assets))
    client = app.test_client()

    plain = client.get(assets.url("js/main.js"))
    packed = client.get(assets.url("js/main.js"), headers={"Accept-Encoding": "gzip"})

    assert (plain.mimetype, plain.headers["Cache-Control"]) == ("text/javascript", "public, max-age=31536000, immutable")
    assert gzip.decompress(packed.data) == plain.data
    assert client.get("/assets/theme/000000000000/theme.css").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["../setup.py", "js/../../cells.py", "nothing.js", "js"])
def test_file_is_not_found_when_it_lies_outside_or_is_missing(assets: Assets, name: str) -> None:
    assert assets.read(name) is None


def test_vendor_address_is_refused_when_the_file_is_not_vendored(assets: Assets) -> None:
    with pytest.raises(KeyError, match="jquery"):
        assets.vendor_url("tabler", "jquery.js")
