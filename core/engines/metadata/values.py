"""Values of fields on their way in (forms, JSON, files) and out (JSON, exports). Typed, bounded, and wrong ones named by field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from core.engines.metadata.entity import TEXTS, EntityRegistry, Field, FieldType
from core.engines.metadata.queries import NAMED, called, named_kind
from core.engines.metadata.sealed import MASK
from core.kernel.errors import Invalid
from core.kernel.ids import parse_id
from core.kernel.money import amount_from, money_text
from core.kernel.quantity import quantity_from
from core.kernel.text import clean_text
from core.kernel.text.pattern import fits

_NOT_THERE: dict[str, str] = {FieldType.USER: "There is no such member.", FieldType.FILE: "There is no such file."}
MAX_TAGS = 20
MAX_TAG = 40
MAX_JSON_DEPTH = 6
FIRST_YEAR, LAST_YEAR = 1900, 9000
_TRUE, _FALSE = ("true", "1", "yes", "on", "y"), ("false", "0", "no", "off", "n", "")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]{1,63}(?:\.[^@\s.]{1,63}){1,8}")
_PHONE = re.compile(r"[+0-9][0-9 ()./-]{2,39}(?:,? ?(?:ext|x|转)\.? ?[0-9]{1,8})?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
MIN_INTEGER, MAX_INTEGER = -(2**31), 2**31 - 1


class ValuesRefused(Invalid):
    """Some values are wrong."""

    code = "record.values_refused"

    def __init__(self, problems: Mapping[str, str]) -> None:
        first = next(iter(problems))
        super().__init__(problems[first], field=first)
        self.problems = dict(problems)


def take(
    session: Session,
    registry: EntityRegistry,
    fields: Iterable[Field],
    raw: Mapping[str, Any],
    *,
    is_new: bool,
    is_partial: bool = False,
) -> dict[str, Any]:
    """Typed values from raw ones (text from forms, JSON types from REST).

    Unknown and read-only keys are refused. For a new record, missing fields take their defaults and required ones must be there; for a
    change only given fields are returned, and `is_partial` keeps required ones that are absent. References are checked to exist in this
    tenant.
    Raises: ValuesRefused - every wrong field at once.
    """
    known = {item.key: item for item in fields if item.is_writable and (is_new or not item.create_only)}
    problems = {key: "This field is not known or cannot be written." for key in raw if key not in known}
    values: dict[str, Any] = {}
    for key, item in known.items():
        if key not in raw:
            if is_new and item.default is not None:
                values[key] = convert(item, default_of(session, item))
            elif item.is_required and not is_partial and not item.visible_if:
                problems[key] = "This is needed."
            continue
        if item.is_sealed and raw[key] == MASK and not is_new:
            continue  # what was read is given back: the stored value stays
        try:
            values[key] = convert(item, raw[key])
        except Invalid as error:
            problems[error.field or key] = error.message
        else:
            if item.is_required and not item.visible_if and values[key] in (None, "", []):
                problems[key] = "This is needed."
    problems.update(_missing_targets(session, registry, known, values))
    if problems:
        raise ValuesRefused(problems)
    return values


def default_of(session: Session, item: Field) -> Any:
    """What the field of a new record holds when nothing is given; None without a default."""
    return item.default(session) if callable(item.default) else item.default


def _missing_targets(session: Session, registry: EntityRegistry, known: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, str]:
    wanted: dict[str, list[tuple[str, UUID]]] = {}
    for key, value in values.items():
        if known[key].type in NAMED and value is not None:
            wanted.setdefault(named_kind(known[key]), []).append((key, value))
    problems = {}
    for kind, pairs in wanted.items():
        found = called(session, registry, kind, {value for _key, value in pairs})
        message = _NOT_THERE.get(kind, "There is no such record.")
        problems.update({key: message for key, value in pairs if value not in found})
    return problems


def convert(item: Field, raw: Any) -> Any:
    """One raw value as the field's type; empty text is None, or empty text where the column is text. Raises Invalid with the field's
    key."""
    if item.type in TEXTS:
        return _text(item, raw)
    if item.type is FieldType.TAGS:
        return _tags(item, raw)
    if item.type is FieldType.CHOICES:
        return _choices(item, raw)
    if item.type is FieldType.BOOLEAN:
        return None if raw is None and item.slot else _boolean(item, raw)
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    return _READERS[item.type](item, raw)


def _text(item: Field, raw: Any) -> str:
    if raw is None:
        return ""
    if not isinstance(raw, str):
        raise Invalid("This is text.", field=item.key)
    text = clean_text(raw, max_length=item.max_length, field=item.key)
    if text and item.pattern and not (fits(item.pattern, text) if item.slot else re.fullmatch(item.pattern, text)):
        raise Invalid("This does not have the right form.", field=item.key)
    check = _FORMS.get(item.type)
    return check(item, text) if check is not None and text else text


def _email(item: Field, text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise Invalid("This is not an e-mail address.", field=item.key)
    return text


def _url(item: Field, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or any(mark.isspace() for mark in text):
        raise Invalid("This is not an address that begins with https:// or http://.", field=item.key)
    return text


def _phone(item: Field, text: str) -> str:
    if not _PHONE.fullmatch(text):
        raise Invalid("This is not a telephone number.", field=item.key)
    return text


_FORMS = {FieldType.EMAIL: _email, FieldType.URL: _url, FieldType.PHONE: _phone}


def _choices(item: Field, raw: Any) -> list[str]:
    parts = [raw] if isinstance(raw, str) and raw else raw or []
    known = {choice.value: at for at, choice in enumerate(item.choices)}
    if not isinstance(parts, list) or any(not isinstance(part, str) or part not in known for part in parts):
        raise Invalid("This is not one of the choices.", field=item.key)
    return sorted(set(parts), key=lambda part: known[part])


def _tags(item: Field, raw: Any) -> list[str]:
    parts = re.split(r"[,，;；\n]", raw) if isinstance(raw, str) else raw
    if parts is None:
        return []
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise Invalid("This is a list of words.", field=item.key)
    tags = sorted({tag for part in parts if (tag := clean_text(part, max_length=MAX_TAG, field=item.key))})
    if len(tags) > MAX_TAGS:
        raise Invalid(f"At most {MAX_TAGS} tags.", field=item.key)
    return tags


def _boolean(item: Field, raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().lower() if raw is not None else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Invalid("This is yes or no.", field=item.key)


def _bounded(item: Field, value: Any) -> Any:
    if item.minimum is not None and value < item.minimum:
        raise Invalid(f"At least {item.minimum}.", field=item.key)
    if item.maximum is not None and value > item.maximum:
        raise Invalid(f"At most {item.maximum}.", field=item.key)
    return value


def _integer(item: Field, raw: Any) -> int:
    text = str(raw).strip()
    if isinstance(raw, bool | float) or not _INTEGER.fullmatch(text):
        raise Invalid("This is a whole number.", field=item.key)
    value = int(text)
    if not MIN_INTEGER <= value <= MAX_INTEGER:
        raise Invalid("This number is too large.", field=item.key)
    return int(_bounded(item, value))


def _amount(item: Field, raw: Any) -> Decimal:
    return Decimal(_bounded(item, amount_from(raw, field=item.key)))


def _quantity(item: Field, raw: Any) -> Decimal:
    value = Decimal(_bounded(item, quantity_from(raw, field=item.key)))
    if item.digits is not None and value != round(value, item.digits):
        raise Invalid(f"At most {item.digits} decimals.", field=item.key)
    return value


def _choice(item: Field, raw: Any) -> str:
    if not isinstance(raw, str) or raw not in {choice.value for choice in item.choices}:
        raise Invalid("This is not one of the choices.", field=item.key)
    return raw


def _moment(item: Field, raw: Any) -> datetime:
    return moment_from(raw, field=item.key)


def moment_from(raw: Any, *, field: str | None = None) -> datetime:
    """An aware moment in UTC from ISO 8601 text. Raises Invalid - no moment, no time zone, or before 1900 or after 9000.

    The years are bounded because PostgreSQL keeps moments that Python cannot read back: one of them would spoil every list it stands in.
    """
    try:
        moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw).strip())
        if moment.utcoffset() is None:
            raise Invalid("A moment needs its time zone.", field=field)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("This is not a date and time.", field=field) from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Invalid(f"A moment lies between the years {FIRST_YEAR} and {LAST_YEAR}.", field=field)
    return moment


def _day(item: Field, raw: Any) -> date:
    try:
        return raw if isinstance(raw, date) and not isinstance(raw, datetime) else date.fromisoformat(str(raw).strip())
    except ValueError as error:
        raise Invalid("This is not a date.", field=item.key) from error


def _reference(item: Field, raw: Any) -> UUID:
    found = parse_id(raw)
    if found is None:
        raise Invalid("There is no such record.", field=item.key)
    return found


def _json(item: Field, raw: Any) -> dict[str, Any]:
    if not isinstance(raw, dict) or _depth(raw) > MAX_JSON_DEPTH:
        raise Invalid("This is a table of names and values.", field=item.key)
    return raw


def _depth(value: Any, level: int = 0) -> int:
    if level > MAX_JSON_DEPTH:
        return level
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_depth(child, level + 1) for child in children), default=level)


_READERS = {
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _quantity,
    FieldType.MONEY: _amount,
    FieldType.QUANTITY: _quantity,
    FieldType.CHOICE: _choice,
    FieldType.DATETIME: _moment,
    FieldType.DATE: _day,
    FieldType.REFERENCE: _reference,
    FieldType.USER: _reference,
    FieldType.FILE: _reference,
    FieldType.JSON: _json,
}


def out(value: Any) -> Any:
    """A value as JSON has it: quantities as text without needless zeros, moments in ISO 8601 with zone, ids as text."""
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return value


def plain_number(value: Decimal) -> str:
    """A number as text without exponent and without needless zeros; at least two decimals are kept where there are any."""
    text = f"{value.normalize():f}"
    if "." in text and len(text.partition(".")[2]) < 2:
        text += "0"
    return text


def document(row: Any, fields: Iterable[Field]) -> dict[str, Any]:
    """A row as a plain JSON document with its id; amounts have the decimals of their currency, which the row must know then."""
    return {"id": str(row.id), **{item.key: _out_of(row, item) for item in fields}}


def _out_of(row: Any, item: Field) -> Any:
    value = getattr(row, item.key)
    if item.type is FieldType.MONEY and value is not None:
        return money_text(value, getattr(row, item.currency_key) if item.currency_key else "")
    return out(value)
