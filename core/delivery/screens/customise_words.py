"""What the properties of configuration items are called in forms and comparisons, with the help beside each input."""

from __future__ import annotations

from collections.abc import Mapping

from core.kernel.messages import N_

Words = Mapping[str, tuple[str, str]]

ENTITY_WORDS: Words = {
    "key": (N_("Key"), N_("The name for programs: REST, files, formulas. Made from the label where you leave it empty; fixed afterwards.")),
    "label": (N_("Name of one record"), N_("Such as “Complaint”.")),
    "label_plural": (N_("Name of many"), N_("Heads the list and the menu. The same as above where you leave it empty.")),
    "resource": (N_("Name in addresses"), N_("Stands in links and REST paths.")),
    "help": (N_("What it is for"), N_("One sentence, for whoever uses it.")),
    "icon": (N_("Icon"), ""),
    "menu": (N_("Place in the menu"), N_("Records that belong to others are reached from there and need no place.")),
    "title": (N_("Records are called by"), N_("The field whose value heads the record's page and links to it.")),
    "parent": (N_("Belongs to"), N_("Each record is part of one record of that kind, shown on its page and added there.")),
    "series": (N_("Pattern of the number"), ""),
    "archived": (N_("Archived"), ""),
    "position": (N_("Place in the order"), ""),
}
FIELD_WORDS: Words = {
    "entity": (N_("Kind of record"), ""),
    "key": (N_("Key"), N_("The name for programs: REST, files, formulas. Made from the label where you leave it empty.")),
    "label": (N_("Label"), N_("What people read beside the field.")),
    "type": (N_("Type"), ""),
    "help": (N_("Help"), N_("A sentence below the input, for whoever fills it in.")),
    "required": (N_("Has to be filled in"), N_("Records that lack it keep working until somebody edits them.")),
    "unique": (N_("No two records alike"), N_("A value that another record has already is refused.")),
    "filterable": (N_("Can be filtered and sorted by"), N_("Costs a little storage for each record.")),
    "in_list": (N_("Column in the list"), ""),
    "personal": (N_("About a person"), N_("Left out of exports, unless whoever exports may see people's data.")),
    "sealed": (N_("Encrypted"), N_("Stored unreadable for whoever gets at the database. Found by the whole value only.")),
    "archived": (N_("Archived"), ""),
    "position": (N_("Place in the order"), ""),
    "default": (N_("Filled in at first"), N_("What a new record begins with.")),
    "minimum": (N_("Smallest value"), ""),
    "maximum": (N_("Largest value"), ""),
    "max_length": (N_("Longest text"), N_("In characters.")),
    "pattern": (
        N_("Pattern"),
        N_("A regular expression that the whole text fits: [A-Z]{2}\\d{4} takes AB1234. For texts of at most 64 characters."),
    ),
    "digits": (N_("Decimals"), N_("At most so many digits after the point, 0 to 6.")),
    "currency": (N_("Currency"), N_("Three letters, such as CNY. Empty: the currency of the record.")),
    "choices": (N_("Choices"), ""),
    "target": (N_("Leads to"), N_("The kind of record that is chosen.")),
    "formula": (N_("Formula"), N_("Works on the fields of the record, such as quantity * price.")),
    "result": (N_("Type of the result"), ""),
    "rollup": (N_("Sum over records"), ""),
    "rollup.entity": (N_("Records of"), N_("The kind of record that refers to this one.")),
    "rollup.via": (N_("By their field"), N_("The key of the field that refers to this record.")),
    "rollup.use": (N_("What to work out"), ""),
    "rollup.of": (N_("Of their field"), N_("The key of the number or date; not needed for a count.")),
    "rollup.where": (N_("Only where"), N_("Records that meet this condition; all where it is empty.")),
    "series": (
        N_("Pattern of the number"),
        N_("{n:4} is the number with leading zeros; {yyyy}, {yy}, {mm} and {dd} are of the day, and counting begins anew with each."),
    ),
    "visible_if": (N_("Shown only if"), N_("The field is asked for while this condition on the record holds.")),
    "required_if": (N_("Needed only if"), N_("The field has to be filled in while this condition holds.")),
}
LAYOUT_WORDS: Words = {
    "entity": (N_("Kind of record"), ""),
    "role": (N_("Role"), ""),
    "tabs": (N_("Form and page"), ""),
    "columns": (N_("Columns of the list"), ""),
    "cards": (N_("Fields on cards"), ""),
}
VIEW_WORDS: Words = {
    "key": (N_("Key"), ""),
    "label": (N_("Name"), ""),
    "condition": (N_("Condition"), ""),
    "sort": (N_("Sorted by"), ""),
    "columns": (N_("Columns of the list"), ""),
    "roles": (N_("Roles"), ""),
    "position": (N_("Place in the order"), ""),
    "is_tab": (N_("As a tab"), ""),
}
LABEL_WORDS: Words = {
    "field": (N_("Field"), ""),
    "value": (N_("Value"), ""),
    "label": (N_("Word"), ""),
    "kind": (N_("Colour"), ""),
}
RULE_WORDS: Words = {**VIEW_WORDS, "entity": (N_("Kind of record"), ""), "archived": (N_("Archived"), "")}
ACCESS_WORDS: Words = {"field": (N_("Field"), ""), "role": (N_("Role"), ""), "may": (N_("May"), "")}
BODY_WORDS: Mapping[str, Words] = {
    "entity": ENTITY_WORDS,
    "field": FIELD_WORDS,
    "layout": LAYOUT_WORDS,
    "view": VIEW_WORDS,
    "label": LABEL_WORDS,
    "rule": RULE_WORDS,
    "access": ACCESS_WORDS,
}
#: One item of each kind, within a sentence.
FALLBACK_LABELS: Mapping[str, str] = {
    "entity": N_("Kind of record"),
    "field": N_("Field"),
    "label": N_("Word for a choice"),
    "layout": N_("Layout"),
    "view": N_("Saved view"),
    "rule": N_("Rule"),
    "access": N_("Right on a field"),
}
KIND_ICONS: Mapping[str, str] = {
    "entity": "database",
    "field": "ballpen",
    "label": "tag",
    "layout": "layout-rows",
    "view": "bookmark",
    "rule": "shield-check",
    "access": "lock",
}
COLOUR_WORDS: Mapping[str, str] = {
    "neutral": N_("Grey"),
    "info": N_("Blue"),
    "progress": N_("Violet"),
    "warn": N_("Amber"),
    "ok": N_("Green"),
    "bad": N_("Red"),
}
RESULT_WORDS: Mapping[str, str] = {
    "": N_("As it comes out"),
    "text": N_("Text"),
    "integer": N_("Whole number"),
    "decimal": N_("Decimal number"),
    "money": N_("Money"),
    "date": N_("Date"),
    "datetime": N_("Date and time"),
    "boolean": N_("Yes or no"),
}
USE_WORDS: Mapping[str, str] = {
    "count": N_("How many"),
    "sum": N_("Sum"),
    "min": N_("Smallest"),
    "max": N_("Largest"),
    "avg": N_("Average"),
}
MENU_WORDS: Mapping[str, str] = {
    "records": N_("Records"),
    "orders": N_("Orders"),
    "catalog": N_("Products"),
    "customers": N_("Customers"),
    "inventory": N_("Stock"),
    "": N_("Not in the menu"),
}
#: Icons that suit records.
ICONS = (
    "table", "clipboard-list", "alert-triangle", "message", "file-text", "file-invoice", "receipt", "checklist", "calendar", "clock",
    "users", "user", "building-store", "building-warehouse", "building-community", "truck", "package", "box", "shopping-bag", "gift",
    "tag", "ticket", "coin", "cash", "credit-card", "chart-bar", "report-analytics", "star", "heart-rate-monitor", "photo", "map-pin",
    "phone", "mail", "world", "link", "route", "settings", "puzzle", "key", "shield-check", "bell", "bookmark", "database", "stack-2",
)  # fmt: skip
