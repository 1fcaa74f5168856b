"""Every text that people read has its Chinese words, and the compiled catalogues say what the sources say."""

from __future__ import annotations

import re
from pathlib import Path

import flask_appbuilder
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from tests.fixtures.wording import REPOSITORY, wording

SOURCES = sorted(path for folder in ("core", "plugins") for path in (REPOSITORY / folder).rglob("zh/LC_MESSAGES/messages.po"))
FAB = Path(flask_appbuilder.__file__).parent / "translations/zh/LC_MESSAGES/messages.po"
#: First arguments of errors that are codes of reasons, not sentences.
CODES = {"no_settings", "not_configured", "paused", "state", "untested"}
BLANKS = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def catalogue(path: Path) -> Catalog:
    with path.open("rb") as stream:
        return read_po(stream, locale="zh")


def entries(path: Path) -> dict[str, str]:
    """Translations by message id; of plural messages by either form."""
    found = {}
    for message in catalogue(path):
        ids = message.id if isinstance(message.id, (tuple, list)) else [message.id]
        text = message.string if isinstance(message.string, str) else message.string[0]
        found.update({one: text for one in ids if one and text and not message.fuzzy})
    return found


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    found = entries(FAB)
    for path in SOURCES:
        found.update(entries(path))
    return found


def test_every_text_has_chinese_words(known):
    missing = {text: place for text, place in wording().items() if text not in known and text not in CODES}

    assert missing == {}


def test_translations_keep_the_blanks_of_their_texts(known):
    texts = wording()

    wrong = [text for text in texts if text in known and set(BLANKS.findall(text)) != set(BLANKS.findall(known[text]))]

    assert wrong == []


def test_catalogues_agree_when_they_share_a_text():
    said: dict[str, dict[str, str]] = {}
    for path in SOURCES:
        for text, words in entries(path).items():
            said.setdefault(text, {})[words] = path.relative_to(REPOSITORY).as_posix()

    assert {text: words for text, words in said.items() if len(words) > 1} == {}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(REPOSITORY).parts[-5])
def test_compiled_catalogue_says_what_its_source_says(path):
    with path.with_suffix(".mo").open("rb") as stream:
        compiled = read_mo(stream)

    assert plain(compiled) == plain(catalogue(path))


def plain(found: Catalog) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Ids and translations of a catalogue, singular ones as tuples of one."""
    pairs = ((message.id, message.string) for message in found if message.id and message.string)
    return {((one,) if isinstance(one, str) else tuple(one)): ((said,) if isinstance(said, str) else tuple(said)) for one, said in pairs}
