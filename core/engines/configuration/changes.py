"""Changes of configuration as plain values: what is asked for, what it comes to, and the configuration as it would be afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Body = Mapping[str, Any]


class ItemKey(NamedTuple):
    """What names an item: its kind, and its key within the kind."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Item:
    """A stored item and the version that last changed it."""

    kind: str
    key: str
    body: Body
    version: int


@dataclass(frozen=True, slots=True)
class Change:
    """One wish: the item is to have this body; without a body it is to be no more.

    `key` may stay empty where the body names the item. `renamed_from` is the key of an item that takes this one's, with all that hangs
    on it. `base` is the version of the item that its editor saw, None where nobody looked.
    """

    kind: str
    body: Body | None
    key: str = ""
    renamed_from: str = ""
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One change as it is carried out and kept: the body before and after, None where there is no item."""

    kind: str
    key: str
    before: Body | None
    after: Body | None
    renamed_from: str = ""

    @property
    def inverse(self) -> Step:
        """The step back."""
        if self.renamed_from:
            return Step(self.kind, self.renamed_from, self.after, self.before, renamed_from=self.key)
        return Step(self.kind, self.key, self.after, self.before)

    def document(self) -> dict[str, Any]:
        """The step as it is stored."""
        found: dict[str, Any] = {"kind": self.kind, "key": self.key, "before": self.before, "after": self.after}
        return {**found, "renamed_from": self.renamed_from} if self.renamed_from else found

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Step:
        """The step that `document` stored."""
        return cls(document["kind"], document["key"], document["before"], document["after"], document.get("renamed_from", ""))


class Draft:
    """A whole configuration, as it is or as it would be: bodies by kind and key. Never changed once it is made."""

    def __init__(self, items: Mapping[ItemKey, Body] | None = None) -> None:
        self._items: dict[str, dict[str, Body]] = {}
        #: What has been worked out from this configuration, by whoever did.
        self.memo: dict[str, Any] = {}
        for (kind, key), body in (items or {}).items():
            self._items.setdefault(kind, {})[key] = body

    def of(self, kind: str) -> Mapping[str, Body]:
        """The items of a kind by key."""
        return self._items.get(kind, {})

    def get(self, kind: str, key: str) -> Body | None:
        """One item's body, or None."""
        return self.of(kind).get(key)

    def after(self, steps: Iterable[Step]) -> Draft:
        """The configuration with these steps carried out."""
        items = {ItemKey(kind, key): body for kind, bodies in self._items.items() for key, body in bodies.items()}
        found = list(steps)
        for step in found:
            items.pop(ItemKey(step.kind, step.renamed_from or step.key), None)
        for step in found:
            if step.after is not None:
                items[ItemKey(step.kind, step.key)] = step.after
        return Draft(items)


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What some wishes come to: the steps that change something, and the configuration before and after them."""

    steps: tuple[Step, ...]
    before: Draft = field(repr=False)
    after: Draft = field(repr=False)
    version: int = 0
