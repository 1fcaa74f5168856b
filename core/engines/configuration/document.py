"""The configuration as one file: written out, compared with what is, applied. What the screens store and what the file holds is the same.

A file holds a list of bodies per kind. Kinds that it does not name are left alone; of kinds that it names it holds all items, so what is
missing there goes. A body may say `renamed_from`, the last name of the item that it replaces.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

import tomli_w
from sqlalchemy.orm import Session

from core.engines.configuration.changes import Change, ChangeSet
from core.engines.configuration.errors import ConfigRefused, ConfigStale
from core.engines.configuration.kinds import Kind, KindRegistry
from core.engines.configuration.queries import items_of
from core.engines.configuration.service import apply_changes, lock
from core.kernel.jsontext import JsonInvalid, decode_json

FORMAT = 1
MAX_BYTES = 4_000_000
RENAMED = "renamed_from"
Document = Mapping[str, Any]


def export_document(session: Session, kinds: KindRegistry, *, only: Sequence[str] = ()) -> dict[str, Any]:
    """The tenant's configuration, or some kinds of it, in the order of a file. Holds no secrets and no names of the database's own."""
    items = items_of(session)
    found: dict[str, Any] = {"format": FORMAT}
    for kind in kinds:
        if not only or kind.key in only:
            bodies = [item.body for item in items if item.kind == kind.key]
            if bodies or kind.key in only:
                found[kind.key] = sorted((dict(body) for body in bodies), key=lambda body: _order(kind, body))
    return found


def _order(kind: Kind, body: Mapping[str, Any]) -> tuple[Any, ...]:
    return (*(str(body.get(name) or "") for name in kind.names[:-1]), body.get("position", 0), str(body.get(kind.names[-1]) or ""))


def apply_document(session: Session, kinds: KindRegistry, document: Document, *, note: str = "", base: int | None = None) -> ChangeSet:
    """Make the configuration what `document` says, as one version; does not commit. It is compared under the lock, so two files never mix.

    `base` is the version that its author compared it with, None where nobody looked.
    Raises: ConfigRefused; ConfigStale - the configuration is of another version than `base`.
    """
    version = lock(session)
    if base is not None and base != version:
        raise ConfigStale(version=version)
    return apply_changes(session, kinds, changes_of(session, kinds, document), note=note)


def changes_of(session: Session, kinds: KindRegistry, document: Document) -> list[Change]:
    """The wishes that make the configuration what `document` says. Raises ConfigRefused - its sections are not right."""
    _check_sections(kinds, document)
    present = {(item.kind, item.key) for item in items_of(session)}
    wishes: list[Change] = []
    for kind in kinds:
        if kind.key not in document:
            continue
        named: set[str] = set()
        for body in document[kind.key]:
            plain = {name: value for name, value in body.items() if name != RENAMED}
            key, old = kind.key_of(plain), _former(kind, body)
            named |= {key, old}
            wishes.append(Change(kind.key, plain, "" if old else key, renamed_from=old if (kind.key, old) in present else ""))
        wishes += [Change(kind.key, None, key) for of_kind, key in sorted(present) if of_kind == kind.key and key not in named]
    return wishes


def _former(kind: Kind, body: Mapping[str, Any]) -> str:
    old = body.get(RENAMED)
    return kind.key_of({**body, kind.names[-1]: old}) if isinstance(old, str) and old else ""


def _check_sections(kinds: KindRegistry, document: Document) -> None:
    problems: dict[str, str] = {}
    if document.get("format") != FORMAT:
        problems["format"] = f"This file is not of format {FORMAT}."
    for name, section in document.items():
        if name == "format":
            continue
        if kinds.find(name) is None:
            problems[name] = "There is no such kind of configuration."
        elif not isinstance(section, list):
            problems[name] = "This is a list."
        else:
            for at, body in enumerate(section):
                if not isinstance(body, Mapping):
                    problems[f"{name}[{at}]"] = "This is a table of names and values."
    if problems:
        raise ConfigRefused(problems)


def read_text(text: str | bytes, *, is_toml: bool) -> dict[str, Any]:
    """The document that a TOML or JSON text holds. Raises ConfigRefused - it is neither, or too long."""
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise ConfigRefused({"": f"A configuration file has at most {MAX_BYTES} bytes."})
    try:
        found = tomllib.loads(data.decode("utf-8-sig")) if is_toml else decode_json(data, max_bytes=MAX_BYTES, unique_keys=True)
    except tomllib.TOMLDecodeError as error:
        raise ConfigRefused({"": f"This is not TOML: {error}"}) from error
    except UnicodeDecodeError as error:
        raise ConfigRefused({"": "This document is not UTF-8 text."}) from error
    except JsonInvalid as error:
        raise ConfigRefused({"": error.message}) from error
    if not isinstance(found, dict):
        raise ConfigRefused({"": "This is a table of names and values."})
    return found


def write_text(document: Document, *, is_toml: bool) -> str:
    """The document as text; the same document gives the same text."""
    if is_toml:
        return tomli_w.dumps(document, multiline_strings=False)
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
