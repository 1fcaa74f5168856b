"""Reading entities: lists with queue, search, filter and sort, counts, single records and labels of references; for screens, REST and
exports alike."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, and_, false, or_, select
from sqlalchemy.orm import Session

from core.engines.metadata.columns import IndexJoin, catalogue_of, column_of, columns_of, filter_catalogue, sort_key_of
from core.engines.metadata.entity import EntityRegistry, EntityType, Field, FieldType, FieldUnknown
from core.engines.metadata.files import file_names
from core.engines.metadata.sealed import MASK, blind_places
from core.engines.metadata.search import matching
from core.engines.metadata.stored import read_stored
from core.kernel import conditions
from core.kernel.conditions import Comparison, Op, parse_condition
from core.kernel.conditions import FieldType as ConditionType
from core.kernel.errors import Invalid, NotFound
from core.kernel.paging import Page
from core.kernel.text import is_storable, normalise, prefix_upper_bound
from core.runtime.db.condition_sql import ColumnMapping, to_sql
from core.runtime.db.keyset import SortKey, capped_count, page, plan_for_values
from core.runtime.security.members import member_names

QUEUE_CAP = 1_000
#: Fields whose values are ids of something that has a name.
NAMED = frozenset({FieldType.REFERENCE, FieldType.USER, FieldType.FILE})


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


def readable_fields(entity: EntityType) -> list[Field]:
    """The fields whose values are given out."""
    return [item for item in entity.fields if not item.is_write_only]


@dataclass(frozen=True, slots=True)
class _Order:
    """The order of a list: its sort keys, and what sorting by a tenant's own field joins."""

    keys: list[SortKey]
    join: Callable[[Select[Any]], Select[Any]]
    columns: Mapping[str, ColumnMapping]


def _order_of(entity: EntityType, sort: str, now: datetime) -> _Order:
    """By `sort`, else the entity's own order, then by id. Raises Invalid - the field cannot be sorted by."""
    model: Any = entity.model
    key, is_descending = entity.default_sort[0], entity.default_sort[1] == "desc"
    if sort:
        key, is_descending = sort.removeprefix("-"), sort.startswith("-")
        known = entity.by_key.get(key)
        if key != "id" and (known is None or not known.is_sortable):
            raise Invalid("The list cannot be sorted by this.", field="sort")
    columns = columns_of(entity, now=now)
    last = SortKey(model.id, is_descending)
    item = entity.by_key.get(key)
    if item is not None and item.is_computed:
        computed = sort_key_of(entity, item, is_descending=is_descending, now=now)
        return _Order([last] if computed is None else [computed, last], _unjoined, columns)
    if item is not None and item.slot:
        index = IndexJoin(entity, item)
        places = ChainMap({key: index.mapping}, cast("dict[str, ColumnMapping]", columns))
        return _Order([index.sort_key(is_descending=is_descending), last], index.join, places)
    if key == "id":
        return _Order([last], _unjoined, columns)
    column = getattr(model, key)
    return _Order([SortKey(column, is_descending, bool(model.__table__.c[key].nullable)), last], _unjoined, columns)


def _unjoined(statement: Select[Any]) -> Select[Any]:
    return statement


def filtered(
    session: Session,
    entity: EntityType,
    query: ListQuery,
    *,
    now: datetime,
    columns: Sequence[Any] | None = None,
    places: Mapping[str, ColumnMapping] | None = None,
) -> Select[Any]:
    """The statement behind a list, without order. `columns` defaults to the whole record; `places` tells where conditions find fields.

    Raises: Invalid with field queue, filter or within - an unknown queue, a wrong condition, a field that is no reference.
    """
    statement: Select[Any] = select(*columns) if columns else select(entity.model)
    model: Any = entity.model
    statement = visible(entity, statement, now=now)
    queue = _queue_condition(entity, query)
    if queue is not None:
        statement = statement.where(to_sql(queue, columns_of(entity.whole, now=now), now))
    if query.condition:
        condition = parse_condition(query.condition, filter_catalogue(entity))
        found = ChainMap(cast("dict[str, ColumnMapping]", places or columns_of(entity, now=now)), blind_places(session, entity))
        statement = statement.where(to_sql(condition, found, now))
    for key, value in query.within:
        known = entity.by_key.get(key)
        if known is None or known.type is not FieldType.REFERENCE:
            raise Invalid("This field is no reference.", field="within")
        if known.slot:
            place = columns_of(entity)[key]
            statement = statement.where(to_sql(Comparison((key,), ConditionType.REFERENCE, Op.EQ, value), {key: place}, now))
        else:
            statement = statement.where(getattr(model, key) == value)
    if query.search.strip():
        statement = _searched(session, entity, statement, query.search)
    return statement


def visible(entity: EntityType, statement: Select[Any], *, now: datetime | None = None) -> Select[Any]:
    """The statement over the rows of this entity type alone, and of these the ones that the reader may see."""
    if entity.kind is not None:
        column, value = entity.kind
        statement = statement.where(getattr(entity.model, column) == value)
    if entity.confine is not None:
        found: Select[Any] = entity.confine(statement, now or datetime.now(UTC))
        return found
    return statement


def visible_ids(session: Session, entity: EntityType, ids: Sequence[UUID]) -> list[UUID]:
    """Those of these records that there are and that the reader may see, in the order given."""
    if entity.confine is None and entity.kind is None:
        return list(ids)
    model: Any = entity.model
    found = set(session.scalars(visible(entity, select(model.id).where(model.id.in_(list(ids))))))
    return [key for key in ids if key in found]


def _queue_condition(entity: EntityType, query: ListQuery) -> conditions.Condition | None:
    if not query.queue:
        return None
    queue = entity.queue(query.queue)
    if queue is None:
        raise Invalid("There is no such queue.", field="queue")
    # A queue is the code's or the business's own; what it asks may be about fields that the reader does not see.
    return parse_condition(queue.condition, catalogue_of(entity.whole)) if queue.condition is not None else None


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
    order = _order_of(entity, query.sort, now)
    columns = [column_of(entity, key, now=now) for key in dict.fromkeys(["id", *keys])]
    if len(columns) == 1:
        columns.append(model.id.label("same_id"))  # of a single column, the page would hold the values instead of rows
    statement = order.join(filtered(session, entity, query, now=now, columns=columns, places=order.columns))
    return page(session, statement, keys=order.keys, cursor=query.cursor, size=query.size)


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
    return _only(session, entity, record_id, visible(entity, select(entity.model)))


def locked_record(session: Session, entity: EntityType, record_id: UUID) -> Any:
    """One record, which nobody else changes until this transaction ends. Raises NotFound."""
    return _only(session, entity, record_id, visible(entity, select(entity.model)).with_for_update())


def _only(session: Session, entity: EntityType, record_id: UUID, statement: Select[Any]) -> Any:
    model: Any = entity.model
    found = session.scalars(statement.where(model.id == record_id).execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound(entity=entity.key, id=str(record_id))
    shaped(entity, found)
    computed = [item.key for item in entity.fields if item.is_computed]
    if computed:
        keys = [column_of(entity, key) for key in computed]
        values = session.execute(select(model.id, *keys).where(model.id == record_id)).one()
        for key in computed:
            setattr(found, key, getattr(values, key))
    return found


def shaped(entity: EntityType, record: Any) -> Any:
    """The record with the values of the tenant's own fields as plain attributes, to be read like its columns; without computed ones."""
    for item in entity.whole.fields:
        if item.is_sealed and item.slot:
            setattr(record, item.key, MASK if (record.custom or {}).get(item.slot) is not None else None)
        elif item.slot:
            setattr(record, item.key, read_stored(item.type, (record.custom or {}).get(item.slot)))
    return record


def labels(session: Session, registry: EntityRegistry, entity: EntityType, rows: Iterable[Any], keys: Sequence[str]) -> dict[UUID, str]:
    """What to call the records that these rows refer to in the fields `keys`, by id; one statement per kind of record."""
    wanted: dict[str, set[UUID]] = {}
    named = [item for key in keys if (item := entity.by_key.get(key)) is not None and item.type in NAMED]
    for row in rows:
        for item in named:
            value = getattr(row, item.key)
            if value is not None:
                wanted.setdefault(named_kind(item), set()).add(value)
    return {key: name for kind, ids in wanted.items() for key, name in called(session, registry, kind, ids).items()}


def named_kind(item: Field) -> str:
    """What `called` names a field's values by: the entity type that it refers to, `user` or `file`."""
    return item.target if item.type is FieldType.REFERENCE else item.type.value


def called(session: Session, registry: EntityRegistry, kind: str, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What to call records of an entity type, members (`user`) or files (`file`), by id."""
    if kind == FieldType.USER:
        return member_names(session, ids)
    if kind == FieldType.FILE:
        return file_names(session, ids)
    return titles(session, registry.get(kind), ids)


def titles(session: Session, entity: EntityType, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What to call these records, by id."""
    model: Any = entity.model
    statement = select(model.id, getattr(model, entity.title_field).label("title")).where(model.id.in_(list(ids)))
    return {row.id: str(row.title) for row in session.execute(visible(entity, statement))}


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
