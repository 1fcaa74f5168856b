"""`oms config`: a tenant's configuration as a file: written, compared, applied; its versions and the way back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from core.delivery.cli.database import opened
from core.delivery.cli.output import json_option, show, table
from core.delivery.cli.user import OPERATOR
from core.delivery.composition import all_kinds
from core.domain.all_entities import core_entities
from core.engines.configuration import ChangeSet, Impact, propose, roll_back
from core.engines.configuration.described import document_schema
from core.engines.configuration.document import apply_document, changes_of, export_document, read_text, write_text
from core.engines.configuration.queries import steps_of, versions

TOML = ".toml"
Decorator = Callable[..., Any]
tenant_option: Decorator = click.option("--tenant", required=True, metavar="SLUG", help="The business.")
file_argument: Decorator = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group(short_help="Write, compare and apply a tenant's configuration file.")
def command() -> None:
    """A tenant's fields, kinds of records, layouts, views and rules as one file, TOML or JSON by its ending."""


@contextmanager
def _tenant(slug: str) -> Iterator[Session]:
    with opened("oms-config") as site, site.database.tenant(slug, OPERATOR) as session:
        yield session


@command.command("export", short_help="Write the configuration to a file.")
@tenant_option
@file_argument
@click.option("--only", multiple=True, metavar="KIND", help="This kind of item and no other; may be repeated.")
def export(tenant: str, file: Path, only: tuple[str, ...]) -> None:
    """Write the configuration of the business to FILE, or to standard output for `-`."""
    kinds = all_kinds(core_entities())
    with _tenant(tenant) as session:
        document = export_document(session, kinds, only=[kinds.get(key).key for key in only])
    text = write_text(document, is_toml=file.suffix == TOML)
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    file.write_text(text, encoding="utf-8")
    click.echo(f"Wrote {sum(len(items) for items in document.values() if isinstance(items, list))} items to {file}.")


@command.command("diff", short_help="What applying a file would change.")
@tenant_option
@file_argument
@json_option
def diff(tenant: str, file: Path, as_json: bool) -> None:
    """Say what applying FILE would change, and what that does to stored data; nothing is changed."""
    kinds = all_kinds(core_entities())
    document = _read(file)
    with _tenant(tenant) as session:
        made, impacts = propose(session, kinds, changes_of(session, kinds, document))
    show(_told(made, impacts), "\n".join(_lines(made, impacts)) or "Nothing would change.", as_json=as_json)


@command.command("apply", short_help="Make the configuration what a file says.")
@tenant_option
@file_argument
@click.option("--note", default="", help="Why; kept with the version.")
@json_option
def apply(tenant: str, file: Path, note: str, as_json: bool) -> None:
    """Make the configuration what FILE says: all of it or nothing. The same file again changes nothing."""
    kinds = all_kinds(core_entities())
    document = _read(file)
    with _tenant(tenant) as session:
        made = apply_document(session, kinds, document, note=note or file.name)
    number = made.version + (1 if made.steps else 0)
    text = f"{len(made.steps)} changes, now version {number}." if made.steps else f"Nothing to change; still version {number}."
    show({**_told(made, ()), "version": number}, text, as_json=as_json)


@command.command("versions", short_help="List the changes of the configuration.")
@tenant_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@json_option
def versions_(tenant: str, limit: int, as_json: bool) -> None:
    """List the newest changes of the configuration, with their authors."""
    with _tenant(tenant) as session:
        rows = [
            {
                "number": row.number,
                "at": row.changed_at.isoformat(timespec="seconds"),
                "by": row.actor_label,
                "changes": len(steps_of(row)),
                "note": row.note,
            }
            for row in versions(session, limit=limit)
        ]
    show(rows, table(rows, ["number", "at", "by", "changes", "note"]), as_json=as_json)


@command.command("rollback", short_help="Bring back the configuration of a version.")
@tenant_option
@click.argument("number", type=click.IntRange(min=0))
@json_option
def rollback(tenant: str, number: int, as_json: bool) -> None:
    """Bring the configuration back to what it was at version NUMBER; this is a change of its own and can be taken back too."""
    kinds = all_kinds(core_entities())
    with _tenant(tenant) as session:
        made = roll_back(session, kinds, number)
    text = f"{len(made.steps)} changes, now version {made.version + 1}." if made.steps else "Nothing to change."
    show(_told(made, ()), text, as_json=as_json)


@command.command("schema", short_help="Print the JSON Schema of configuration files.")
def schema() -> None:
    """Print the JSON Schema of configuration files, for editors and checks."""
    click.echo(json.dumps(document_schema(all_kinds(core_entities())), ensure_ascii=False, indent=2))


def _read(file: Path) -> dict[str, Any]:
    data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    return read_text(data, is_toml=file.suffix == TOML)


def _told(made: ChangeSet, impacts: Iterable[Impact]) -> dict[str, Any]:
    return {"changes": [step.document() for step in made.steps], "impacts": [asdict(one) for one in impacts]}


def _lines(made: ChangeSet, impacts: Iterable[Impact]) -> Iterator[str]:
    for step in made.steps:
        if step.before is None or step.after is None or step.renamed_from:
            sign = "+" if step.before is None else "-" if step.after is None else f"{step.renamed_from} →"
            yield f"{sign} {step.kind} {step.key}"
        for name in sorted({*(step.before or {}), *(step.after or {})} if step.before and step.after else ()):
            old, new = (step.before or {}).get(name), (step.after or {}).get(name)
            if old != new:
                yield f"~ {step.kind} {step.key}: {name} {json.dumps(old, ensure_ascii=False)} → {json.dumps(new, ensure_ascii=False)}"
    for one in impacts:
        yield f"! {one.kind} {one.key}: {one.message}" + (f" ({one.count})" if one.count is not None else "")
