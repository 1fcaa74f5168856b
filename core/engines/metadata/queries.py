"""Reading entities: lists with queue, search, filter and sort, counts, single records and labels of references; for screens, REST and
exports alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, false, or_, select
from sqlalchemy.orm import Session

from core.engines.metadata.entity import EntityRegistry, EntityType, Field, FieldType, FieldUnknown
from core.engines.metadata.search import matching
from core.kernel import conditions
from core.kernel.conditions import FieldSpec, parse_condition
from core.kernel.conditions import FieldType as ConditionType
from core.kernel.errors import Invalid, NotFound
from core.kernel.paging import Page
from core.kernel.text import is_storable, normalise, prefix_upper_bound
from core.runtime.db.condition_sql import ColumnMapping, to_sql
from core.runtime.db.keyset import SortKey, capped_count, page, plan_for_values

QUEUE_CAP = 1_000
_TYPES = {
    FieldType.TEXT: ConditionType.TEXT,
    FieldType.LONG_TEXT: ConditionType.TEXT,
    FieldType.INTEGER: ConditionType.INTEGER,
    FieldType.DECIMAL: ConditionType.DECIMAL,
    FieldType.MONEY: ConditionType.DECIMAL,
    FieldType.QUANTITY: ConditionType.DECIMAL,
    FieldType.BOOLEAN: ConditionType.BOOLEAN,
    FieldType.DATE: ConditionType.DATE,
    FieldType.DATETIME: ConditionType.DATETIME,
    FieldType.CHOICE: ConditionType.CHOICE,
    FieldType.TAGS: ConditionType.CHOICES,
    FieldType.REFERENCE: ConditionType.REFERENCE,
}


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What a list is asked for.

    `condition` is a condition tree as JSON, `sort` a field key, descending with a leading `-`, `cursor` a place that an earlier page
    gave. `within` confines the list to the rows whose reference fields have these values (a record's related list).
    """

    queue: str = ""
    search: str = ""
    condition: Mapping[str, Any] | None = None
    sort: str = ""
    cursor: str | None = None
    size: int = 25
    within: tuple[tuple[str, UUID], ...] = ()


@lru_cache(maxsize=256)
def catalogue_of(entity: EntityType) -> dict[str, FieldSpec]:
    """The fields that conditions over this entity may use."""
    return {
        item.key: FieldSpec(_TYPES[item.type], item.label, {c.value: c.label for c in item.choices} or None)
        for item in entity.fields
        if item.type in _TYPES and not item.is_write_only
    }


@lru_cache(maxsize=256)
def columns_of(entity: EntityType) -> dict[str, ColumnMapping]:
    """Where those fields live."""
    return {key: ColumnMapping(getattr(entity.model, key), spec.type) for key, spec in catalogue_of(entity).items()}


def readable_fields(entity: EntityType) -> list[Field]:
    """The fields whose values are given out."""
    return [item for item in entity.fields if not item.is_write_only]


def sort_keys(entity: EntityType, sort: str) -> list[SortKey]:
    """The order of a list: by `sort`, else the entity's own, then by id. Raises Invalid - the field cannot be sorted by."""
    model: Any = entity.model
    key, is_descending = entity.default_sort[0], entity.default_sort[1] == "desc"
    if sort:
        key, is_descending = sort.removeprefix("-"), sort.startswith("-")
        known = entity.by_key.get(key)
        if key != "id" and (known is None or not known.is_sortable):
            raise Invalid("The list cannot be sorted by this.", field="sort")
    last = SortKey(model.id, is_descending)
    if key == "id":
        return [last]
    column = getattr(model, key)
    return [SortKey(column, is_descending, bool(model.__table__.c[key].nullable)), last]


def filtered(session: Session, entity: EntityType, query: ListQuery, *, now: datetime, columns: Sequence[Any] | None = None) -> Select[Any]:
    """The statement behind a list, without order. `columns` defaults to the whole record.

    Raises: Invalid with field queue, filter or within - an unknown queue, a wrong condition, a field that is no reference.
    """
    statement: Select[Any] = select(*columns) if columns else select(entity.model)
    model: Any = entity.model
    for condition in _conditions(entity, query):
        statement = statement.where(to_sql(condition, columns_of(entity), now))
    for key, value in query.within:
        known = entity.by_key.get(key)
        if known is None or known.type is not FieldType.REFERENCE:
            raise Invalid("This field is no reference.", field="within")
        statement = statement.where(getattr(model, key) == value)
    if query.search.strip():
        statement = _searched(session, entity, statement, query.search)
    return statement


def _conditions(entity: EntityType, query: ListQuery) -> list[conditions.Condition]:
    found = []
    if query.queue:
        queue = entity.queue(query.queue)
        if queue is None:
            raise Invalid("There is no such queue.", field="queue")
        if queue.condition is not None:
            found.append(parse_condition(queue.condition, catalogue_of(entity)))
    if query.condition:
        found.append(parse_condition(query.condition, catalogue_of(entity)))
    return found


def _searched(session: Session, entity: EntityType, statement: Select[Any], text: str) -> Select[Any]:
    model: Any = entity.model
    if not is_storable(text):
        # No column can hold such text, so nothing matches; the driver would refuse to send it.
        return statement.where(false())
    if entity.search is not None:
        return statement.where(entity.search(session, text))
    if entity.search_entity:
        plan_for_values(session)
        parts = matching(session, entity.search_entity, text)
        return statement.where(*(model.id.in_(found) for found in parts)) if parts else statement.where(false())
    wanted = normalise(text).strip()
    if not entity.search_fields or not wanted:
        return statement
    starts = []
    for key in entity.search_fields:
        column = getattr(model, key)
        for spelling in {text.strip(), wanted, wanted.upper()}:
            high = prefix_upper_bound(spelling)
            starts.append(column >= spelling if high is None else and_(column >= spelling, column < high))
    return statement.where(or_(*starts))


def fetch(session: Session, entity: EntityType, query: ListQuery, *, now: datetime, keys: Sequence[str]) -> Page[Any]:
    """One page of rows with `id` and the fields `keys`, as plain rows. Raises Invalid with the wrong argument's name."""
    model: Any = entity.model
    columns = [getattr(model, key) for key in dict.fromkeys(["id", *keys])]
    if len(columns) == 1:
        columns.append(model.id.label("same_id"))  # of a single column, the page would hold the values instead of rows
    statement = filtered(session, entity, query, now=now, columns=columns)
    return page(session, statement, keys=sort_keys(entity, query.sort), cursor=query.cursor, size=query.size)


def count(session: Session, entity: EntityType, query: ListQuery, *, now: datetime, cap: int = 10_000) -> tuple[int, bool]:
    """How many rows the list has in all, counted up to `cap`: (n, more than that)."""
    model: Any = entity.model
    return capped_count(session, filtered(session, entity, replace(query, cursor=None), now=now, columns=[model.id]), cap=cap)


def queue_counts(
    session: Session, entity: EntityType, *, now: datetime, cap: int = QUEUE_CAP, within: tuple[tuple[str, UUID], ...] = ()
) -> dict[str, tuple[int, bool]]:
    """The count of each queue, counted up to `cap`; `within` as in ListQuery."""
    queries = {queue.key: ListQuery(queue=queue.key, within=within) for queue in entity.queues}
    return {key: count(session, entity, query, now=now, cap=cap) for key, query in queries.items()}


def record(session: Session, entity: EntityType, record_id: UUID) -> Any:
    """One record. Raises NotFound - none with this id in this tenant."""
    return _only(session, entity, record_id, select(entity.model))


def locked_record(session: Session, entity: EntityType, record_id: UUID) -> Any:
    """One record, which nobody else changes until this transaction ends. Raises NotFound."""
    return _only(session, entity, record_id, select(entity.model).with_for_update())


def _only(session: Session, entity: EntityType, record_id: UUID, statement: Select[Any]) -> Any:
    model: Any = entity.model
    found = session.scalars(statement.where(model.id == record_id).execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound(entity=entity.key, id=str(record_id))
    return found


def labels(session: Session, registry: EntityRegistry, entity: EntityType, rows: Iterable[Any], keys: Sequence[str]) -> dict[UUID, str]:
    """What to call the records that these rows refer to in the fields `keys`, by id; one statement per kind of record."""
    wanted: dict[str, set[UUID]] = {}
    references = [item for key in keys if (item := entity.by_key.get(key)) is not None and item.type is FieldType.REFERENCE]
    for row in rows:
        for item in references:
            value = getattr(row, item.key)
            if value is not None:
                wanted.setdefault(item.target, set()).add(value)
    found: dict[UUID, str] = {}
    for target, ids in wanted.items():
        found.update(titles(session, registry.get(target), ids))
    return found


def titles(session: Session, entity: EntityType, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What to call these records, by id."""
    model: Any = entity.model
    title = getattr(model, entity.title_field)
    return {row.id: str(row.title) for row in session.execute(select(model.id, title.label("title")).where(model.id.in_(list(ids))))}


def lookup(session: Session, entity: EntityType, text: str, *, now: datetime, size: int = 20) -> list[tuple[UUID, str]]:
    """Records to choose from in a form: those that the text finds, or the first ones."""
    found = fetch(session, entity, ListQuery(search=text, size=size), now=now, keys=[entity.title_field])
    return [(row.id, str(getattr(row, entity.title_field))) for row in found.rows]


def checked_field(entity: EntityType, key: str) -> Field:
    """A readable field by key. Raises FieldUnknown."""
    item = entity.field(key)
    if item.is_write_only:
        raise FieldUnknown(entity=entity.key, field_key=key)
    return item
