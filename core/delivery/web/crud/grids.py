"""Lists as the theme's templates take them: columns, rows, tabs, tools and pager, from an entity type, its arguments and a page of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext

from core.delivery.web.crud.arguments import SIZES, ActiveFilter, ListArguments, operators_of
from core.delivery.web.crud.export import RAW, SPREADSHEET
from core.delivery.web.crud.render import css_of, renderer
from core.delivery.web.theme import grid
from core.delivery.web.theme.formats import formats
from core.delivery.web.theme.words import speaker
from core.engines.metadata.entity import EntityType, Field, FieldType
from core.kernel.messages import N_
from core.kernel.paging import Page

CARD_FIELDS = 5
OPERATOR_WORDS = {
    "starts_with": N_("starts with"),
    "eq": N_("is"),
    "ne": N_("is not"),
    "contains": N_("contains"),
    "ge": N_("at least"),
    "le": N_("at most"),
    "lt": N_("until"),
    "has_any": N_("has"),
    "has_all": N_("has all of"),
    "is_empty": N_("is empty"),
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a list's controls lead; empty ones hide the control. `link(entity, id)` opens a referred record, `lookup(entity)` searches
    one."""

    here: str
    link: Callable[[str, UUID], str]
    lookup: Callable[[str], str]
    show: str = ""
    edit: str = ""
    delete: str = ""
    peek: str = ""
    add: str = ""
    bulk: str = ""
    counts: str = ""
    columns: str = ""
    export: str = ""


def signs_of(entity: EntityType, keys: Sequence[str], rows: Sequence[Any]) -> dict[str, str]:
    """The currency signs that head the money columns, as far as all rows of a column share one currency."""
    signs = {}
    for key in keys:
        item = entity.by_key[key]
        currencies = {getattr(row, item.currency_key) for row in rows} if item.currency_key else set()
        if item.type is FieldType.MONEY and len(currencies) == 1:
            signs[key] = formats().currency_sign(currencies.pop())
    return signs


def columns_of(
    entity: EntityType, keys: Sequence[str], arguments: ListArguments, signs: Mapping[str, str] | None = None
) -> list[grid.Column]:
    """The heads of the columns, with links that sort; `signs` see `signs_of`."""
    cards = entity.card_fields or keys[:CARD_FIELDS]
    sort = arguments.query.sort or ("-" if entity.default_sort[1] == "desc" else "") + entity.default_sort[0]
    found, say = [], speaker()
    for key in keys:
        item = entity.by_key[key]
        now = ""
        if sort.lstrip("-") == key:
            now = "descending" if sort.startswith("-") else "ascending"
        turn = f"-{key}" if now == "ascending" else key
        sort_url = arguments.address(sort=turn) if item.is_sortable else ""
        sign = (signs or {}).get(key, "")
        found.append(grid.Column(key, say(item.label), css_of(item), sort_url, now, on_card=key in cards, sign=sign))
    return found


def rows_of(
    entity: EntityType, keys: Sequence[str], page: Page[Any], *, labels: dict[UUID, str], addresses: Addresses, signs: Mapping[str, str]
) -> list[grid.Row]:
    """The rows with their cells; amounts show their currency unless the column's head does."""
    renderers = [
        renderer(entity.by_key[key], labels=labels, link=addresses.link, is_first=index == 0, is_bare=key in signs)
        for index, key in enumerate(keys)
    ]
    title = entity.title_field
    return [grid.Row(str(row.id), str(getattr(row, title, "")), [render(row) for render in renderers]) for row in page.rows]


def pager_of(page: Page[Any], arguments: ListArguments, total: tuple[int, bool] | None = None) -> grid.Pager:
    """Keyset paging; positions are only known on the first page."""
    count = len(page.rows)
    query = arguments.query
    return grid.Pager(
        first=1 if count else 0,
        last=count,
        total=total[0] if total else None,
        is_capped=total[1] if total else False,
        previous_url=arguments.address(cursor=page.previous_cursor) if page.previous_cursor else "",
        next_url=arguments.address(cursor=page.next_cursor) if page.next_cursor else "",
        sizes=[grid.PageSize(size, arguments.address(size=str(size)), size == query.size) for size in SIZES],
    )


def tabs_of(entity: EntityType, arguments: ListArguments) -> list[grid.Tab]:
    """The queue tabs; their counts are fetched after the page."""
    chosen, say = arguments.query.queue, speaker()
    return [
        grid.Tab(queue.key, say(queue.label), arguments.address(queue=queue.key), queue.key == chosen, queue.kind)
        for queue in entity.queues
    ]


def tools_of(
    entity: EntityType, keys: Sequence[str], arguments: ListArguments, *, addresses: Addresses, all_keys: Sequence[str]
) -> grid.Tools:
    """Search, filters, chips, columns and exports."""
    bad = arguments.problems
    names = {name for one in arguments.active for name in one.names} | {name for one in bad for name in one.names}
    kept = [(name, value) for name, value in arguments.raw if name not in ("q", "cursor")]
    clear = arguments.without([*names, "q"])
    shown, say = [*keys, *(key for key in all_keys if key not in keys)], speaker()
    return grid.Tools(
        search=arguments.query.search,
        keep=[pair for pair in kept if pair[0] not in names],
        keep_filters=[pair for pair in kept if pair[0] in names],
        chips=[_chip(one, arguments) for one in arguments.active],
        problems=[grid.Chip(say(one.label) if one.label else one.key[:40], one.text[:60], arguments.without(one.names)) for one in bad],
        clear_url=clear if arguments.active or bad or arguments.query.search else "",
        filters=[line for item in entity.fields if item.is_filterable for line in _filters(item, arguments, addresses, say)],
        columns=[grid.ColumnChoice(key, say(entity.by_key[key].label), key in keys) for key in shown] if addresses.columns else [],
        columns_url=addresses.columns,
        exports=_exports(addresses, arguments),
    )


def _exports(addresses: Addresses, arguments: ListArguments) -> list[grid.Action]:
    if not addresses.export:
        return []
    base = addresses.export + arguments.address()
    glue = "" if base.endswith("?") else "&"
    return [
        grid.Action(gettext("CSV"), base, "file-download"),
        grid.Action(gettext("CSV for spreadsheets"), f"{base}{glue}for={SPREADSHEET}", "table-export"),
        grid.Action(gettext("CSV for programs, with codes"), f"{base}{glue}for={RAW}", "code"),
    ]


def _chip(one: ActiveFilter, arguments: ListArguments) -> grid.Chip:
    words = {choice.value: gettext(choice.label) for choice in one.item.choices}
    value = words.get(one.text, one.text)
    operator = gettext(OPERATOR_WORDS[one.op]) if one.op != "eq" else ""
    return grid.Chip(gettext(one.item.label), value, arguments.without(one.names), operator)


def _filters(item: Field, arguments: ListArguments, addresses: Addresses, say: Callable[[str], str]) -> list[grid.Filter]:
    active = {name: one for one in arguments.active if one.item is item for name in one.names}
    label, name = say(item.label), f"f.{item.key}"
    if item.type is FieldType.DATETIME:
        ends = ((f"{name}.from", gettext("from")), (f"{name}.to", gettext("until")))
        return [grid.Filter(end, f"{label} {word}", "date", active[end].text if end in active else "") for end, word in ends]
    one = active.get(name)
    value, operator = (one.text, one.op) if one else ("", "")
    if item.type in (FieldType.CHOICE, FieldType.CHOICES):
        return [grid.Filter(name, label, "select", value, [(c.value, say(c.label)) for c in item.choices if c.value])]
    if item.type is FieldType.BOOLEAN:
        return [grid.Filter(name, label, "bool", value, [("true", gettext("Yes")), ("false", gettext("No"))])]
    if item.type in (FieldType.REFERENCE, FieldType.USER):
        return [grid.Filter(name, label, "select", value, [(value, value)] if value else [], source=addresses.lookup(item.target))]
    words = [(op, say(OPERATOR_WORDS[op])) for op in operators_of(item)]
    kind = "date" if item.type is FieldType.DATE else "number" if css_of(item) == "num" else "text"
    return [grid.Filter(name, label, kind, value, operators=words, operator=operator, operator_name=f"op.{item.key}")]
