"""What a bulk run can do: frozen descriptors that the domain and plugins contribute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from core.kernel.errors import Invalid, NotFound, OrderloomError

CHUNK = 100


class ActionUnknown(NotFound):
    """There is no such bulk action."""

    code = "bulk.action_unknown"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one record: `state` is done, refused (with a reason that people can act on) or failed."""

    state: str
    code: str | None = None
    message: str | None = None
    facts: Mapping[str, Any] | None = None

    @classmethod
    def refusal(cls, error: OrderloomError) -> RowOutcome:
        """Refused, for the reason that the error gives."""
        return cls("refused", error.code, error.message, {name: str(value) for name, value in error.facts.items()} or None)


DONE = RowOutcome("done")
GONE = RowOutcome("refused", "bulk.gone", "The record is no longer there.")
CRASHED = RowOutcome("failed", "bulk.crashed", "The process that worked on this record ended every time.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAction:
    """One action over many records.

    Attributes:
        key: `<plugin>.<verb>`; stored with each run.
        title: what people read.
        permission: what who starts it must hold; the caller checks.
        apply: `apply(session, ids, params) -> {id: RowOutcome}`, set-based, within one transaction that it must not end. Ids that
        it does
            not answer for are taken as gone. An OrderloomError that it raises, or a bug, is traced to the record by trying one by
            one.
        select: `select(session, source) -> Select` of one column of ids, for "all that match"; None when ids must be named.
        apply_one: the same for one record, where that is cheaper or clearer than `apply` with one id.
        chunk: records in one transaction.
        plugin: the plugin's id, or None for the core.
    """

    key: str
    title: str
    permission: str
    apply: Callable[[Session, Sequence[UUID], Mapping[str, Any]], Mapping[UUID, RowOutcome]]
    select: Callable[[Session, Mapping[str, Any]], Select[Any]] | None = None
    apply_one: Callable[[Session, UUID, Mapping[str, Any]], RowOutcome] | None = None
    chunk: int = CHUNK
    plugin: str | None = None

    def one(self, session: Session, record: UUID, params: Mapping[str, Any]) -> RowOutcome:
        """The outcome for one record."""
        if self.apply_one is not None:
            return self.apply_one(session, record, params)
        return self.apply(session, [record], params).get(record, GONE)


@dataclass(frozen=True)
class ActionRegistry:
    """All bulk actions of this process, by key."""

    actions: Mapping[str, BulkAction] = field(default_factory=dict)

    @classmethod
    def of(cls, actions: Iterable[BulkAction]) -> ActionRegistry:
        """A registry of these. Raises Invalid - two share a key."""
        found: dict[str, BulkAction] = {}
        for action in actions:
            if action.key in found:
                raise Invalid("Two bulk actions share a key.", field="key", key=action.key)
            found[action.key] = action
        return cls(found)

    def get(self, key: str) -> BulkAction:
        """The action with this key. Raises ActionUnknown."""
        action = self.actions.get(key)
        if action is None:
            raise ActionUnknown(key=key)
        return action
