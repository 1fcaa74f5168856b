"""The pages' Chinese catalogue holds Chinese words with their variables, and its compiled form is the present one."""

from __future__ import annotations

import re
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from core.delivery.web.theme import TRANSLATIONS

FOLDER = TRANSLATIONS / "zh" / "LC_MESSAGES"
SAME_IN_BOTH = {"API", "CSV", "Orderloom", "SKU", "SKUs", "Webhooks", "%(first)s–%(last)s"}


def _catalogue() -> Catalog:
    return read_po(BytesIO((FOLDER / "messages.po").read_bytes()), locale="zh")


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
