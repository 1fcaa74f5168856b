"""Every icon that code, entities and templates name is in the sprite: a missing one would be an empty square on the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from core.delivery.web.menu import SECTIONS
from core.delivery.web.theme.cells import KINDS
from core.delivery.web.theme.vendor import ICONS, VENDOR_DIR
from core.domain.all_entities import core_entities

ROOT = Path(__file__).parents[2]
PLACES = {"Action": 2, "Choice": 3, "Entry": 5, "Empty": 0, "NavItem": 2, "Link": 2, "badge": 1, "icon": 0}
NAME = re.compile(r"[a-z][a-z0-9-]*")


def _text(node: ast.expr | None) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _text(node.body)
        yield from _text(node.orelse)


def _named_in_python(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            place = PLACES.get(name, 99)
            if place < len(node.args) and not (name == "Action" and isinstance(node.args[0], ast.Constant)):
                yield from _text(node.args[place])
            for keyword in node.keywords:
                if keyword.arg == "icon":
                    yield from _text(keyword.value)
        elif isinstance(node, ast.Tuple) and len(node.elts) >= 3 and set(_text(node.elts[0])) & set(KINDS) and not set(_text(node.elts[1])) & set(KINDS):
            yield from _text(node.elts[1])
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if set(_text(key)) == {"icon"}:
                    yield from _text(value)


def used_in_python() -> dict[str, str]:
    """Icon names by the file that uses them."""
    found = {}
    for folder in ("core/delivery", "core/domain", "plugins"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in _named_in_python(path.read_text(encoding="utf-8")):
                if NAME.fullmatch(name):
                    found.setdefault(name, str(path.relative_to(ROOT)))
    return found


def used_in_templates() -> dict[str, str]:
    """The same for templates."""
    found = {}
    call = re.compile(r"\b(?:icon\(|ui\.empty\(|badge\('[a-z]+', |'icon': )'([a-z][a-z0-9-]+)'(?: if [^()]*? else '([a-z][a-z0-9-]+)')?")
    for folder in ("core", "plugins"):
        for path in (ROOT / folder).rglob("*.html"):
            for match in call.finditer(path.read_text(encoding="utf-8")):
                for name in filter(None, match.groups()):
                    found.setdefault(name, str(path.relative_to(ROOT)))
    return found


def used_by_entities() -> set[str]:
    """Icons of entity types, their actions and the values of their choices, and of the menu's sections."""
    found = {section.icon for section in SECTIONS}
    for entity in core_entities():
        found |= {entity.icon, *(action.icon for action in entity.actions)}
        found |= {choice.icon for item in entity.fields for choice in item.choices}
    return found - {""}


def test_entities_use_icons_that_exist():
    assert used_by_entities() - set(ICONS) == set()


def test_code_uses_icons_that_exist():
    assert {name: path for name, path in used_in_python().items() if name not in ICONS} == {}


def test_templates_use_icons_that_exist():
    assert {name: path for name, path in used_in_templates().items() if name not in ICONS} == {}


def test_sprite_holds_every_icon_of_the_list():
    sprite = next(VENDOR_DIR.glob("tabler-icons-*/sprite.svg")).read_text(encoding="utf-8")

    assert set(re.findall(r'<symbol id="([^"]+)"', sprite)) == set(ICONS)
