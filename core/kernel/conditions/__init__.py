"""The one condition language: saved views, record rules, guards, branches, segments and alerts are all trees of this kind.

JSON comes in through `parse_condition`; the typed tree is judged over a plain dict by `evaluate` and `explain`, turned into
SQL by `core.runtime.db.condition_sql`, into a sentence by `describe`, and back into JSON by `to_json`.
"""

from core.kernel.conditions.describe import describe, describe_change
from core.kernel.conditions.errors import ConditionInvalid, DocumentValueInvalid
from core.kernel.conditions.evaluate import evaluate
from core.kernel.conditions.explain import Explanation, Finding, RowFinding, explain
from core.kernel.conditions.fields import Catalogue, FieldSpec, FieldType, find_field
from core.kernel.conditions.nodes import (
    ALWAYS,
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
    fields_in,
    leaves,
    to_json,
)
from core.kernel.conditions.parse import parse_condition

__all__ = [
    "ALWAYS",
    "OPS_OF",
    "Catalogue",
    "Comparison",
    "Condition",
    "ConditionInvalid",
    "DocumentValueInvalid",
    "Explanation",
    "FieldSpec",
    "FieldType",
    "Finding",
    "Group",
    "Match",
    "Not",
    "Op",
    "Period",
    "Quantified",
    "RowFinding",
    "Span",
    "describe",
    "describe_change",
    "evaluate",
    "explain",
    "fields_in",
    "find_field",
    "leaves",
    "parse_condition",
    "to_json",
]
