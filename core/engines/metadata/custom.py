"""Values of tenants' own fields on their way into records: the `custom` document, the index of what lists filter by, numbers."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.engines.metadata import index_keys
from core.engines.metadata.columns import CONDITION_TYPES
from core.engines.metadata.entity import EntityType, Field, FieldType
from core.engines.metadata.files import forget_files_of, settle
from core.engines.metadata.records import Taken
from core.engines.metadata.sealed import MASK, SEALED, purpose_of
from core.engines.metadata.stored import CustomValue, read_stored, stored
from core.kernel.errors import Invalid
from core.kernel.ids import new_id
from core.kernel.text import clean_text
from core.runtime.db.bulk import insert_rows, tenant_of
from core.runtime.security import audit
from core.runtime.security.vault import blind_many, seal, unseal

_NEXT = text(
    "INSERT INTO number_series (tenant_id, id, series, period, next_value) VALUES (:tenant, :id, :series, :period, 2) "
    "ON CONFLICT (tenant_id, series, period) DO UPDATE SET next_value = number_series.next_value + 1 RETURNING next_value - 1"
)
MIN_REASON, MAX_REASON = 3, 300
SERIES_PART = re.compile(r"\{(n|yyyy|yy|mm|dd)(?::([1-9]))?\}")


def split(entity: EntityType, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values of the code's own fields, and those of the tenant's."""
    own = {key: value for key, value in values.items() if (item := entity.by_key.get(key)) is not None and item.slot}
    return {key: value for key, value in values.items() if key not in own}, own


def set_values(session: Session, entity: EntityType, record: Any, values: Mapping[str, Any]) -> None:
    """Store values of the tenant's own fields in `record` and in their index; does not commit.

    Raises: Taken - another record has the value of a field whose values are unique.
    """
    if not values:
        return
    fields = [entity.by_key[key] for key in values]
    document = dict(record.custom or {})
    for item in fields:
        kept = _kept(session, item, values[item.key])
        if kept is None:
            document.pop(item.slot, None)
        else:
            document[item.slot] = kept
    if document != (record.custom or {}):
        record.custom = document
    session.flush()
    settle(session, record.id, [(item, values[item.key]) for item in fields if item.type is FieldType.FILE])
    reindex(session, fields, {record.id: {item.key: values[item.key] for item in fields}})
    for item in fields:
        is_masked = item.is_sealed and values[item.key] not in (None, "")
        setattr(record, item.key, MASK if is_masked else values[item.key])


def _kept(session: Session, item: Field, value: Any) -> Any:
    if value is None or value in ("", [], {}):
        return None
    if item.is_sealed:
        return {SEALED: base64.b64encode(seal(session, purpose_of(item), str(stored(item.type, value)))).decode()}
    return stored(item.type, value)


def opened(session: Session, item: Field, document: Mapping[str, Any]) -> Any:
    """The clear value of a sealed field. Raises SealBroken."""
    kept = document.get(item.slot)
    if not isinstance(kept, Mapping) or not isinstance(kept.get(SEALED), str):
        return read_stored(item.type, kept)
    return read_stored(item.type, unseal(session, purpose_of(item), base64.b64decode(kept[SEALED])))


def reindex(session: Session, fields: Sequence[Field], records: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Write what the index holds of these fields of these records anew, from typed values by key. Raises Taken."""
    indexed = [item for item in fields if is_indexed(item)]
    if not indexed or not records:
        return
    session.execute(
        delete(CustomValue)
        .where(CustomValue.record_id.in_(list(records)), CustomValue.slot.in_([item.slot for item in indexed]))
        .execution_options(synchronize_session=False)
    )
    add_to_index(session, indexed, records)


def add_to_index(session: Session, fields: Iterable[Field], records: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Add index rows for records that have none of these fields. Raises Taken - two records have one value of a unique field."""
    rows = [
        {"slot": item.slot, "key": key, "record_id": record_id, "is_unique": item.is_unique}
        for item in fields
        for record_id, values in records.items()
        for key in keys_of(session, item, values.get(item.key))
    ]
    if not rows:
        return
    try:
        with session.begin_nested():
            insert_rows(session, CustomValue, rows)
            session.flush()
    except IntegrityError as error:
        unique = [item.key for item in fields if item.is_unique]
        raise Taken(field=_taken_field(error, fields) or (unique[0] if unique else None)) from error


def _taken_field(error: IntegrityError, fields: Iterable[Field]) -> str | None:
    detail = str(getattr(getattr(error.orig, "diag", None), "message_detail", "") or "")
    return next((item.key for item in fields if item.is_unique and f", {item.slot}, " in detail), None)


def is_indexed(item: Field) -> bool:
    """Whether the values of this field lie in the index."""
    return bool(item.slot) and item.type in CONDITION_TYPES and (item.is_filterable or item.is_unique or bool(item.target))


def keys_of(session: Session, item: Field, value: Any) -> list[str]:
    """The index keys of one typed value: one for each member of a list, keyed hashes for sealed fields, none for nothing."""
    if value is None or value in ("", []):
        return []
    kind = CONDITION_TYPES[item.type]
    members = value if isinstance(value, list) else [value]
    keys = list(dict.fromkeys(index_keys.key_of(kind, member) for member in members))
    return [hashed for hashed in blind_many(session, purpose_of(item), keys) if hashed] if item.is_sealed else keys


def forget(session: Session, record_ids: Sequence[UUID]) -> None:
    """Take records that are gone out of the index, and their files with them."""
    forget_files_of(session, record_ids)
    session.execute(delete(CustomValue).where(CustomValue.record_id.in_(list(record_ids))).execution_options(synchronize_session=False))


def next_number(session: Session, series: str, pattern: str, *, now: datetime) -> str:
    """The next number of a series without gaps, in the form of `pattern`: `{n:4}` is the number with leading zeros, `{yyyy}`, `{yy}`,
    `{mm}` and `{dd}` are of `now`, and the count begins anew with each of them that changes."""
    parts = {"yyyy": f"{now:%Y}", "yy": f"{now:%y}", "mm": f"{now:%m}", "dd": f"{now:%d}"}
    period = "-".join(parts[name] for name, _width in SERIES_PART.findall(pattern) if name != "n")
    values = {"tenant": tenant_of(session), "id": new_id(), "series": series, "period": period}
    number = session.execute(_NEXT, values).scalar_one()
    return SERIES_PART.sub(lambda found: f"{number:0{found[2] or 1}d}" if found[1] == "n" else parts[found[1]], pattern)


def reveal(session: Session, record: Any, item: Field, *, reason: str) -> str:
    """The clear value of a record's encrypted field, with the reason on record; empty when there is none.

    Raises: Invalid - no reason; SealBroken.
    """
    why = clean_text(reason, max_length=MAX_REASON, field="reason")
    if len(why) < MIN_REASON:
        raise Invalid("Say why you need to see this.", field="reason")
    told = {f"custom.{item.slot}": audit.CHANGED, "reason": (None, why)}
    audit.record(session, "records.revealed", audit.subject_type(record), str(record.id), told)
    found = opened(session, item, record.custom or {})
    return str(found) if found is not None else ""
