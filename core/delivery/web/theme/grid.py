"""The values that a list page shows, as `kit/list.html` and `kit/_table.html` take them: filled by the crud kit, printed here.

Labels are translated, addresses permission-checked (an empty one hides its control), cells are text or Markup from `cells`.
An address for a row is a pattern with `{pk}` in it, so that a page of rows carries it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

KEY = "{pk}"


@dataclass(slots=True)
class Column:
    """The head of a column. `css`: `num` right-aligned, `wide` may wrap, `states` badges; `sorted`: ascending or descending.

    `on_card` keeps the column on narrow screens, where each row is a card.
    """

    key: str
    label: str
    css: str = ""
    sort_url: str = ""
    sorted: str = ""
    on_card: bool = True
    sign: str = ""
    attrs: Markup = field(init=False)

    def __post_init__(self) -> None:
        css = " ".join(part for part in (self.css, "" if self.on_card else "off-card") if part)
        shown = Markup(' data-label="{}"').format(f"{self.label} {self.sign}".strip()) if self.on_card else Markup("")
        self.attrs = (Markup(' class="{}"').format(css) if css else Markup("")) + shown


@dataclass(slots=True)
class Row:
    """One row: its key, what to call it (for its check box and menu), its cells in column order.

    `css` is `row-bad`, `row-warn`, `row-done` or nothing.
    """

    pk: str
    label: str
    cells: Sequence[Any]
    css: str = ""


@dataclass(slots=True)
class Action:
    """A button. `method` "post" makes it a form; `confirm` is asked first; `kind` "bad" paints it red.

    `off` says why it is disabled; `word` must be typed to go on; `peek` opens at the side instead.
    """

    label: str
    url: str = ""
    icon: str = ""
    method: str = ""
    confirm: str = ""
    word: str = ""
    kind: str = ""
    key: str = ""
    off: str = ""
    peek: str = ""
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Bulk:
    """Actions on chosen rows.

    Posted to `url`: `action`, the keys under `key_name`, `scope=all` for all `matching`, and the filter (`query`).
    """

    url: str
    actions: Sequence[Action]
    matching: int = 0
    is_capped: bool = False
    key_name: str = "pk"
    query: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class PageSize:
    """A choice of rows per page."""

    size: int
    url: str
    active: bool = False


@dataclass(slots=True)
class Pager:
    """Keyset paging. `total` None: not counted; `is_capped`: counted up to a limit only. An empty address: no such page."""

    first: int
    last: int
    total: int | None = None
    is_capped: bool = False
    previous_url: str = ""
    next_url: str = ""
    sizes: Sequence[PageSize] = ()


@dataclass(slots=True)
class Tab:
    """A queue or saved view. `kind` colours its counter; `count` None waits for `counts_url`."""

    key: str
    label: str
    url: str
    active: bool = False
    kind: str = ""
    count: str | None = None


@dataclass(slots=True)
class Chip:
    """An active filter, removed by following `remove_url`."""

    label: str
    value: str
    remove_url: str
    operator: str = ""


@dataclass(slots=True)
class Filter:
    """One line of the filter panel.

    `type` is text, number, date, select, many or bool; `options` are (value, label) pairs; `source` is a look-up address.
    """

    name: str
    label: str
    type: str = "text"
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    operators: Sequence[tuple[str, str]] = ()
    operator: str = ""
    operator_name: str = ""
    source: str = ""


@dataclass(slots=True)
class ColumnChoice:
    """A column that may be shown or not, in the present order."""

    key: str
    label: str
    shown: bool = True


@dataclass(slots=True)
class Empty:
    """What an empty list says: what belongs here, one button, one link."""

    icon: str
    title: str
    text: str = ""
    primary: Action | None = None
    link: Action | None = None


@dataclass(slots=True)
class Tools:
    """The row between tabs and table. `keep` are arguments that neither search nor filters lose, `keep_filters` the
    filters, which a search keeps too; `conditions` are one-click filters; `problems` are
    filters that mean nothing here, so that the list is shown without them."""

    search_name: str = "q"
    search: str = ""
    search_hint: str = ""
    keep: Sequence[tuple[str, str]] = ()
    chips: Sequence[Chip] = ()
    problems: Sequence[Chip] = ()
    keep_filters: Sequence[tuple[str, str]] = ()
    clear_url: str = ""
    conditions: Sequence[Tab] = ()
    filters: Sequence[Filter] = ()
    columns: Sequence[ColumnChoice] = ()
    columns_url: str = ""
    save_view_url: str = ""
    exports: Sequence[Action] = ()


@dataclass(slots=True)
class Grid:
    """A table of rows with its menu, its bulk bar and its pager."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    pager: Pager | None = None
    id: str = "grid"
    caption: str = ""
    show_url: str = ""
    peek_url: str = ""
    edit_url: str = ""
    delete_url: str = ""
    delete_confirm: str = ""
    row_actions: Sequence[Action] = ()
    bulk: Bulk | None = None
    empty: Empty | None = None
    is_filtered: bool = False
    clear_url: str = ""
    add_url: str = ""
