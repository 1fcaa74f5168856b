"""The types of fields as an admin meets them: a card each, and the inputs that a field of the type has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.kernel.messages import N_


@dataclass(frozen=True, slots=True)
class TypeCard:
    """One type. `inputs` are the names in `FieldShape` that only some types have; `flags` the yes-or-no ones among those it may have."""

    key: str
    label: str
    text: str
    icon: str
    inputs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ("required", "unique", "filterable", "in_list", "personal")


@dataclass(frozen=True, slots=True)
class TypeGroup:
    """Cards that stand together."""

    label: str
    cards: tuple[TypeCard, ...]


_PLAIN = ("required", "filterable", "in_list")
_TEXT = ("required", "unique", "filterable", "in_list", "personal", "sealed")
_LONG = ("required", "personal", "sealed")
_COMPUTED = ("in_list",)

TYPE_GROUPS = (
    TypeGroup(
        N_("Text"),
        (
            TypeCard(
                "text", N_("Text"), N_("One line: a name, a code, a short remark."), "edit", ("max_length", "pattern", "default"), _TEXT
            ),
            TypeCard("long_text", N_("Long text"), N_("Several lines. Not for filters."), "file-text", ("max_length", "default"), _LONG),
            TypeCard("phone", N_("Phone"), N_("A telephone number that can be dialled."), "phone", ("default",), _TEXT),
            TypeCard("email", N_("Email"), N_("An e-mail address that can be written to."), "mail", ("default",), _TEXT),
            TypeCard("url", N_("Web address"), N_("A link that opens in a new tab."), "link", ("default",), _TEXT),
            TypeCard(
                "address", N_("Postal address"), N_("Where somebody lives or works, in several lines."), "map-pin", ("default",), _LONG
            ),
        ),
    ),
    TypeGroup(
        N_("Numbers and time"),
        (
            TypeCard("integer", N_("Whole number"), N_("Pieces, days, points."), "list-details", ("minimum", "maximum", "default")),
            TypeCard(
                "decimal",
                N_("Decimal number"),
                N_("With decimals: weights, lengths, shares."),
                "chart-line",
                ("minimum", "maximum", "digits", "default"),
            ),
            TypeCard("money", N_("Money"), N_("An amount in one currency."), "coin", ("currency", "minimum", "maximum", "default")),
            TypeCard("date", N_("Date"), N_("A day, without a time."), "calendar", ("default",)),
            TypeCard("datetime", N_("Date and time"), N_("A moment, shown in each reader's time zone."), "clock"),
        ),
    ),
    TypeGroup(
        N_("Choosing"),
        (
            TypeCard("boolean", N_("Yes or no"), N_("A check box."), "check", ("default",), ("filterable", "in_list")),
            TypeCard("choice", N_("Choice"), N_("One of some words, each with a colour."), "circle-dot", ("choices", "default"), _PLAIN),
            TypeCard("choices", N_("Several choices"), N_("Any number of some words."), "checklist", ("choices", "default"), _PLAIN),
        ),
    ),
    TypeGroup(
        N_("Links"),
        (
            TypeCard(
                "reference",
                N_("Record"),
                N_("A link to a record of any kind: an order, a product, a customer."),
                "external-link",
                ("target",),
            ),
            TypeCard("user", N_("Person"), N_("A member of this business."), "user", (), _PLAIN),
            TypeCard("file", N_("File"), N_("A picture or document."), "upload", (), ("required",)),
        ),
    ),
    TypeGroup(
        N_("Filled in by itself"),
        (
            TypeCard(
                "number",
                N_("Number in sequence"),
                N_("Counts up with each record: SC-2026-0001."),
                "barcode",
                ("series",),
                ("filterable", "in_list"),
            ),
            TypeCard(
                "formula", N_("Formula"), N_("Computed from the other fields of the record."), "code", ("formula", "result"), _COMPUTED
            ),
            TypeCard(
                "rollup",
                N_("Sum over records"),
                N_("Counts or sums up the records that refer to this one."),
                "stack-2",
                ("rollup.entity", "rollup.via", "rollup.use", "rollup.of", "rollup.where", "result"),
                _COMPUTED,
            ),
            TypeCard("json", N_("Data of a program"), N_("For integrations: anything written as JSON."), "database", (), ("required",)),
        ),
    ),
)
TYPE_CARDS: Mapping[str, TypeCard] = {card.key: card for group in TYPE_GROUPS for card in group.cards}
#: Types whose values nobody types in.
AUTOMATIC = ("number", "formula", "rollup")
CONDITIONS = ("visible_if", "required_if")
#: Names of a body that every type has.
COMMON = ("entity", "key", "label", "type", "help", "position", "archived")
