"""Documents stay readable: short lines, links that lead somewhere, and an index that names each page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONGEST = 175
LINK = re.compile(r"\]\(([^)\s]+)\)")


def _anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).strip().lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_has_short_lines_and_links_that_lead_somewhere(path):
    text = path.read_text(encoding="utf-8")
    long = [line[:60] for line in text.splitlines() if len(line) > LONGEST and not line.startswith("|")]
    broken = []
    for link in LINK.findall(text):
        target, _, anchor = link.partition("#")
        if "://" in target:
            continue
        place = (path.parent / target).resolve() if target else path
        if not place.exists() or (anchor and anchor not in _anchors(place)):
            broken.append(link)

    assert (long, broken) == ([], [])


def test_index_names_every_page():
    index = ROOT / "docs" / "README.md"
    named = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text(encoding="utf-8"))}

    missing = [str(path.relative_to(ROOT)) for path in DOCS[2:] if path != index and path not in named and path.parent not in named]

    assert missing == []
