"""Writing the records of entity types that a tenant made: one table for all of them, a title, words to be found by, an event each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.engines.metadata.entity import TEXTS, Field
from core.engines.metadata.records import InUse
from core.engines.metadata.search import personal_tokens, reindex
from core.engines.metadata.stored import CustomRecord
from core.kernel.ids import new_id
from core.kernel.text import SearchKind, SearchValue, search_tokens
from core.runtime.events import EventDraft, emit

MAX_TITLE = 200


def is_secret(item: Field) -> bool:
    """Whether a field's values may not stand in a title."""
    return item.is_sealed or item.is_personal


class OwnRecords:
    """Creates, changes and deletes records of one of the tenant's entity types, whose fields are `fields`; `title` names the field that
    a record is called by, empty for the first text."""

    def __init__(self, key: str, fields: Iterable[Field], title: str) -> None:
        self._key, self._fields = key, {item.key: item for item in fields}
        texts = [item.key for item in self._fields.values() if item.type in TEXTS and item.slot and not is_secret(item)]
        numbers = [item.key for item in self._fields.values() if item.series]
        self._title = next((key for key in (title, *numbers, *texts) if key), "")

    def create(self, session: Session, values: Mapping[str, Any]) -> CustomRecord:
        """A new record; its own fields are stored by the caller."""
        record = CustomRecord(id=new_id(), entity=self._key, title=self._titled(values), parent_id=values.get("parent_id"), custom={})
        session.add(record)
        session.flush()
        self._index(session, record, values)
        self._tell(session, "created", record)
        return record

    def update(self, session: Session, record: CustomRecord, values: Mapping[str, Any]) -> None:
        """What changes outside the record's own fields."""
        merged = {key: values.get(key, getattr(record, key, None)) for key in self._fields}
        record.title = self._titled(merged)
        session.flush()
        self._index(session, record, merged)
        self._tell(session, "updated", record)

    def delete(self, session: Session, record: CustomRecord) -> None:
        """The record goes, unless records of other types belong to it."""
        if session.scalar(select(func.count()).select_from(CustomRecord).where(CustomRecord.parent_id == record.id)):
            raise InUse
        reindex(session, self._key, {record.id: ()})
        self._tell(session, "deleted", record)
        session.delete(record)
        session.flush()

    def _titled(self, values: Mapping[str, Any]) -> str:
        value = values.get(self._title)
        return str(value)[:MAX_TITLE] if value not in (None, "", []) else ""

    def _index(self, session: Session, record: CustomRecord, values: Mapping[str, Any]) -> None:
        plain: list[SearchValue] = []
        personal: list[SearchValue] = []
        for key, item in self._fields.items():
            value = values.get(key)
            if item.type in TEXTS and isinstance(value, str) and value and not item.is_sealed:
                (personal if item.is_personal else plain).append(SearchValue(SearchKind.TEXT, value))
        tokens = search_tokens(plain)
        if personal:
            tokens |= personal_tokens(session, search_tokens(personal))
        reindex(session, self._key, {record.id: tokens})

    def _tell(self, session: Session, what: str, record: CustomRecord) -> None:
        emit(session, [EventDraft(f"record.{what}", self._key, record.id, {"title": record.title})])
