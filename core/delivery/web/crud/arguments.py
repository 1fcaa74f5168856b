"""A list's address: queue, search, filters, order and place, read from the query string and written back into it.

`queue`, `q`, `sort`, `cursor`, `size`; one `f.<field>` per filter with an optional `op.<field>`; moments as `f.<field>.from` and
`f.<field>.to`. Two addresses with the same arguments show the same list, so a link is a view that can be shared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from core.engines.metadata.entity import EntityType, Field, FieldType
from core.engines.metadata.queries import ListQuery, filter_catalogue
from core.kernel.conditions import ConditionInvalid, parse_condition
from core.kernel.messages import N_

SIZES = (25, 50, 100)
DEFAULT_SIZE = 25
OPERATORS: dict[FieldType, tuple[str, ...]] = {
    FieldType.TEXT: ("starts_with", "eq", "contains", "ne", "is_empty"),
    FieldType.LONG_TEXT: ("contains", "is_empty"),
    FieldType.INTEGER: ("eq", "ge", "le", "ne"),
    FieldType.DECIMAL: ("eq", "ge", "le", "ne"),
    FieldType.MONEY: ("eq", "ge", "le", "ne"),
    FieldType.QUANTITY: ("eq", "ge", "le", "ne"),
    FieldType.CHOICE: ("eq", "ne"),
    FieldType.BOOLEAN: ("eq",),
    FieldType.REFERENCE: ("eq", "ne", "is_empty"),
    FieldType.TAGS: ("has_any", "is_empty"),
    FieldType.CHOICES: ("has_any", "has_all", "is_empty"),
    FieldType.USER: ("eq", "ne", "is_empty"),
    FieldType.PHONE: ("starts_with", "eq", "is_empty"),
    FieldType.EMAIL: ("starts_with", "eq", "is_empty"),
    FieldType.URL: ("starts_with", "contains", "is_empty"),
    FieldType.DATE: ("ge", "le", "eq"),
}

#: Encrypted values are found whole or not at all.
SEALED_OPERATORS = ("eq", "is_empty")
_YES_NO = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class ActiveFilter:
    """One filter in force: the field, the operator, the value as typed, and the argument names that carry it."""

    item: Field
    op: str
    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """A part of a list's address that means nothing here, so that the list is shown without it.

    `key` is the field's, or the argument's name; `label` what people call it (empty: nothing), `names` the arguments that carry it.
    """

    key: str
    label: str
    text: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListArguments:
    """What a list's address says, with what could not be understood in `problems`."""

    query: ListQuery
    active: tuple[ActiveFilter, ...] = ()
    problems: tuple[Misunderstood, ...] = ()
    raw: tuple[tuple[str, str], ...] = ()

    def address(self, **changes: str | None) -> str:
        """The query string with these arguments set, or left out where None; a change other than of the place goes back to the first
        page."""
        dropped = {*changes, *({"cursor"} if "cursor" not in changes else ())}
        kept = [(name, value) for name, value in self.raw if name not in dropped]
        kept += [(name, value) for name, value in changes.items() if value]
        return "?" + urlencode(kept)

    def without(self, names: Iterable[str]) -> str:
        """The query string without these arguments and from the first page."""
        gone = {*names, "cursor"}
        return "?" + urlencode([(name, value) for name, value in self.raw if name not in gone])


def read_arguments(entity: EntityType, args: MultiDict[str, str], *, zone: tzinfo, default_queue: str = "") -> ListArguments:
    """The arguments of a list. Never raises: what is wrong is left out and named in `problems`."""
    raw = tuple((name, value) for name, value in args.items(multi=True) if value and "\x00" not in value)
    problems = list(_strangers(entity, args))
    queue = args.get("queue", default_queue)
    if queue and entity.queue(queue) is None:
        problems.append(Misunderstood("queue", N_("Queue"), queue, ("queue",)))
        queue = default_queue
    sort = args.get("sort", "")
    known = entity.by_key.get(sort.lstrip("-"))
    if sort and (known is None or not known.is_sortable):
        problems.append(Misunderstood("sort", N_("Order of the list"), sort, ("sort",)))
        sort = ""
    kept, tree = [], []
    for one in _active(entity, args):
        try:
            condition = _condition(one, zone)
            parse_condition(condition, filter_catalogue(entity))
        except (ConditionInvalid, ValueError, OverflowError, KeyError):
            problems.append(Misunderstood(one.item.key, one.item.label, one.text, one.names))
        else:
            kept.append(one)
            tree.append(condition)
    size = args.get("size", "")
    query = ListQuery(
        queue=queue,
        search=args.get("q", "").replace("\x00", "")[:500],
        condition={"all": tree} if tree else None,
        sort=sort,
        cursor=args.get("cursor") or None,
        size=int(size) if size.isdecimal() and int(size) in SIZES else DEFAULT_SIZE,
    )
    return ListArguments(query, tuple(kept), tuple(problems), raw)


def _strangers(entity: EntityType, args: MultiDict[str, str]) -> Iterable[Misunderstood]:
    """Filters on fields that the list cannot be filtered by, and comparisons that a field does not know."""
    for name, text in args.items():
        start, _, key = name.partition(".")
        if start not in ("f", "op") or not text.strip():
            continue
        item = entity.by_key.get(key.removesuffix(".from").removesuffix(".to"))
        if item is None or not item.is_filterable or name not in _names_of(item):
            yield Misunderstood(key, "" if item is None else item.label, text, (name,))
        elif start == "op" and text not in operators_of(item):
            yield Misunderstood(key, item.label, text, (name,))


def operators_of(item: Field) -> tuple[str, ...]:
    """How a list can be filtered by a field; the first one unless another is asked for."""
    return SEALED_OPERATORS if item.is_sealed else OPERATORS.get(item.type, ("eq",))


def _names_of(item: Field) -> tuple[str, str]:
    """The arguments by which a list is filtered by this field."""
    name = f"f.{item.key}"
    return (f"{name}.from", f"{name}.to") if item.type is FieldType.DATETIME else (name, f"op.{item.key}")


def _active(entity: EntityType, args: MultiDict[str, str]) -> Iterable[ActiveFilter]:
    for item in entity.fields:
        if not item.is_filterable:
            continue
        name = f"f.{item.key}"
        if item.type is FieldType.DATETIME:
            for end, op in (("from", "ge"), ("to", "lt")):
                text = args.get(f"{name}.{end}", "").strip()
                if text:
                    yield ActiveFilter(item, op, text, (f"{name}.{end}",))
            continue
        allowed = operators_of(item)
        op = args.get(f"op.{item.key}", allowed[0])
        op = op if op in allowed else allowed[0]
        text = args.get(name, "").strip()
        if text or (op == "is_empty" and f"op.{item.key}" in args):
            yield ActiveFilter(item, op, text, (name, f"op.{item.key}"))


def _condition(one: ActiveFilter, zone: tzinfo) -> dict[str, Any]:
    if one.op == "is_empty":
        return {"field": one.item.key, "op": "is_empty"}
    return {"field": one.item.key, "op": one.op, "value": _value(one, zone)}


def _value(one: ActiveFilter, zone: tzinfo) -> Any:
    kind = one.item.type
    if kind is FieldType.DATETIME:
        day = datetime.combine(datetime.fromisoformat(one.text).date(), time(), zone)
        return (day + timedelta(days=1) if one.op == "lt" else day).isoformat()
    if kind is FieldType.BOOLEAN:
        return _YES_NO[one.text]
    if kind is FieldType.INTEGER:
        return int(one.text)
    if kind in (FieldType.TAGS, FieldType.CHOICES):
        return [part.strip() for part in one.text.split(",") if part.strip()]
    return one.text
