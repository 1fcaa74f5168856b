"""Conditions and explanations as sentences for people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.kernel.conditions.explain import Explanation, Finding
from core.kernel.conditions.fields import Catalogue, FieldSpec, FieldType, find_field, label_of
from core.kernel.conditions.nodes import (
    LIST_OPS,
    NO_VALUE_OPS,
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
from core.kernel.messages import N_

Translate = Callable[[str], str]
_SHOWN_MEMBERS = 5

_SENTENCES: dict[Op, str] = {
    Op.EQ: N_("{field} is {value}"),
    Op.NE: N_("{field} is filled in, but not {value}"),
    Op.LT: N_("{field} is less than {value}"),
    Op.LE: N_("{field} is at most {value}"),
    Op.GT: N_("{field} is more than {value}"),
    Op.GE: N_("{field} is at least {value}"),
    Op.BETWEEN: N_("{field} is between {low} and {high}"),
    Op.IN: N_("{field} is one of {value}"),
    Op.NOT_IN: N_("{field} is filled in, but none of {value}"),
    Op.CONTAINS: N_("{field} contains {value}"),
    Op.STARTS_WITH: N_("{field} starts with {value}"),
    Op.IS_EMPTY: N_("{field} is empty"),
    Op.IS_NOT_EMPTY: N_("{field} is filled in"),
    Op.HAS_ANY: N_("{field} has any of {value}"),
    Op.HAS_ALL: N_("{field} has all of {value}"),
    Op.WITHIN_LAST: N_("{field} is within the last {value}"),
    Op.WITHIN_NEXT: N_("{field} is within the next {value}"),
    Op.IN_PERIOD: N_("{field} is {value}"),
}
_TIME_SENTENCES: dict[Op, str] = {
    Op.LT: N_("{field} is before {value}"),
    Op.LE: N_("{field} is {value} or earlier"),
    Op.GT: N_("{field} is after {value}"),
    Op.GE: N_("{field} is {value} or later"),
}
_PERIODS: dict[Period, str] = {
    Period.TODAY: N_("today"),
    Period.YESTERDAY: N_("yesterday"),
    Period.TOMORROW: N_("tomorrow"),
    Period.THIS_WEEK: N_("this week"),
    Period.LAST_WEEK: N_("last week"),
    Period.NEXT_WEEK: N_("next week"),
    Period.THIS_MONTH: N_("this month"),
    Period.LAST_MONTH: N_("last month"),
    Period.NEXT_MONTH: N_("next month"),
    Period.THIS_YEAR: N_("this year"),
    Period.LAST_YEAR: N_("last year"),
}
_MATCHES: dict[Match, str] = {
    Match.ANY: N_("at least one of {field} meets: {inner}"),
    Match.ALL: N_("every one of {field} meets: {inner}"),
    Match.NONE: N_("none of {field} meets: {inner}"),
}
_SPANS: dict[str, tuple[str, str]] = {"days": (N_("1 day"), N_("{count} days")), "hours": (N_("1 hour"), N_("{count} hours"))}
_ALWAYS, _NEVER, _NOT = N_("always"), N_("never"), N_("not ({inner})")
_AND, _OR, _MORE = N_(" and "), N_(" or "), N_("{members} and {count} more")
_YES, _NO, _NOTHING = N_("yes"), N_("no"), N_("nothing")
_SEEN_ROWS = N_("{matching} of {rows}")
_NEEDED, _UNWANTED = N_("{field} is now {seen}; needed: {sentence}"), N_("{field} is now {seen}; in the way: {sentence}")


def describe(condition: Condition, catalogue: Catalogue, translate: Translate = str) -> str:
    """The condition as one sentence without a full stop: `Status is Paid and (Total is at least 100 or Tags has any of VIP)`.

    Labels of fields and choices come from the catalogue, which is translated already; `translate` turns this module's English
    fragments, all marked for gettext, into the reader's language. A field that has left the catalogue appears by its name.
    """
    return _Words(translate).sentence(condition, catalogue)


def describe_change(explanation: Explanation, catalogue: Catalogue, translate: Translate = str) -> list[str]:
    """What would turn the answer, one sentence per leaf: `Total is now 80; needed: Total is at least 100`.

    Empty when nothing can turn it. Values of the document are repeated, so personal data must be masked before.
    """
    words = _Words(translate)
    return [words.change(finding, catalogue) for finding in explanation.to_change or ()]


class _Words:
    """Builds sentences in one language."""

    def __init__(self, translate: Translate) -> None:
        self._translate = translate

    def sentence(self, node: Condition, catalogue: Catalogue, *, is_nested: bool = False) -> str:
        match node:
            case Group(is_all, children):
                if not children:
                    return self._translate(_ALWAYS if is_all else _NEVER)
                parts = [self.sentence(child, catalogue, is_nested=len(children) > 1) for child in children]
                joined = self._translate(_AND if is_all else _OR).join(parts)
                return f"({joined})" if is_nested and len(parts) > 1 else joined
            case Not(child):
                return self._fill(_NOT, inner=self.sentence(child, catalogue))
            case Quantified(path, match, where):
                spec = find_field(catalogue, path)
                inner = self.sentence(where, (spec.fields if spec else None) or {})
                found = self._fill(_MATCHES[match], field=label_of(catalogue, path), inner=inner)
                return f"({found})" if is_nested else found
        return self._comparison(node, catalogue)

    def change(self, finding: Finding, catalogue: Catalogue) -> str:
        leaf = finding.leaf
        if isinstance(leaf, Quantified):
            seen = self._fill(_SEEN_ROWS, **finding.seen)
        else:
            seen = self._value(finding.seen, find_field(catalogue, leaf.path))
        template = _UNWANTED if finding.holds else _NEEDED
        return self._fill(template, field=label_of(catalogue, leaf.path), seen=seen, sentence=self.sentence(leaf, catalogue))

    def _comparison(self, node: Comparison, catalogue: Catalogue) -> str:
        spec = find_field(catalogue, node.path)
        is_time = node.type in {FieldType.DATE, FieldType.DATETIME}
        template = (_TIME_SENTENCES if is_time else _SENTENCES).get(node.op) or _SENTENCES[node.op]
        field = label_of(catalogue, node.path)
        if node.op in NO_VALUE_OPS:
            return self._fill(template, field=field)
        if node.op is Op.BETWEEN:
            low, high = (self._value(member, spec) for member in node.value)
            return self._fill(template, field=field, low=low, high=high)
        shown = self._members(node.value, spec) if node.op in LIST_OPS else self._value(node.value, spec)
        return self._fill(template, field=field, value=shown)

    def _fill(self, template: str, **words: object) -> str:
        return self._translate(template).format(**words)

    def _members(self, members: tuple[Any, ...], spec: FieldSpec | None) -> str:
        shown = ", ".join(self._value(member, spec) for member in members[:_SHOWN_MEMBERS])
        rest = len(members) - _SHOWN_MEMBERS
        return self._fill(_MORE, members=shown, count=rest) if rest > 0 else shown

    def _value(self, value: Any, spec: FieldSpec | None) -> str:
        match value:
            case None:
                return self._translate(_NOTHING)
            case bool():
                return self._translate(_YES if value else _NO)
            case Span(unit, count):
                one, many = _SPANS[unit]
                return self._translate(one) if count == 1 else self._fill(many, count=count)
            case Period():
                return self._translate(_PERIODS[value])
            case Decimal():
                return f"{value:f}"
            case datetime():
                return value.isoformat(sep=" ", timespec="minutes")
            case date():
                return value.isoformat()
            case list():
                return self._members(tuple(value), spec) if value else self._translate(_NOTHING)
            case str() if spec is not None and spec.choices is not None and value in spec.choices:
                return spec.choices[value]
            case str() if spec is not None and spec.type is FieldType.TEXT:
                return f"“{value}”"
        return str(value)
