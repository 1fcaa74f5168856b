"""Generated screens speak Chinese to people who chose it: no label, title, tab or state is left in English."""

from __future__ import annotations

import re

import pytest

from core.delivery.web.crud.view import in_sentence
from core.domain.all_entities import core_entities
from tests.fixtures.web import HOST

pytestmark = pytest.mark.database
ENTITIES = list(core_entities())
#: Labels that Chinese staff use as they are.
SAME = {"SKU", "SKUs"}
TEXT = re.compile(r">([^<>]+)<")


def english_of(entity) -> set[str]:
    """Every English label of an entity."""
    labels = {entity.label, entity.label_plural, entity.empty}
    labels.update(item.label for item in (*entity.fields, *entity.queues, *entity.actions, *entity.related))
    labels.update(item.help for item in entity.fields)
    labels.update(choice.label for item in entity.fields for choice in item.choices)
    return labels - SAME - {""}


def shown(page: str) -> set[str]:
    return {text.strip() for text in TEXT.findall(page)}


@pytest.fixture(scope="module")
def reader(floor):
    browser = floor.visitor("owner@tea.example")
    browser.client.set_cookie("ol_lang", "zh", domain=HOST)
    return browser


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda entity: entity.key)
def test_list_is_chinese_when_the_reader_is(reader, entity):
    page = reader.get(f"/t/tea/{entity.resource}/list/")

    assert page.status_code == 200
    assert '<html lang="zh' in page.text
    assert shown(page.text) & english_of(entity) == set()


@pytest.mark.parametrize("entity", [entity for entity in ENTITIES if entity.create], ids=lambda entity: entity.key)
def test_form_is_chinese_when_the_reader_is(reader, entity):
    page = reader.get(f"/t/tea/{entity.resource}/add")

    assert page.status_code == 200
    assert shown(page.text) & english_of(entity) == set()


@pytest.mark.parametrize(
    ("label", "said"),
    [("SKU", "SKU"), ("SKUs", "SKUs"), ("Order tag", "order tag"), ("Kit component", "kit component"), ("SKU 别名", "SKU 别名"), ("仓库", "仓库")],
)
def test_label_keeps_abbreviations_when_it_stands_in_a_sentence(label, said):
    assert in_sentence(label) == said
