"""A layout while it is being arranged: tabs of sections of fields, columns of the list, fields on cards, and every move among them.

The whole state travels in the form, so each move is one request with or without scripts, and nothing is kept on the server. A move is a
text: `up:cost`, `place:cost:0.1.2`, `tab-add`, `columns-down:number`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

MAX_TABS, MAX_SECTIONS, MAX_COLUMNS, MAX_CARDS = 10, 30, 40, 8
LISTS = ("columns", "cards")
_SECTION = re.compile(r"t(\d{1,2})\.s(\d{1,2})\.columns")
_TAB = re.compile(r"t(\d{1,2})\.title")


@dataclass
class Section:
    """A heading, one to three columns, and fields."""

    title: str = ""
    columns: int = 2
    fields: list[str] = field(default_factory=list)


@dataclass
class TabPart:
    """A tab and its sections."""

    title: str = ""
    sections: list[Section] = field(default_factory=lambda: [Section()])


@dataclass
class Arrangement:
    """The layout. Moves that make no sense (nothing above the first) change nothing."""

    tabs: list[TabPart] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, body: Mapping[str, Any], *, fields: Iterable[str], columns: Iterable[str], cards: Iterable[str]) -> Arrangement:
        """The arrangement of a stored layout; what it says nothing about begins with `fields`, `columns` and `cards`."""
        tabs = [
            TabPart(
                tab.get("title", ""),
                [Section(one.get("title", ""), one.get("columns", 2), list(one.get("fields", ()))) for one in tab.get("sections", ())],
            )
            for tab in body.get("tabs", ())
        ]
        start = tabs or [TabPart("", [Section("", 2, list(fields))])]
        return cls(start, list(body.get("columns", columns)), list(body.get("cards", cards)))

    @classmethod
    def posted(cls, form: MultiDict[str, str], known: Iterable[str]) -> Arrangement:
        """The arrangement that a form holds; `known` are the fields that there are."""
        keys, allowed = list(form), set(known)
        made = cls()
        for at in sorted({int(found[1]) for name in keys if (found := _TAB.fullmatch(name))})[:MAX_TABS]:
            places = sorted({int(found[2]) for name in keys if (found := _SECTION.fullmatch(name)) and int(found[1]) == at})
            sections = []
            for place in places[:MAX_SECTIONS]:
                prefix = f"t{at}.s{place}"
                count = form.get(f"{prefix}.columns", "2")
                fields = [key for key in dict.fromkeys(form.getlist(f"{prefix}.f")) if key in allowed]
                sections.append(
                    Section(form.get(f"{prefix}.title", "").strip()[:80], int(count) if count in ("1", "2", "3") else 2, fields)
                )
            made.tabs.append(TabPart(form.get(f"t{at}.title", "").strip()[:60], sections or [Section()]))
        for name in LISTS:
            setattr(made, name, [key for key in dict.fromkeys(form.getlist(f"l.{name}")) if key in allowed])
        return made

    def body(self) -> dict[str, Any]:
        """The tabs, columns and cards as a layout's body has them."""
        tabs = [
            {
                "title": tab.title,
                "sections": [{"title": one.title, "columns": one.columns, "fields": one.fields} for one in tab.sections if one.fields],
            }
            for tab in self.tabs
        ]
        return {"tabs": [tab for tab in tabs if tab["sections"]], "columns": self.columns, "cards": self.cards}

    @property
    def placed(self) -> set[str]:
        """The fields that stand on the form."""
        return {key for tab in self.tabs for section in tab.sections for key in section.fields}

    def place_of(self, key: str) -> tuple[int, int, int] | None:
        """Tab, section and place of a field on the form."""
        for t, tab in enumerate(self.tabs):
            for s, section in enumerate(tab.sections):
                if key in section.fields:
                    return t, s, section.fields.index(key)
        return None

    # Moves

    def move(self, asked: str) -> None:
        """Carry out one move; texts that are none are ignored."""
        name, _, rest = asked.partition(":")
        for one in LISTS:
            if name.startswith(f"{one}-"):
                self._in_list(getattr(self, one), name.removeprefix(f"{one}-"), rest)
                return
        if name == "place":
            key, _, place = rest.partition(":")
            self._place(key, place)
        elif name in ("up", "down", "before", "after", "out", "in"):
            self._field(name, rest)
        elif name.startswith("tab-"):
            self._tab(name.removeprefix("tab-"), rest)
        elif name.startswith("section-"):
            self._section(name.removeprefix("section-"), rest)

    def _field(self, way: str, key: str) -> None:
        place = self.place_of(key)
        if way == "in":
            if place is None and self.tabs:
                self.tabs[-1].sections[-1].fields.append(key)
            return
        if place is None:
            return
        tab, section, at = place
        fields = self.tabs[tab].sections[section].fields
        if way == "out":
            fields.remove(key)
        elif way in ("up", "down"):
            _swap(fields, at, -1 if way == "up" else 1)
        else:
            self._to_neighbour(key, (tab, section), -1 if way == "before" else 1)

    def _to_neighbour(self, key: str, place: tuple[int, int], step: int) -> None:
        every = [(t, s) for t, tab in enumerate(self.tabs) for s, _section in enumerate(tab.sections)]
        to = every.index(place) + step
        if 0 <= to < len(every):
            self.tabs[place[0]].sections[place[1]].fields.remove(key)
            tab, section = every[to]
            fields = self.tabs[tab].sections[section].fields
            fields.insert(len(fields) if step < 0 else 0, key)

    def _place(self, key: str, place: str) -> None:
        parts = place.split(".")
        if place == "out":
            self._field("out", key)
            return
        if len(parts) != 3 or not all(part.isdecimal() and len(part) < 4 for part in parts):
            return
        tab, section, at = map(int, parts)
        if tab >= len(self.tabs) or section >= len(self.tabs[tab].sections):
            return
        for other in self.tabs:
            for one in other.sections:
                if key in one.fields:
                    one.fields.remove(key)
        self.tabs[tab].sections[section].fields.insert(at, key)

    def _tab(self, way: str, at: str) -> None:
        if way == "add" and len(self.tabs) < MAX_TABS:
            self.tabs.append(TabPart())
        place = int(at) if at.isdecimal() and int(at) < len(self.tabs) else None
        if place is None:
            return
        if way == "drop" and len(self.tabs) > 1:
            gone = self.tabs.pop(place)
            self.tabs[max(place - 1, 0)].sections[-1].fields += [key for section in gone.sections for key in section.fields]
        elif way in ("up", "down"):
            _swap(self.tabs, place, -1 if way == "up" else 1)

    def _section(self, way: str, place: str) -> None:
        tab, _, at = place.partition(".")
        if not tab.isdecimal() or int(tab) >= len(self.tabs):
            return
        sections = self.tabs[int(tab)].sections
        if way == "add" and len(sections) < MAX_SECTIONS:
            sections.append(Section())
        if not at.isdecimal() or int(at) >= len(sections):
            return
        if way == "drop" and len(sections) > 1:
            gone = sections.pop(int(at))
            sections[max(int(at) - 1, 0)].fields += gone.fields
        elif way in ("up", "down"):
            _swap(sections, int(at), -1 if way == "up" else 1)

    @staticmethod
    def _in_list(keys: list[str], way: str, rest: str) -> None:
        key, _, place = rest.partition(":")
        if way == "in" and key not in keys:
            keys.append(key)
        elif way == "out" and key in keys:
            keys.remove(key)
        elif way == "place" and place.isdecimal():
            if key in keys:
                keys.remove(key)
            keys.insert(int(place), key)
        elif way in ("up", "down") and key in keys:
            _swap(keys, keys.index(key), -1 if way == "up" else 1)


def _swap(parts: list[Any], at: int, step: int) -> None:
    to = at + step
    if 0 <= to < len(parts):
        parts[at], parts[to] = parts[to], parts[at]
