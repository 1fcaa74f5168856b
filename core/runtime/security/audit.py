"""The audit trail: who changed what, from which value to which, written in the same transaction as the change.

Rows changed through the ORM leave entries by themselves when their class says `__audited__ = True` (or names its subject type:
`__audited__ = "order"`); columns in `__audit_secret__` and sealed columns show as "changed". Set-based writes and acts that change no row
call `record` or `record_many`. The application may add entries and read them, never change or delete one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, event, inspect, select, text
from sqlalchemy.orm import InstanceState, Mapped, Session, UOWTransaction, mapped_column

from core.runtime.db.base import JSON, Base, TenantOwned, tenant_index, tenant_table
from core.runtime.db.bulk import insert_rows
from core.runtime.tenancy.scope import current_scope, require_scope
from core.runtime.tenancy.session import TenantSession

CHANGED = "changed"
MAX_TEXT = 1000
#: The column of fields that a tenant has added; its changes are told field by field, as `custom.<slot>`.
EXTENSION = "custom"
_UNTOLD = frozenset({"tenant_id", "id", "created_at", "updated_at", "row_version"})

Changes = Mapping[str, Any]


class AuditEntry(TenantOwned, Base):
    """One thing done. `changes` maps a field to [old, new], or to "changed" when its values are secret."""

    __tablename__ = "audit_entry"
    __append_only__ = True
    __table_args__ = tenant_table(
        tenant_index("ix_audit_entry_subject", "subject_type", "subject_id", "id"),
        tenant_index("ix_audit_entry_actor", "actor_id", "id"),
        tenant_index("ix_audit_entry_action", "action", "id"),
    )

    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[str]
    changes: Mapped[JSON] = mapped_column(server_default=text("'{}'::jsonb"))
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_label: Mapped[str]
    via: Mapped[str] = mapped_column(server_default=text("''"))
    address: Mapped[str] = mapped_column(server_default=text("''"))
    trace: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an act comes from: `via` is the plugin or workflow that acts for the actor, `address` the network address."""

    via: str = ""
    address: str = ""


_NOWHERE = Origin()
_origin: ContextVar[Origin] = ContextVar("audit_origin", default=_NOWHERE)


@contextmanager
def acting_from(*, via: str | None = None, address: str | None = None) -> Iterator[Origin]:
    """Note plugin, workflow or address in all entries made inside the block; what is not given stays as it is outside."""
    outer = _origin.get()
    token = _origin.set(Origin(outer.via if via is None else via, outer.address if address is None else address))
    try:
        yield _origin.get()
    finally:
        _origin.reset(token)


def set_origin(origin: Origin) -> Token[Origin]:
    """Set the origin for the rest of this context; for request hooks, which cannot use a block."""
    return _origin.set(origin)


def record(session: Session, action: str, subject_type: str, subject_id: object, changes: Changes | None = None) -> None:
    """Write one entry at once; it commits and rolls back with everything else in the session.

    `changes` maps a field to [old, new]; secrets never stand in it, `CHANGED` does. Raises ScopeMissing.
    """
    record_many(session, action, subject_type, [(subject_id, changes or {})])


def record_many(session: Session, action: str, subject_type: str, subjects: Iterable[tuple[object, Changes]]) -> None:
    """Write one entry per (subject id, changes) in one statement. Raises ScopeMissing."""
    _write(session, [(action, subject_type, str(subject_id), changes) for subject_id, changes in subjects])


def _write(session: Session, acts: Sequence[tuple[str, str, str, Changes]]) -> None:
    scope, origin = require_scope(), _origin.get()
    common = {
        "actor_kind": scope.actor.kind,
        "actor_id": scope.actor.id,
        "actor_label": scope.actor.label,
        "via": origin.via,
        "address": origin.address,
        "trace": scope.trace,
    }
    insert_rows(
        session,
        AuditEntry,
        [{"action": a, "subject_type": kind, "subject_id": key, "changes": dict(diff), **common} for a, kind, key, diff in acts],
    )


def _audited(row: object) -> bool:
    return bool(getattr(row, "__audited__", False))


def subject_type(row: object) -> str:
    """What the trail calls the kind of a mapped row: the name that its class says, else its table's."""
    named = getattr(row, "__audited__", True)
    return named if isinstance(named, str) else row.__tablename__  # type: ignore[attr-defined,no-any-return]


def _shown(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return value[:MAX_TEXT] + "…"
    return value


def _own_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of fields that a tenant has added, by slot; what is stored sealed shows as changed."""
    found: dict[str, Any] = {}
    for slot in {*old, *new}:
        before, after = old.get(slot), new.get(slot)
        if before != after:
            is_sealed = any(isinstance(value, Mapping) for value in (before, after))
            found[f"{EXTENSION}.{slot}"] = CHANGED if is_sealed else [_shown(before), _shown(after)]
    return found


def _diff(row: object, *, kind: str) -> dict[str, Any]:
    """Old and new value of each column that the coming flush has changed."""
    state: InstanceState[Any] = inspect(row)
    secret: frozenset[str] = getattr(row, "__audit_secret__", frozenset())
    changes: dict[str, Any] = {}
    for attribute in state.mapper.column_attrs:
        name, column = attribute.key, attribute.columns[0]
        if name in _UNTOLD:
            continue
        if kind == "updated":
            history = state.attrs[name].history
            if not history.has_changes():
                continue
            old = history.deleted[0] if history.deleted else None
            new = history.added[0] if history.added else None
        else:
            value = state.dict.get(name)
            old, new = (None, value) if kind == "created" else (value, None)
        if old == new:
            continue
        if name == EXTENSION:
            changes.update(_own_fields(old or {}, new or {}))
            continue
        hidden = name in secret or isinstance(column.type, LargeBinary)
        changes[name] = CHANGED if hidden else [_shown(old), _shown(new)]
    return changes


@event.listens_for(TenantSession, "after_flush")
def _audit_flush(session: Session, _context: UOWTransaction) -> None:
    """Entries for what was just flushed; the histories are still there at this moment."""
    if current_scope() is None:
        return  # tenants and accounts changed outside every tenant have no trail to go to; tenant rows cannot get here
    acts: list[tuple[str, str, str, Changes]] = []
    for rows, kind in ((session.new, "created"), (session.dirty, "updated"), (session.deleted, "deleted")):
        for row in rows:
            if not _audited(row):
                continue
            changes = _diff(row, kind=kind)
            if changes or kind != "updated":
                acts.append((kind, subject_type(row), str(inspect(row).mapper.primary_key_from_instance(row)[0]), changes))
    if acts:
        _write(session, acts)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to look for; an empty field does not restrict. `since` is included, `until` is not."""

    subject_type: str = ""
    subject_id: str = ""
    actor_id: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


def _first_id(moment: datetime) -> UUID:
    """The smallest UUIDv7 that can have been made at this millisecond."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def entries(session: Session, wanted: AuditFilter | None = None, *, before: UUID | None = None, limit: int = 50) -> list[AuditEntry]:
    """Entries of the session's tenant, newest first; `before` is the last id of the page shown so far."""
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    wanted = wanted or AuditFilter()
    for name in ("subject_type", "subject_id", "actor_id", "action"):
        value = getattr(wanted, name)
        if value:
            statement = statement.where(getattr(AuditEntry, name) == value)
    if wanted.since is not None:
        statement = statement.where(AuditEntry.id >= _first_id(wanted.since))
    if wanted.until is not None:
        statement = statement.where(AuditEntry.id < _first_id(wanted.until))
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    return list(session.scalars(statement))
