"""The one way by which people's values enter records: typed, checked against the tenant's rules, stored with the tenant's own fields.

Screens, REST and imports call these functions, never an entity type's own `create` and `update`, which know the code's fields only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.engines.metadata import custom
from core.engines.metadata.columns import catalogue_of
from core.engines.metadata.entity import EntityRegistry, EntityType, Field
from core.engines.metadata.formulas import with_formulas
from core.engines.metadata.queries import visible_ids
from core.engines.metadata.records import InUse
from core.engines.metadata.stored import CustomValue
from core.engines.metadata.values import ValuesRefused, convert
from core.kernel.conditions import ConditionInvalid, DocumentValueInvalid, evaluate, parse_condition
from core.kernel.errors import Denied


class OutOfSight(Denied):
    """A record like this would be outside of what you may see."""

    code = "record.out_of_sight"


def create(session: Session, entity: EntityType, values: Mapping[str, Any], *, now: datetime) -> Any:
    """Make a record from typed values; does not commit.

    Raises: Denied - people do not make these, or would not see it; Invalid with the field's name. Nothing is made then.
    """
    if entity.create is None:
        raise Denied("Records of this kind are not made by hand.")
    _check(entity, values, values, now=now)
    with _in_sight(session, entity) as made:
        record = _create(session, entity, values, now=now)
        made.append(record)
    return record


def _create(session: Session, entity: EntityType, values: Mapping[str, Any], *, now: datetime) -> Any:
    plain, own = custom.split(entity, values)
    for item in entity.whole.fields:
        if item.slot and item.series:
            own[item.key] = custom.next_number(session, f"{entity.key}.{item.slot}", item.series, now=now)
        elif item.slot and item.default is not None and item.key not in entity.by_key:
            own[item.key] = convert(item, item.default)  # the reader does not see the field, which has its default all the same
    make = entity.create
    record = make(session, plain if entity.kind is None else {**plain, **own}) if make is not None else None
    if own:
        session.flush()
        custom.set_values(session, entity.whole, record, own)
    return record


def update(session: Session, entity: EntityType, record: Any, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change the given values of a record; does not commit.

    Raises: Denied - people do not change these, or would not see it afterwards; Invalid with the field's name. Nothing is changed then.
    """
    plain, own = custom.split(entity, values)
    if not values:
        return
    if entity.update is None and plain:
        raise Denied("Records of this kind are not changed by hand.")
    before = {item.key: getattr(record, item.key, None) for item in entity.whole.fields if not item.is_write_only}
    _check(entity, {**before, **values}, values, now=now)
    with _in_sight(session, entity) as changed:
        if entity.update is not None and (plain or entity.kind is not None):
            entity.update(session, record, plain if entity.kind is None else {**plain, **own})
        custom.set_values(session, entity.whole, record, own)
        changed.append(record)


@contextmanager
def _in_sight(session: Session, entity: EntityType) -> Iterator[list[Any]]:
    """Nobody writes a record out of their own sight: what the block wrote is taken back. Raises OutOfSight."""
    written: list[Any] = []
    if entity.confine is None:
        yield written
        return
    with session.begin_nested():
        yield written
        session.flush()
        ids = [record.id for record in written]
        if len(visible_ids(session, entity, ids)) < len(ids):
            raise OutOfSight


def remove(session: Session, registry: EntityRegistry, entity: EntityType, record: Any) -> None:
    """Delete a record; does not commit. Raises Denied; InUse - others refer to it."""
    if entity.delete is None:
        raise Denied("Records of this kind are not deleted.")
    # Fields that the reader does not see hold the record too.
    slots = [item.slot for other in registry for item in other.whole.fields if item.slot and item.target == entity.key]
    if slots:
        held = select(CustomValue.record_id).where(CustomValue.slot.in_(slots), CustomValue.key == record.id.hex).limit(1)
        if session.scalar(held) is not None:
            raise InUse
    record_id = record.id
    entity.delete(session, record)
    custom.forget(session, [record_id])


def _check(entity: EntityType, document: Mapping[str, Any], given: Mapping[str, Any], *, now: datetime) -> None:
    """Fields that a rule asks for or hides, judged over the whole record."""
    ruled = [item for item in entity.whole.fields if item.slot and (item.required_if or item.visible_if)]
    if not ruled:
        return
    document = with_formulas(entity.whole, document)
    problems = {}
    for item in ruled:
        value = document.get(item.key)
        if item.visible_if and not holds(entity, item.visible_if, document, now=now):
            if item.key in given and given[item.key] not in (None, "", [], False):
                problems[item.key] = "This field does not apply here and has to stay empty."
            continue
        if value in (None, "", []) and is_needed(entity, item, document, now=now):
            problems[item.key] = "This is needed."
    if problems:
        raise ValuesRefused(problems)


def holds(entity: EntityType, condition: Mapping[str, Any], document: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether a condition of a field's rules holds over a record's values; one that no longer can be read does not."""
    try:
        return evaluate(parse_condition(condition, catalogue_of(entity.whole)), document, now)
    except (ConditionInvalid, DocumentValueInvalid):
        return False


def is_needed(entity: EntityType, item: Field, document: Mapping[str, Any], *, now: datetime) -> bool:
    """Whether this record cannot do without a value of the field."""
    return item.is_required or bool(item.required_if and holds(entity, item.required_if, document, now=now))
