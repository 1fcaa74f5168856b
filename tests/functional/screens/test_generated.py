"""Every generated screen answers, for one row and for three, with the same number of statements."""

from __future__ import annotations

import re

import pytest

from core.delivery.web.crud.addressing import view_name
from core.domain.all_entities import core_entities

pytestmark = pytest.mark.database
ENTITIES = list(core_entities())


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.key)
def test_list_answers_when_it_is_empty(floor, entity):
    browser = floor.visitor("owner@tea.example")

    page = browser.get(f"/t/tea/{entity.resource}/list/")

    assert page.status_code == 200, page.text[:2000]


@pytest.mark.parametrize("entity", [entity for entity in ENTITIES if entity.create], ids=lambda entity: entity.key)
def test_form_names_every_missing_field_when_it_is_sent_empty(floor, entity):
    browser = floor.visitor("owner@tea.example")

    page = browser.post(f"/t/tea/{entity.resource}/add", {}, page="/t/tea/account/")

    assert page.status_code == 422, page.text[:2000]
    assert "This is needed." in page.text


def test_view_names_are_unique():
    assert len({view_name(entity.key) for entity in ENTITIES}) == len(ENTITIES)


def test_navigation_is_the_readers_own_when_others_asked_before(floor):
    owner, reader, neighbour = (floor.visitor(email) for email in ("owner@tea.example", "reader@tea.example", "owner@gift.example"))

    before = _navigation(owner.get("/t/tea/orders/list/").text)
    of_reader = _navigation(reader.get("/t/tea/orders/list/").text)
    of_neighbour = _navigation(neighbour.get("/t/gift/orders/list/").text)
    owner.get("/lang/zh")
    after = _navigation(owner.get("/t/tea/shops/list/").text)

    assert [label for label, is_here in before.values() if is_here] == ["Orders"]
    assert [label for label, is_here in after.values() if is_here] == ["店铺"]
    assert before.keys() == after.keys()
    assert set(of_reader) < set(before)
    assert set(of_neighbour) == {url.replace("/t/tea/", "/t/gift/") for url in before}


def _navigation(page: str) -> dict[str, tuple[str, bool]]:
    """The links of the sidebar: what each says, and whether it is the present page."""
    side = page[page.index('class="side-body"') :]
    found = re.findall(r'<a class="navi" href="([^"]+)"([^>]*)>(.*?)</a>', side[: side.index("</form>")])
    return {url: (re.sub(r"<[^>]+>", "", inner).strip(), "aria-current" in more) for url, more, inner in found}
