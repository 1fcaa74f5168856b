"""Static files of the theme under one address that changes with their content, so that browsers may keep them for good.

All files live below `/assets/theme/<build>/`, where `<build>` is a hash over every file. The component style sheets are joined
into one `theme.css` when the process starts, together with a class per icon made from the sprite; nothing is written to disk.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
import re
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, abort, request

STATIC = Path(__file__).parent / "static"
BASE = "/assets/theme"
#: Order matters: tokens first, then the base, then components by name.
_FIRST_SHEETS = ("tokens", "base")
_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_NOW = "no-cache"
_COMPRESSED = ("text/", "application/javascript", "image/svg+xml", "application/json")


def _sheet_rank(path: Path) -> tuple[int, str]:
    rank = _FIRST_SHEETS.index(path.stem) if path.stem in _FIRST_SHEETS else len(_FIRST_SHEETS)
    return rank, path.name


def icon_sheet(sprite: str) -> str:
    """A CSS class `.i-<name>` for each symbol of the sprite; the icon is a mask, so it takes the colour of the text around it."""
    rules = []
    for name, shapes in re.findall(r'<symbol id="([^"]+)"[^>]*>(.*?)</symbol>', sprite):
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="1.9" '
            f'stroke-linecap="round" stroke-linejoin="round">{shapes}</svg>'
        )
        address = quote(svg.replace('"', "'"), safe=" =:/'")
        rules.append(f'.i-{name}{{--icon:url("data:image/svg+xml,{address}")}}')
    return "\n".join(rules)


class Assets:
    """The theme's static files, held in memory once they have been asked for."""

    def __init__(self, folder: Path = STATIC) -> None:
        self.folder = folder
        self._held: dict[str, tuple[bytes, bytes | None, str]] = {}

    @cached_property
    def vendor(self) -> dict[str, dict[str, dict[str, str]]]:
        """The manifest of vendored packages, by folder name."""
        return json.loads((self.folder / "vendor" / "vendor.json").read_text(encoding="utf-8"))

    @cached_property
    def build(self) -> str:
        """Twelve hex digits that change when any file changes."""
        digest = hashlib.sha256()
        for path in sorted(path for path in self.folder.rglob("*") if path.is_file()):
            digest.update(path.relative_to(self.folder).as_posix().encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:12]

    @cached_property
    def icons(self) -> frozenset[str]:
        """The names of all icons in the sprite."""
        return frozenset(re.findall(r'<symbol id="([^"]+)"', self._sprite))

    @cached_property
    def _sprite(self) -> str:
        folder = next(name for name in self.vendor if name.startswith("tabler-icons-"))
        return (self.folder / "vendor" / folder / "sprite.svg").read_text(encoding="utf-8")

    def theme_css(self) -> str:
        """All component sheets in one, icons last."""
        sheets = sorted((self.folder / "css").glob("*.css"), key=_sheet_rank)
        return "\n".join([*(path.read_text(encoding="utf-8") for path in sheets), icon_sheet(self._sprite)])

    def url(self, name: str) -> str:
        """The address of one file, outside any tenant's path."""
        return f"{BASE}/{self.build}/{name}"

    def vendor_url(self, package: str, name: str) -> str:
        """The address of a vendored file, whatever version of `package` is vendored. Raises: KeyError - it is not vendored."""
        folder = next((key for key in self.vendor if key.rsplit("-", 1)[0] == package), package)
        if name not in self.vendor[folder]["files"]:
            raise KeyError(f"{package}/{name}")
        return self.url(f"vendor/{folder}/{name}")

    def integrity(self, package: str, name: str) -> str:
        """The sha384 of a vendored file, as an `integrity` attribute wants it."""
        folder = next(key for key in self.vendor if key.rsplit("-", 1)[0] == package)
        return self.vendor[folder]["files"][name]

    def read(self, name: str) -> tuple[bytes, bytes | None, str] | None:
        """The file's bytes, its gzip form where that helps, and its type; None when there is no such file."""
        if name not in self._held:
            body = self._load(name)
            if body is None:
                return None
            kind = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0] or "application/octet-stream"
            squeezed = gzip.compress(body, 6, mtime=0) if kind.startswith(_COMPRESSED) and len(body) > 512 else None
            self._held[name] = (body, squeezed, kind)
        return self._held[name]

    def _load(self, name: str) -> bytes | None:
        if name == "theme.css":
            return self.theme_css().encode()
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()) or not path.is_file():
            return None
        return path.read_bytes()


def blueprint(assets: Assets) -> Blueprint:
    """The route that serves the files; it needs no log-in, no tenant and no session."""
    views = Blueprint("theme_assets", __name__)

    @views.get(f"{BASE}/<build>/<path:name>")
    def file(build: str, name: str) -> Response:
        found = assets.read(name)
        if found is None:
            abort(404)
        body, squeezed, kind = found
        packed = squeezed if squeezed is not None and "gzip" in request.headers.get("Accept-Encoding", "") else None
        answer = Response(packed or body, mimetype=kind)
        answer.headers["Cache-Control"] = _FOR_GOOD if build == assets.build else _FOR_NOW
        answer.headers["Vary"] = "Accept-Encoding"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        if packed:
            answer.headers["Content-Encoding"] = "gzip"
        return answer

    return views
