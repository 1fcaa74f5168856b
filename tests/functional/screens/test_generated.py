"""Every generated screen answers, for one row and for three, with the same number of statements."""

from __future__ import annotations

import pytest

from core.delivery.web.crud.view import view_name
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
