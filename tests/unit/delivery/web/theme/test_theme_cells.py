"""Ready-made HTML of cells: escaped, labelled, and a dash for nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from core.delivery.web.theme import cells
from core.delivery.web.theme.formats import Formats
from core.delivery.web.theme.grid import Column

HABITS = Formats("en", ZoneInfo("UTC"), datetime(2026, 11, 22, tzinfo=UTC))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40))
def test_badge_keeps_any_word_as_text_when_it_holds_markup(word: str) -> None:
    read = _read(str(cells.badge("warn", "clock", word)))

    assert read.tags == ["span", "i"]
    assert read.text == word


def test_badge_is_refused_when_its_kind_has_no_colour() -> None:
    with pytest.raises(ValueError, match="pink"):
        cells.badge("pink", "clock", "Waiting")


def test_icon_takes_our_name_when_given_font_awesomes() -> None:
    assert cells.icon("fa-users") == '<i class="i i-users" aria-hidden="true"></i>'
    assert cells.icon("fa fa-sign-out") == '<i class="i i-logout" aria-hidden="true"></i>'
    assert cells.icon("") == ""


def test_number_cells_are_aligned_when_there_is_a_value() -> None:
    assert cells.money(Decimal("9.9"), "GBP", by=HABITS) == '<span class="n">£9.90</span>'
    assert cells.number(1204, by=HABITS) == '<span class="n">1,204</span>'


def test_moment_carries_the_exact_time_when_it_is_written_short() -> None:
    cell = cells.moment(datetime(2026, 11, 22, 9, 30, tzinfo=UTC), by=HABITS)

    assert cell == '<time datetime="2026-11-22T09:30:00+00:00">22 Nov 09:30</time>'


def test_cells_are_a_dash_when_there_is_nothing() -> None:
    dashes = {cells.money(None), cells.number(None), cells.moment(None), cells.ago(None), cells.code(""), cells.copyable(None), cells.plain("")}

    assert dashes == {cells.DASH}


def test_link_and_column_escape_their_text_when_it_holds_quotes() -> None:
    column = Column("a", 'Size "XL"', css="num")

    assert cells.link('/a?"', "<b>") == '<a href="/a?&#34;">&lt;b&gt;</a>'
    assert column.attrs == ' class="num" data-label="Size &#34;XL&#34;"'


def test_column_leaves_the_card_when_it_is_not_meant_for_narrow_screens() -> None:
    assert Column("a", "Carrier", on_card=False).attrs == ' class="off-card"'


def test_line_escapes_text_and_keeps_markup_when_it_puts_cells_side_by_side():
    attrs = [Markup(' class="num"'), Markup("")]

    shown = cells.line(attrs, ["<b>", Markup("<i>1</i>")])

    assert shown == '<td class="num">&lt;b&gt;</td><td><i>1</i></td>'


def test_options_are_escaped_when_the_same_text_came_as_markup_before():
    cells.options([("a", Markup("<b>bold</b>"))], "")

    shown = cells.options([("a", "<b>bold</b>"), ('"', "quote")], "a")

    assert shown == '<option value="a" selected>&lt;b&gt;bold&lt;/b&gt;</option><option value="&#34;">quote</option>'
