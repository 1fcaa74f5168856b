"""Random formulas, typed from the top down so that each one compiles, and values for their names with many that are missing or odd."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from core.kernel.expressions import ValueType

NAMES = {
    "count": ValueType.INTEGER,
    "pieces": ValueType.INTEGER,
    "price": ValueType.DECIMAL,
    "rate": ValueType.DECIMAL,
    "title": ValueType.TEXT,
    "note": ValueType.TEXT,
    "is_gift": ValueType.BOOLEAN,
    "due": ValueType.DATE,
    "paid_on": ValueType.DATE,
    "placed": ValueType.DATETIME,
}
_TEXTS = ("", " ", "Oolong", "OOLONG tea", "\u00a0 é\u3000", "İstanbul ΣΊΣΥΦΟΣ", "茶叶", "a'b", "straße", "7", "\U0001f375 z")
_NUMBERS = ("0", "1", "-1", "2", "3", "7", "10", "0.5", "2.50", "-0.000001", "99.995", "1234567.891011", "0.1", "33.335")


def value_for(rng: Random, kind: ValueType) -> Any:
    """A value of a type, or None."""
    if rng.random() < 0.2:
        return None
    match kind:
        case ValueType.INTEGER:
            return rng.choice([0, 1, -1, 2, 7, -7, 12, 365, 10**9, -(10**9), 10**27])
        case ValueType.DECIMAL:
            odd = [Decimal(10) ** 27, Decimal("1E-20"), Decimal("9999999999999999999999.999999")]
            return rng.choice(odd) if rng.random() < 0.1 else Decimal(rng.choice(_NUMBERS)) * rng.choice([1, 1, 3, -7])
        case ValueType.TEXT:
            return rng.choice(_TEXTS)
        case ValueType.BOOLEAN:
            return rng.random() < 0.5
        case ValueType.DATE:
            return rng.choice([date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29), date(2026, 11, 2) + timedelta(days=rng.randint(-900, 900))])
    moment = datetime(2026, 11, 2, 9, tzinfo=UTC) + timedelta(seconds=rng.randint(-(10**8), 10**8), microseconds=rng.randint(0, 10**6))
    return rng.choice([moment, datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)])


def _literal(rng: Random, kind: ValueType) -> str:
    match kind:
        case ValueType.INTEGER:
            return str(rng.choice([0, 1, 2, 3, 7, 100, 9_999_999, 10**27]))
        case ValueType.DECIMAL:
            return rng.choice(["0.5", "2.50", "0.000", "100.0", "1.005", "3.14159265358979323846264338", "0.07"])
        case ValueType.TEXT:
            return f'"{rng.choice([text for text in _TEXTS if text.isprintable()])}"'
        case ValueType.BOOLEAN:
            return rng.choice(["True", "False"])
    return "None"


def formula(rng: Random, kind: ValueType, depth: int = 3) -> str:
    """The text of a formula that gives a value of `kind`, or None now and then."""
    if depth <= 0 or rng.random() < 0.15:
        if rng.random() < 0.06:
            return "None"
        names = [name for name, known in NAMES.items() if known is kind]
        return rng.choice(names) if names and rng.random() < 0.75 else _literal(rng, kind)

    def of(wanted: ValueType) -> str:
        return formula(rng, wanted, depth - 1)

    common = [
        lambda: f"coalesce({of(kind)}, {of(kind)})",
        lambda: f"if_({of(ValueType.BOOLEAN)}, {of(kind)}, {of(kind)})",
        lambda: f"({of(kind)} if {of(ValueType.BOOLEAN)} else {of(kind)})",
    ]
    if kind is not ValueType.BOOLEAN:
        common.append(lambda: f"{rng.choice(['min', 'max'])}({of(kind)}, {of(kind)})")
    return rng.choice([*common, *_own(kind, of, rng), *_own(kind, of, rng)])()


def _own(kind: ValueType, of: Any, rng: Random) -> list[Any]:
    types = ValueType
    number = rng.choice([types.INTEGER, types.DECIMAL])
    match kind:
        case types.INTEGER:
            return [
                lambda: f"({of(kind)} {rng.choice(['+', '-', '*', '//', '%'])} {of(kind)})",
                lambda: f"{rng.choice(['floor', 'ceil', 'round'])}({of(types.DECIMAL)})",
                lambda: f"len({of(types.TEXT)})",
                lambda: f"{rng.choice(['year', 'month', 'day', 'weekday'])}({of(types.DATE)})",
                lambda: f"days_between({of(types.DATE)}, {of(types.DATE)})",
                lambda: f"days_between({of(types.DATETIME)}, {of(types.DATETIME)})",
                lambda: f"sum({of(kind)}, {of(kind)}, 1)",
                lambda: f"(-{of(kind)})",
            ]
        case types.DECIMAL:
            return [
                lambda: f"({of(kind)} {rng.choice(['+', '-', '*', '/', '//', '%'])} {of(number)})",
                lambda: f"({of(number)} / {of(number)})",
                lambda: f"round({of(kind)}, {rng.choice(['0', '1', '2', '2', '8', '9', 'count'])})",
                lambda: f"abs({of(kind)})",
                lambda: f"sum({of(kind)}, {of(number)})",
                lambda: f"(-{of(kind)})",
            ]
        case types.TEXT:
            return [
                lambda: f"concat({of(kind)}, {of(rng.choice([types.INTEGER, types.BOOLEAN, types.DATE, types.TEXT]))})",
                lambda: f"({of(kind)} + {of(kind)})",
                lambda: f"trim({of(kind)})",
                lambda: f"{rng.choice(['left', 'right'])}({of(kind)}, {rng.choice(['2', '0', 'count', 'pieces'])})",
                lambda: f"text({of(rng.choice([types.INTEGER, types.BOOLEAN, types.DATE]))})",
            ]
        case types.BOOLEAN:
            some = rng.choice([types.INTEGER, types.DECIMAL, types.TEXT, types.DATE, types.DATETIME])
            sign = ["==", "!=", "<", "<=", ">", ">="]
            return [
                lambda: f"({of(some)} {rng.choice(sign)} {of(some)})",
                lambda: f"({of(number)} < {of(number)} <= {of(number)})",
                lambda: f"({of(kind)} {rng.choice(['and', 'or'])} {of(kind)})",
                lambda: f"(not {of(kind)})",
                lambda: f"is_empty({of(some)})",
                lambda: f"contains({of(types.TEXT)}, {of(types.TEXT)})",
                lambda: f"starts_with({of(types.TEXT)}, {of(types.TEXT)})",
            ]
    return [lambda: f"add_days({of(kind)}, {rng.choice(['count', '30', '-400', '3660001', of(types.INTEGER)])})"]
