"""Random conditions and documents: small pools of telling values, so that trees and documents often meet, and free values besides.

They are drawn from a seeded `Random` and not by Hypothesis's own strategies: those favour small examples so much that most pairs of
field and operation would hardly ever be tried.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from core.kernel.conditions import OPS_OF, Catalogue, FieldSpec, FieldType, Op, Period
from core.kernel.conditions.nodes import LIST_OPS, NO_VALUE_OPS

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
CHOICES = {"new": "New", "paid": "Paid", "": "None yet"}
TAGS = ("vip", "gift", "急", "")
REFERENCES = (UUID(int=1), UUID("01890a5d-ac96-774b-bcce-b302099a8057"))

SCALARS = {
    "title": FieldSpec(FieldType.TEXT, "Title"),
    "count": FieldSpec(FieldType.INTEGER, "Count"),
    "total": FieldSpec(FieldType.DECIMAL, "Total"),
    "due": FieldSpec(FieldType.DATE, "Due"),
    "placed": FieldSpec(FieldType.DATETIME, "Placed"),
    "is_gift": FieldSpec(FieldType.BOOLEAN, "Gift"),
    "state": FieldSpec(FieldType.CHOICE, "State", CHOICES),
    "owner": FieldSpec(FieldType.REFERENCE, "Owner"),
}
CUSTOMER = {"city": FieldSpec(FieldType.TEXT, "city"), "since": FieldSpec(FieldType.DATE, "since")}
LINE = {
    "sku": FieldSpec(FieldType.TEXT, "SKU"),
    "quantity": FieldSpec(FieldType.DECIMAL, "Quantity"),
    "product": FieldSpec(FieldType.RELATION, "Product", fields={"brand": FieldSpec(FieldType.TEXT, "brand")}),
}
CATALOGUE = {
    **SCALARS,
    "tags": FieldSpec(FieldType.CHOICES, "Tags"),
    "marks": FieldSpec(FieldType.CHOICES, "Marks"),
    "labels": FieldSpec(FieldType.CHOICES, "Labels"),
    "customer": FieldSpec(FieldType.RELATION, "Customer", fields=CUSTOMER),
    "lines": FieldSpec(FieldType.COLLECTION, "Lines", fields=LINE),
}

_TEXTS = [
    *("", " ", "a", "A", "ab", "aB", "b", "é", "É", "e\u0301", "ß", "ẞ", "ς", "Σ", "ΑΣ", "İ", "i", "ı", "%", "_", "\\", "'", "a%"),
    *("聚", "聚水", "聚水潭", "急", "𠮷", "𠮷野", "\ud7ff", "\ue000", "\uffff", "\U0010ffff", "a\U0010ffff", "a\U0010ffffz", "\U0010ffff" * 2),
]


@lru_cache(maxsize=1)
def _letters() -> list[str]:
    """Letters that this Python's Unicode tables know; of later ones the server may know a lower case that Python does not."""
    return [char for char in map(chr, range(32, sys.maxunicode)) if unicodedata.category(char)[0] in "LMNPS"]


def _text(rng: Random) -> str:
    if rng.random() < 0.75:
        return rng.choice(_TEXTS)
    return "".join(rng.choice(_letters()) for _ in range(rng.randint(1, 3)))


def _integer(rng: Random) -> int:
    return rng.choice([rng.randint(-3, 3), 2**31 - 1, -(2**31)]) if rng.random() < 0.2 else rng.randint(-3, 3)


def _wide_integer(rng: Random) -> int:
    return rng.choice([2**31, 2**63 - 1, -(2**63) + 1]) if rng.random() < 0.1 else _integer(rng)


def _decimal(rng: Random) -> Decimal:
    edges = [Decimal("0.000001"), Decimal("-99.5"), Decimal("999999999999.999999")]
    return rng.choice(edges) if rng.random() < 0.2 else Decimal(rng.randint(-6, 6)) / 2


_DAY_STEPS = (-366, -60, -31, -28, -8, -7, -6, -2, -1, 0, 1, 2, 6, 7, 8, 31, 32)
_HOUR_STEPS = (-744, -168, -24, -1, 0, 1, 24, 168, 744)
_MIDNIGHT_STEPS = (-59, -31, -28, -7, -6, -1, 0, 1, 2, 7, 31)


def _date(rng: Random) -> date:
    return rng.choice([date.min, date.max]) if rng.random() < 0.1 else NOW.date() + timedelta(days=rng.choice(_DAY_STEPS))


def _moment(rng: Random) -> datetime:
    tick = timedelta(microseconds=rng.choice([-1, 0, 0, 1]))
    if rng.random() < 0.1:
        return rng.choice([datetime.min, datetime.max]).replace(tzinfo=UTC)
    if rng.random() < 0.5:
        return (NOW + timedelta(hours=rng.choice(_HOUR_STEPS)) + tick).astimezone(UTC)
    return (NOW.replace(hour=0, minute=0) + timedelta(days=rng.choice(_MIDNIGHT_STEPS)) + tick).astimezone(UTC)


_OF_TYPE: dict[FieldType, Callable[[Random], Any]] = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _wide_integer,
    FieldType.DECIMAL: lambda rng: str(_decimal(rng)),
    FieldType.DATE: lambda rng: _date(rng).isoformat(),
    FieldType.DATETIME: lambda rng: _moment(rng).isoformat(),
    FieldType.BOOLEAN: lambda rng: rng.random() < 0.5,
    FieldType.CHOICE: lambda rng: rng.choice(list(CHOICES)),
    FieldType.CHOICES: lambda rng: rng.choice(TAGS),
    FieldType.REFERENCE: lambda rng: str(rng.choice(REFERENCES)),
}
_ORDER: dict[FieldType, Callable[[str], Any]] = {FieldType.DECIMAL: Decimal, FieldType.DATETIME: datetime.fromisoformat}


def leaf_fields(catalogue: Catalogue) -> dict[str, FieldType]:
    """Every field that a comparison can name, relations' fields by their path, with its type."""
    own = {name: spec.type for name, spec in catalogue.items() if spec.type in OPS_OF}
    relations = [(name, spec.fields or {}) for name, spec in catalogue.items() if spec.type is FieldType.RELATION]
    return own | {f"{name}.{inner}": spec.type for name, fields in relations for inner, spec in fields.items()}


def random_leaf(rng: Random, name: str, kind: FieldType, op: Op) -> dict[str, Any]:
    """One comparison, as JSON, with a random value that is valid for it."""
    leaf: dict[str, Any] = {"field": name, "op": str(op)}
    draw = _OF_TYPE[kind]
    if op in NO_VALUE_OPS:
        return leaf
    if op in LIST_OPS:
        value: Any = [draw(rng) for _ in range(rng.randint(1, 4))]
    elif op is Op.BETWEEN:
        value = sorted([draw(rng), draw(rng)], key=_ORDER.get(kind))
    elif op is Op.IN_PERIOD:
        value = str(rng.choice(list(Period)))
    elif op in {Op.WITHIN_LAST, Op.WITHIN_NEXT}:
        value = {"days" if kind is FieldType.DATE else rng.choice(["days", "hours"]): rng.choice([1, 2, 7, 24, 31, 744])}
    else:
        value = draw(rng)
        while op in {Op.CONTAINS, Op.STARTS_WITH} and not value:
            value = draw(rng)
    return leaf | {"value": value}


def random_tree(rng: Random, catalogue: Catalogue = CATALOGUE, depth: int = 4) -> dict[str, Any]:
    """A whole tree, as JSON, at most `depth` groups deep, so that tests can wrap it."""
    shape = rng.random() if depth else 0.0
    if shape < 0.4:
        name, kind = rng.choice(sorted(leaf_fields(catalogue).items()))
        return random_leaf(rng, name, kind, rng.choice(sorted(OPS_OF[kind])))
    if shape < 0.55:
        return {"not": random_tree(rng, catalogue, depth - 1)}
    collections = [(name, spec.fields) for name, spec in sorted(catalogue.items()) if spec.type is FieldType.COLLECTION]
    if shape < 0.65 and collections:
        name, fields = rng.choice(collections)
        where = random_tree(rng, fields or {}, min(depth - 1, 2))
        return {"field": name, "match": rng.choice(["any", "all", "none"]), "where": where}
    parts = [random_tree(rng, catalogue, depth - 1) for _ in range(rng.choice([0, 1, 2, 2, 3, 3]))]
    return {rng.choice(["all", "any"]): parts}


def _maybe(rng: Random, draw: Callable[[Random], Any]) -> Any:
    return None if rng.random() < 0.2 else draw(rng)


def _tags(rng: Random) -> list[str]:
    return rng.sample(TAGS, rng.randint(0, len(TAGS)))


def _line(rng: Random) -> dict[str, Any]:
    product = {"brand": _maybe(rng, _text)}
    return {"sku": _maybe(rng, _text), "quantity": _maybe(rng, _decimal), "product": _maybe(rng, lambda _: product)}


def random_document(rng: Random) -> dict[str, Any]:
    """A document of the catalogue, with values missing here and there."""
    customer = {"city": _maybe(rng, _text), "since": _maybe(rng, _date)}
    return {
        "title": _maybe(rng, _text),
        "count": _maybe(rng, _integer),
        "total": _maybe(rng, _decimal),
        "due": _maybe(rng, _date),
        "placed": _maybe(rng, _moment),
        "is_gift": _maybe(rng, lambda rng: rng.random() < 0.5),
        "state": _maybe(rng, lambda rng: rng.choice(list(CHOICES))),
        "owner": _maybe(rng, lambda rng: rng.choice(REFERENCES)),
        "tags": _maybe(rng, _tags),
        "marks": _maybe(rng, _tags),
        "labels": _tags(rng),
        "customer": _maybe(rng, lambda _: customer),
        "lines": [_line(rng) for _ in range(rng.randint(0, 3))],
    }


randoms = st.integers(0, 2**32).map(Random)
trees = randoms.map(random_tree)
documents = randoms.map(random_document)
