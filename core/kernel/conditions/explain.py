"""Why a condition gave its answer, and what would turn it: facts to store with a decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.kernel.conditions.evaluate import Document, comparison_holds, evaluate
from core.kernel.conditions.nodes import Comparison, Condition, Group, Match, Not, Quantified, field_name, value_json
from core.kernel.conditions.values import rows_of, seen_value

MAX_ROWS = 10


@dataclass(frozen=True, slots=True)
class RowFinding:
    """One row of a collection that decided a quantifier: its place, from 0, and what decided within it."""

    index: int
    deciding: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one leaf of the tree saw. `at` is its JSON path, `seen` the document's value as JSON, `holds` its own answer.

    For a quantifier `seen` is `{"rows": n, "matching": k}`, and `rows` are the first ten rows that decided.
    """

    at: str
    leaf: Comparison | Quantified
    seen: Any
    holds: bool
    rows: tuple[RowFinding, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON values."""
        found: dict[str, Any] = {"at": self.at, "field": field_name(self.leaf), "seen": self.seen, "holds": self.holds}
        if isinstance(self.leaf, Comparison):
            return found | {"op": str(self.leaf.op), "expected": value_json(self.leaf.value)}
        rows = [{"index": row.index, "deciding": [inner.to_json() for inner in row.deciding]} for row in self.rows]
        return found | {"match": str(self.leaf.match), "rows": rows}


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer with its reasons.

    `deciding` are the leaves that force the answer: had only they been looked at, it would be the same. `to_change` is a
    smallest set of leaves whose own answers would all have to turn for the whole answer to turn, each taken by itself; None if
    nothing can.
    """

    holds: bool
    deciding: tuple[Finding, ...]
    to_change: tuple[Finding, ...] | None

    def to_json(self) -> dict[str, Any]:
        """The explanation as plain JSON values. It repeats values of the document: mask personal data before storing it."""
        change = None if self.to_change is None else [finding.to_json() for finding in self.to_change]
        return {"holds": self.holds, "deciding": [finding.to_json() for finding in self.deciding], "to_change": change}


def explain(condition: Condition, document: Document, now: datetime) -> Explanation:
    """Like `evaluate`, and says which leaves decided, what they saw, and which would have to turn.

    Every branch is visited, so it costs more than `evaluate`; call it for decisions that are stored or shown.
    Raises: DocumentValueInvalid - as `evaluate`, here for any leaf of the tree.
    """
    return _explain(condition, document, now, "$")


def _explain(node: Condition, document: Document, now: datetime, at: str) -> Explanation:
    if isinstance(node, Group):
        return _group(node, document, now, at)
    if isinstance(node, Not):
        inner = _explain(node.child, document, now, f"{at}.not")
        return Explanation(not inner.holds, inner.deciding, inner.to_change)
    finding = _quantified(node, document, now, at) if isinstance(node, Quantified) else _comparison(node, document, now, at)
    return Explanation(finding.holds, (finding,), (finding,))


def _group(node: Group, document: Document, now: datetime, at: str) -> Explanation:
    mode = "all" if node.is_all else "any"
    parts = [_explain(child, document, now, f"{at}.{mode}[{index}]") for index, child in enumerate(node.children)]
    # `any` is `all` with the answers reversed, so one rule serves both: a dissenting child decides alone.
    dissenting = [part for part in parts if part.holds is not node.is_all]
    if dissenting:
        # Only when every dissenting child turns does the group turn; if one of them cannot, neither can the group.
        changes = [part.to_change for part in dissenting]
        to_change = None if None in changes else tuple(finding for change in changes for finding in change or ())
        return Explanation(not node.is_all, _deciding(dissenting), to_change)
    options = [part.to_change for part in parts if part.to_change is not None]
    return Explanation(node.is_all, _deciding(parts), min(options, key=len, default=None))


def _deciding(parts: list[Explanation]) -> tuple[Finding, ...]:
    return tuple(finding for part in parts for finding in part.deciding)


def _comparison(node: Comparison, document: Document, now: datetime, at: str) -> Finding:
    seen = seen_value(node, document)
    return Finding(at, node, value_json(seen), comparison_holds(node, seen, now))


def _quantified(node: Quantified, document: Document, now: datetime, at: str) -> Finding:
    rows = rows_of(node, document)
    answers = [evaluate(node.where, row, now) for row in rows]
    matching = sum(answers)
    holds = {Match.ANY: matching > 0, Match.ALL: matching == len(rows), Match.NONE: matching == 0}[node.match]
    # The rows that tell: those that match where a match was wanted or forbidden and found, else those that do not.
    telling = holds is not (node.match is Match.NONE)
    deciding = [index for index, answer in enumerate(answers) if answer is telling][:MAX_ROWS]
    found = tuple(RowFinding(index, _explain(node.where, rows[index], now, f"{at}.where").deciding) for index in deciding)
    return Finding(at, node, {"rows": len(rows), "matching": matching}, holds, found)
