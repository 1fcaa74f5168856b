"""From JSON to a typed tree: every limit, type and name is checked here, once, and each complaint names its place."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from core.kernel.conditions.errors import ConditionInvalid
from core.kernel.conditions.fields import Catalogue, FieldSpec, FieldType, find_field
from core.kernel.conditions.nodes import (
    LIST_OPS,
    NO_VALUE_OPS,
    OPS_OF,
    Comparison,
    Condition,
    Group,
    Match,
    Not,
    Op,
    Period,
    Quantified,
    Span,
)
from core.kernel.conditions.values import read_scalar

MAX_DEPTH = 8
MAX_NODES = 200
MAX_LIST = 1_000
_MAX_SPAN = {"days": 36_500, "hours": 876_000}
_MAX_NAME = 130
_SHAPES = ({"all"}, {"any"}, {"not"}, {"field", "op"}, {"field", "op", "value"}, {"field", "match", "where"})


def parse_condition(data: object, catalogue: Catalogue) -> Condition:
    """The typed tree of `data`, decoded JSON of one of these shapes:

    `{"all": […]}`, `{"any": […]}`, `{"not": {…}}`, `{"field": "total", "op": "ge", "value": "99.50"}` and
    `{"field": "lines", "match": "any" | "all" | "none", "where": {…}}`.

    BETWEEN takes `[low, high]`, both included; the list operations take a list; WITHIN_LAST and WITHIN_NEXT take `{"days": n}` or
    `{"hours": n}`; IN_PERIOD takes a `Period`; IS_EMPTY and IS_NOT_EMPTY take no value.
    Raises: ConditionInvalid - deeper than 8, more than 200 nodes, a list of more than 1,000 values, text over 1,000 characters,
    an unknown key, field, operation or choice, or a value of the wrong type; `field` is the JSON path of the place.
    """
    return _Parser().condition(data, catalogue, at="$", depth=1)


class _Parser:
    """Counts the nodes of one tree while it is read."""

    def __init__(self) -> None:
        self._nodes = 0

    def condition(self, data: object, catalogue: Catalogue, *, at: str, depth: int) -> Condition:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise ConditionInvalid(f"A condition is at most {MAX_DEPTH} levels deep.", field=at)
        if self._nodes > MAX_NODES:
            raise ConditionInvalid(f"A condition has at most {MAX_NODES} parts.", field=at)
        if not isinstance(data, Mapping) or set(data) not in _SHAPES:
            raise ConditionInvalid(
                "A condition is an object with `all`, `any` or `not`, or `field` with `op` and `value` or `match` and `where`.",
                field=at,
            )
        if "not" in data:
            return Not(self.condition(data["not"], catalogue, at=f"{at}.not", depth=depth + 1))
        if "field" not in data:
            return self._group(data, catalogue, at=at, depth=depth)
        path, spec = _field(data["field"], catalogue, f"{at}.field")
        if "match" in data:
            return self._quantified(data, path, spec, at=at, depth=depth)
        return _comparison(data, path, spec, at)

    def _group(self, data: Mapping[str, Any], catalogue: Catalogue, *, at: str, depth: int) -> Group:
        [(mode, children)] = data.items()
        if not isinstance(children, list | tuple):
            raise ConditionInvalid(f"`{mode}` takes a list of conditions.", field=f"{at}.{mode}")
        parsed = [
            self.condition(child, catalogue, at=f"{at}.{mode}[{index}]", depth=depth + 1) for index, child in enumerate(children)
        ]
        return Group(is_all=mode == "all", children=tuple(parsed))

    def _quantified(
        self, data: Mapping[str, Any], path: tuple[str, ...], spec: FieldSpec, *, at: str, depth: int
    ) -> Quantified:
        if spec.type is not FieldType.COLLECTION or spec.fields is None:
            raise ConditionInvalid("`match` is for collections only.", field=f"{at}.match")
        match = _member(Match, data["match"], f"{at}.match")
        # Collections inside collections would make the cost of one condition multiply; the language leaves them out.
        inner = {name: field for name, field in spec.fields.items() if field.type is not FieldType.COLLECTION}
        return Quantified(path, match, self.condition(data["where"], inner, at=f"{at}.where", depth=depth + 1))


def _member(kind: type[StrEnum], raw: object, at: str) -> Any:
    try:
        return kind(raw)  # type: ignore[arg-type]
    except ValueError as error:
        raise ConditionInvalid(f"This must be one of: {', '.join(kind)}.", field=at) from error


def _field(raw: object, catalogue: Catalogue, at: str) -> tuple[tuple[str, ...], FieldSpec]:
    path = tuple(raw.split(".")) if isinstance(raw, str) and len(raw) <= _MAX_NAME else ()
    spec = find_field(catalogue, path)
    if spec is None:
        raise ConditionInvalid("There is no such field here.", field=at)
    if spec.type is FieldType.COLLECTION and len(path) > 1:
        raise ConditionInvalid("A collection cannot be reached through a relation.", field=at)
    return path, spec


def _comparison(data: Mapping[str, Any], path: tuple[str, ...], spec: FieldSpec, at: str) -> Comparison:
    allowed = OPS_OF.get(spec.type, frozenset())
    if not allowed:
        raise ConditionInvalid("This field has no value of its own; name one of its fields.", field=f"{at}.field")
    op = _member(Op, data["op"], f"{at}.op")
    if op not in allowed:
        raise ConditionInvalid(f"A field of type {spec.type} allows: {', '.join(sorted(allowed))}.", field=f"{at}.op")
    if op in NO_VALUE_OPS:
        if "value" in data:
            raise ConditionInvalid(f"`{op}` takes no value.", field=f"{at}.value")
        return Comparison(path, spec.type, op)
    if "value" not in data:
        raise ConditionInvalid(f"`{op}` needs a value.", field=at)
    return Comparison(path, spec.type, op, _value(data["value"], op, spec, f"{at}.value"))


def _value(raw: object, op: Op, spec: FieldSpec, at: str) -> Any:
    if op in LIST_OPS:
        return _list(raw, spec, at)
    if op is Op.BETWEEN:
        if not isinstance(raw, list | tuple) or len(raw) != 2:
            raise ConditionInvalid("`between` takes two values, the lower first.", field=at)
        low, high = (_scalar(member, spec, f"{at}[{index}]") for index, member in enumerate(raw))
        if low > high:
            raise ConditionInvalid("`between` takes the lower value first.", field=at)
        return low, high
    if op is Op.IN_PERIOD:
        return _member(Period, raw, at)
    if op in {Op.WITHIN_LAST, Op.WITHIN_NEXT}:
        return _span(raw, spec, at)
    value = _scalar(raw, spec, at)
    if op in {Op.CONTAINS, Op.STARTS_WITH} and not value:
        raise ConditionInvalid(f"`{op}` needs at least one character.", field=at)
    return value


def _scalar(raw: object, spec: FieldSpec, at: str) -> Any:
    value = read_scalar(raw, spec.type, at)
    if spec.choices is not None and spec.type in {FieldType.CHOICE, FieldType.CHOICES} and value not in spec.choices:
        raise ConditionInvalid("This is not one of the field's choices.", field=at)
    return value


def _list(raw: object, spec: FieldSpec, at: str) -> tuple[Any, ...]:
    if not isinstance(raw, list | tuple) or not raw:
        raise ConditionInvalid("This must be a list with at least one value.", field=at)
    if len(raw) > MAX_LIST:
        raise ConditionInvalid(f"A list has at most {MAX_LIST} values.", field=at)
    # A dict drops repeated values and keeps the order in which people wrote them.
    return tuple(dict.fromkeys(_scalar(member, spec, f"{at}[{index}]") for index, member in enumerate(raw)))


def _span(raw: object, spec: FieldSpec, at: str) -> Span:
    if not isinstance(raw, Mapping) or len(raw) != 1 or next(iter(raw)) not in _MAX_SPAN:
        raise ConditionInvalid('This must be a length of time such as {"days": 3} or {"hours": 12}.', field=at)
    [(unit, count)] = raw.items()
    if unit == "hours" and spec.type is FieldType.DATE:
        raise ConditionInvalid("A date has no hours; use days.", field=at)
    if type(count) is not int or not 1 <= count <= _MAX_SPAN[unit]:
        raise ConditionInvalid(f"This must be a whole number from 1 to {_MAX_SPAN[unit]}.", field=f"{at}.{unit}")
    return Span(unit, count)
