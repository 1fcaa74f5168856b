"""Writing notices. Nothing here commits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update

from core.sdk import PluginContext, new_id
from core.sdk.models import insert_rows
from plugins.notify_inapp.kinds import BY_KEY, Kind, News
from plugins.notify_inapp.models import KEPT_SUBJECTS, Muted, Notice

# What joins an unread notice: subjects that it does not name yet are counted, the latest ones are kept.
_JOIN = f"""
ON CONFLICT (tenant_id, user_id, group_key) WHERE read_at IS NULL DO UPDATE SET
    times = plg_notify_inapp_notice.times + excluded.times,
    subject_count = plg_notify_inapp_notice.subject_count + (
        SELECT count(*) FROM unnest(excluded.subjects) AS s(name) WHERE s.name <> ALL (plg_notify_inapp_notice.subjects)),
    subjects = (ARRAY(SELECT s.name FROM unnest(excluded.subjects) AS s(name) WHERE s.name <> ALL (plg_notify_inapp_notice.subjects))
        || plg_notify_inapp_notice.subjects)[1:{KEPT_SUBJECTS}],
    facts = excluded.facts, last_at = now()
"""  # noqa: S608 - a constant


@dataclass(slots=True)
class Bundle:
    """News of one kind that belong together, with the people who are told."""

    kind: Kind
    group: str
    users: frozenset[int]
    subjects: dict[str, None] = field(default_factory=dict)
    times: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells it from other groups."""
        return f"{self.kind.key}:{self.group}"

    def add(self, news: News) -> None:
        """One more occurrence."""
        self.subjects[news.subject] = None
        self.times += 1
        self.facts = news.facts


def tell(ctx: PluginContext, bundles: Iterable[Bundle]) -> int:
    """Write the bundles down for their people, set-based; returns how many notices were made or grew.

    Left out: people who have muted the kind, and what somebody has read about not longer ago than the settings say.
    """
    given = [bundle for bundle in bundles if bundle.users]
    if not given:
        return 0
    muted = _muted(ctx, {bundle.kind.key for bundle in given})
    quiet = _read_lately(ctx, {bundle.key for bundle in given})
    rows = [
        _row(bundle, user, fresh)
        for bundle in given
        for user in sorted(bundle.users)
        if (user, bundle.kind.key) not in muted and (fresh := _fresh(bundle, quiet.get((user, bundle.key), frozenset())))
    ]
    # Sorted, so that two workers never wait for each other crosswise.
    rows.sort(key=lambda row: (row["user_id"], row["group_key"]))
    return len(insert_rows(ctx.session, Notice, rows, on_conflict=_JOIN, returning="id"))


def _fresh(bundle: Bundle, told: Collection[str]) -> list[str]:
    return [subject for subject in bundle.subjects if subject not in told]


def _row(bundle: Bundle, user: int, subjects: Sequence[str]) -> dict[str, Any]:
    return {
        "id": new_id(),
        "user_id": user,
        "kind": bundle.kind.key,
        "group_key": bundle.key,
        "subjects": list(reversed(subjects))[:KEPT_SUBJECTS],
        "subject_count": len(subjects),
        "times": bundle.times,
        "facts": dict(bundle.facts),
    }


def _muted(ctx: PluginContext, kinds: Collection[str]) -> set[tuple[int, str]]:
    rows = ctx.session.execute(select(Muted.user_id, Muted.kind).where(Muted.kind.in_(kinds)))
    return {(row.user_id, row.kind) for row in rows}


def _read_lately(ctx: PluginContext, keys: Collection[str]) -> dict[tuple[int, str], frozenset[str]]:
    """The subjects that each person has read about within the quiet time, by group."""
    since = ctx.clock.now() - timedelta(minutes=ctx.config["quiet_minutes"])
    found: dict[tuple[int, str], frozenset[str]] = {}
    statement = select(Notice.user_id, Notice.group_key, Notice.subjects).where(Notice.group_key.in_(keys), Notice.read_at > since)
    for row in ctx.session.execute(statement):
        key = (row.user_id, row.group_key)
        found[key] = found.get(key, frozenset()) | frozenset(row.subjects)
    return found


def mark_read(ctx: PluginContext, user_id: int, notice_id: UUID | None = None) -> None:
    """Mark one notice of a person as read, or all of them; those that are read already stay as they are."""
    statement = update(Notice).where(Notice.user_id == user_id, Notice.read_at.is_(None))
    if notice_id is not None:
        statement = statement.where(Notice.id == notice_id)
    ctx.session.execute(statement.values(read_at=ctx.clock.now()).execution_options(synchronize_session=False))


def choose_kinds(ctx: PluginContext, user_id: int, wanted: Collection[str]) -> None:
    """Keep which kinds a person wants; kinds that are not known are ignored."""
    unwanted = sorted(set(BY_KEY) - set(wanted))
    ctx.session.execute(
        delete(Muted).where(Muted.user_id == user_id, Muted.kind.not_in(unwanted)).execution_options(synchronize_session=False)
    )
    rows = [{"id": new_id(), "user_id": user_id, "kind": kind} for kind in unwanted]
    insert_rows(ctx.session, Muted, rows, on_conflict="ON CONFLICT (tenant_id, user_id, kind) DO NOTHING")
