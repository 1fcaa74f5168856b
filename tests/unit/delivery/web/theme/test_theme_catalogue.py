"""The Chinese catalogue knows every sentence of the theme, and its compiled form is the present one."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from core.delivery.web.theme import TRANSLATIONS

FOLDER = TRANSLATIONS / "zh" / "LC_MESSAGES"
THEME = Path(TRANSLATIONS).parent / "theme"
WORDS = {"_": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
OPTIONS = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true"}}
SAME_IN_BOTH = {"API", "CSV", "Orderloom", "Webhooks", "%(first)s–%(last)s"}


def _catalogue() -> Catalog:
    return read_po(BytesIO((FOLDER / "messages.po").read_bytes()), locale="zh")


def test_catalogue_translates_every_sentence_when_templates_are_searched() -> None:
    methods = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
    used = {found[2] for found in extract_from_dir(THEME, methods, OPTIONS, keywords=WORDS)}
    known = {message.id for message in _catalogue() if message.id and message.string and not message.fuzzy}

    assert {str(one) for one in used - known} == set()


def test_translations_are_chinese_and_keep_their_variables_when_compared() -> None:
    faults = []
    for message in _catalogue():
        if not message.id:
            continue
        source = message.id[-1] if isinstance(message.id, tuple) else message.id
        said = message.string[0] if isinstance(message.string, tuple) else message.string
        if set(re.findall(r"%\(\w+\)s", source)) != set(re.findall(r"%\(\w+\)s", said)):
            faults.append(source)
        if source not in SAME_IN_BOTH and not re.search(r"[\u4e00-\u9fff]", said):
            faults.append(source)

    assert faults == []


def test_compiled_catalogue_is_the_present_one_when_written_again() -> None:
    again = BytesIO()
    write_mo(again, _catalogue())

    assert (FOLDER / "messages.mo").read_bytes() == again.getvalue()
