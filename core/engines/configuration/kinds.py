"""Kinds of configuration items. An engine or plugin describes its kinds once; store, file, REST and command line follow from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError
from sqlalchemy.orm import Session

from core.engines.configuration.changes import Body, ChangeSet, Draft, Step
from core.engines.configuration.errors import KindUnknown
from core.kernel.errors import OrderloomError


class KindBroken(OrderloomError):
    """A kind of configuration is described wrongly."""

    code = "config.kind_broken"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an item: `path` is the place in its body (`choices[2].value`), empty for the whole."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change does to stored data, said before it happens. `level` is info, warn (something is hidden or lost from view) or
    bad (values that can no longer be read as what they were). `count` is the number of records, None where there is none to tell."""

    kind: str
    key: str
    level: str
    message: str
    count: int | None = None


Check = Callable[[Draft, Body], Iterable[Problem]]
Look = Callable[[Session, ChangeSet, Step], Iterable[Impact]]
Follow = Callable[[Session, ChangeSet], None]


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One kind of item.

    `schema` reads a body from a file, a form or REST; `names` are the fields of the body that make the item's key. `rank` orders kinds
    in files. `check(draft, body)` looks at one item in the whole configuration. `impacts(session, changes, step)` tells what one change
    does to stored data. `follow(session, changes)` does what has to happen with stored data, in the transaction of the change.
    `permission` is what changing it takes. Where it may not be renamed, more hangs on an item's key than can follow it. At most `limit`
    items in one tenant.
    """

    key: str
    label: str
    schema: Schema
    names: tuple[str, ...]
    rank: int = 100
    limit: int = 1_000
    permission: str = "config.write"
    may_rename: bool = True
    check: Check | None = None
    impacts: Look | None = None
    follow: Follow | None = None

    def read(self, raw: Any) -> tuple[dict[str, Any], list[Problem]]:
        """A body in its one canonical form (defaults left out), and what is wrong with it."""
        if not isinstance(raw, Mapping):
            return {}, [Problem("", "This is a table of names and values.")]
        try:
            loaded = self.schema.load(raw)
        except ValidationError as error:
            return {}, list(_problems(error.normalized_messages()))
        return sparse(self.schema, loaded), []

    def key_of(self, body: Body) -> str:
        """The key of the item with this body."""
        return "/".join(str(body.get(name) or "") for name in self.names)


def sparse(schema: Schema, loaded: Mapping[str, Any]) -> dict[str, Any]:
    """A loaded body as JSON without the values that it would have anyway."""
    dumped: Mapping[str, Any] = schema.dump(loaded)  # type: ignore[assignment]
    known = {item.data_key or name: item for name, item in schema.fields.items()}
    found = {}
    for name, value in dumped.items():
        default = known[name].load_default
        default = default() if callable(default) else default
        if (value is None or value in ("", [], {}) or value == default) and not known[name].required:
            continue
        found[name] = value
    return found


def _problems(messages: Any, path: str = "") -> Iterator[Problem]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            if name == "_schema":
                yield from _problems(inner, path)
            elif isinstance(name, int):
                yield from _problems(inner, f"{path}[{name}]")
            else:
                yield from _problems(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(messages, list):
        yield Problem(path, " ".join(str(message) for message in messages))
    else:
        yield Problem(path, str(messages))


class KindRegistry:
    """All kinds of the installation, by key; filled at boot, then only read."""

    def __init__(self, kinds: Iterable[Kind] = ()) -> None:
        self._kinds: dict[str, Kind] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        """Register a kind. Raises KindBroken - the key is taken."""
        if kind.key in self._kinds:
            raise KindBroken(f"{kind.key} is registered already", kind=kind.key)
        self._kinds[kind.key] = kind

    def get(self, key: str) -> Kind:
        """The kind with this key. Raises KindUnknown."""
        try:
            return self._kinds[key]
        except KeyError as error:
            raise KindUnknown(kind=key) from error

    def find(self, key: str) -> Kind | None:
        """The kind with this key, or None."""
        return self._kinds.get(key)

    def ranked(self) -> Sequence[Kind]:
        """All kinds in the order of a file."""
        return sorted(self._kinds.values(), key=lambda kind: (kind.rank, kind.key))

    def __iter__(self) -> Iterator[Kind]:
        return iter(self.ranked())
