"""`oms jobs`: deliveries of a tenant: what waits, what failed and why, and how to send it once more."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from core.delivery.cli.installation import running_installation
from core.delivery.cli.output import json_option, show, table
from core.runtime.events import queries, service
from core.runtime.events.models import STATES
from core.runtime.events.queries import DeliveryFilter
from core.runtime.tenancy.database import Database
from core.runtime.tenancy.scope import Actor

_COLUMNS = ("id", "state", "subscriber", "kind", "subject", "seq", "attempts", "next_at", "why")


def _options(*options: Callable[..., Any]) -> Callable[..., Any]:
    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


_tenant = click.option("--tenant", required=True, help="The tenant's slug.")
_filter = _options(
    click.option("--state", type=click.Choice(STATES), default=None, help="Only deliveries in this state."),
    click.option("--subscriber", default="", help="Only deliveries to this subscriber."),
    click.option("--kind", default="", help="Only deliveries of events of this kind."),
    click.option("--subject", default="", help="Only deliveries about this subject: TYPE:ID."),
)
_chosen = _options(
    _tenant,
    _filter,
    click.argument("ids", nargs=-1, type=click.UUID),
    click.option("--yes", is_flag=True, help="Do it; without it a filter only counts what it would touch."),
    json_option,
)


@click.group(short_help="See, replay, park and skip deliveries.")
def command() -> None:
    """Deliveries of events to their subscribers. Choose them by id, or by a filter and --yes."""


@command.command()
@_tenant
@json_option
def stats(tenant: str, as_json: bool) -> None:
    """Unfinished deliveries by subscriber and state, and what ended in the last hour."""
    with _session(tenant) as session:
        waiting = [row._asdict() for row in queries.open_counts(session)]
        ended = queries.throughput(session, datetime.now(UTC))
    sums = {"done": sum(row.done for row in ended), "dead": sum(row.dead for row in ended)}
    text = table(waiting, ["subscriber", "state", "number", "oldest_due"]) if waiting else "Nothing waits."
    show({"open": waiting, "last_hour": sums}, f"{text}\nlast hour: {sums['done']} done, {sums['dead']} dead", as_json=as_json)


@command.command("list")
@_tenant
@_filter
@click.option("--before", type=click.UUID, help="The last id of the page shown before.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
def list_(tenant: str, before: UUID | None, limit: int, as_json: bool, **wanted: Any) -> None:
    """Deliveries, newest first."""
    with _session(tenant) as session:
        rows = [_told(row._asdict()) for row in queries.deliveries(session, _wanted(**wanted), before=before, limit=limit)]
    show(rows, table(rows, _COLUMNS) if rows else "There are none.", as_json=as_json)


@command.command("show")
@_tenant
@click.argument("delivery", type=click.UUID)
@json_option
def show_(tenant: str, delivery: UUID, as_json: bool) -> None:
    """One delivery with its event, its error and its generations."""
    with _session(tenant) as session:
        found, event = queries.delivery_with_event(session, delivery)
        generations = queries.generations(session, found)
        data = {
            "id": found.id,
            "state": found.state,
            "reason": found.reason,
            "error": found.last_error,
            "subscriber": found.subscriber,
            "attempts": found.attempts,
            "next_at": found.next_at,
            "event": {
                "id": event.id,
                "kind": event.kind,
                "subject": f"{event.subject_type}:{event.subject_id}",
                "seq": event.seq,
                "occurred_at": event.occurred_at,
                "trace": event.trace,
                "payload": event.payload,
            },
            "generations": [{"generation": one.generation, "id": one.id, "state": one.state} for one in generations],
        }
    show(data, "\n".join(f"{name:<12} {value}" for name, value in data.items()), as_json=as_json)


@command.command()
@_chosen
def replay(**options: Any) -> None:
    """Send ended deliveries once more, with a new idempotency key."""
    _change("replay", lambda session, ids: len(service.replay(session, ids)), default_state="dead", **options)


@command.command()
@_chosen
def park(**options: Any) -> None:
    """Set waiting deliveries aside."""
    _change("park", service.park, default_state="pending", **options)


@command.command()
@_chosen
def resume(**options: Any) -> None:
    """Make parked deliveries due again."""
    _change("resume", service.resume, default_state="parked", **options)


@command.command()
@_chosen
def skip(**options: Any) -> None:
    """Give deliveries up, so that later events of their subjects pass."""
    _change("skip", service.skip, default_state="dead", **options)


def _change(
    verb: str,
    act: Callable[[Session, list[UUID]], int],
    *,
    tenant: str,
    ids: tuple[UUID, ...],
    yes: bool,
    as_json: bool,
    default_state: str,
    **wanted: Any,
) -> None:
    with _session(tenant) as session:
        chosen = list(ids) or queries.matching_ids(session, _wanted(**wanted | {"state": wanted["state"] or default_state}))
        done = act(session, chosen) if ids or yes else 0
    if ids or yes:
        show({"matched": len(chosen), "done": done}, f"{verb}: {done} of {len(chosen)} deliveries", as_json=as_json)
    else:
        text = f"{verb}: {len(chosen)} deliveries match; add --yes to do it"
        show({"matched": len(chosen), "done": 0}, text, as_json=as_json)


def _wanted(state: str | None, subscriber: str, kind: str, subject: str) -> DeliveryFilter:
    subject_type, _, subject_id = subject.partition(":")
    return DeliveryFilter(state=state or "", subscriber=subscriber, subject_type=subject_type, subject_id=subject_id, kind=kind)


def _told(row: dict[str, Any]) -> dict[str, Any]:
    error = row["last_error"] or {}
    why = " ".join(str(part) for part in (row["reason"], error.get("code"), error.get("message")) if part)
    return {**row, "subject": f"{row['subject_type']}:{row['subject_id']}", "why": why}


@contextmanager
def _session(tenant: str) -> Iterator[Session]:
    with running_installation() as settings:
        database = Database(settings.database_url, pool_size=1, name="oms-jobs")
        try:
            actor = Actor(kind="system", id="cli", label=f"oms jobs ({getpass.getuser()})")
            with database.tenant(tenant, actor) as session:
                yield session
        finally:
            database.dispose()
