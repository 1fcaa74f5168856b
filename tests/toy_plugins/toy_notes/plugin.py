"""A seed, a rule that writes, subscribers, and a whole life cycle that remembers what it was told."""

from __future__ import annotations

from plugins.toy_notes.models import Note

from core.sdk import Finding, Health, Lifecycle, Purged, Schedule, Seed, Subscriber, hookimpl
from tests.toy_hooks import Rule

told: list[tuple] = []
objections: list[Finding] = []


def _seed(ctx) -> None:
    ctx.session.add(Note(text="first note"))


def _write(ctx, number):
    ctx.session.add(Note(text=f"note {number}"))
    return number + 1


def _heard(ctx, events) -> None:
    for event in events:
        if event.payload.get("say") == "commit":
            ctx.session.commit()
        if event.payload.get("say") == "boom":
            raise LookupError("13800138000")
        with ctx.session.begin_nested():
            ctx.session.add(Note(text=f"heard {event.kind}"))


def _send(ctx):
    told.append(("sent", ctx.tenant_slug, ctx.event.kind, ctx.idempotency_key != "", ctx.session is None))


def _tick(ctx, _events) -> None:
    ctx.session.add(Note(text="tick"))


@hookimpl
def register_lifecycle():
    return Lifecycle(
        preflight=lambda _ctx, _action: list(objections),
        health=lambda _ctx: Health("degraded", "running low", quota_left=3),
        enabled=lambda ctx, first_time: told.append(("enabled", ctx.tenant_slug, first_time)),
        disabling=lambda ctx, mode: told.append(("disabling", ctx.tenant_slug, mode)),
        purge=lambda _ctx, _dry_run: Purged({"remote notes": 2}),
    )


@hookimpl
def register_seeds():
    return [Seed("toy_notes.first", _seed)]


@hookimpl
def register_rules():
    return [Rule("toy_notes.write", _write)]


@hookimpl
def register_subscribers():
    return [
        Subscriber(key="toy_notes.ear", events=("toy.",), handle=_heard, max_attempts=2),
        Subscriber(key="toy_notes.mouth", events=("toy.said",), send=_send, repeatable=True),
    ]


@hookimpl
def register_schedules():
    return [Schedule(key="toy_notes.tick", every_s=60, handle=_tick)]
