"""Values of conditions and documents: reading them into one Python type per field type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from core.kernel.conditions.errors import ConditionInvalid, DocumentValueInvalid
from core.kernel.conditions.fields import FieldType
from core.kernel.conditions.nodes import Comparison, Quantified, field_name
from core.kernel.errors import Invalid
from core.kernel.text.clean import check_text

MAX_TEXT = 1_000
MAX_INTEGER = 2**63 - 1
_MAX_DIGITS = 40
_MAX_EXPONENT = 30
_EXACT = Context(prec=_MAX_DIGITS)
_INTEGER = re.compile(r"-?[0-9]{1,19}\Z")


def _text(raw: object, at: str) -> str:
    return check_text(raw, max_length=MAX_TEXT, field=at)


def _integer(raw: object, at: str) -> int:
    number = int(raw) if isinstance(raw, str) and _INTEGER.match(raw) else raw
    if type(number) is not int:
        raise ConditionInvalid("This must be a whole number.", field=at)
    if abs(number) > MAX_INTEGER:
        raise ConditionInvalid("This whole number is too large.", field=at)
    return number


def _decimal(raw: object, at: str) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | str | Decimal) or (isinstance(raw, str) and len(raw) > _MAX_DIGITS):
        raise ConditionInvalid("This must be a number, written as text or a whole number, never a float.", field=at)
    try:
        number = Decimal(raw)
    except (InvalidOperation, ValueError) as error:
        raise ConditionInvalid("This is not a number.", field=at) from error
    if not number.is_finite():
        raise ConditionInvalid("A number must be finite.", field=at)
    if len(number.as_tuple().digits) > _MAX_DIGITS or abs(number.adjusted()) > _MAX_EXPONENT:
        raise ConditionInvalid("This number is too large or too precise.", field=at)
    return number.normalize(_EXACT) if number else Decimal(0)


def _date(raw: object, at: str) -> date:
    if type(raw) is date:
        return raw
    try:
        return date.fromisoformat(raw)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise ConditionInvalid("This must be a date such as 2026-01-31.", field=at) from error


def _datetime(raw: object, at: str) -> datetime:
    try:
        moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(raw)  # type: ignore[arg-type]
        if moment.utcoffset() is None:
            raise ConditionInvalid("This moment lacks its offset from UTC.", field=at)
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConditionInvalid("This must be a moment such as 2026-01-31T09:00:00+08:00.", field=at) from error


def _boolean(raw: object, at: str) -> bool:
    if not isinstance(raw, bool):
        raise ConditionInvalid("This must be true or false.", field=at)
    return raw


def _reference(raw: object, at: str) -> UUID:
    if isinstance(raw, UUID):
        return raw
    try:
        return UUID(raw)  # type: ignore[arg-type]
    except (AttributeError, TypeError, ValueError) as error:
        raise ConditionInvalid("This must be an id.", field=at) from error


_READERS: dict[FieldType, Callable[[object, str], Any]] = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.BOOLEAN: _boolean,
    FieldType.CHOICE: _text,
    FieldType.CHOICES: _text,
    FieldType.REFERENCE: _reference,
}


def read_scalar(raw: object, kind: FieldType, at: str) -> Any:
    """The typed value that `raw` (decoded JSON, or already typed) stands for.

    Raises: ConditionInvalid - another type, not finite, too large or too long; `field` is `at`.
    """
    try:
        return _READERS[kind](raw, at)
    except ConditionInvalid:
        raise
    except Invalid as error:
        raise ConditionInvalid(error.message, field=at) from error


_PLAIN_TYPES: dict[FieldType, type] = {
    FieldType.TEXT: str,
    FieldType.INTEGER: int,
    FieldType.DECIMAL: Decimal,
    FieldType.DATE: date,
    FieldType.DATETIME: datetime,
    FieldType.BOOLEAN: bool,
    FieldType.CHOICE: str,
    FieldType.CHOICES: frozenset,
    FieldType.REFERENCE: UUID,
}


def _from_document(value: object, node: Comparison) -> Any:
    """The slow way: the value is none of the plain types, so it may be JSON's form of one, or wrong."""
    kind = node.type
    if kind is FieldType.CHOICES:
        if isinstance(value, list | tuple | set | frozenset) and all(isinstance(member, str) for member in value):
            return value
    elif kind in {FieldType.TEXT, FieldType.CHOICE}:
        if isinstance(value, str):
            return str(value)
    else:
        try:
            return read_scalar(value, kind, field_name(node))
        except ConditionInvalid as error:
            raise DocumentValueInvalid(error.message, field=field_name(node)) from error
    raise DocumentValueInvalid(f"The value of this field is not of type {kind}.", field=field_name(node))


def seen_value(node: Comparison | Quantified, document: Mapping[str, Any]) -> Any:
    """What `document` holds at the node's path, in the type of the field; None when it, or the relation on the way, is missing.

    JSON's forms (text for dates, ids and decimals) are read as well, so that event payloads can be judged.
    Raises: DocumentValueInvalid - the value has another type; a wrong document never counts as "no".
    """
    path = node.path
    value = document.get(path[0])
    if len(path) > 1 and value is not None:
        if not isinstance(value, Mapping):
            raise DocumentValueInvalid("This relation must be an object or missing.", field=path[0])
        value = value.get(path[1])
    if value is None or type(node) is Quantified:
        return value
    found, kind = type(value), node.type  # type: ignore[union-attr]
    # Comparing moments of different zones is not reliable around clock changes, so only UTC passes unconverted.
    is_usable = (found is not Decimal or value.is_finite()) and (found is not datetime or value.tzinfo is UTC)
    if found is _PLAIN_TYPES[kind] and is_usable:
        return value
    return _from_document(value, node)  # type: ignore[arg-type]


def rows_of(node: Quantified, document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of the collection that a quantifier looks at; a missing collection has none.

    Raises: DocumentValueInvalid - it is not a list of objects.
    """
    rows = seen_value(node, document)
    if rows is None:
        return []
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        raise DocumentValueInvalid("This collection must be a list of objects.", field=field_name(node))
    return list(rows)
